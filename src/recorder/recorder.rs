use std::{
    fmt,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    hooks::Keep,
    noise::Noise,
    queue::{Queue, lock},
    settings::Settings,
    writer::Writer,
};
use crate::{
    clock::Clock,
    counters::{Counters, State},
    error::{Error, ErrorKind},
    hit::{Facts, Hit},
    sink::Sink,
};

/// The handle hits are given to. Cheap to clone; the writer's thread lives while one of them lives.
///
/// [`record`](Self::record) never blocks and never fails: the queue is bounded in bytes, and what finds no room is
/// dropped and counted by cause. The last handle dropped flushes for at most a second; say
/// [`shutdown`](Self::shutdown) to wait longer and to hear how it went.
#[derive(Clone)]
pub struct Recorder {
    handle: Arc<Handle>,
}

struct Handle {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
    clock: Clock,
}

/// So long a dropped last handle waits for the writer.
const LAST_FLUSH: Duration = Duration::from_secs(1);

impl Recorder {
    /// Starts the writer's thread with the default settings.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    pub fn start(sink: impl Sink) -> Result<Self, Error> {
        Self::start_with(sink, Settings::default())
    }

    /// Starts the writer's thread, named `tower-analytics`.
    ///
    /// # Errors
    ///
    /// If a setting is wrong, or the system refuses a thread.
    pub fn start_with(sink: impl Sink, settings: Settings) -> Result<Self, Error> {
        let noise = Noise::new(&settings.noise)?;
        let queue = Arc::new(Queue::new(settings.queue_bytes));
        let clock = settings.clock.clone();
        // The first reading measures the counter, which takes a moment: not a request's.
        let _ = clock.tick();
        let writer = Writer::new(Arc::clone(&queue), Box::new(sink), settings, noise);
        let thread = thread::Builder::new()
            .name("tower-analytics".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| Error::new(ErrorKind::Storage, "the system refuses a thread for the writer").with_source(error))?;
        Ok(Self { handle: Arc::new(Handle { queue, thread: Mutex::new(Some(thread)), clock }) })
    }

    /// Records a hit. Never blocks, never fails; without room the hit is dropped and counted.
    pub fn record(&self, hit: &Hit) {
        self.take(&hit.facts, hit.text.as_bytes());
    }

    /// Shows every hit to a hook, on the writer's thread, in the order in which hooks were added and before sessions are resolved. It may
    /// change whose hit it is, the route or the client, or say that it is not recorded. It must not wait for anything: while it does,
    /// nothing is written. One that panics is removed and reported, and its hit recorded as it stood.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use tower_analytics::{Analytics, Ask, Hit, Keep};
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// analytics.recorder().on_hit("pings", |hit| if hit.route() == "/ping" { Keep::No } else { Keep::Yes });
    /// analytics.record(&Hit::new("GET", "/ping"));
    /// analytics.record(&Hit::new("GET", "/items"));
    /// analytics.flush()?;
    /// assert_eq!(analytics.reports().stats(&Ask::all_time())?.total_hits, 1);
    /// # Ok(()) }
    /// ```
    pub fn on_hit(&self, owner: &'static str, hook: impl FnMut(&mut Hit) -> Keep + Send + 'static) {
        self.handle.queue.hooks.add(owner, Box::new(hook));
    }

    /// Does something once recording has ended: after a [`shutdown`](Self::shutdown) or the last handle dropped, on the writer's thread,
    /// when the last hit is written and can be read, and while the directory is still held. Each is done exactly once, the one added last
    /// first; one that panics is reported, and the others follow. If recording has ended already, it is done at once, on this thread.
    ///
    /// Whoever shuts down waits for it, but never longer than they said: the error then names the owner. What is not done when the process
    /// ends is not done. It must not hold a recorder itself: the last handle would then never be dropped.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use std::{sync::mpsc, time::Duration};
    /// use tower_analytics::{Analytics, Ask, Hit};
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// let (reports, (say, said)) = (analytics.reports(), mpsc::channel());
    /// analytics.recorder().on_stop("farewell", move || {
    ///     let hits = reports.stats(&Ask::all_time()).map(|stats| stats.total_hits);
    ///     drop(say.send(hits));
    /// });
    /// analytics.record(&Hit::new("GET", "/items"));
    /// analytics.shutdown(Duration::from_secs(5))?;
    /// assert_eq!(said.recv().unwrap()?, 1);
    /// # Ok(()) }
    /// ```
    pub fn on_stop(&self, owner: &'static str, act: impl FnOnce() + Send + 'static) {
        self.handle.queue.stops.add(owner, Box::new(act));
    }

    /// Records what the layer has taken down.
    pub(crate) fn take(&self, facts: &Facts, text: &[u8]) {
        self.handle.queue.push(facts, text, &self.handle.clock);
    }

    /// Records a hit and waits for room, at most so long. For hits that can wait: an import, a demo, another queue.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Full`] if there was no room in time, [`ErrorKind::Stopped`] after a shutdown. The hit is then not
    /// recorded, and not counted as dropped: it is still yours.
    pub fn send(&self, hit: &Hit, timeout: Duration) -> Result<(), Error> {
        let (queue, start) = (&self.handle.queue, Instant::now());
        loop {
            if queue.is_closed() {
                return Err(stopped());
            }
            if queue.try_push(&hit.facts, hit.text.as_bytes(), &self.handle.clock).is_ok() {
                return Ok(());
            }
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(Error::new(ErrorKind::Full, format!("the queue had no room for {} s", timeout.as_secs())));
            }
            queue.hurry();
            queue.wait_for_room(left.min(Duration::from_millis(50)));
        }
    }

    /// Waits until everything recorded before is stored and can be read. Blocks: not for async threads.
    ///
    /// # Errors
    ///
    /// If the store refuses, or another process records in the directory. Nothing is lost by that: the hits are
    /// kept and tried again.
    pub fn flush(&self) -> Result<(), Error> {
        let queue = &self.handle.queue;
        let mut signals = lock(&queue.signals);
        if signals.ended {
            return Err(stopped());
        }
        signals.flush_wanted += 1;
        let ticket = signals.flush_wanted;
        queue.wake.notify_one();
        while signals.flush_done < ticket && !signals.ended {
            signals = queue.done.wait(signals).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        match signals.flush_error.clone() {
            Some((kind, message)) => Err(Error::new(kind, message)),
            None => Ok(()),
        }
    }

    /// Stops recording: writes everything that waits, does what [`on_stop`](Self::on_stop) was told, and ends the thread. Later hits are
    /// dropped and counted. Blocks, at most for the timeout.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`] if the writer, or a hook on the stop, was not done in time, [`ErrorKind::Storage`] if the store refused to the end.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), Error> {
        self.handle.stop(timeout)
    }

    /// What has been counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let queue = &self.handle.queue;
        queue.live.read(queue.held())
    }

    /// What the writer is doing.
    #[must_use]
    pub fn state(&self) -> State {
        self.handle.queue.live.state()
    }

    /// Why the writer is not recording, as one sentence.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        self.handle.queue.live.fault()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.handle.clock
    }
}

