use std::sync::Arc;

use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{
    connection::Context,
    devices::Devices,
    lately::{Known, Lately},
};
use crate::{
    clock::Millis,
    device::{Bot, Device},
    error::Error,
    hit::Hit,
};

/// Strings to numbers, and back to disk. Numbers are given here, never by SQLite, and never used again.
///
/// Endpoints, devices and errors are few and all in memory; users are many, so the ones seen lately are.
pub(super) struct Dictionary {
    users: Lately,
    endpoints: HashMap<Box<str>, u32>,
    devices: HashMap<Arc<Device>, u32>,
    /// The writer hands the same allocation out for the same headers; the clone keeps the address its own.
    device_at: HashMap<usize, (u32, Arc<Device>)>,
    by_number: Devices,
    errors: HashMap<Box<str>, u32>,
    next: Next,
    caps: Caps,
    scratch: String,
    fresh: Fresh,
}

/// How many of each are kept apart; past it new ones share `(other)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Caps {
    pub(crate) users: u32,
    pub(crate) endpoints: u32,
    pub(crate) devices: u32,
    pub(crate) errors: u32,
    pub(crate) visitors_a_day: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Self { users: 100_000_000, endpoints: 5_000, devices: 10_000, errors: 5_000, visitors_a_day: 500_000 }
    }
}

struct Next {
    user: u32,
    endpoint: u32,
    device: u32,
    error: u32,
}

/// New rows that are not yet on disk.
#[derive(Default)]
struct Fresh {
    users: Vec<(u32, Box<str>)>,
    /// Their numbers by the hash: those seen lately may be others by now.
    numbers: HashMap<u128, u32>,
    names: Vec<(u32, Box<str>, Millis)>,
    endpoints: Vec<(u32, Box<str>, Box<str>)>,
    devices: Vec<(u32, Arc<Device>)>,
    errors: Vec<FreshError>,
}

struct FreshError {
    number: u32,
    kind: Box<str>,
    message: Box<str>,
    endpoint: u32,
    sample: Box<str>,
    first_seen: Millis,
}

const OTHER: u32 = 0;
const UNMATCHED: u32 = 1;
const OTHER_USER: u32 = 1;
const OTHER_ERROR: u32 = 1;
const FIRST_FREE: u32 = 2;

impl Dictionary {
    pub(super) fn load(main: &Connection, caps: Caps) -> Result<Self, Error> {
        Self::read(main, caps).context("read the dictionaries of analytics.db")
    }

    /// The same from the tables alone: what was taken out of them is forgotten. Not while something new is not yet written.
    pub(super) fn anew(&self, main: &Connection) -> rusqlite::Result<Self> {
        Self::read(main, self.caps)
    }

