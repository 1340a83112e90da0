//! One poller for all who watch: asks once a second while somebody is connected, and sends all of them the same.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc;

use super::{live::Now, page, panel::markup};
use crate::{
    analytics::Analytics,
    counters::State as WriterState,
    report::{Ask, Reports},
    web::api::Problem,
};

const TICK: Duration = Duration::from_secs(1);
/// Five minutes of hits per second.
const RATES: usize = 300;
/// Whoever is so many seconds behind is let go, and connects anew.
const BEHIND: usize = 8;
const LATEST: usize = 30;
/// After so many seconds whoever watches connects anew, and is asked again who that is: a session that ended sees no more.
const TRUSTED: u32 = 60;

/// Where those who watch join. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Inner>);

struct Inner {
    reports: Reports,
    recording: Option<Analytics>,
    closed: AtomicBool,
    state: Mutex<State>,
}

struct Watching {
    events: mpsc::Sender<Bytes>,
    /// Events that may still be sent.
    left: u32,
}

#[derive(Default)]
struct State {
    watching: Vec<Watching>,
    polls: bool,
    rates: VecDeque<u64>,
    /// What had been counted a second ago.
    counted: Option<u64>,
}

/// What is sent, until the hub closes.
pub(super) struct Events(mpsc::Receiver<Bytes>);

impl Hub {
    pub(in crate::web) fn new(reports: Reports, recording: Option<Analytics>) -> Self {
        Self(Arc::new(Inner { reports, recording, closed: AtomicBool::new(false), state: Mutex::default() }))
    }

    /// Ends what is sent, so that a server that only reads can drain.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn close(&self) {
        self.0.closed.store(true, Relaxed);
    }

    fn is_closed(&self) -> bool {
        let ended = |analytics: &Analytics| analytics.is_closing() || analytics.state() == WriterState::Stopped;
        self.0.closed.load(Relaxed) || self.0.recording.as_ref().is_some_and(ended)
    }

    pub(super) fn watch(&self) -> Events {
        let (sender, receiver) = mpsc::channel(BEHIND);
        if !self.is_closed() {
            let mut state = self.state();
            state.watching.push(Watching { events: sender, left: TRUSTED });
            if !std::mem::replace(&mut state.polls, true) {
                drop(state);
                tokio::spawn(self.clone().poll());
            }
        }
        Events(receiver)
    }

    async fn poll(self) {
        let mut clock = tokio::time::interval(TICK);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            let event = if self.is_closed() { None } else { Some(self.event().await) };
            let mut state = self.state();
            match event {
                Some(event) => state.watching.retain_mut(|watching| watching.hears(&event)),
                None => state.watching.clear(),
            }
            if state.watching.is_empty() {
                // With nobody there, nothing is counted.
                *state = State::default();
                return;
            }
        }
    }

    async fn event(&self) -> Bytes {
        let html = match self.now().await {
            Ok(now) => markup(&now),
            Err(problem) => format!("<p class=\"notice bad\">{}</p>", crate::web::charts::escaped(problem.message())),
        };
        let lines: String = html.lines().map(|line| format!("data: {line}\n")).collect();
        format!("retry: 500\n{lines}\n").into()
    }

    /// What goes on now.
    pub(super) async fn now(&self) -> Result<Now, Problem> {
        let (active, latest, health) = tokio::join!(
            page::ask(&self.0.reports, |reports| reports.active_sessions(&Ask::all_time())),
            page::ask(&self.0.reports, |reports| reports.latest_hits(LATEST)),
            page::ask(&self.0.reports, Reports::health),
        );
        let counters = match &self.0.recording {
            Some(analytics) => analytics.counters(),
            None => health?.counters,
        };
        let counted = counters.written + counters.queued;
        let rates = {
            let mut state = self.state();
            // A page that is only being opened is no tick.
            if state.polls {
                let before = state.counted.replace(counted);
                if let Some(before) = before {
                    state.rates.push_back(counted.saturating_sub(before));
                }
                if state.rates.len() > RATES {
                    state.rates.pop_front();
                }
            }
            state.rates.iter().copied().collect()
        };
        Ok(Now { active: active?.into_inner(), latest: latest?.into_inner(), rates, now: self.0.reports.now() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watching {
    fn hears(&mut self, event: &Bytes) -> bool {
        self.left = self.left.saturating_sub(1);
        self.events.try_send(event.clone()).is_ok() && self.left > 0
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn all_who_watch_hear_the_same_until_it_closes() {
        let (analytics, _clock) = Analytics::testing();
        let hub = Hub::new(analytics.reports(), Some(analytics.clone()));
        let (mut one, mut other) = (hub.watch(), hub.watch());
        let first = one.0.recv().await.unwrap();
        assert!(first.starts_with(b"retry: 500\ndata: ") && first.ends_with(b"\n\n"), "{first:?}");
        assert_eq!(first, other.0.recv().await.unwrap());
        hub.close();
        tokio::time::timeout(Duration::from_secs(30), async { while one.0.recv().await.is_some() {} }).await.unwrap();
        assert!(hub.watch().0.recv().await.is_none(), "closed is closed");
    }

    #[test]
    fn whoever_watches_is_asked_again_after_a_while() {
        let (events, mut heard) = mpsc::channel(TRUSTED as usize);
        let mut watching = Watching { events, left: TRUSTED };
        let stays = (0..TRUSTED).filter(|_| watching.hears(&Bytes::from_static(b"x"))).count();
        assert_eq!(stays, TRUSTED as usize - 1);
        heard.close();
        assert!(!Watching { left: 5, ..watching }.hears(&Bytes::new()), "who has gone is let go");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_is_asked_for_when_nobody_watches() {
        let (analytics, _clock) = Analytics::testing();
        let hub = Hub::new(analytics.reports(), Some(analytics.clone()));
        drop(hub.watch());
        tokio::time::timeout(Duration::from_secs(30), async {
            while hub.state().polls {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .unwrap();
    }
}