impl Handle {
    fn stop(&self, timeout: Duration) -> Result<(), Error> {
        let start = Instant::now();
        self.queue.close();
        let mut signals = lock(&self.queue.signals);
        signals.stop = true;
        self.queue.wake.notify_one();
        while !signals.stopped {
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                let seconds = timeout.as_secs_f64();
                let message = match self.queue.stops.at_work() {
                    Some(owner) => {
                        format!("every hit is written, but after {seconds:.1} s {owner:?} had not done what it does on the stop")
                    }
                    None => format!("the writer was not done after {seconds:.1} s"),
                };
                return Err(Error::new(ErrorKind::Timeout, message));
            }
            signals = self.queue.done.wait_timeout(signals, left).unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        let error = signals.flush_error.take();
        drop(signals);
        // It has said that it is done; what is left is to return. The last handle may die on the writer's own thread.
        if let Some(thread) = lock(&self.thread).take().filter(|thread| thread.thread().id() != thread::current().id()) {
            drop(thread.join());
        }
        error.map_or(Ok(()), |(kind, message)| Err(Error::new(kind, message)))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Err(error) = self.stop(LAST_FLUSH) {
            tracing::warn!(error = %error.chain(), "analytics stopped without having written everything");
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("state", &self.state()).field("counters", &self.counters()).finish()
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Stopped, "the recorder was shut down")
}
