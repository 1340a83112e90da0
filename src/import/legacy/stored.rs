use std::{collections::BTreeMap, fmt, path::PathBuf};

use hashbrown::{HashMap, HashSet};
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, MapAccess, Visitor},
};
use serde_json::Value;

use super::{
    at::At,
    rows::{Row, Rows, Texts},
    time,
};
use crate::{
    clock::{Millis, day_of},
    import::{content::Content, found::Found},
};

/// The sums that the panel kept, to be compared with what its sessions say. Nothing else is made of them.
#[derive(Default)]
pub(super) struct Stored {
    days: Vec<Sums>,
    users: Vec<Sums>,
}

/// Sums of a day or of a user; what a file does not say is not compared.
#[derive(Debug)]
struct Sums {
    file: u32,
    /// `2025-12-01`, or a user's id.
    name: u32,
    /// Where it stands in its list, from 1: what differs is kept, and is not to name anybody.
    record: usize,
    sessions: Option<i64>,
    actions: Option<i64>,
    minutes: Option<f64>,
    users: Option<HashSet<u32>>,
    first: Option<Millis>,
    last: Option<Millis>,
}

/// What the sessions of a file say.
#[derive(Default)]
struct Counted {
    sessions: i64,
    actions: i64,
    time: Millis,
    users: HashSet<u32>,
    first: Option<Millis>,
    last: Option<Millis>,
}

impl Stored {
    fn add(&mut self, list: &str, file: u32, name: &str, value: &Value, texts: &mut Texts) {
        let integer = |field: &str| value.get(field).and_then(Value::as_i64);
        let number = |field: &str| value.get(field).and_then(Value::as_f64);
        let moment = |field: &str| value.get(field).and_then(Value::as_str).and_then(|text| time::parse(text).ok());
        let mut id = |user: &Value| match user {
            Value::String(id) => Some(texts.number(&crate::hit::bounded_user(id))),
            Value::Number(id) => Some(texts.number(&id.to_string())),
            _ => None,
        };
        let users = value.get("unique_users").and_then(Value::as_array).map(|users| users.iter().filter_map(&mut id).collect());
        let list = if list == "daily_stats" { &mut self.days } else { &mut self.users };
        let sums = Sums {
            file,
            record: 1 + list.last().filter(|sums| sums.file == file).map_or(0, |sums| sums.record),
            name: texts.number(&crate::hit::bounded_user(name)),
            sessions: integer("total_sessions"),
            actions: integer("total_actions"),
            minutes: number("total_duration_minutes").or_else(|| number("total_time_minutes")),
            users,
            first: moment("first_seen"),
            last: moment("last_seen"),
        };
        list.push(sums);
    }

    /// Tells where the sums of a file are not what the sessions of the same file say. A list that is empty says nothing.
    pub(super) fn compare(&self, rows: &Rows, timeout: Millis, files: &[(PathBuf, Content)], found: &mut Found) {
        if self.days.is_empty() && self.users.is_empty() {
            return;
        }
        let (mut days, mut users) = count(rows, timeout);
        let file = |number: u32| files.get(number as usize).map(|(path, _)| path.display().to_string()).unwrap_or_default();
        for sums in &self.days {
            let date = rows.texts.text(sums.name);
            let counted = time::day(date).and_then(|day| days.remove(&(sums.file, day))).unwrap_or_default();
            if let Some(what) = sums.differences(&counted) {
                found.differs(|| format!("{}: daily_stats of {date}: {what}", file(sums.file)));
            }
        }
        for sums in &self.users {
            let counted = users.remove(&(sums.file, sums.name)).unwrap_or_default();
            if let Some(what) = sums.differences(&counted) {
                found.differs(|| format!("{}: record {} of user_stats: {what}", file(sums.file), sums.record));
            }
        }
        let has = |list: &[Sums], number: u32| list.iter().any(|sums| sums.file == number);
        for (number, (path, _)) in files.iter().enumerate() {
            let number = number as u32;
            for (day, counted) in days.range((number, i64::MIN)..=(number, i64::MAX)).filter(|_| has(&self.days, number)) {
                let (date, sessions) = (time::date(day.1), counted.sessions);
                found.differs(|| format!("{}: daily_stats has no {date}: {sessions} sessions counted", path.display()));
            }
            let missing = users.keys().filter(|(file, _)| *file == number).count();
            if missing > 0 && has(&self.users, number) {
                found.differs(|| format!("{}: user_stats has not {missing} of the users that have sessions", path.display()));
            }
        }
    }
}

