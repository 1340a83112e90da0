use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use zstd::stream::read::Decoder;

use super::{
    Archived, cannot, header,
    pack::{SLICE, hex},
};
use crate::{
    error::{Error, ErrorKind},
    sink::Salt,
};

/// Reads what was put away, a little at a time, to compare it with what it should be; and writes it, if it is to come back.
pub(in crate::store) struct Unpack {
    decoder: Decoder<'static, BufReader<File>>,
    archive: PathBuf,
    out: Option<(PathBuf, File)>,
    hash: Sha256,
    read: u64,
    expected: Archived,
    buffer: Vec<u8>,
}

impl Unpack {
    /// An error if it is not there, or holds something else.
    pub(in crate::store) fn begin(archive: &Path, expected: &Archived, file_id: &Salt, out: Option<&Path>) -> Result<Self, Error> {
        let shown = archive.display();
        let mut file = File::open(archive).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                let message = format!("{shown} is not there: bring it back, or mount the disk that it is on, and ask again");
                Error::new(ErrorKind::Directory, message)
            }
            _ => cannot(&format!("read {shown}"), error),
        })?;
        match header::read(&mut file).map_err(|error| cannot(&format!("read {shown}"), error))? {
            Some(found) if found == *file_id => {}
            Some(_) => {
                let message = format!("{shown} holds another directory's hits, or those of another month: put this one's archive there");
                return Err(Error::new(ErrorKind::Directory, message));
            }
            None => return Err(damaged(archive)),
        }
        let permissions = file.metadata().map(|meta| meta.permissions());
        let decoder = Decoder::new(file).map_err(|error| cannot(&format!("read {shown}"), error))?;
        let open = |path: &Path| -> io::Result<(PathBuf, File)> {
            let file = File::create(path)?;
            fs::set_permissions(path, permissions?)?;
            Ok((path.to_owned(), file))
        };
        let out = out.map(|path| open(path).map_err(|error| cannot(&format!("write {}", path.display()), error))).transpose()?;
        let (hash, buffer) = (Sha256::new(), vec![0; SLICE]);
        Ok(Self { decoder, archive: archive.to_owned(), out, hash, read: 0, expected: expected.clone(), buffer })
    }

    /// Reads the next bytes; gives how many. None: that was all.
    pub(in crate::store) fn slice(&mut self) -> Result<u64, Error> {
        let read = self.decoder.read(&mut self.buffer).map_err(|error| match error.raw_os_error() {
            Some(_) => cannot(&format!("read {}", self.archive.display()), error),
            None => damaged(&self.archive).with_source(error),
        })?;
        self.hash.update(&self.buffer[..read]);
        self.read += read as u64;
        if self.read > self.expected.raw_bytes.unsigned_abs() {
            return Err(damaged(&self.archive));
        }
        if let Some((path, file)) = &mut self.out {
            file.write_all(&self.buffer[..read]).map_err(|error| cannot(&format!("write {}", path.display()), error))?;
        }
        Ok(read as u64)
    }

    /// An error unless it was the very file; then it is on the disk.
    pub(in crate::store) fn finish(&mut self) -> Result<(), Error> {
        if self.read != self.expected.raw_bytes.unsigned_abs() || hex(&self.hash.finalize_reset()) != self.expected.hash {
            return Err(damaged(&self.archive));
        }
        match &self.out {
            Some((path, file)) => file.sync_all().map_err(|error| cannot(&format!("write {}", path.display()), error)),
            None => Ok(()),
        }
    }
}

fn damaged(archive: &Path) -> Error {
    let message = format!("{} is damaged: bring it back from a backup and ask again; nothing was changed", archive.display());
    Error::new(ErrorKind::Directory, message)
}
