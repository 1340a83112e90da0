use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::known::{Content, Known, SourceId};
use crate::{
    clock::Millis,
    error::Error,
    hit::{Hit, SessionId},
};

/// Hits of an import, one after the other in order of time, with no more in memory than the sessions that are open.
///
/// Hits and not whole sessions: raw rows are to lie in order of time, and ten million of them cannot be sorted for it. They come
/// resolved, as the recorder gives them to a sink; session numbers count from 1 in each month, in order of opening, and
/// are moved behind those that are there.
pub(crate) trait Source {
    /// Fills in the hit that comes next; `false` after the last. After an `Err` nothing more comes.
    fn next(&mut self, next: &mut Imported) -> Result<bool, Error>;

    /// Sessions that ended since this was last asked.
    fn take_ended(&mut self) -> Vec<SessionId>;

    /// What was found, after the last hit.
    fn end(&mut self) -> End;
}

/// Opens what a job's argument names. Called on a thread of its own.
#[derive(Clone)]
pub(crate) struct OpenSource(pub(crate) Arc<Opens>);

type Opens = dyn Fn(&str, &Known, &Progress) -> Result<Box<dyn Source>, Error> + Send + Sync;

impl fmt::Debug for OpenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenSource")
    }
}

/// One hit, resolved: its session, whether it opens it, whether it is an action.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// Its session is `None` only for an error that happened outside of all sessions: a row of no session.
    pub(crate) hit: Hit,
    /// On the hit that opens a session whose source knows it by a name: how to know it again.
    pub(crate) source: Option<SourceId>,
    /// Its time was made, by spreading the actions of a session over its span.
    pub(crate) spread: bool,
    /// Whether its times are known; if not they are zero and belong in no histogram.
    pub(crate) timed: bool,
}

/// What there is to say after the last hit.
#[derive(Debug, Default)]
pub(crate) struct End {
    /// What kind of import it was.
    pub(crate) kind: &'static str,
    /// What was read.
    pub(crate) contents: Vec<Content>,
    /// For whoever asked, as JSON.
    pub(crate) report: serde_json::Value,
    /// Users and when they were last seen by what is no session; it only raises theirs.
    pub(crate) last_seen: Vec<(String, Millis)>,
}

/// How far reading is, in bytes of the files as they lie on the disk; read from another thread too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<(AtomicU64, AtomicU64)>);

impl Progress {
    pub(crate) fn done(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.1.load(Ordering::Relaxed)
    }

    pub(crate) fn expect(&self, bytes: u64) {
        self.0.1.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.0.0.fetch_add(bytes, Ordering::Relaxed);
    }
}