    fn read(main: &Connection, caps: Caps) -> rusqlite::Result<Self> {
        let (mut endpoints, mut devices, mut errors) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut by_number = Devices::default();
        let mut scratch = String::new();
        let mut statement = main.prepare("select number, method, route from endpoints")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            endpoints.insert(key(&mut scratch, [row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?]).into(), row.get(0)?);
        }
        let mut statement = main.prepare("select number, platform, app_version, name, bot, bot_reason from devices")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = |column| row.get_ref(column).and_then(|value| value.as_str().map_err(Into::into));
            let bot = Some(Bot::new(text(4)?, text(5)?)).filter(|bot| !bot.class().is_empty());
            let device = Arc::new(Device::from_parts(text(1)?, text(2)?, text(3)?, bot));
            by_number.insert(row.get(0)?, Arc::clone(&device));
            devices.insert(device, row.get(0)?);
        }
        let mut statement = main.prepare("select number, kind, message, endpoint from errors")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let endpoint = row.get::<_, u32>(3)?.to_string();
            errors.insert(key(&mut scratch, [row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?, &endpoint]).into(), row.get(0)?);
        }
        let next =
            |table: &str| main.query_row(&format!("select coalesce(max(number), 0) + 1 from {table}"), [], |row| row.get::<_, u32>(0));
        let next = Next {
            user: next("users")?.max(FIRST_FREE),
            endpoint: next("endpoints")?.max(FIRST_FREE),
            device: next("devices")?,
            error: next("errors")?.max(FIRST_FREE),
        };
        let users = Lately::default();
        let (device_at, fresh) = (HashMap::new(), Fresh::default());
        Ok(Self { users, endpoints, devices, device_at, by_number, errors, next, caps, scratch, fresh })
    }

    pub(super) fn user(&mut self, main: &Connection, id: &str, name: &str, at: Millis) -> Result<u32, Error> {
        let hash = self.users.hash(id);
        // Asked twice, as the borrow checker does not see that what is not found is not kept.
        if self.users.get(hash).is_none() {
            let new = |number| Known { number, name: 0, first_seen: Millis::MAX };
            let known = match self.fresh.numbers.get(&hash) {
                Some(number) => Some(new(*number)),
                None => look_up(main, id).context("look up a user in analytics.db")?,
            };
            let known = match known {
                Some(known) => known,
                None if self.next.user - FIRST_FREE >= self.caps.users => return Ok(OTHER_USER),
                None => {
                    let number = self.next.user;
                    self.next.user += 1;
                    self.fresh.users.push((number, id.into()));
                    self.fresh.numbers.insert(hash, number);
                    new(number)
                }
            };
            self.users.insert(hash, known);
        }
        let Some(known) = self.users.get(hash) else { return Ok(OTHER_USER) };
        let name_hash = if name.is_empty() { known.name } else { short_hash(name) };
        if at < known.first_seen || name_hash != known.name {
            known.first_seen = known.first_seen.min(at);
            known.name = name_hash;
            self.fresh.names.push((known.number, name.into(), known.first_seen));
        }
        Ok(known.number)
    }

    pub(super) fn endpoint(&mut self, hit: &Hit) -> u32 {
        let (method, route) = (hit.method(), hit.route());
        if route == "(unmatched)" {
            return UNMATCHED;
        }
        let key = key(&mut self.scratch, [method, route]);
        if let Some(number) = self.endpoints.get(key) {
            return *number;
        }
        if hit.facts.made_up {
            return UNMATCHED;
        }
        if self.endpoints.len() as u32 >= self.caps.endpoints {
            return OTHER;
        }
        let number = self.next.endpoint;
        self.next.endpoint += 1;
        self.endpoints.insert(key.into(), number);
        self.fresh.endpoints.push((number, method.into(), route.into()));
        number
    }

    pub(super) fn device(&mut self, device: &Arc<Device>) -> u32 {
        let place = Arc::as_ptr(device) as usize;
        if let Some((number, _)) = self.device_at.get(&place) {
            return *number;
        }
        let number = match self.devices.get(device) {
            Some(number) => *number,
            None if self.devices.len() as u32 >= self.caps.devices => OTHER,
            None => {
                let number = self.next.device;
                self.next.device += 1;
                self.devices.insert(Arc::clone(device), number);
                self.by_number.insert(number, Arc::clone(device));
                self.fresh.devices.push((number, Arc::clone(device)));
                number
            }
        };
        if self.device_at.len() >= 2 * self.caps.devices as usize {
            self.device_at.clear();
        }
        self.device_at.insert(place, (number, Arc::clone(device)));
        number
    }

    /// The next number of users, endpoints, devices and errors.
    pub(super) fn next_numbers(&self) -> [u32; 4] {
        let Next { user, endpoint, device, error } = self.next;
        [user, endpoint, device, error]
    }

    pub(super) fn devices(&self) -> &Devices {
        &self.by_number
    }

    pub(super) fn error(&mut self, hit: &Hit, endpoint: u32, at: Millis) -> u32 {
        let Some((kind, sample)) = hit.error() else { return 0 };
        let message = mask(sample);
        let endpoint_text = endpoint.to_string();
        let key = key(&mut self.scratch, [kind, &message, &endpoint_text]);
        if let Some(number) = self.errors.get(key) {
            return *number;
        }
        if self.errors.len() as u32 >= self.caps.errors {
            return OTHER_ERROR;
        }
        let number = self.next.error;
        self.next.error += 1;
        self.errors.insert(key.into(), number);
        let fresh = FreshError { number, kind: kind.into(), message: message.into(), endpoint, sample: sample.into(), first_seen: at };
        self.fresh.errors.push(fresh);
        number
    }

    /// Users that are not yet on disk.
    pub(super) fn fresh_users(&self) -> usize {
        self.fresh.users.len()
    }

    pub(super) fn has_fresh(&self) -> bool {
        let Fresh { users, names, endpoints, devices, errors, .. } = &self.fresh;
        !(users.is_empty() && names.is_empty() && endpoints.is_empty() && devices.is_empty() && errors.is_empty())
    }

    /// Writes what is new. Said twice, after a commit that was not known, it changes nothing.
    pub(super) fn write_fresh(&self, tx: &Connection) -> rusqlite::Result<()> {
        let mut statement =
            tx.prepare_cached("insert or ignore into users (number, id, name, first_seen) values (?, ?, '', 9223372036854775807)")?;
        for (number, id) in &self.fresh.users {
            statement.execute(params![number, id])?;
        }
        let mut statement =
            tx.prepare_cached("update users set name = iif(?2 = '', name, ?2), first_seen = min(first_seen, ?3) where number = ?1")?;
        for (number, name, first_seen) in &self.fresh.names {
            statement.execute(params![number, name, first_seen])?;
        }
        let mut statement = tx.prepare_cached("insert or ignore into endpoints (number, method, route) values (?, ?, ?)")?;
        for (number, method, route) in &self.fresh.endpoints {
            statement.execute(params![number, method, route])?;
        }
        let mut statement = tx.prepare_cached(
            "insert or ignore into devices (number, platform, app_version, name, bot, bot_reason) values (?, ?, ?, ?, ?, ?)",
        )?;
        for (number, device) in &self.fresh.devices {
            let (bot, reason) = device.bot().map_or(("", ""), |bot| (bot.class(), bot.reason()));
            statement.execute(params![number, device.platform(), device.app_version(), device.name(), bot, reason])?;
        }
        let mut statement = tx.prepare_cached(
            "insert or ignore into errors (number, kind, message, endpoint, sample, first_seen) values (?, ?, ?, ?, ?, ?)",
        )?;
        for FreshError { number, kind, message, endpoint, sample, first_seen } in &self.fresh.errors {
            statement.execute(params![number, kind, message, endpoint, sample, first_seen])?;
        }
        Ok(())
    }

    pub(super) fn forget_fresh(&mut self) {
        self.fresh = Fresh::default();
    }
}

