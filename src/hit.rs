//! One request, as it is recorded.

use std::{
    borrow::Cow,
    fmt,
    hash::Hasher,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

pub use crate::facts::Outcome;
pub(crate) use crate::facts::{Facts, Field};
use crate::{
    clock::{Month, from_millis, to_millis},
    device::{Bot, Device},
    facts::{Span, cut},
    user::MAX_USER_ID,
};

/// One request seen by the layer: what a [`Sink`](crate::Sink) stores.
///
/// Text is cut to a fixed length when set (route 512 bytes, user agent 512, error message 1024, most others 256).
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_analytics::Hit;
///
/// // A hit from elsewhere (a queue, an old log), for `Recorder::send`.
/// let mut hit = Hit::new("GET", "/items/{id}");
/// hit.set_status(200);
/// hit.set_user("u-4711");
/// hit.set_at(SystemTime::now() - Duration::from_secs(3600));
/// assert_eq!((hit.method(), hit.route(), hit.user()), ("GET", "/items/{id}", Some("u-4711")));
/// ```
#[derive(Clone)]
pub struct Hit {
    pub(crate) facts: Facts,
    /// All text of the hit, one field after the other: one buffer, kept when the hit is used again.
    pub(crate) text: String,
    pub(crate) device: Option<Arc<Device>>,
    pub(crate) resolved: Resolved,
}

/// What the writer adds before a sink sees the hit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) visitor: Option<u64>,
    pub(crate) session: Option<SessionId>,
    pub(crate) opens: bool,
    pub(crate) action: bool,
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "only the SQLite store keeps it"))]
    pub(crate) key: u64,
}

/// A session's own id: its month and its number in order of opening. Printed as `202611-42`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    pub(crate) month: Month,
    pub(crate) number: u32,
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.month, self.number)
    }
}

/// From here on replaced text goes when it is more than the text in use. Far below what a field's offset can say.
const TEXT_TIDY: usize = 1024;

impl Default for Hit {
    fn default() -> Self {
        Self { facts: Facts::default(), text: String::with_capacity(256), device: None, resolved: Resolved::default() }
    }
}

impl Hit {
    /// A completed hit with status 200, no user and no device. Unless [`set_at`](Self::set_at) says otherwise it ends when it is recorded.
    #[must_use]
    pub fn new(method: &str, route: &str) -> Self {
        let mut hit = Self::default();
        hit.set(Field::Method, method);
        hit.set(Field::Route, route);
        hit
    }

    /// Empties the hit and keeps its buffer.
    pub(crate) fn clear(&mut self) {
        self.facts = Facts::default();
        self.text.clear();
        self.device = None;
        self.resolved = Resolved::default();
    }

    /// Becomes the other, and keeps its buffer.
    pub(crate) fn copy(&mut self, other: &Self) {
        self.facts = other.facts;
        self.text.clone_from(&other.text);
        self.device.clone_from(&other.device);
        self.resolved = other.resolved;
    }

