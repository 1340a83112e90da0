use std::{
    any::Any,
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use super::{
    devices::Devices,
    noise::Noise,
    queue::{Backlog, Queue, Signals, lock},
    sessions::Sessions,
    settings::Settings,
    stops::said,
};
use crate::{
    counters::{Counters, DropCause, State},
    error::{Error, ErrorKind},
    hit::Hit,
    sink::{Batch, Checkpoint, LetGo, Resume, Sink},
};

/// The one thread: takes hits from the queue, resolves them, hands them to the sink.
///
/// A batch is resolved once and kept until the sink has it. While the sink refuses nothing more is taken from the
/// queue, so memory stays bounded and the requests go on.
pub(super) struct Writer {
    queue: Arc<Queue>,
    sink: Box<dyn Sink>,
    settings: Settings,
    noise: Noise,
    /// `None` until the sink is ready.
    sessions: Option<Sessions>,
    devices: Devices,
    backlog: Backlog,
    /// Hits in use again and again; the first `filled` of them are the batch that is not yet written.
    batch: Vec<Hit>,
    filled: usize,
    batch_id: u64,
    /// The batch made the writer panic once; it is tried once more.
    suspect: bool,
    retry: Duration,
    checkpoint_at: Instant,
    told: (Instant, Counters),
}

/// What one turn asks of the writer besides writing.
struct Turn {
    stop: bool,
    flush: u64,
}

const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// A batch that took longer is worth a word in the log.
const SLOW_BATCH: Duration = Duration::from_secs(1);
const TELL_AGE: Duration = Duration::from_secs(10);
/// More device lines than this and they are read anew: about 20 MB at the worst.
const KNOWN_DEVICES: usize = 20_000;

impl Writer {
    pub(super) fn new(queue: Arc<Queue>, sink: Box<dyn Sink>, settings: Settings, noise: Noise) -> Self {
        Self {
            queue,
            sink,
            settings,
            noise,
            sessions: None,
            devices: Devices::new(KNOWN_DEVICES),
            backlog: Backlog::default(),
            batch: Vec::new(),
            filled: 0,
            batch_id: 0,
            suspect: false,
            retry: FIRST_RETRY,
            checkpoint_at: Instant::now(),
            told: (Instant::now(), Counters::default()),
        }
    }

    pub(super) fn run(mut self) {
        let mut wait = Duration::ZERO;
        loop {
            let turn = self.wait(wait);
            let (start, began_ms) = (Instant::now(), self.settings.clock.millis());
            let before = self.queue.live.written.load(Relaxed);
            let result = catch_unwind(AssertUnwindSafe(|| self.turn(&turn))).unwrap_or_else(|panic| Err(self.after_panic(&*panic)));
            let (spent, hits) = (start.elapsed(), self.queue.live.written.load(Relaxed) - before);
            self.queue.live.busy_us.fetch_add(spent.as_micros() as u64, Relaxed);
            if result.is_ok() && hits > 0 {
                // Whatever was recorded before this turn began is in the store now.
                tracing::debug!(hits, began_ms, duration_us = spent.as_micros() as u64, "the queue was written");
            }
            wait = self.settings.batch_age;
            if let Err(error) = &result {
                wait = self.after_error(error);
            }
            self.tell(TELL_AGE);
            let well = result.is_ok();
            self.answer(&turn, result.err());
            if turn.stop {
                return self.stopped();
            }
            if well {
                wait = self.idle(wait, spent);
            }
        }
    }

    /// Long work in slices, until it is time for the next batch; gives what is left of the time. Under a load that leaves
    /// none it gets as much time as the batch took, so that it comes to an end.
    fn idle(&mut self, wait: Duration, batch: Duration) -> Duration {
        let start = Instant::now();
        loop {
            let slice = catch_unwind(AssertUnwindSafe(|| self.sink.idle())).unwrap_or_else(|panic| Err(self.after_panic(&*panic)));
            if let Err(error) = &slice {
                tracing::error!(error = %error.chain(), "long work stopped");
            }
            self.let_go();
            let left = wait.saturating_sub(start.elapsed());
            let asked = left.is_zero() || is_asked(&lock(&self.queue.signals));
            if !slice.unwrap_or(false) || (asked && start.elapsed() >= batch) {
                return left;
            }
        }
    }

    /// Nothing is in hand between two batches, so what work has taken out of the store is in the open sessions alone.
    fn let_go(&mut self) {
        match (self.sink.let_go(), &mut self.sessions) {
            (LetGo::Nothing, _) | (_, None) => {}
            (LetGo::Users(users), Some(sessions)) => users.iter().for_each(|user| sessions.end_user(user)),
            (LetGo::Everything, sessions) => *sessions = None,
        }
    }

    /// Sleeps until the batch is old enough, or somebody asks for something.
    fn wait(&self, age: Duration) -> Turn {
        let signals = lock(&self.queue.signals);
        let (mut signals, _) =
            self.queue.wake.wait_timeout_while(signals, age, |signals| !is_asked(signals)).unwrap_or_else(PoisonError::into_inner);
        signals.hurry = false;
        Turn { stop: signals.stop, flush: signals.flush_wanted }
    }

    fn turn(&mut self, turn: &Turn) -> Result<(), Error> {
        if !self.get_ready()? {
            return Err(Error::new(ErrorKind::Locked, "another process records in the directory; this one waits for it to end"));
        }
        // First what is left of the last turn, then everything that was in the queue when this one began.
        self.write()?;
        while self.backlog.len() > 0 {
            self.fill();
            self.write()?;
        }
        self.queue.drain(&mut self.backlog);
        while self.backlog.len() > 0 {
            self.fill();
            self.write()?;
        }
        let asked = turn.stop || lock(&self.queue.signals).flush_done < turn.flush;
        if asked || self.checkpoint_at.elapsed() >= self.settings.checkpoint_age {
            self.checkpoint(asked)?;
        }
        Ok(())
    }

    fn get_ready(&mut self) -> Result<bool, Error> {
        if self.sessions.is_some() {
            return Ok(true);
        }
        if !self.sink.ready()? {
            return Ok(false);
        }
        self.resume()?;
        // A batch that was in hand when the sink went away has sessions that nobody knows any more.
        self.resolve();
        self.queue.live.enter(State::Recording, None);
        Ok(true)
    }

    fn resume(&mut self) -> Result<(), Error> {
        let resume = self.sink.resume()?;
        self.sessions = Some(self.new_sessions(resume));
        Ok(())
    }

    fn new_sessions(&self, resume: Resume) -> Sessions {
        let Settings { session_timeout, session_longest, open_sessions, .. } = self.settings;
        Sessions::new(session_timeout.as_millis() as i64, session_longest.as_millis() as i64, open_sessions, resume)
    }

    /// Takes the next hits from the backlog and resolves them.
    fn fill(&mut self) {
        let mut bytes = 0;
        self.batch_id += 1;
        while self.filled < self.settings.batch_hits && self.backlog.len() > 0 {
            if self.batch.len() == self.filled {
                self.batch.push(Hit::default());
            }
            let hit = &mut self.batch[self.filled];
            bytes += self.backlog.next(hit).unwrap_or_default();
            self.devices.resolve(hit);
            // Once for each hit: what is written again after an error has been through here.
            if self.queue.hooks.keep(hit, &self.queue.live) {
                self.filled += 1;
            }
            // A hook has said other headers.
            if hit.device().is_none() {
                self.devices.resolve(hit);
            }
        }
        self.queue.release(bytes);
        self.resolve();
    }

    /// Gives every hit in hand its session and visitor, anew if the sink has forgotten them.
    fn resolve(&mut self) {
        let Some(sessions) = &mut self.sessions else {
            return;
        };
        let now = self.settings.clock.millis();
        let mut kept = 0;
        for place in 0..self.filled {
            let hit = &mut self.batch[place];
            let Some(resolved) = sessions.resolve(hit, now) else {
                self.queue.live.drop(DropCause::BadTime, 1);
                continue;
            };
            hit.resolved = resolved;
            hit.resolved.action = !self.noise.covers(hit);
            self.batch.swap(kept, place);
            kept += 1;
        }
        self.filled = kept;
    }

    fn write(&mut self) -> Result<(), Error> {
        let Some(sessions) = self.sessions.as_mut().filter(|_| self.filled > 0) else {
            return Ok(());
        };
        let start = Instant::now();
        let (hits, now) = (&self.batch[..self.filled], self.settings.clock.millis());
        let batch = Batch { id: self.batch_id, hits, refused: RefCell::default(), salts: sessions.fresh_salts(), now };
        self.sink.write(&batch)?;
        let refused = batch.refused.take();
        sessions.forget_fresh_salts();
        self.suspect = false;
        let live = &self.queue.live;
        refused.iter().for_each(|(cause, hits)| live.drop(*cause, *hits));
        live.written.fetch_add(self.filled as u64 - refused.iter().map(|(_, hits)| hits).sum::<u64>(), Relaxed);
        live.batches.fetch_add(1, Relaxed);
        if start.elapsed() > SLOW_BATCH {
            tracing::warn!(hits = self.filled, duration_ms = start.elapsed().as_millis() as u64, "a batch was slow to write");
        }
        self.filled = 0;
        self.recovered();
        Ok(())
    }

    fn checkpoint(&mut self, forced: bool) -> Result<(), Error> {
        let counters = self.counters();
        let Some(sessions) = &mut self.sessions else {
            return Ok(());
        };
        let (now, tick) = (self.settings.clock.millis(), self.settings.clock.tick());
        sessions.sweep(now);
        self.sink.checkpoint(&Checkpoint { ended: sessions.ended(), counters, now, tick, forced })?;
        sessions.forget_ended();
        self.checkpoint_at = Instant::now();
        self.recovered();
        Ok(())
    }

    fn recovered(&mut self) {
        self.retry = FIRST_RETRY;
        if self.queue.live.state() != State::Recording {
            tracing::info!("analytics records again");
            self.queue.live.enter(State::Recording, None);
        }
    }

    /// Says what is wrong and how long to wait before the next try.
    fn after_error(&mut self, error: &Error) -> Duration {
        let live = &self.queue.live;
        if error.kind() == ErrorKind::Locked {
            if live.state() != State::Waiting || live.fault().is_none() {
                tracing::info!(reason = %error.chain(), "analytics waits");
            }
            live.enter(State::Waiting, Some(error.chain()));
            return FIRST_RETRY;
        }
        live.faults.fetch_add(1, Relaxed);
        if error.kind() == ErrorKind::Gone {
            self.sessions = None;
        }
        if live.state() != State::Faulted {
            tracing::error!(error = %error.chain(), "analytics cannot record; requests go on, hits wait in the bounded queue, and it is tried again");
        }
        live.enter(State::Faulted, Some(error.chain()));
        let wait = self.retry;
        self.retry = (self.retry * 2).min(LONGEST_RETRY);
        wait
    }

    /// The batch in hand is tried once more with a sink and sessions read anew; then it is given up, and counted.
    fn after_panic(&mut self, panic: &(dyn Any + Send)) -> Error {
        let what = said(panic);
        self.queue.live.panics.fetch_add(1, Relaxed);
        tracing::error!(panic = %what, "the analytics writer panicked; it goes on");
        if std::mem::replace(&mut self.suspect, true) {
            self.queue.live.drop(DropCause::Panic, self.filled as u64);
            self.filled = 0;
            self.suspect = false;
        }
        match catch_unwind(AssertUnwindSafe(|| self.sink.resume())) {
            Ok(Ok(resume)) => {
                // Sessions of the batch in hand exist nowhere else: they are resolved again.
                self.sessions = Some(self.new_sessions(resume));
                self.resolve();
            }
            Ok(Err(_)) | Err(_) => self.sessions = None,
        }
        Error::new(ErrorKind::Storage, format!("the writer panicked: {what}"))
    }

    fn counters(&self) -> Counters {
        self.queue.live.read(self.queue.held())
    }

    /// Drops are worth a line in the log, not one each.
    fn tell(&mut self, age: Duration) {
        let (when, before) = &self.told;
        if when.elapsed() < age {
            return;
        }
        let now = self.counters();
        for ((cause, count), (_, old)) in now.by_cause().iter().zip(before.by_cause()) {
            if *count > old {
                tracing::warn!(cause, hits = count - old, "analytics dropped hits");
            }
        }
        self.told = (Instant::now(), now);
    }

    fn answer(&self, turn: &Turn, error: Option<Error>) {
        let mut signals = lock(&self.queue.signals);
        if signals.flush_done < turn.flush || turn.stop {
            signals.flush_done = turn.flush;
            signals.flush_error = error.map(|error| (error.kind(), error.chain()));
        }
        self.queue.done.notify_all();
    }

    fn stopped(mut self) {
        let lost = (self.filled + self.backlog.len() + self.queue.held().hits) as u64;
        if lost > 0 {
            self.queue.live.drop(DropCause::Storage, lost);
        }
        self.tell(Duration::ZERO);
        let queue = Arc::clone(&self.queue);
        lock(&queue.signals).ended = true;
        queue.done.notify_all();
        // While the directory is still ours: whoever records there next finds what they leave.
        queue.stops.run();
        // The sink closes its files and gives up its lock before anybody hears that it is over.
        let closed = catch_unwind(AssertUnwindSafe(|| drop(self)));
        queue.live.enter(State::Stopped, None);
        tracing::info!(clean = closed.is_ok() && lost == 0, "analytics stopped");
        lock(&queue.signals).stopped = true;
        queue.done.notify_all();
    }
}

fn is_asked(signals: &Signals) -> bool {
    signals.stop || signals.flush_wanted > signals.flush_done || signals.hurry
}
