use std::{
    net::IpAddr,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lru::LruCache;
use sha2::{Digest, Sha256};

use super::throttle_rules::{Bucket, Failures, Network, OverAll};
use crate::clock::{Clock, Tick};

/// Slows guessing down, without ever locking somebody out for whom others guess:
///
/// - an address tries five times at once and then ten times a minute;
/// - after five failures of an account from an address, this pair waits 30 s, twice as long after each further one, up to 15 min;
/// - after twenty failures of an account from anywhere within 15 min, each address that never succeeded waits 5 s between attempts.
///
/// Where the server does not know addresses all would share one, and one stranger could keep everybody out: there only the last of the
/// three counts, and how many passwords are hashed at once.
///
/// Accounts that do not exist are treated alike, so a wait says nothing. All of it is in memory, bounded, and forgets the
/// longest unused first; a restart forgets everything. An attempt counts as failed until it is known to be none, so a
/// hundred at the same moment are no way around.
#[derive(Debug)]
pub(crate) struct Throttle {
    clock: Clock,
    start: Tick,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    addresses: LruCache<Network, Bucket>,
    pairs: LruCache<(Account, Network), Failures>,
    accounts: LruCache<Account, OverAll>,
}

const ENTRIES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);

/// A name by its hash: passwords typed into the wrong field are not kept either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Account([u8; 32]);

/// An attempt that may go on. Left alone, it is one that failed.
#[derive(Debug)]
#[must_use = "an attempt that is not settled counts as failed"]
pub(crate) struct Attempt {
    account: Account,
    network: Network,
}

/// How long to wait before the next attempt; for `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(Duration);

impl Wait {
    /// In whole seconds, at least one.
    pub(crate) fn seconds(self) -> u64 {
        (self.0.as_millis().div_ceil(1000) as u64).max(1)
    }
}

impl Throttle {
    pub(crate) fn new(clock: Clock) -> Self {
        let state = State { addresses: LruCache::new(ENTRIES), pairs: LruCache::new(ENTRIES), accounts: LruCache::new(ENTRIES) };
        Self { start: clock.tick(), clock, state: Mutex::new(state) }
    }

    /// Whether somebody at this address may try this account now. A refusal does not count as an attempt.
    pub(crate) fn admit(&self, name: &str, address: Option<IpAddr>) -> Result<Attempt, Wait> {
        let now = self.now();
        let (account, network) = (Account(Sha256::digest(name.as_bytes()).into()), Network::of(address));
        let state = &mut *self.state();
        let bucket = state.addresses.get_or_insert_mut(network, Bucket::default);
        // A stranger's address takes no room in the other maps before it has passed its own limit.
        let is_known = network != Network::Unknown;
        let by_address = if is_known { bucket.wait(now) } else { Duration::ZERO };
        let pair = state.pairs.peek(&(account, network)).copied().unwrap_or_default().at(now);
        let over_all = state.accounts.peek(&account).map_or(Duration::ZERO, |over_all| over_all.wait(network, pair, now));
        let by_pair = if is_known { pair.wait(now) } else { Duration::ZERO };
        let wait = by_address.max(by_pair).max(over_all);
        if !wait.is_zero() {
            return Err(Wait(wait));
        }
        bucket.take(now);
        state.pairs.put((account, network), pair.failed(now));
        state.accounts.get_or_insert_mut(account, OverAll::default).failed(now);
        Ok(Attempt { account, network })
    }

    /// The password was right. Tells whether that is worth a warning: a new address, after others had failed.
    pub(crate) fn succeeded(&self, attempt: &Attempt) -> bool {
        let Attempt { account, network } = *attempt;
        let state = &mut *self.state();
        state.pairs.pop(&(account, network));
        let is_odd = state.accounts.get_or_insert_mut(account, OverAll::default).succeeded(network);
        is_odd && network != Network::Unknown
    }

