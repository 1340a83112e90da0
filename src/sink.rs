//! Where resolved hits go.

use std::cell::RefCell;

use crate::{
    clock::{Millis, Month, Tick},
    counters::{Counters, DropCause},
    error::Error,
    hit::{Hit, SessionId},
};

/// Takes resolved hits, in batches, on the writer's thread. [`Analytics`](crate::Analytics) brings one that writes SQLite.
///
/// ```
/// use tower_analytics::{AnalyticsLayer, Batch, Error, Recorder, Sink};
///
/// struct Lines;
///
/// impl Sink for Lines {
///     fn write(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
///         for hit in batch.hits() {
///             println!("{} {} {} {:?}", hit.method(), hit.route(), hit.status(), hit.head_time());
///         }
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), Error> {
/// let recorder = Recorder::start(Lines)?;
/// let layer = AnalyticsLayer::new(recorder);
/// # Ok(()) }
/// ```
pub trait Sink: Send + 'static {
    /// Asked before anything is taken from the queue, again and again until it says `true`: a sink that waits
    /// for a lock says `false`, and the bounded queue waits with it. An `Err` is shown as a fault and asked again.
    fn ready(&mut self) -> Result<bool, Error> {
        Ok(true)
    }

    /// Called once it is ready, and again after a panic: what was open when the last writer stopped.
    ///
    /// A later `Err` of the kind [`ErrorKind::Gone`](crate::ErrorKind::Gone) begins this anew: [`ready`](Self::ready) is
    /// asked and then this, before the batch comes again.
    fn resume(&mut self) -> Result<Resume, Error> {
        Ok(Resume::default())
    }

    /// Writes a batch, or nothing of it. After an `Err` the same batch, known by its [`id`](Batch::id), comes again
    /// until it is written; a sink that did write it before it failed must not write it twice.
    fn write(&mut self, batch: &Batch<'_>) -> Result<(), Error>;

    /// Called between batches again and again while it says `true`: one slice of long work, of a few milliseconds. An
    /// `Err` is shown in the log, and it is called again with the next batch.
    fn idle(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    /// Asked after each such slice: which open sessions are to be let go, because what they refer to is no longer there.
    fn let_go(&mut self) -> LetGo {
        LetGo::Nothing
    }

    /// Called every few seconds, for a flush and at the end: sessions that ended, and what else needs putting away.
    /// After an `Err` the same sessions come again.
    fn checkpoint(&mut self, checkpoint: &Checkpoint<'_>) -> Result<(), Error> {
        let _ = checkpoint;
        Ok(())
    }
}

/// What a [`Sink`] has taken out of its store, and nobody may go on with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LetGo {
    /// All is there.
    #[default]
    Nothing,
    /// These users were forgotten: their sessions end, and whoever of them comes again is somebody new.
    Users(Vec<String>),
    /// Everything: [`ready`](Sink::ready) is asked anew, and then [`resume`](Sink::resume).
    Everything,
}

/// Hits that are written together.
#[derive(Debug)]
pub struct Batch<'a> {
    pub(crate) id: u64,
    pub(crate) hits: &'a [Hit],
    pub(crate) refused: RefCell<Vec<(DropCause, u64)>>,
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "only the SQLite store keeps salts"))]
    pub(crate) salts: &'a [(i64, Salt)],
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "only the SQLite store keeps time"))]
    pub(crate) now: Millis,
}

impl<'a> Batch<'a> {
    /// Counts up from 1 within this process; the same for a batch that comes again after an error.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Says that so many of its hits, and not those that were said before, are never going to be stored; they are counted as dropped once
    /// the batch is written.
    pub fn refuse(&self, cause: DropCause, hits: u64) {
        if hits > 0 {
            self.refused.borrow_mut().push((cause, hits));
        }
    }

    /// The hits, nearly in order of the time they ended.
    #[must_use]
    pub fn hits(&self) -> &'a [Hit] {
        self.hits
    }
}

/// What a [`Sink`] is told every few seconds.
#[derive(Debug)]
pub struct Checkpoint<'a> {
    pub(crate) ended: &'a [SessionId],
    pub(crate) counters: Counters,
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "only the SQLite store keeps time"))]
    pub(crate) now: Millis,
    /// The same moment on a line that never steps.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "only the SQLite store doubts the time"))]
    pub(crate) tick: Tick,
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "only the SQLite store puts things off"))]
    pub(crate) forced: bool,
}

impl<'a> Checkpoint<'a> {
    /// Sessions that have ended since the last checkpoint.
    #[must_use]
    pub fn ended(&self) -> &'a [SessionId] {
        self.ended
    }

    /// What the recorder has counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }
}

pub(crate) type Salt = [u8; 16];

/// Sessions and numbers to go on with after a restart. A sink that keeps none returns the default.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    pub(crate) open: Vec<OpenSession>,
    /// The next free session number of each month.
    pub(crate) next: Vec<(Month, u32)>,
    /// The visitors' salt of each UTC day that still has one.
    pub(crate) salts: Vec<(i64, Salt)>,
    /// Keys the hash of session keys.
    pub(crate) key: Option<Salt>,
}

/// A session that goes on.
#[derive(Clone, Debug)]
pub(crate) struct OpenSession {
    pub(crate) id: SessionId,
    pub(crate) actor: Actor,
    pub(crate) key: u64,
    pub(crate) started: Millis,
    pub(crate) last: Millis,
}

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "only the SQLite store brings any back"))]
pub(crate) enum Actor {
    User(String),
    Visitor(u64),
}
