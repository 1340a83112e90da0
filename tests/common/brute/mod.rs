//! What every question must answer, by brute force over raw hits. Shares no code with the crate.

pub(crate) mod answers;
pub(crate) mod catalogue;
pub(crate) mod days;
pub(crate) mod devices;
pub(crate) mod failures;
pub(crate) mod group;
pub(crate) mod growth;
pub(crate) mod odd;
pub(crate) mod people;
pub(crate) mod question;
pub(crate) mod same;
pub(crate) mod sessions;
pub(crate) mod times;
pub(crate) mod totals;
pub(crate) mod traffic;
pub(crate) mod usage;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    rc::Rc,
};

use rusqlite::{Connection, Row};

use self::days::{DAY, Zone};
use crate::common::oracle;

/// Numbers from here on are visitors'.
const FIRST_VISITOR: i64 = 1 << 31;
pub(crate) const TIMEOUT: i64 = 30 * 60_000;

#[derive(Clone, Debug, Default)]
pub(crate) struct Device {
    pub(crate) platform: String,
    pub(crate) version: String,
    pub(crate) name: String,
    pub(crate) bot: String,
    pub(crate) reason: String,
}

/// A hit with what its dictionaries say.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) raw: oracle::Raw,
    pub(crate) at: i64,
    pub(crate) day: i32,
    /// Month and number.
    pub(crate) session: (i64, i64),
    /// The number of whoever the user counts as.
    pub(crate) person: Option<i64>,
    /// The UTC day and a number of that day.
    pub(crate) visitor: Option<(i64, i64)>,
    pub(crate) endpoint: Rc<str>,
    pub(crate) device: Rc<Device>,
}

pub(crate) struct Session {
    pub(crate) device: Rc<Device>,
    pub(crate) user: i64,
    pub(crate) person: Option<i64>,
    pub(crate) opened: i64,
    pub(crate) last: i64,
    pub(crate) time: i64,
    pub(crate) last_endpoint: Rc<str>,
    /// Places of its hits.
    pub(crate) hits: Vec<usize>,
}

pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
}

pub(crate) struct Attached {
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) sample: String,
    pub(crate) endpoint: Rc<str>,
    pub(crate) first_seen: i64,
}

pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) zone: Zone,
    pub(crate) zone_name: String,
    pub(crate) hits: Vec<Seen>,
    pub(crate) sessions: BTreeMap<(i64, i64), Session>,
    pub(crate) users: BTreeMap<i64, User>,
    pub(crate) aliases: BTreeMap<i64, i64>,
    pub(crate) devices: Vec<Rc<Device>>,
    pub(crate) errors: BTreeMap<i64, Attached>,
    /// When each person was first seen, ever.
    pub(crate) first_seen: BTreeMap<i64, i64>,
}

impl World {
    pub(crate) fn read(directory: &Path, now: i64) -> Self {
        let main = Connection::open(directory.join("analytics.db")).unwrap();
        let zone_name: String = main.query_row("select value from meta where key = 'zone'", [], |row| row.get(0)).unwrap();
        let devices: BTreeMap<i64, Rc<Device>> =
            all(&main, "select number, platform, app_version, name, bot, bot_reason from devices", |row| {
                let [platform, version, name, bot, reason] = std::array::from_fn(|n| row.get(n + 1).unwrap());
                (row.get(0).unwrap(), Rc::new(Device { platform, version, name, bot, reason }))
            });
        let endpoints: BTreeMap<i64, Rc<str>> = all(&main, "select number, trim(method || ' ' || route) from endpoints", |row| {
            (row.get(0).unwrap(), row.get::<_, String>(1).unwrap().into())
        });
        let mut world = Self {
            now,
            zone: Zone::named(&zone_name),
            zone_name,
            hits: Vec::new(),
            sessions: BTreeMap::new(),
            users: all(&main, "select number, id, name from users", |row| {
                (row.get(0).unwrap(), User { id: row.get(1).unwrap(), name: row.get(2).unwrap() })
            }),
            aliases: all(&main, "select user, into_user from aliases", |row| (row.get(0).unwrap(), row.get(1).unwrap())),
            devices: devices.values().cloned().collect(),
            errors: all(&main, "select number, kind, message, sample, endpoint, first_seen from errors", |row| {
                let [kind, message, sample] = std::array::from_fn(|n| row.get(n + 1).unwrap());
                let endpoint = endpoints.get(&row.get(4).unwrap()).cloned().unwrap_or_else(|| "".into());
                (row.get(0).unwrap(), Attached { kind, message, sample, endpoint, first_seen: row.get(5).unwrap() })
            }),
            first_seen: BTreeMap::new(),
        };
        let mut parts = oracle::parts(&main);
        parts.sort_by_key(|(_, month, _)| *month);
        for (_, month, _) in parts {
            for raw in oracle::raw(directory, month) {
                let (endpoint, device) = (endpoints[&raw.endpoint].clone(), devices[&raw.device].clone());
                world.add(month, raw, endpoint, device);
            }
        }
        world
    }

    fn add(&mut self, month: i64, raw: oracle::Raw, endpoint: Rc<str>, device: Rc<Device>) {
        let user = (1..FIRST_VISITOR).contains(&raw.user).then_some(raw.user);
        let person = user.map(|user| self.person(user));
        let visitor = (raw.user >= FIRST_VISITOR).then(|| (raw.at.div_euclid(DAY), raw.user));
        if let Some(person) = person {
            let first = self.first_seen.entry(person).or_insert(raw.at);
            *first = raw.at.min(*first);
        }
        let session = (month, raw.session);
        let place = self.hits.len();
        let entry = self.sessions.entry(session).or_insert_with(|| Session {
            device: device.clone(),
            user: raw.user,
            person,
            opened: raw.at,
            last: raw.at,
            time: 0,
            last_endpoint: endpoint.clone(),
            hits: Vec::new(),
        });
        // From action to action; a hit that came late adds nothing.
        if raw.is_action {
            entry.time = entry.time.max(raw.at - entry.opened);
        }
        (entry.last, entry.last_endpoint) = (entry.last.max(raw.at), endpoint.clone());
        entry.hits.push(place);
        self.hits.push(Seen { at: raw.at, day: self.zone.day(raw.at), session, person, visitor, endpoint, device, raw });
    }

    /// Whom a user counts as.
    pub(crate) fn person(&self, user: i64) -> i64 {
        self.aliases.get(&user).copied().unwrap_or(user)
    }

    pub(crate) fn person_called(&self, id: &str) -> Option<i64> {
        self.users.iter().find(|(_, user)| user.id == id).map(|(number, _)| self.person(*number))
    }

    pub(crate) fn today(&self) -> i32 {
        self.zone.day(self.now)
    }

    pub(crate) fn is_active(&self, session: &Session) -> bool {
        (session.last - self.now).abs() <= TIMEOUT
    }

    /// Who was first seen in a time.
    pub(crate) fn newcomers(&self, from: i64, to: i64) -> BTreeSet<i64> {
        self.first_seen.iter().filter(|(_, first)| (from..to).contains(*first)).map(|(person, _)| *person).collect()
    }
}

fn all<K: Ord, V>(main: &Connection, sql: &str, read: impl Fn(&Row<'_>) -> (K, V)) -> BTreeMap<K, V> {
    main.prepare(sql).unwrap().query_map([], |row| Ok(read(row))).unwrap().map(Result::unwrap).collect()
}
