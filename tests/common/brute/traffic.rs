//! Random traffic through the real writer, over months, with restarts, late hits and merges.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use proptest::prelude::*;
use tower_analytics::{Analytics, Clock, Hit, Outcome};

use super::catalogue::{DEVICES, ENDPOINTS, STATUSES, configured};

/// Each with a moment some time before something happens there: a month's edge, a day of 23, 25 or 24.5 hours.
pub(crate) const PLACES: [(&str, &str); 6] = [
    ("UTC", "2026-10-28T20:00:00Z"),
    ("Europe/Berlin", "2026-10-20T21:00:00Z"),
    ("Europe/Berlin", "2026-03-20T21:00:00Z"),
    ("Asia/Kathmandu", "2026-12-27T17:00:00Z"),
    ("Australia/Lord_Howe", "2026-03-25T12:00:00Z"),
    ("America/New_York", "2028-02-25T03:00:00Z"),
];

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Hits(Vec<Spec>),
    Pass(u64),
    Flush,
    Restart,
    Merge(u8, u8),
}

#[derive(Clone, Debug)]
pub(crate) struct Spec {
    who: u8,
    endpoint: usize,
    device: usize,
    status: usize,
    outcome: u8,
    micros: u64,
    bytes: u64,
    key: u8,
    /// 0: neither; 1 and 2: an error note; 3 and more: a gRPC status.
    extra: u8,
    /// Minutes it comes late.
    late: u64,
    /// Milliseconds after the one before.
    gap: u64,
}

fn spec() -> impl Strategy<Value = Spec> {
    let late = prop_oneof![30 => Just(0_u64), 2 => 1_u64..300, 1 => 1_000_u64..60_000];
    let gap = prop_oneof![6 => 0_u64..3_000, 3 => 0_u64..400_000, 1 => 0_u64..5_000_000];
    let head = (0_u8..12, 0..ENDPOINTS.len(), 0..DEVICES.len(), 0..STATUSES.len(), 0_u8..12);
    let rest = (prop_oneof![0_u64..40, 0_u64..3_000_000], 0_u64..9999, 0_u8..3, 0_u8..12);
    (head, rest, late, gap).prop_map(|(head, (micros, bytes, key, extra), late, gap)| {
        let (who, endpoint, device, status, outcome) = head;
        Spec { who, endpoint, device, status, outcome, micros, bytes, key, extra, late, gap }
    })
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => prop::collection::vec(spec(), 1..40).prop_map(Op::Hits),
        4 => (0_u64..40_000_000).prop_map(Op::Pass),
        4 => (40_000_000_u64..700_000_000).prop_map(Op::Pass),
        1 => (1_000_000_000_u64..3_000_000_000).prop_map(Op::Pass),
        2 => Just(Op::Flush),
        1 => Just(Op::Restart),
        2 => (1_u8..8, 1_u8..8).prop_map(|(a, b)| Op::Merge(a, b)),
    ]
}

pub(crate) struct Traffic {
    pub(crate) root: tempfile::TempDir,
    pub(crate) clock: Clock,
    pub(crate) analytics: Analytics,
    zone: &'static str,
}

impl Traffic {
    pub(crate) fn new(zone: &'static str, start: &str) -> Self {
        let (root, clock) = (tempfile::tempdir().unwrap(), Clock::manual(moment(start)));
        let analytics = open(root.path(), zone, &clock);
        Self { root, clock, analytics, zone }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
    }

    /// A hit of some user at some time, for examples.
    pub(crate) fn hit(&self, user: &str, endpoint: (&str, &str), at: &str) {
        let mut hit = Hit::new(endpoint.0, endpoint.1);
        hit.set_user(user);
        hit.set_client("ios", "2.0", "iPhone", "");
        self.clock.set(moment(at));
        self.analytics.record(&hit);
    }

    pub(crate) fn run(&mut self, op: &Op) {
        match op {
            Op::Hits(specs) => specs.iter().for_each(|spec| self.record(spec)),
            Op::Pass(millis) => self.clock.advance(Duration::from_millis(*millis)),
            Op::Flush => self.analytics.flush().unwrap(),
            Op::Restart => self.reopen(),
            // Refused if one was never seen, or they are one already.
            Op::Merge(from, into) => drop(self.analytics.maintenance().merge_users(&format!("u{from}"), &format!("u{into}"))),
        }
    }

    pub(crate) fn reopen(&mut self) {
        self.analytics.shutdown(Duration::from_secs(30)).unwrap();
        self.analytics = open(self.root.path(), self.zone, &self.clock);
    }

    /// All is stored, and what can be sealed is: each flush seals one month at most.
    pub(crate) fn settle(&self) {
        (0..12).for_each(|_| self.analytics.flush().unwrap());
    }

    fn record(&self, spec: &Spec) {
        self.clock.advance(Duration::from_millis(spec.gap));
        let endpoint = &ENDPOINTS[spec.endpoint];
        let mut hit = Hit::new(endpoint.method, endpoint.route);
        // Most are users, the others visitors of as many networks.
        match spec.who {
            who @ 1..8 => hit.set_user(&format!("u{who}")),
            who => hit.set_address([10, 0, who, 7].into()),
        }
        if spec.who == 3 {
            hit.set_user_name("Third");
        }
        let [platform, version, name, agent] = DEVICES[spec.device];
        hit.set_client(platform, version, name, agent);
        hit.set_status(STATUSES[spec.status]);
        hit.set_outcome(match spec.outcome {
            0 => Outcome::Failed,
            1 => Outcome::Aborted,
            _ => Outcome::Completed,
        });
        hit.set_times(Duration::from_micros(spec.micros), Duration::from_micros(spec.micros / 3));
        hit.set_bytes(spec.bytes / 7, spec.bytes);
        if spec.key > 0 {
            hit.set_session_key(&spec.key.to_string());
        }
        match spec.extra {
            1 => hit.set_error("Lost", &format!("item {} is \"lost\"", spec.bytes)),
            2 => hit.set_error("Gone", "for good"),
            extra @ 3..6 => hit.set_grpc_status(extra - 3),
            _ => {}
        }
        if spec.late > 0 {
            hit.set_at(self.clock.now() - Duration::from_secs(60 * spec.late));
        }
        self.analytics.record(&hit);
    }
}

fn open(directory: &Path, zone: &str, clock: &Clock) -> Analytics {
    let builder = Analytics::builder(directory).time_zone(zone).clock(clock.clone()).batch_age(Duration::from_millis(1));
    configured(builder).build().unwrap()
}

pub(crate) fn moment(text: &str) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(text.parse::<Timestamp>().unwrap().as_millisecond() as u64)
}
