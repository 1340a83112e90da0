use std::{collections::BTreeMap, hash::Hasher, net::IpAddr, ops::Range};

use hashbrown::HashMap;
use siphasher::sip::SipHasher24;

use super::{
    open::Open,
    users::{List, Users},
};
use crate::{
    clock::{DAY_MS, Millis, Month, day_of},
    hit::{Field, Hit, Resolved, SessionId},
    sink::{Actor, OpenSession, Resume, Salt},
};

/// Sessions that are open, and who they belong to. Membership is decided here, once.
///
/// A session ends after a gap longer than the timeout, after its greatest age, and with its UTC month. Time is
/// the hit's own, so hits of the past (a demo, another queue) make the sessions they would have made then.
pub(crate) struct Sessions {
    timeout: Millis,
    longest: Millis,
    limit: usize,
    users: Users,
    visitors: HashMap<u64, List>,
    open: usize,
    next: BTreeMap<Month, u32>,
    /// The month of the last hit, which nearly always is the month of the next.
    month: Option<(Range<Millis>, Month)>,
    salts: BTreeMap<i64, Salt>,
    fresh_salts: Vec<(i64, Salt)>,
    key: Salt,
    ended: Vec<SessionId>,
    /// The newest time among hits that came long after they happened, and when the last of them came.
    past: (Millis, Millis),
}

/// More open sessions of one user or visitor than this are somebody's trick; the oldest ends.
const OPEN_PER_ACTOR: usize = 64;

/// So long after the last hit of the past came, the sessions made of such hits end.
const PAST_RESTS: Millis = 60_000;

impl Sessions {
    pub(crate) fn new(timeout: Millis, longest: Millis, limit: usize, resume: Resume) -> Self {
        let mut sessions = Self {
            timeout,
            longest,
            limit,
            users: Users::default(),
            visitors: HashMap::new(),
            open: 0,
            next: resume.next.into_iter().collect(),
            month: None,
            salts: resume.salts.into_iter().collect(),
            fresh_salts: Vec::new(),
            key: resume.key.unwrap_or_else(random),
            ended: Vec::new(),
            past: (Millis::MIN, Millis::MIN),
        };
        for OpenSession { id, actor, key, started, last } in resume.open {
            let start = id.month.start();
            let since = |at: Millis| (at - start) as u32;
            let open = Open { id, key, started: since(started), last: since(last), past: false };
            match actor {
                Actor::User(user) => sessions.users.list(&user).push(open),
                Actor::Visitor(visitor) => sessions.visitors.entry(visitor).or_default().push(open),
            }
            sessions.open += 1;
        }
        sessions
    }

    /// Finds or opens the session of a hit. `None` if its time has no month.
    pub(crate) fn resolve(&mut self, hit: &Hit, now: Millis) -> Option<Resolved> {
        let at = hit.facts.at?;
        let month = self.month_of(at)?;
        let past = (now - at).abs() > self.timeout;
        if past {
            self.past = (self.past.0.max(at), now);
        }
        let key = self.key_of(hit.get(Field::SessionKey));
        let start = self.month.as_ref().map_or(0, |(range, _)| range.start);
        let found = Found { at: at - start, month, key, past, timeout: self.timeout, longest: self.longest };
        let user = hit.get(Field::User);
        let mut visitor = None;
        let list = if user.is_empty() {
            let number = self.visitor(hit, at);
            visitor = Some(number);
            self.visitors.entry(number).or_default()
        } else {
            self.users.list(user)
        };
        if let Some(open) = list.iter_mut().find(|open| found.belongs_to(open)) {
            open.last = open.last.max((at - start) as u32);
            open.past &= past;
            return Some(Resolved { visitor, session: Some(open.id), opens: false, action: false, key });
        }
        let next = self.next.entry(month).or_insert(1);
        let id = SessionId { month, number: *next };
        *next += 1;
        // A hit from before the clock stepped back ends no session of the time after it.
        let over =
            |open: &Open| open.past == past && ((open.key == key && open.last() + self.timeout < at) || open.last() + self.longest < at);
        let before = self.ended.len();
        end(list, &mut self.ended, over);
        if list.len() >= OPEN_PER_ACTOR {
            self.ended.push(list.remove(0).id);
        }
        self.open -= self.ended.len() - before;
        let since = (at - start) as u32;
        list.push(Open { id, key, started: since, last: since, past });
        self.open += 1;
        Some(Resolved { visitor, session: Some(id), opens: true, action: false, key })
    }