    /// Becomes what a request was taken down as; a field that is no UTF-8 is empty.
    pub(crate) fn fill(&mut self, facts: &Facts, text: &[u8]) {
        self.clear();
        self.facts = *facts;
        // One check of all is cheaper than one a field, and seldom fails.
        match std::str::from_utf8(text) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.fill_singly(text),
        }
    }

    #[cold]
    fn fill_singly(&mut self, text: &[u8]) {
        for span in &mut self.facts.spans {
            let value = text.get(span.range()).and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default();
            *span = Span::of(self.text.len(), value.len());
            self.text.push_str(value);
        }
    }

    pub(crate) fn get(&self, field: Field) -> &str {
        self.text.get(self.facts.spans[field as usize].range()).unwrap_or_default()
    }

    pub(crate) fn set(&mut self, field: Field, value: &str) {
        let value = &value[..cut(value.as_bytes(), field.longest())];
        // A hit that is used again and again is not to drag along all that was ever in it.
        if self.text.len() + value.len() > TEXT_TIDY && self.text.len() > 2 * self.facts.text_len() {
            self.compact();
        }
        self.facts.spans[field as usize] = Span::of(self.text.len(), value.len());
        self.text.push_str(value);
    }

    /// A hook may set fields again and again; what was replaced goes here.
    fn compact(&mut self) {
        let old = std::mem::take(&mut self.text);
        for span in &mut self.facts.spans {
            let value = old.get(span.range()).unwrap_or_default();
            *span = Span::of(self.text.len(), value.len());
            self.text.push_str(value);
        }
    }

    /// When the request ended; until it is recorded possibly not known.
    #[must_use]
    pub fn at(&self) -> Option<SystemTime> {
        self.facts.at.map(from_millis)
    }

    /// Says when the request ended.
    pub fn set_at(&mut self, at: SystemTime) {
        self.facts.at = Some(to_millis(at));
    }

    /// The method; empty only for what has none, such as the shared endpoint of unmatched requests.
    #[must_use]
    pub fn method(&self) -> &str {
        self.get(Field::Method)
    }

    /// The route template (`/items/{id}`), `(unmatched)`, or a gRPC path.
    #[must_use]
    pub fn route(&self) -> &str {
        self.get(Field::Route)
    }

    /// Moves the hit to another endpoint.
    pub fn set_route(&mut self, route: &str) {
        self.set(Field::Route, route);
    }

    /// The user's id, if the app said who it is.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        Some(self.get(Field::User)).filter(|id| !id.is_empty())
    }

    /// Says whose hit it is; an empty id makes it a visitor's. See [`User`](crate::User) for very long ids.
    pub fn set_user(&mut self, id: &str) {
        self.set(Field::User, &bounded_user(id));
    }

    /// The user's name for people, or empty.
    #[must_use]
    pub fn user_name(&self) -> &str {
        self.get(Field::UserName)
    }

    /// Says what people call the user.
    pub fn set_user_name(&mut self, name: &str) {
        self.set(Field::UserName, name);
    }

    /// Groups hits of the same user or visitor into one session; only a keyed hash of it is stored.
    pub fn set_session_key(&mut self, key: &str) {
        self.set(Field::SessionKey, key);
    }

    /// The status of the head; 499 if the client left before there was one, 500 if the service failed.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.facts.status
    }

    /// Says what the answer was.
    pub fn set_status(&mut self, status: u16) {
        self.facts.status = status.min(1023);
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.facts.outcome
    }

    /// Says how it ended.
    pub fn set_outcome(&mut self, outcome: Outcome) {
        self.facts.outcome = outcome;
    }

    /// From the call to the head of the response.
    #[must_use]
    pub fn head_time(&self) -> Duration {
        Duration::from_nanos(self.facts.head_ns)
    }

    /// From the head to the end of the body.
    #[must_use]
    pub fn body_time(&self) -> Duration {
        Duration::from_nanos(self.facts.body_ns)
    }

    /// Says how long it took to the head, and from there to the end.
    pub fn set_times(&mut self, head: Duration, body: Duration) {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.facts.head_ns = nanos(head);
        self.facts.body_ns = nanos(body);
    }

    /// The declared length of the request's body, in bytes; 0 if none was declared.
    #[must_use]
    pub fn bytes_in(&self) -> u64 {
        self.facts.bytes_in
    }

    /// Bytes of the body that were handed to the server; not necessarily what the client received.
    #[must_use]
    pub fn bytes_out(&self) -> u64 {
        self.facts.bytes_out
    }

    /// Says how many bytes the bodies had.
    pub fn set_bytes(&mut self, bytes_in: u64, bytes_out: u64) {
        self.facts.bytes_in = bytes_in;
        self.facts.bytes_out = bytes_out;
    }

    /// The gRPC status from head or trailers; anything but 0 counts as an error.
    #[must_use]
    pub fn grpc_status(&self) -> Option<u8> {
        self.facts.grpc
    }

    /// Says what the gRPC status was.
    pub fn set_grpc_status(&mut self, status: u8) {
        self.facts.grpc = Some(status);
    }

    /// The address, already cut to its network (/24 or /48). It tells visitors apart and is never stored.
    pub fn set_address(&mut self, address: IpAddr) {
        self.facts.address = Some(network(address));
    }

    /// Says what `X-Platform`, `X-App-Version`, `X-Device-Info` and `User-Agent` said; empty where absent.
    pub fn set_client(&mut self, platform: &str, app_version: &str, device_name: &str, user_agent: &str) {
        self.device = None;
        self.set(Field::Platform, platform);
        self.set(Field::AppVersion, app_version);
        self.set(Field::DeviceName, device_name);
        self.set(Field::UserAgent, user_agent);
    }

    /// The device, once the writer has resolved it: hooks and sinks always see it.
    #[must_use]
    pub fn device(&self) -> Option<&Device> {
        self.device.as_deref()
    }

    /// Says what it came from; for hooks. Text that is too long is cut, as headers are.
    pub fn set_device(&mut self, device: Device) {
        self.device = Some(Arc::new(device.bounded()));
    }

    /// Says that a machine made it, or that none did; for hooks. [`Bots`](crate::Bots) says where they count.
    ///
    /// ```
    /// use tower_analytics::{Bot, Hit};
    ///
    /// let mut hit = Hit::new("GET", "/feed");
    /// hit.set_bot(Some(Bot::new("monitor", "our own probe")));
    /// assert_eq!(hit.device().and_then(|device| device.bot()).map(Bot::class), Some("monitor"));
    /// ```
    pub fn set_bot(&mut self, bot: Option<Bot>) {
        let device = self.device.as_deref().cloned().unwrap_or_default();
        self.set_device(device.with_bot(bot));
    }

    /// What the app attached with an [`ErrorNote`](crate::ErrorNote): kind and message.
    #[must_use]
    pub fn error(&self) -> Option<(&str, &str)> {
        self.facts.error.then(|| (self.get(Field::ErrorKind), self.get(Field::ErrorMessage)))
    }

    /// Attaches what went wrong, in the app's own words.
    pub fn set_error(&mut self, kind: &str, message: &str) {
        self.facts.error = true;
        self.set(Field::ErrorKind, kind);
        self.set(Field::ErrorMessage, message);
    }

    /// The session it belongs to, once resolved: sinks always see it, hooks do not.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.resolved.session
    }

    /// Whether it is the first of its session.
    #[must_use]
    pub fn opens_session(&self) -> bool {
        self.resolved.opens
    }

    /// Who made it if there is no user: a keyed hash that means nothing after the UTC day. Sinks see it, hooks do not.
    #[must_use]
    pub fn visitor(&self) -> Option<u64> {
        self.resolved.visitor
    }

    /// Whether it counts as an action of its session, rather than as noise such as a health check.
    #[must_use]
    pub fn is_action(&self) -> bool {
        self.resolved.action
    }
}

impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither user nor address: a log is no place for them.
        write!(f, "Hit({} {} {} {:?})", self.method(), self.route(), self.status(), self.outcome())
    }
}

/// The id as it is, or the beginning of a very long one and a hash of all of it.
pub(crate) fn bounded_user(id: &str) -> Cow<'_, str> {
    if id.len() <= MAX_USER_ID {
        return id.into();
    }
    let mut hasher = siphasher::sip::SipHasher24::new();
    hasher.write(id.as_bytes());
    format!("{}~{:016x}", &id[..cut(id.as_bytes(), MAX_USER_ID - 17)], hasher.finish()).into()
}

pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) & 0xffff_ff00).into()),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 80 << 80).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_set_ten_thousand_times_keep_their_last_value_and_a_bounded_buffer() {
        let mut hit = Hit::new("GET", "/a");
        for n in 0..10_000 {
            hit.set_route(&format!("/{}/{n}", "x".repeat(100)));
        }
        assert_eq!((hit.method(), hit.route()), ("GET", format!("/{}/9999", "x".repeat(100)).as_str()));
        assert!(hit.text.len() <= 2 * TEXT_TIDY, "{}", hit.text.len());
    }

    #[test]
    fn long_text_is_cut_at_a_character_and_long_users_stay_distinct() {
        let mut hit = Hit::new("GET", &"é".repeat(400));
        assert_eq!(hit.route(), "é".repeat(256));
        let (one, two) = (format!("{}1", "u".repeat(5000)), format!("{}2", "u".repeat(5000)));
        hit.set_user(&one);
        let first = hit.user().unwrap().to_owned();
        hit.set_user(&two);
        assert!(first.len() <= MAX_USER_ID && hit.user() != Some(&first));
    }

    #[test]
    fn of_what_was_taken_down_the_fields_that_are_no_text_are_empty_and_the_others_stand() {
        let (mut facts, mut text) = (Facts::default(), Vec::new());
        facts.put(&mut text, Field::Method, b"GET");
        facts.put(&mut text, Field::Platform, b"w\xffb");
        facts.put(&mut text, Field::UserAgent, &"é".repeat(300).into_bytes()[1..]);
        facts.put(&mut text, Field::Route, "/é/{id}".as_bytes());
        facts.put(&mut text, Field::AppVersion, &"1é".repeat(40).into_bytes());
        let mut hit = Hit::new("PUT", "/before");
        hit.fill(&facts, &text);
        assert_eq!((hit.method(), hit.route(), hit.get(Field::Platform), hit.get(Field::UserAgent)), ("GET", "/é/{id}", "", ""));
        assert_eq!(hit.get(Field::AppVersion), "1é".repeat(21) + "1");
    }

    #[test]
    fn halves_of_a_character_in_two_fields_do_not_become_one() {
        let (mut facts, mut text) = (Facts::default(), Vec::new());
        facts.put(&mut text, Field::Platform, b"\xc3");
        facts.put(&mut text, Field::AppVersion, b"\xa9");
        let mut hit = Hit::default();
        hit.fill(&facts, &text);
        assert_eq!((hit.get(Field::Platform), hit.get(Field::AppVersion)), ("", ""));
        hit.compact();
        assert_eq!((hit.get(Field::Platform), hit.get(Field::AppVersion)), ("", ""));
    }

    #[test]
    fn addresses_are_cut_to_their_network_before_they_are_kept() {
        let mut hit = Hit::default();
        hit.set_address("198.51.100.77".parse().unwrap());
        assert_eq!(hit.facts.address, Some("198.51.100.0".parse().unwrap()));
        hit.set_address("2001:db8:1:2:3:4:5:6".parse().unwrap());
        assert_eq!(hit.facts.address, Some("2001:db8:1::".parse().unwrap()));
        hit.set_address("::ffff:198.51.100.77".parse().unwrap());
        assert_eq!(hit.facts.address, Some("198.51.100.0".parse().unwrap()));
    }
}