fn look_up(main: &Connection, id: &str) -> rusqlite::Result<Option<Known>> {
    let mut statement = main.prepare_cached("select number, name, first_seen from users where id = ?")?;
    let read = |row: &rusqlite::Row<'_>| {
        let name = row.get_ref(1)?.as_str()?;
        let name = if name.is_empty() { 0 } else { short_hash(name) };
        Ok(Known { number: row.get(0)?, name, first_seen: row.get(2)? })
    };
    statement.query_row([id], read).optional()
}

fn key<'a, const N: usize>(scratch: &'a mut String, parts: [&str; N]) -> &'a str {
    scratch.clear();
    for part in parts {
        scratch.push_str(part);
        scratch.push('\0');
    }
    scratch
}

fn short_hash(text: &str) -> u32 {
    use std::hash::Hasher;
    let mut hasher = siphasher::sip::SipHasher13::new();
    hasher.write(text.as_bytes());
    (hasher.finish() as u32).max(1)
}

/// `user 4711 sent "abc"` becomes `user # sent "…"`, so that one fault is one error however often it happens.
pub(super) fn mask(message: &str) -> String {
    let mut masked = String::with_capacity(message.len());
    let mut quote = None;
    for c in message.chars() {
        match quote {
            Some(open) if c == open => {
                masked.push(c);
                quote = None;
            }
            Some(_) => {}
            None if c.is_ascii_digit() => {
                if !masked.ends_with('#') {
                    masked.push('#');
                }
            }
            None => {
                masked.push(c);
                // An apostrophe within a word opens nothing.
                if matches!(c, '"' | '`') {
                    masked.push('…');
                    quote = Some(c);
                }
            }
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::{super::lately::GENERATION, *};

    #[test]
    fn messages_are_masked_where_they_differ_from_time_to_time() {
        assert_eq!(mask(r#"user 4711 sent "ann@example.com" twice"#), r#"user # sent "…" twice"#);
        assert_eq!(mask("can't open"), "can't open");
        assert_eq!(mask("`open"), "`…");
    }

    #[test]
    fn users_forgotten_by_the_cache_before_they_are_written_keep_their_number() {
        let dir = tempfile::tempdir().unwrap();
        let main = super::super::schema::open(dir.path(), None).unwrap();
        let mut dictionary = Dictionary::load(&main, Caps::default()).unwrap();
        let mut number = |id: &str| dictionary.user(&main, id, "", 7).unwrap();
        let first: Vec<u32> = (0..3 * GENERATION).map(|n| number(&n.to_string())).collect();
        let again: Vec<u32> = (0..3 * GENERATION).map(|n| number(&n.to_string())).collect();
        assert!(first == again);
        let tx = main.unchecked_transaction().unwrap();
        dictionary.write_fresh(&tx).unwrap();
        tx.commit().unwrap();
        dictionary.forget_fresh();
        let users = |sql: &str| main.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(users("select count(*) from users where number > 1 and first_seen = 7"), 3 * GENERATION as i64);
    }

    #[test]
    fn users_forgotten_by_the_cache_keep_their_number() {
        let dir = tempfile::tempdir().unwrap();
        let main = super::super::schema::open(dir.path(), None).unwrap();
        let mut dictionary = Dictionary::load(&main, Caps::default()).unwrap();
        let number = dictionary.user(&main, "ann", "Ann", 5).unwrap();
        for n in 0..3 * GENERATION {
            dictionary.user(&main, &n.to_string(), "", 7).unwrap();
            if n % 8000 == 0 {
                let tx = main.unchecked_transaction().unwrap();
                dictionary.write_fresh(&tx).unwrap();
                tx.commit().unwrap();
                dictionary.forget_fresh();
            }
        }
        let ann = dictionary.users.hash("ann");
        assert!(dictionary.users.get(ann).is_none());
        assert_eq!(dictionary.user(&main, "ann", "Ann", 9).unwrap(), number);
    }

    #[test]
    fn past_the_caps_new_ones_share_other() {
        let dir = tempfile::tempdir().unwrap();
        let main = super::super::schema::open(dir.path(), None).unwrap();
        let caps = Caps { users: 3, endpoints: 5, devices: 3, errors: 3, visitors_a_day: 3 };
        let mut dictionary = Dictionary::load(&main, caps).unwrap();
        for n in 0..100 {
            let mut hit = Hit::new("GET", &format!("/{n}"));
            hit.set_error(&"k".repeat(n + 1), "");
            let user = dictionary.user(&main, &n.to_string(), "", 7).unwrap();
            let device = dictionary.device(&Arc::new(Device::of("", "", &n.to_string(), "")));
            let (endpoint, error) = (dictionary.endpoint(&hit), dictionary.error(&hit, 0, 7));
            assert_eq!(
                [user == OTHER_USER, endpoint == OTHER, device == OTHER, error == OTHER_ERROR],
                [n >= 3, n >= 3, n >= 2, n >= 2],
                "{n}"
            );
        }
    }
}
