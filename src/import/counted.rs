use std::{
    cell::Cell,
    io::{self, BufRead, Read},
    path::Path,
    rc::Rc,
};

use sha2::{Digest, Sha256};

use super::{
    content::{self, Content},
    source::Progress,
};
use crate::error::Error;

/// A file that is read byte by byte, knows where it is and hashes what it gives.
pub(super) struct Counted {
    inner: Box<dyn BufRead + Send>,
    chunk: Vec<u8>,
    place: usize,
    /// Bytes before the chunk.
    before: u64,
    hash: Sha256,
    at: Place,
}

/// Where a reader is, shared with who reads from it.
#[derive(Clone, Default)]
pub(super) struct Place(Rc<Marks>);

#[derive(Default)]
struct Marks {
    given: Cell<u64>,
    /// One record may reach to here.
    limit: Cell<u64>,
}

/// The longest record. A text is held in memory while it is read, so that one without an end would take all of it.
pub(super) const LONGEST_RECORD: u64 = 16 << 20;

const CHUNK: usize = 64 << 10;

impl Place {
    /// Bytes given so far.
    pub(super) fn bytes(&self) -> u64 {
        self.0.given.get()
    }

    /// A record begins here.
    pub(super) fn begin(&self) {
        self.0.limit.set(self.bytes() + LONGEST_RECORD);
    }
}

impl Counted {
    pub(super) fn open(file: &Path, progress: &Progress) -> Result<(Self, Place), Error> {
        let at = Place::default();
        at.begin();
        let inner = content::open(file, progress)?;
        Ok((Self { inner, chunk: Vec::with_capacity(CHUNK), place: 0, before: 0, hash: Sha256::new(), at: at.clone() }, at))
    }

    /// What the file says, once all of it was read.
    pub(super) fn content(self) -> Content {
        Content { bytes: self.before + self.chunk.len() as u64, hash: self.hash.finalize().into() }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.before += self.chunk.len() as u64;
        self.place = 0;
        self.chunk.clear();
        if self.before > self.at.0.limit.get() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "one record is longer than 16 MiB"));
        }
        let next = self.inner.fill_buf()?;
        let taken = next.len().min(CHUNK);
        self.chunk.extend_from_slice(&next[..taken]);
        self.inner.consume(taken);
        self.hash.update(&self.chunk);
        Ok(())
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.place == self.chunk.len() {
            self.refill()?;
        }
        let rest = &self.chunk[self.place..];
        let read = match (rest, &mut *buffer) {
            // One byte is what serde_json asks for.
            ([first, ..], [only]) => {
                *only = *first;
                1
            }
            _ => {
                let read = rest.len().min(buffer.len());
                buffer[..read].copy_from_slice(&rest[..read]);
                read
            }
        };
        self.place += read;
        self.at.0.given.set(self.before + self.place as u64);
        Ok(read)
    }
}
