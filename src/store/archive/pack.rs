use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use zstd::stream::write::Encoder;

use super::{cannot, header, unfinished};
use crate::{
    error::{Error, ErrorKind},
    sink::Salt,
};

/// Compresses a raw file, a little at a time. Nothing may write to the file meanwhile: all of it must stand in it, not in a log beside it.
pub(in crate::store) struct Pack {
    source: File,
    name: String,
    target: PathBuf,
    encoder: Option<Encoder<'static, File>>,
    hash: Sha256,
    read: u64,
    total: u64,
    buffer: Vec<u8>,
    unsynced: usize,
}

/// What came of it.
pub(in crate::store) struct Packed {
    pub(in crate::store) hash: String,
    pub(in crate::store) bytes: u64,
    pub(in crate::store) raw_bytes: u64,
}

/// Takes some milliseconds.
pub(super) const SLICE: usize = 512 << 10;
/// So much is read before the disk is waited for: at the end there would be more than the writer has time for.
const SYNC: usize = 16 << 20;
/// zstd's own default: raw rows become about a third, faster than a disk reads them.
const LEVEL: i32 = 3;

impl Pack {
    /// Begins to write beside where it is to be.
    pub(in crate::store) fn begin(source: &Path, archive: &Path, file_id: &Salt) -> Result<Self, Error> {
        let name = source.display().to_string();
        let file = File::open(source).map_err(|error| cannot(&format!("read {name}"), error))?;
        let meta = file.metadata().map_err(|error| cannot(&format!("read {name}"), error))?;
        let target = unfinished(archive);
        let open = || {
            let mut out = File::create(&target)?;
            // Whoever may not read the one shall not read the other.
            fs::set_permissions(&target, meta.permissions())?;
            header::write(&mut out, file_id)?;
            let mut encoder = Encoder::new(out, LEVEL)?;
            encoder.include_checksum(true)?;
            encoder.set_pledged_src_size(Some(meta.len()))?;
            Ok(encoder)
        };
        let encoder = open().map_err(|error| cannot(&format!("write {}", target.display()), error))?;
        let (hash, buffer) = (Sha256::new(), vec![0; SLICE]);
        Ok(Self { source: file, name, target, encoder: Some(encoder), hash, read: 0, total: meta.len(), buffer, unsynced: 0 })
    }

    /// Compresses the next bytes; gives how many. None: that was all.
    pub(in crate::store) fn slice(&mut self) -> Result<u64, Error> {
        let Some(encoder) = &mut self.encoder else { return Ok(0) };
        let write = |error| cannot(&format!("write {}", self.target.display()), error);
        if self.unsynced >= SYNC {
            self.unsynced = 0;
            encoder.get_ref().sync_data().map_err(write)?;
        }
        let left = usize::try_from(self.total - self.read).unwrap_or(SLICE).min(SLICE);
        if left == 0 {
            return Ok(0);
        }
        let buffer = &mut self.buffer[..left];
        self.source.read_exact(buffer).map_err(|error| cannot(&format!("read {}", self.name), error))?;
        self.hash.update(&*buffer);
        encoder.write_all(buffer).map_err(write)?;
        self.read += left as u64;
        self.unsynced += left;
        Ok(left as u64)
    }

    /// Ends the file, and sees to it that it is on the disk.
    pub(in crate::store) fn finish(&mut self) -> Result<Packed, Error> {
        let write = |error| cannot(&format!("write {}", self.target.display()), error);
        let Some(encoder) = self.encoder.take() else {
            return Err(Error::new(ErrorKind::Storage, "an archive was finished twice"));
        };
        let out = encoder.finish().map_err(write)?;
        out.sync_all().map_err(write)?;
        let bytes = out.metadata().map_err(write)?.len();
        Ok(Packed { hash: hex(&self.hash.finalize_reset()), bytes, raw_bytes: self.read })
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