impl Sums {
    fn differences(&self, counted: &Counted) -> Option<String> {
        let mut what = Vec::new();
        let mut differs = |name: &str, stored: Option<String>, counted: String| {
            if let Some(stored) = stored {
                what.push(format!("{name} {stored} stored, {counted} counted"));
            }
        };
        let other = |stored: Option<i64>, counted: i64| stored.filter(|stored| *stored != counted).map(|stored| stored.to_string());
        differs("sessions", other(self.sessions, counted.sessions), counted.sessions.to_string());
        differs("actions", other(self.actions, counted.actions), counted.actions.to_string());
        let minutes = counted.time as f64 / 60_000.0;
        // The panel rounded each session to a hundredth of a minute.
        let near = 0.01 * (counted.sessions as f64 + 1.0);
        let far = self.minutes.filter(|stored| (stored - minutes).abs() > near).map(|stored| format!("{stored:.2}"));
        differs("minutes", far, format!("{minutes:.2}"));
        let users = self.users.as_ref().filter(|users| **users != counted.users).map(|users| users.len().to_string());
        differs("unique users", users, counted.users.len().to_string());
        let shown = |at: Option<Millis>| at.map_or("never".to_owned(), time::shown);
        let moment = |stored: Option<Millis>, counted| stored.filter(|_| stored != counted).map(|at| shown(Some(at)));
        differs("first seen", moment(self.first, counted.first), shown(counted.first));
        differs("last seen", moment(self.last, counted.last), shown(counted.last));
        (!what.is_empty()).then(|| what.join(", "))
    }
}

type ByDay = BTreeMap<(u32, i64), Counted>;
type ByUser = HashMap<(u32, u32), Counted>;

/// Counts anew, each file by itself: sessions at their first day, actions at the day of their record.
fn count(rows: &Rows, timeout: Millis) -> (ByDay, ByUser) {
    let mut order: Vec<&Row> = rows.list.iter().collect();
    order.sort_by_key(|row| (row.file, row.key, row.start));
    let (mut days, mut users) = (ByDay::new(), ByUser::new());
    let mut last: Option<(&Row, Millis)> = None;
    for row in order {
        let goes_on = last.filter(|(last, end)| (last.file, last.key) == (row.file, row.key) && row.start <= end + timeout);
        let known = goes_on.map_or(row.start, |(_, end)| end);
        let day = days.entry((row.file, day_of(goes_on.map_or(row.start, |(first, _)| first.start)))).or_default();
        let user = users.entry((row.file, row.user)).or_default();
        for counted in [day, user] {
            counted.sessions += i64::from(goes_on.is_none());
            counted.time += (row.end - known).max(0);
            counted.first = Some(counted.first.map_or(row.start, |first| first.min(row.start)));
            counted.last = counted.last.max(Some(row.end));
            counted.users.insert(row.user);
        }
        days.entry((row.file, day_of(row.start))).or_default().actions += i64::from(row.actions);
        last = Some((goes_on.map_or(row, |(first, _)| first), known.max(row.end)));
    }
    (days, users)
}

/// Reads `{date: {..}}`, `{id: {..}}` or `{signature: {..}}`; null is empty.
pub(super) struct Entries<'a> {
    pub(super) name: &'static str,
    pub(super) file: u32,
    pub(super) stored: &'a mut Stored,
    pub(super) texts: &'a mut Texts,
    pub(super) found: &'a mut Found,
}

impl<'a> Entries<'a> {
    pub(super) fn with(self, at: &'a mut At) -> EntriesSeed<'a> {
        EntriesSeed(self, at)
    }

    fn take(&mut self, key: &str, value: &Value) {
        if self.name == "error_groups" {
            self.found.grouped_errors += value.get("count").and_then(Value::as_u64).unwrap_or(0);
        } else {
            self.stored.add(self.name, self.file, key, value, self.texts);
        }
    }
}

pub(super) struct EntriesSeed<'a>(Entries<'a>, &'a mut At);

impl<'de> DeserializeSeed<'de> for EntriesSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EntriesSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object for {}", self.0.name)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Entry(self.0.name, &mut *self.1))?;
            self.0.take(&key, &value);
        }
        Ok(())
    }
}

struct Entry<'a>(&'static str, &'a mut At);

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.1.begin_value(self.0);
        Value::deserialize(deserializer)
    }
}
