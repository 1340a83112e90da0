use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use memchr::memrchr;
use sha2::{Digest, Sha256};

pub(super) use super::source::Content;
use super::{fault::unreadable, source::Progress};
use crate::error::Error;

impl Content {
    /// This and another file, which together are one.
    pub(super) fn and(self, other: Self) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.hash);
        hash.update(other.hash);
        Self { bytes: self.bytes + other.bytes, hash: hash.finalize().into() }
    }

    /// Reads all of a file.
    pub(crate) fn of(file: &Path, progress: &Progress) -> Result<Self, Error> {
        Ok(Lines::of(file, &[], progress)?.all)
    }
}

/// A file of lines, as it was when it was looked at.
pub(crate) struct Lines {
    all: Content,
    /// Up to the end of the last line that has one. What stands behind it is still being written, or was cut off.
    pub(crate) ended: Content,
    /// Of what was imported before: what this file begins with. A log that has grown since then begins with it, and only the rest is new.
    pub(crate) begins_with: Option<Content>,
}

impl Lines {
    /// Reads all of it. Imports are known by the lengths and the hashes that are given.
    pub(crate) fn of(file: &Path, known: &[Content], progress: &Progress) -> Result<Self, Error> {
        let mut known = known.to_vec();
        known.sort_by_key(|known| known.bytes);
        let mut reader = open(file, progress)?;
        let (mut hash, mut bytes, mut begins_with) = (Sha256::new(), 0, None);
        let (mut ended_hash, mut ended_bytes) = (hash.clone(), 0);
        loop {
            let chunk = reader.fill_buf().map_err(|error| unreadable(file, error))?;
            if chunk.is_empty() {
                break;
            }
            let next = known.iter().map(|known| known.bytes).find(|end| *end > bytes).unwrap_or(u64::MAX);
            let taken = usize::try_from(next - bytes).unwrap_or(usize::MAX).min(chunk.len());
            let lines = memrchr(b'\n', &chunk[..taken]).map_or(0, |end| end + 1);
            hash.update(&chunk[..lines]);
            if lines > 0 {
                (ended_hash, ended_bytes) = (hash.clone(), bytes + lines as u64);
            }
            hash.update(&chunk[lines..taken]);
            reader.consume(taken);
            bytes += taken as u64;
            if bytes == next {
                let so_far: [u8; 32] = hash.clone().finalize().into();
                begins_with = known.iter().find(|known| known.bytes == bytes && known.hash == so_far).copied().or(begins_with);
            }
        }
        let all = Content { bytes, hash: hash.finalize().into() };
        Ok(Self { all, ended: Content { bytes: ended_bytes, hash: ended_hash.finalize().into() }, begins_with })
    }

    /// Whether something stands behind the last line.
    pub(crate) fn is_cut(&self) -> bool {
        self.all != self.ended
    }
}

/// Small, for all files of a log are open at once.
const BUFFER: usize = 64 << 10;

/// Opens a file, unpacked if its first bytes say that it is packed.
pub(super) fn open(file: &Path, progress: &Progress) -> Result<Box<dyn BufRead + Send>, Error> {
    let unreadable = |error| unreadable(file, error);
    let opened = File::open(file).map_err(unreadable)?;
    if opened.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")));
    }
    let mut plain = BufReader::with_capacity(BUFFER, Metered { file: opened, progress: progress.clone() });
    let packed = plain.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
    Ok(if packed { Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(plain))) } else { Box::new(plain) })
}

struct Metered {
    file: File,
    progress: Progress,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.add(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn lines(bytes: &[u8], known: &[Content]) -> Lines {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Lines::of(file.path(), known, &Progress::default()).unwrap()
    }

    fn content(bytes: &[u8], known: &[Content]) -> (Content, Option<Content>) {
        let lines = lines(bytes, known);
        (lines.all, lines.begins_with)
    }

    #[test]
    fn what_stands_behind_the_last_line_is_none_of_it_yet() {
        let text = b"one line\n".repeat(30_000);
        for cut in [1, 5, 8, 70_000] {
            let longer = [&text[..], &b"x".repeat(cut)].concat();
            let read = lines(&longer, &[]);
            assert!(read.is_cut() && read.ended == content(&text, &[]).0, "{cut}");
            assert_eq!(
                (read.all.bytes, lines(&[&longer[..], b"\n"].concat(), &[read.ended]).begins_with),
                (longer.len() as u64, Some(read.ended))
            );
        }
        assert!(!lines(&text, &[]).is_cut() && !lines(b"", &[]).is_cut());
        assert_eq!(lines(b"no line", &[]).ended, content(b"", &[]).0);
    }

    #[test]
    fn a_file_is_the_same_packed_in_one_piece_or_in_several() {
        let text = b"one line\n".repeat(100_000);
        let plain = content(&text, &[]).0;
        assert_eq!(plain.bytes, text.len() as u64);
        assert_eq!(content(&packed(&text), &[]).0, plain);
        assert_eq!(content(&[packed(&text[..5000]), packed(&text[5000..])].concat(), &[]).0, plain);
        assert_ne!(content(&text[1..], &[]).0.hash, plain.hash);
    }

    #[test]
    fn a_file_that_has_grown_begins_with_what_was_imported_of_it() {
        let text = b"0123456789".repeat(90_000);
        let [short, long, other] = [&text[..10], &text[..600_000], b"012345678x"].map(|text| content(text, &[]).0);
        assert_eq!(content(&text, &[long, other, short]).1, Some(long));
        assert_eq!(content(&text, &[other, short]).1, Some(short));
        assert_eq!(content(&text, &[other]).1, None);
        assert_eq!(content(&text[..600_000], &[long]).1, Some(long), "it has not grown");
    }

    #[test]
    fn a_packed_file_that_is_cut_off_says_so() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = packed(&b"one line\n".repeat(1000));
        std::fs::write(file.path(), &bytes[..bytes.len() - 20]).unwrap();
        let error = Content::of(file.path(), &Progress::default()).unwrap_err();
        assert!(error.to_string().contains(&file.path().display().to_string()) && error.to_string().contains("whole"), "{error}");
    }
}