    /// Ends all sessions of a user, whatever the time.
    pub(super) fn end_user(&mut self, user: &str) {
        let before = self.ended.len();
        end(self.users.list(user), &mut self.ended, |_| true);
        self.users.retain(|list| !list.is_empty());
        self.open -= self.ended.len() - before;
    }

    /// Ends what has been idle for too long; called every few seconds.
    pub(crate) fn sweep(&mut self, now: Millis) {
        self.sweep_idle(now, self.timeout);
        let mut timeout = self.timeout;
        while self.open > self.limit && timeout > 0 {
            timeout /= 2;
            self.sweep_idle(now, timeout);
        }
        let (today, past) = (day_of(now), day_of(self.past.0));
        self.salts.retain(|day, _| (today - 1..=today).contains(day) || (past - 1..=past).contains(day));
    }

    fn sweep_idle(&mut self, now: Millis, timeout: Millis) {
        let (newest_past, past_came) = self.past;
        let past_rests = past_came + PAST_RESTS < now || past_came > now;
        let over = |open: &Open| match open.past {
            true => past_rests || open.last() + timeout < newest_past,
            // After the clock stepped back, sessions from its future would stay for ever.
            false => open.last() + timeout < now || open.last() > now + timeout,
        };
        let before = self.ended.len();
        let mut is_left = |list: &mut List| {
            end(list, &mut self.ended, over);
            !list.is_empty()
        };
        self.users.retain(&mut is_left);
        self.visitors.retain(|_, list| is_left(list));
        self.open -= self.ended.len() - before;
    }

    /// Sessions that have ended and whose end has not been stored.
    pub(crate) fn ended(&self) -> &[SessionId] {
        &self.ended
    }

    pub(crate) fn forget_ended(&mut self) {
        self.ended.clear();
    }

    /// Salts that were made and have not been stored.
    pub(crate) fn fresh_salts(&self) -> &[(i64, Salt)] {
        &self.fresh_salts
    }

    pub(crate) fn forget_fresh_salts(&mut self) {
        self.fresh_salts.clear();
    }

    /// The visitor of the hit's own UTC day. Whoever was here before midnight keeps the session.
    fn visitor(&mut self, hit: &Hit, at: Millis) -> u64 {
        let day = day_of(at);
        let salt = match self.salts.get(&day) {
            Some(salt) => *salt,
            None => {
                let salt = random();
                self.salts.insert(day, salt);
                self.fresh_salts.push((day, salt));
                salt
            }
        };
        let visitor = visitor_hash(&salt, hit);
        if at - day * DAY_MS <= self.timeout
            && !self.visitors.contains_key(&visitor)
            && let Some(salt) = self.salts.get(&(day - 1))
            && let Some(list) = self.visitors.remove(&visitor_hash(salt, hit))
        {
            self.visitors.insert(visitor, list);
        }
        visitor
    }

    fn month_of(&mut self, at: Millis) -> Option<Month> {
        if let Some((range, month)) = &self.month
            && range.contains(&at)
        {
            return Some(*month);
        }
        let month = Month::of(at)?;
        self.month = Some((month.start()..month.end(), month));
        Some(month)
    }

    fn key_of(&self, key: &str) -> u64 {
        if key.is_empty() {
            return 0;
        }
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(key.as_bytes());
        hasher.finish().max(1)
    }
}

struct Found {
    /// Since the month's start.
    at: Millis,
    month: Month,
    key: u64,
    past: bool,
    timeout: Millis,
    longest: Millis,
}

