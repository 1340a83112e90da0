use std::{
    hash::{Hash, Hasher},
    net::IpAddr,
    sync::Arc,
};

use hashbrown::{HashMap, hash_map::EntryRef};
use siphasher::sip::SipHasher24;

use super::{
    record::Record,
    who::{MONITOR, Who},
};
use crate::{
    clock::Millis,
    device::{Bot, Device},
    hit::{bounded_user, network},
    import::{
        found::{Found, Noted},
        source::SourceId,
    },
};

/// All records, each in some 72 bytes and 8 for each of its endpoints: texts that repeat are kept once.
pub(super) struct Rows {
    pub(super) list: Vec<Row>,
    /// Endpoints with counts, of one row after the other.
    counts: Vec<(u32, u32)>,
    pub(super) texts: Texts,
    devices: HashMap<Box<str>, u32>,
    device_list: Vec<Arc<Device>>,
    /// Of this import alone, and never stored.
    salt: [u8; 16],
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Id and user: what may be one session.
    pub(super) key: SourceId,
    pub(super) start: Millis,
    pub(super) end: Millis,
    pub(super) file: u32,
    /// The `discord_id` as it stands there.
    pub(super) user: u32,
    pub(super) name: u32,
    pub(super) device: u32,
    /// Tells visitors apart; the day comes to it later.
    pub(super) visitor: u64,
    pub(super) counts: u32,
    pub(super) endpoints: u32,
    pub(super) screens: u32,
    pub(super) actions: u32,
}

/// Nobody does more in a session, and each is a row.
const MOST_ACTIONS: u64 = 1_000_000;

impl Rows {
    pub(super) fn new() -> Self {
        let mut salt = [0; 16];
        if getrandom::fill(&mut salt).is_err() {
            use std::hash::{BuildHasher, RandomState};
            salt[..8].copy_from_slice(&RandomState::new().hash_one(0).to_ne_bytes());
        }
        Self { list: Vec::new(), counts: Vec::new(), texts: Texts::default(), devices: HashMap::new(), device_list: Vec::new(), salt }
    }

    /// Takes a record; an `Err` says why it cannot be one.
    pub(super) fn add(&mut self, file: u32, record: &Record, found: &mut Found) -> Result<(), String> {
        found.records += 1;
        let Some(start) = record.started.or(record.ended) else {
            found.note(Noted::NoTime);
            return Ok(());
        };
        let end = record.ended.unwrap_or(start);
        if end < start {
            found.note(Noted::EndsBeforeStart);
        }
        let end = end.max(start);
        let (counts, actions) = self.count(record, found)?;
        let device = self.device(record);
        let user = &*bounded_user(&record.user);
        let row = Row {
            key: key(record, user, start, end),
            start,
            end,
            file,
            user: self.texts.number(user),
            name: self.texts.number(&record.name),
            device,
            visitor: self.visitor(record),
            counts,
            endpoints: self.counts.len() as u32 - counts - record.screens.len() as u32,
            screens: record.screens.len() as u32,
            actions,
        };
        self.list.push(row);
        Ok(())
    }

    /// Puts endpoints and screens behind those of the rows before; gives where, and how many actions they are.
    fn count(&mut self, record: &Record, found: &mut Found) -> Result<(u32, u32), String> {
        let listed = record.endpoints.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        let said = record.actions.map_or(listed, |said| u64::try_from(said).unwrap_or(0));
        if said != listed {
            found.note(Noted::CountDiffers);
        }
        let actions = listed.max(said);
        if actions > MOST_ACTIONS {
            return Err(format!("{actions} actions are more than one session can have ({MOST_ACTIONS})"));
        }
        let begin = self.counts.len();
        if begin + record.endpoints.len() + record.screens.len() + 1 > u32::MAX as usize {
            return Err("there are more sessions than one import can hold: import a part of the files at a time".to_owned());
        }
        let texts = &mut self.texts;
        self.counts
            .extend(record.endpoints.iter().filter(|(_, count)| *count > 0).map(|(name, count)| (texts.number(name), *count as u32)));
        if said > listed {
            self.counts.push((texts.number(UNKNOWN), (said - listed) as u32));
        }
        self.counts.extend(record.screens.iter().map(|(name, _)| (texts.number(name), 1)));
        Ok((begin as u32, actions as u32))
    }

    fn device(&mut self, record: &Record) -> u32 {
        let [platform, version, device] = [&record.platform, &record.version, &record.device].map(|text| known(text));
        let monitor = Who::of(&record.user) == Who::Monitor;
        let key = format!("{platform}\0{version}\0{device}\0{monitor}");
        if let Some(number) = self.devices.get(&*key) {
            return *number;
        }
        let bot = monitor.then(|| Bot::new("monitor", MONITOR));
        let device = Device::of(platform, version, device, "");
        let device = if monitor { device.with_bot(bot) } else { device };
        let number = self.device_list.len() as u32;
        self.device_list.push(Arc::new(device.bounded()));
        self.devices.insert(key.into(), number);
        number
    }

    /// As the recorder does: the network and what it came from.
    fn visitor(&self, record: &Record) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.salt);
        match record.address.parse::<IpAddr>() {
            Ok(address) => network(address).hash(&mut hasher),
            Err(_) => hasher.write(record.address.as_bytes()),
        }
        for text in [&record.user, &record.platform, &record.version, &record.device] {
            hasher.write_u8(0xff);
            hasher.write(text.as_bytes());
        }
        hasher.finish()
    }

    /// Who it was on a day: another one on each.
    pub(super) fn visitor_on(&self, visitor: u64, day: i64) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.salt);
        hasher.write_u64(visitor);
        hasher.write_i64(day);
        // 0 stands for nobody.
        hasher.finish().max(1)
    }

    pub(super) fn device_of(&self, row: &Row) -> &Arc<Device> {
        &self.device_list[row.device as usize]
    }

    pub(super) fn endpoints(&self, row: &Row) -> &[(u32, u32)] {
        &self.counts[row.counts as usize..][..row.endpoints as usize]
    }

    pub(super) fn screens(&self, row: &Row) -> &[(u32, u32)] {
        &self.counts[(row.counts + row.endpoints) as usize..][..row.screens as usize]
    }
}

/// What is not known where it came from.
pub(super) const UNKNOWN: &str = "(unknown)";

fn known(text: &str) -> &str {
    if text.eq_ignore_ascii_case("unknown") { "" } else { text }
}

/// Records without an id are one session only if they are the same record.
fn key(record: &Record, user: &str, start: Millis, end: Millis) -> SourceId {
    let parts = [record.session_id.as_bytes(), user.as_bytes()];
    if record.session_id.is_empty() {
        let [start, end] = [start, end].map(Millis::to_le_bytes);
        return SourceId::of(&[parts[0], parts[1], &start, &end, record.device.as_bytes(), record.platform.as_bytes()]);
    }
    SourceId::of(&parts)
}

/// Texts by number.
#[derive(Default)]
pub(super) struct Texts {
    numbers: HashMap<Arc<str>, u32>,
    list: Vec<Arc<str>>,
}

impl Texts {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        match self.numbers.entry_ref(text) {
            EntryRef::Occupied(known) => *known.get(),
            EntryRef::Vacant(place) => {
                let number = self.list.len() as u32;
                let text: Arc<str> = text.into();
                self.list.push(Arc::clone(&text));
                place.insert_with_key(text, number);
                number
            }
        }
    }

    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    pub(super) fn text(&self, number: u32) -> &str {
        self.list.get(number as usize).map_or("", |text| text)
    }
}