    /// The password was never looked at, such as for want of room to hash it.
    pub(crate) fn withdrawn(&self, attempt: &Attempt) {
        let Attempt { account, network } = *attempt;
        let state = &mut *self.state();
        if let Some(pair) = state.pairs.peek_mut(&(account, network)) {
            pair.withdrawn();
        }
        if let Some(over_all) = state.accounts.peek_mut(&account) {
            over_all.withdrawn();
        }
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.start.until(self.clock.tick()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::SystemTime};

    use proptest::prelude::*;

    use super::{
        super::throttle_rules::{ACCOUNT_WITHIN, PAIR_FORGOTTEN},
        *,
    };

    const SECOND: Duration = Duration::from_secs(1);

    fn throttle() -> (Throttle, Clock) {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        (Throttle::new(clock.clone()), clock)
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    /// An address that nobody has used yet.
    fn another(n: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from_bits(0x0A00_0000 + n).into())
    }

    /// Fails and says how long to wait before it, in seconds.
    fn fail(throttle: &Throttle, name: &str, address: Option<IpAddr>) -> u64 {
        throttle.admit(name, address).map_or_else(Wait::seconds, |_| 0)
    }

    #[test]
    fn an_address_tries_five_times_at_once_and_then_ten_times_a_minute() {
        let (throttle, clock) = throttle();
        let try_it = |n: u32| fail(&throttle, &format!("name {n}"), ip("192.0.2.1"));
        assert_eq!((0..7).map(try_it).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 6, 6]);
        clock.advance(5 * SECOND);
        assert_eq!(try_it(8), 1);
        clock.advance(SECOND);
        assert_eq!((try_it(9), try_it(10)), (0, 6));
        clock.advance(Duration::from_secs(60));
        assert_eq!((11..17).map(try_it).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 6]);
        assert_eq!(fail(&throttle, "name", ip("192.0.2.2")), 0);
    }

    #[test]
    fn five_failures_of_an_account_make_its_address_wait_twice_as_long_each_time() {
        let (throttle, clock) = throttle();
        for _ in 0..5 {
            assert_eq!(fail(&throttle, "ann", ip("192.0.2.1")), 0);
            clock.advance(6 * SECOND);
        }
        for wait in [30, 60, 120, 240, 480, 900, 900, 900] {
            clock.advance(Duration::from_secs(wait) - 7 * SECOND);
            assert_eq!(fail(&throttle, "ann", ip("192.0.2.1")), 1, "before {wait}");
            assert_eq!(fail(&throttle, "bob", ip("192.0.2.1")), 0, "others at the address are not waited for");
            clock.advance(SECOND);
            assert_eq!(fail(&throttle, "ann", ip("192.0.2.1")), 0, "after {wait}");
            clock.advance(6 * SECOND);
            // `bob` would wait by now, too.
            throttle.state().pairs.pop(&(Account(Sha256::digest("bob").into()), Network::of(ip("192.0.2.1"))));
        }
    }

    #[test]
    fn a_success_and_a_day_without_attempts_begin_anew() {
        let (throttle, clock) = throttle();
        let five = |expected: u64| {
            for _ in 0..5 {
                assert_eq!(fail(&throttle, "ann", ip("192.0.2.1")), 0);
                clock.advance(6 * SECOND);
            }
            assert_eq!(fail(&throttle, "ann", ip("192.0.2.1")), expected);
        };
        five(24);
        clock.advance(PAIR_FORGOTTEN);
        five(24);
        clock.advance(24 * SECOND);
        let attempt = throttle.admit("ann", ip("192.0.2.1")).unwrap();
        throttle.succeeded(&attempt);
        clock.advance(Duration::from_secs(30));
        five(24);
    }

    #[test]
    fn an_attack_from_everywhere_slows_strangers_and_leaves_the_owner_alone() {
        let (throttle, clock) = throttle();
        let home = ip("198.51.100.7");
        throttle.succeeded(&throttle.admit("ann", home).unwrap());
        for n in 0..20 {
            assert_eq!(fail(&throttle, "ann", another(n)), 0);
        }
        // A new address gets one attempt every five seconds, the known one as many as ever.
        assert_eq!((fail(&throttle, "ann", another(100)), fail(&throttle, "ann", another(100))), (0, 5));
        assert_eq!((fail(&throttle, "ann", home), fail(&throttle, "ann", home)), (0, 0));
        clock.advance(5 * SECOND);
        assert_eq!(fail(&throttle, "ann", another(100)), 0);
        clock.advance(ACCOUNT_WITHIN);
        assert_eq!((fail(&throttle, "ann", another(101)), fail(&throttle, "ann", another(101))), (0, 0));
    }

    #[test]
    fn a_success_is_worth_a_warning_from_a_new_address_after_failures_only() {
        let (throttle, clock) = throttle();
        let succeed = |address| throttle.succeeded(&throttle.admit("ann", address).unwrap());
        assert!(!succeed(another(1)), "the first ever");
        assert_eq!(fail(&throttle, "ann", another(2)), 0);
        assert!(!succeed(another(1)), "known");
        assert!(succeed(another(3)), "new, and somebody failed");
        clock.advance(SECOND);
        assert!(!succeed(another(3)), "known by now");
    }

    #[test]
    fn attempts_at_the_same_moment_count_before_they_are_settled() {
        let (throttle, _) = throttle();
        let admitted = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..64).map(|_| scope.spawn(|| throttle.admit("ann", ip("192.0.2.1")).is_ok())).collect();
            tries.into_iter().map(|one| one.join().unwrap()).filter(|is_in| *is_in).count()
        });
        assert_eq!(admitted, 5);
    }

    #[test]
    fn a_withdrawn_attempt_was_none() {
        let (throttle, clock) = throttle();
        for _ in 0..50 {
            throttle.withdrawn(&throttle.admit("ann", ip("192.0.2.1")).unwrap());
            clock.advance(6 * SECOND);
        }
        assert_eq!(throttle.state().accounts.peek(&Account(Sha256::digest("ann").into())).unwrap().failures(), 0);
    }

    #[test]
    fn memory_is_bounded_and_the_longest_unused_is_forgotten() {
        let (throttle, _) = throttle();
        for n in 0..12_000 {
            assert_eq!(fail(&throttle, &format!("name {n}"), another(n)), 0);
        }
        let state = throttle.state();
        assert_eq!((state.addresses.len(), state.pairs.len(), state.accounts.len()), (10_000, 10_000, 10_000));
        assert!(!state.addresses.contains(&Network::of(another(0))) && state.addresses.contains(&Network::of(another(11_999))));
    }

    #[test]
    fn waits_are_whole_seconds_and_never_none() {
        for (millis, seconds) in [(1, 1), (999, 1), (1000, 1), (1001, 2), (900_000, 900)] {
            assert_eq!(Wait(Duration::from_millis(millis)).seconds(), seconds);
        }
    }

    proptest! {
        /// However the attempts are spread, no address gets more than its burst and its rate.
        #[test]
        fn no_address_ever_gets_more_than_its_rate(pauses in proptest::collection::vec(0..20_u64, 1..80)) {
            let (throttle, clock) = throttle();
            let mut admitted = Vec::new();
            let mut now = 0;
            for (n, pause) in pauses.into_iter().enumerate() {
                clock.advance(Duration::from_secs(pause));
                now += pause;
                if fail(&throttle, &n.to_string(), ip("192.0.2.1")) == 0 {
                    admitted.push(now);
                }
            }
            for window in admitted.windows(6) {
                prop_assert!(window[5] - window[0] >= 6, "{:?}", admitted);
            }
            for window in admitted.windows(15) {
                prop_assert!(window[14] - window[0] >= 60, "{:?}", admitted);
            }
        }
    }
}