impl Found {
    fn belongs_to(&self, open: &Open) -> bool {
        let (started, last) = (Millis::from(open.started), Millis::from(open.last));
        open.key == self.key
            && open.id.month == self.month
            && (started - self.timeout..=last + self.timeout).contains(&self.at)
            && self.at - started < self.longest
            && (open.past == self.past || (last - self.at).abs() <= self.timeout)
    }
}

fn end(list: &mut List, ended: &mut Vec<SessionId>, over: impl Fn(&Open) -> bool) {
    list.retain(|open| {
        let over = over(open);
        ended.extend(over.then_some(open.id));
        !over
    });
}

fn visitor_hash(salt: &Salt, hit: &Hit) -> u64 {
    let mut hasher = SipHasher24::new_with_key(salt);
    match hit.facts.address {
        Some(IpAddr::V4(address)) => hasher.write(&address.octets()),
        Some(IpAddr::V6(address)) => hasher.write(&address.octets()),
        None => {}
    }
    hasher.write_u8(0xff);
    hasher.write(hit.get(Field::UserAgent).as_bytes());
    // 0 stands for nobody.
    hasher.finish().max(1)
}

fn random() -> Salt {
    let mut salt = Salt::default();
    if getrandom::fill(&mut salt).is_err() {
        // Without the system's randomness: the standard library's own keys are still secret to the outside.
        for (place, half) in salt.chunks_mut(8).enumerate() {
            use std::hash::{BuildHasher, RandomState};
            half.copy_from_slice(&RandomState::new().hash_one(place).to_ne_bytes());
        }
    }
    salt
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    const MINUTE: Millis = 60_000;
    const HOUR: Millis = 60 * MINUTE;

    fn at(text: &str) -> Millis {
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    fn sessions() -> Sessions {
        Sessions::new(30 * MINUTE, 24 * HOUR, 1000, Resume::default())
    }

    fn hit(user: &str, key: &str, agent: &str, at: Millis) -> Hit {
        let mut hit = Hit::new("GET", "/");
        hit.set_user(user);
        hit.set_session_key(key);
        hit.set_client("", "", "", agent);
        hit.set_at(SystemTime::UNIX_EPOCH + Duration::from_millis(at as u64));
        hit
    }

    impl Sessions {
        /// As it happens: the clock on the wall says the hit's time.
        fn live(&mut self, user: &str, key: &str, agent: &str, at: Millis) -> Resolved {
            self.resolve(&hit(user, key, agent, at), at).unwrap()
        }

        fn number(&mut self, user: &str, at: Millis) -> u32 {
            self.live(user, "", "", at).session.unwrap().number
        }
    }

    #[test]
    fn a_session_goes_on_up_to_the_timeout_and_not_a_millisecond_longer() {
        let (mut sessions, start) = (sessions(), at("2026-11-24T10:00:00Z"));
        assert_eq!(sessions.number("ann", start), 1);
        assert_eq!(sessions.number("ann", start + 30 * MINUTE), 1);
        assert_eq!(sessions.number("ann", start + 60 * MINUTE + 1), 2);
        assert_eq!(sessions.number("bob", start + 60 * MINUTE + 1), 3);
    }

    #[test]
    fn a_session_ends_with_the_month_and_after_a_day() {
        let mut s = sessions();
        let eve = at("2026-11-30T23:59:59.999Z");
        let november = s.live("ann", "", "", eve).session.unwrap();
        let december = s.live("ann", "", "", eve + 1).session.unwrap();
        assert_eq!((november.to_string(), december.to_string()), ("202611-1".to_owned(), "202612-1".to_owned()));
        let mut s = sessions();
        let start = at("2026-11-10T00:00:00Z");
        let numbers: Vec<_> = (0..=96).map(|quarter| s.number("ann", start + quarter * 15 * MINUTE)).collect();
        assert!(numbers[..96].iter().all(|n| *n == 1) && numbers[96] == 2);
    }

    #[test]
    fn a_clock_that_steps_back_an_hour_opens_one_session_and_leaves_none_behind() {
        let (mut s, start) = (sessions(), at("2026-11-24T10:00:00Z"));
        assert_eq!(s.number("ann", start), 1);
        assert_eq!(s.number("ann", start - MINUTE), 1, "a small step is no gap");
        assert_eq!(s.number("ann", start - HOUR), 2);
        assert_eq!(s.number("ann", start - HOUR + MINUTE), 2);
        s.sweep(start - HOUR + MINUTE);
        assert_eq!(s.ended().iter().map(|id| id.number).collect::<Vec<_>>(), [1]);
        assert_eq!(s.open, 1);
    }

    #[test]
    fn a_user_who_is_let_go_begins_a_new_session_and_nobody_else_does() {
        let (mut s, start) = (sessions(), at("2026-11-24T10:00:00Z"));
        s.live("ann", "a", "", start);
        assert_eq!((s.number("ann", start), s.number("bob", start)), (2, 3));
        s.end_user("ann");
        assert_eq!((s.ended().iter().map(|id| id.number).collect::<Vec<_>>(), s.open), (vec![1, 2], 1));
        assert_eq!((s.number("ann", start + 1), s.number("bob", start + 1)), (4, 3));
    }

    #[test]
    fn a_session_key_groups_but_never_joins_two_users() {
        let (mut s, start) = (sessions(), at("2026-11-24T10:00:00Z"));
        let mut session = |user, key| s.live(user, key, "", start).session.unwrap().number;
        assert_eq!((session("ann", "a"), session("ann", "b"), session("bob", "a")), (1, 2, 3));
        assert_eq!((session("ann", "a"), session("ann", "b"), session("bob", "a"), session("ann", "")), (1, 2, 3, 4));
    }

    #[test]
    fn a_visitor_keeps_the_session_over_midnight_and_is_another_visitor_afterwards() {
        let (mut s, midnight) = (sessions(), at("2026-11-24T00:00:00Z"));
        let before = s.live("", "", "curl", midnight - MINUTE);
        let after = s.live("", "", "curl", midnight + MINUTE);
        assert_eq!(before.session, after.session);
        assert_ne!(before.visitor, after.visitor);
        assert_eq!(s.live("", "", "curl", midnight + 2 * MINUTE).session, before.session);
        assert_ne!(s.live("", "", "wget", midnight + 2 * MINUTE).session, before.session);
    }

    #[test]
    fn salts_are_forgotten_after_two_days() {
        let (mut s, noon) = (sessions(), at("2026-11-24T12:00:00Z"));
        for day in 0..5 {
            s.live("", "", "curl", noon + day * DAY_MS);
            s.sweep(noon + day * DAY_MS);
        }
        assert_eq!(s.salts.len(), 2);
    }

    #[test]
    fn hits_of_the_past_make_the_sessions_they_would_have_made_then() {
        let (mut s, now) = (sessions(), at("2026-11-24T12:00:00Z"));
        let then = at("2026-09-01T08:00:00Z");
        let mut number = |at| s.resolve(&hit("ann", "", "", at), now).unwrap().session.unwrap().number;
        assert_eq!((number(then), number(then + MINUTE), number(then + HOUR)), (1, 1, 2));
        s.sweep(now);
        assert_eq!(s.open, 1, "the newest may go on");
        s.sweep(now + PAST_RESTS + 1);
        assert_eq!((s.open, s.ended().len()), (0, 2));
    }

    #[test]
    fn a_flood_of_sessions_stays_bounded() {
        let (mut s, start) = (sessions(), at("2026-11-24T10:00:00Z"));
        for n in 0..5000 {
            s.live("ann", &n.to_string(), "", start + n);
            s.live("", "", &n.to_string(), start + n * 100);
        }
        assert!(s.users.list("ann").len() <= OPEN_PER_ACTOR);
        s.sweep(start + 500_000);
        assert!(s.open <= 1000, "{}", s.open);
        assert_eq!(s.open, s.users.lists().chain(s.visitors.values()).map(|list| list.len()).sum::<usize>());
    }
}
