use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use crate::sink::Salt;

/// A frame that zstd skips, of this many bytes.
const FRAME: [u8; 8] = [0x5a, 0x2a, 0x4d, 0x18, 24, 0, 0, 0];
/// Ours, in the first way of writing it.
const OURS: [u8; 8] = *b"twr-an\0\x01";

pub(super) fn write(out: &mut impl Write, file_id: &Salt) -> io::Result<()> {
    out.write_all(&[&FRAME[..], &OURS, &file_id[..]].concat())
}

/// Reads up to what was compressed; the id of the raw file, if it is an archive of ours.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Salt>> {
    let (mut frame, mut file_id) = ([0; 16], Salt::default());
    match from.read_exact(&mut frame).and_then(|()| from.read_exact(&mut file_id)) {
        Ok(()) => Ok((frame[..8] == FRAME && frame[8..] == OURS).then_some(file_id)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a file holds what was put away of the raw file with this id.
pub(in crate::store) fn is_of(file: &Path, file_id: &Salt) -> io::Result<bool> {
    read(&mut File::open(file)?).map(|found| found.as_ref() == Some(file_id))
}
