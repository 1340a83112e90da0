//! What each of the throttle's limits remembers, and how long it makes somebody wait. Moments are durations since the
//! throttle began.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

const ADDRESS_EVERY: Duration = Duration::from_secs(6);
const ADDRESS_BURST: u32 = 5;

const PAIR_FREE: u32 = 5;
const PAIR_WAIT: Duration = Duration::from_secs(30);
const PAIR_LONGEST: Duration = Duration::from_secs(15 * 60);
pub(super) const PAIR_FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

const ACCOUNT_FREE: usize = 20;
pub(super) const ACCOUNT_WITHIN: Duration = Duration::from_secs(15 * 60);
const ACCOUNT_WAIT: Duration = Duration::from_secs(5);
/// Addresses that an account is known to sign in from; the oldest is forgotten.
const KNOWN_NETWORKS: usize = 16;

/// Whom an address belongs to: one IPv4 address, or the /64 that a household or a machine has of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Network {
    /// The server was not told; all such share one.
    Unknown,
    V4(Ipv4Addr),
    V6([u16; 4]),
}

#[derive(Debug, Default)]
pub(super) struct Bucket {
    /// When the bucket is full again (the "theoretical arrival time" of the generic cell rate algorithm).
    full_at: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failures {
    count: u32,
    last: Duration,
}

/// One account over all addresses.
#[derive(Debug, Default)]
pub(super) struct OverAll {
    /// The latest failures, at most [`ACCOUNT_FREE`].
    failures: VecDeque<Duration>,
    known: VecDeque<Network>,
}

impl Network {
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Unknown,
            Some(IpAddr::V4(address)) => Self::V4(address),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

impl Bucket {
    pub(super) fn wait(&self, now: Duration) -> Duration {
        self.full_at.saturating_sub(ADDRESS_EVERY * (ADDRESS_BURST - 1)).saturating_sub(now)
    }

    pub(super) fn take(&mut self, now: Duration) {
        self.full_at = self.full_at.max(now) + ADDRESS_EVERY;
    }
}

impl Failures {
    pub(super) fn failed(self, now: Duration) -> Self {
        Self { count: self.count.saturating_add(1), last: now }
    }

    pub(super) fn withdrawn(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// What of them still counts.
    pub(super) fn at(self, now: Duration) -> Self {
        if now.saturating_sub(self.last) >= PAIR_FORGOTTEN { Self::default() } else { self }
    }

    pub(super) fn wait(self, now: Duration) -> Duration {
        let Some(beyond) = self.count.checked_sub(PAIR_FREE) else { return Duration::ZERO };
        let pause = PAIR_WAIT.saturating_mul(1 << beyond.min(16)).min(PAIR_LONGEST);
        (self.last + pause).saturating_sub(now)
    }
}

impl OverAll {
    /// Notes the address, and tells whether it is new while others fail.
    pub(super) fn succeeded(&mut self, network: Network) -> bool {
        self.withdrawn();
        let is_new = !self.known.contains(&network);
        self.known.retain(|known| *known != network);
        // Where addresses are not known, strangers come from the same.
        if network != Network::Unknown {
            self.known.push_back(network);
        }
        if self.known.len() > KNOWN_NETWORKS {
            self.known.pop_front();
        }
        is_new && !self.failures.is_empty()
    }

    pub(super) fn withdrawn(&mut self) {
        self.failures.pop_back();
    }

    #[cfg(test)]
    pub(super) fn failures(&self) -> usize {
        self.failures.len()
    }

    pub(super) fn failed(&mut self, now: Duration) {
        if self.failures.len() == ACCOUNT_FREE {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
    }

    pub(super) fn wait(&self, network: Network, pair: Failures, now: Duration) -> Duration {
        let is_attacked =
            self.failures.len() == ACCOUNT_FREE && self.failures.front().is_some_and(|first| now.saturating_sub(*first) < ACCOUNT_WITHIN);
        if !is_attacked || pair.count == 0 || self.known.contains(&network) {
            return Duration::ZERO;
        }
        (pair.last + ACCOUNT_WAIT).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn addresses_are_told_apart_as_their_owners_are() {
        let network = |text| Network::of(ip(text));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(Network::of(None), Network::Unknown);
    }
}
