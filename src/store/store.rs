use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, TransactionBehavior};

use super::{
    active::{self, Active, Session},
    connection::{Context, Inode, gone, main_file},
    dictionary::{Caps, Dictionary},
    lock::{Lock, lock_file},
    outcome::Packed,
    part::Part,
    raw::Row,
    replay,
    schema::{self, MetaKey, meta_get, meta_set},
    temp::TempDir,
    visitors::{self, Visitors},
};
use crate::{
    clock::{Millis, Month, day_of},
    counters::Counters,
    error::{Error, ErrorKind},
    hit::{Field, Hit, SessionId},
    sink::{Batch, Checkpoint, Resume, Salt, Sink},
};

/// The sink that writes SQLite.
///
/// Order of commits: new dictionary rows and the opening rows of sessions into analytics.db, then raw rows, then,
/// every few seconds, what follows from them together with the watermark.
pub(crate) struct Store {
    directory: PathBuf,
    caps: Caps,
    session_timeout: Millis,
    /// Closed before the lock is given up: fields are dropped in this order.
    opened: Option<Opened>,
    lock: Option<Lock>,
    /// A test's directory; dropped after the files in it are closed.
    _owned: Option<TempDir>,
}

struct Opened {
    main: Connection,
    /// analytics.db and the lock, as they were opened.
    inodes: [Inode; 2],
    dictionary: Dictionary,
    visitors: Visitors,
    parts: BTreeMap<Month, Part>,
    active: Active,
    pending: Pending,
    /// What readers were last told, and when.
    told: Option<(Counters, Millis)>,
}

/// A batch, resolved once and kept until every commit of it is known.
#[derive(Default)]
struct Pending {
    batch: u64,
    rows: BTreeMap<Month, Vec<Row>>,
    opened: Vec<(SessionId, Session)>,
    visitors: Vec<(SessionId, u64)>,
    main_done: bool,
    tried: bool,
}

fn inodes(directory: &Path) -> [Inode; 2] {
    [main_file(directory), lock_file(directory)].map(|file| Inode::of(&file))
}

/// More open files than this are closed again, those unused for longest first.
const OPEN_PARTS: usize = 4;
/// While nothing happens the heartbeat is enough this often.
const IDLE_HEARTBEAT: Millis = 10_000;

impl Pending {
    /// What is left of a batch of which raw rows may have been written; one of which none was is resolved anew.
    fn if_begun(self) -> Self {
        if self.main_done { Self { tried: true, ..self } } else { Self::default() }
    }
}

impl Store {
    pub(crate) fn new(directory: PathBuf, caps: Caps, session_timeout: Millis) -> Self {
        Self { directory, caps, session_timeout, lock: None, opened: None, _owned: None }
    }

    pub(crate) fn owning(self, owned: Option<TempDir>) -> Self {
        Self { _owned: owned, ..self }
    }

    fn opened(&mut self) -> Result<(&mut Opened, &Path), Error> {
        if self.opened.as_ref().is_some_and(|opened| opened.inodes != inodes(&self.directory)) {
            (self.opened, self.lock) = (None, None);
            return Err(gone(&main_file(&self.directory)));
        }
        let opened = self.opened.as_mut().ok_or_else(|| Error::new(ErrorKind::Storage, "the data directory is not open"))?;
        Ok((opened, &self.directory))
    }
}

impl Sink for Store {
    fn ready(&mut self) -> Result<bool, Error> {
        if self.lock.is_none() {
            self.lock = Lock::take(&self.directory)?;
        }
        if self.lock.is_some() && self.opened.is_none() {
            self.opened = Some(Opened::open(self)?);
        }
        Ok(self.lock.is_some())
    }

    fn resume(&mut self) -> Result<Resume, Error> {
        let fresh = match self.opened.take() {
            Some(opened) if opened.pending.batch == 0 => opened,
            // After a panic, or when a file went away, nothing in memory is believed, the files are: but for a batch that
            // may be half in them.
            Some(opened) => match Opened::open(self) {
                Ok(fresh) => Opened { pending: opened.pending.if_begun(), ..fresh }.past_pending(),
                Err(error) => {
                    self.opened = Some(opened);
                    return Err(error);
                }
            },
            None => Opened::open(self)?,
        };
        let resume = fresh.resume()?;
        self.opened = Some(fresh);
        Ok(resume)
    }

    fn write(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
        let caps = self.caps;
        let (opened, directory) = self.opened()?;
        if opened.pending.batch != batch.id {
            opened.resolve(batch, directory, caps)?;
        }
        opened.write_main()?;
        opened.write_raw(directory)
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint<'_>) -> Result<(), Error> {
        let (opened, directory) = self.opened()?;
        opened.checkpoint(checkpoint, directory)
    }
}

impl Opened {
    fn open(store: &Store) -> Result<Self, Error> {
        let main = schema::open(&store.directory)?;
        let inodes = inodes(&store.directory);
        let dictionary = Dictionary::load(&main, store.caps)?;
        let (parts, active) = replay::parts(&main, &store.directory)?;
        let mut opened =
            Self { main, inodes, dictionary, visitors: Visitors::default(), parts, active, pending: Pending::default(), told: None };
        opened.settle(store).context("write what was replayed to analytics.db")?;
        Ok(opened)
    }

    /// Numbers that the batch in hand has taken are not given again.
    fn past_pending(mut self) -> Self {
        for (month, rows) in &self.pending.rows {
            if let (Some(part), Some(last)) = (self.parts.get_mut(month), rows.last()) {
                part.next_row = part.next_row.max(last.id + 1);
            }
        }
        self
    }

    /// Puts what the replay found in its place, and forgets sessions that opened and never had a hit.
    fn settle(&mut self, store: &Store) -> rusqlite::Result<()> {
        let empty: Vec<SessionId> = self.active.iter().filter(|(_, session)| session.hits == 0).map(|(id, _)| id).collect();
        let tx = self.main.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if meta_get::<Vec<u8>>(&tx, MetaKey::SessionKey)?.is_none() {
            tx.execute("insert into meta (key, value) values (?, randomblob(16))", [MetaKey::SessionKey.name()])?;
        }
        meta_set(&tx, MetaKey::SessionTimeout, store.session_timeout)?;
        for id in &empty {
            active::delete(&tx, *id)?;
        }
        self.active.write_changed(&tx)?;
        for part in self.parts.values() {
            part.put(&tx, part.watermark)?;
        }
        tx.commit()?;
        empty.into_iter().for_each(|id| self.active.remove(id));
        self.active.forget_changed();
        for part in self.parts.values_mut() {
            (part.listed, part.changed) = (true, false);
        }
        Ok(())
    }

    fn resume(&self) -> Result<Resume, Error> {
        let read = || -> rusqlite::Result<Resume> {
            Ok(Resume {
                open: replay::open_sessions(&self.main, &self.active)?,
                next: self.parts.values().map(|part| (part.month, part.next_session)).collect(),
                salts: visitors::salts(&self.main)?,
                key: meta_get::<Salt>(&self.main, MetaKey::SessionKey)?,
            })
        };
        read().context("read open sessions and salts from analytics.db")
    }

    /// Strings to numbers, hits to rows. Changes nothing that an error could leave half done.
    fn resolve(&mut self, batch: &Batch<'_>, directory: &Path, caps: Caps) -> Result<(), Error> {
        let mut pending = Pending::default();
        self.visitors.add_salts(batch.salts);
        for hit in batch.hits {
            let (Some(at), Some(session)) = (hit.facts.at, hit.session()) else { continue };
            if let Entry::Vacant(place) = self.parts.entry(session.month) {
                tracing::info!(month = %session.month, "a new month begins");
                place.insert(Part::create(directory, session.month)?);
            }
            let start = self.parts.get(&session.month).map_or(0, |part| part.start);
            let row = self.row(hit, at, at - start, session, caps)?;
            if hit.opens_session() {
                let opening = Session {
                    user: row.user,
                    visitor: hit.visitor(),
                    key: hit.resolved.key,
                    device: row.device,
                    started: at,
                    last: at,
                    last_endpoint: row.endpoint,
                    ..Session::default()
                };
                pending.opened.push((session, opening));
            } else if let Some(visitor) = hit.visitor() {
                pending.visitors.push((session, visitor));
            }
            pending.rows.entry(session.month).or_default().push(row);
        }
        for (month, rows) in &mut pending.rows {
            let Some(part) = self.parts.get_mut(month) else { continue };
            part.used = batch.id;
            for row in rows {
                row.id = part.next_row;
                part.next_row += 1;
            }
        }
        for (id, session) in &pending.opened {
            self.active.open(*id, session.clone());
        }
        for (id, visitor) in &pending.visitors {
            self.active.note_visitor(*id, *visitor);
        }
        pending.batch = batch.id;
        self.pending = pending;
        Ok(())
    }

    fn row(&mut self, hit: &Hit, at: Millis, into_month: Millis, session: SessionId, caps: Caps) -> Result<Row, Error> {
        let user = match (hit.user(), hit.visitor()) {
            (Some(user), _) => self.dictionary.user(&self.main, user, hit.get(Field::UserName), at)?,
            (None, Some(visitor)) => self.visitors.number(&self.main, day_of(at), visitor, caps.visitors_a_day)?,
            (None, None) => 0,
        };
        let endpoint = self.dictionary.endpoint(hit);
        let device = hit.device.as_ref().map_or(0, |device| self.dictionary.device(device));
        let micros = |time: std::time::Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        Ok(Row {
            id: 0,
            at: into_month,
            session: session.number,
            user,
            endpoint,
            device,
            outcome: Packed::of(hit),
            head_us: micros(hit.head_time()),
            body_us: micros(hit.body_time()),
            bytes_in: bytes(hit.bytes_in()),
            bytes_out: bytes(hit.bytes_out()),
            error: self.dictionary.error(hit, endpoint, at),
        })
    }

    /// Everything raw rows refer to, before them. Tried again, it changes nothing.
    fn write_main(&mut self) -> Result<(), Error> {
        let listed = self.parts.values().all(|part| part.listed);
        let nothing = listed && self.pending.opened.is_empty() && !self.dictionary.has_fresh() && !self.visitors.has_fresh();
        if self.pending.main_done || nothing {
            self.pending.main_done = true;
            return Ok(());
        }
        let write = || -> rusqlite::Result<()> {
            let tx = self.main.unchecked_transaction()?;
            self.dictionary.write_fresh(&tx)?;
            self.visitors.write_fresh(&tx)?;
            {
                let mut statement = tx.prepare_cached(include_str!("active_put.sql"))?;
                for (id, session) in &self.pending.opened {
                    active::put(&mut statement, *id, session)?;
                }
            }
            for part in self.parts.values().filter(|part| !part.listed) {
                part.put(&tx, part.watermark)?;
            }
            tx.commit()
        };
        write().context("write users, endpoints and sessions to analytics.db")?;
        self.dictionary.forget_fresh();
        self.visitors.forget_fresh();
        self.parts.values_mut().for_each(|part| part.listed = true);
        self.pending.main_done = true;
        Ok(())
    }

    fn write_raw(&mut self, directory: &Path) -> Result<(), Error> {
        let again = std::mem::replace(&mut self.pending.tried, true);
        while let Some(entry) = self.pending.rows.first_entry() {
            let month = *entry.key();
            if let Some(part) = self.parts.get_mut(&month) {
                part.write(directory, entry.get(), again)?;
                for row in entry.get() {
                    part.count(row);
                    self.active.add(month, part.start, row);
                }
            }
            entry.remove();
        }
        Ok(())
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint<'_>, directory: &Path) -> Result<(), Error> {
        let Checkpoint { ended, counters, now } = checkpoint;
        let told = self.told.is_some_and(|(told, at)| told.dropped() == counters.dropped() && (0..IDLE_HEARTBEAT).contains(&(now - at)));
        if told && ended.is_empty() && !self.active.has_changed() {
            return Ok(());
        }
        let mut of_month: BTreeMap<Month, Vec<SessionId>> = BTreeMap::new();
        for id in ended.iter() {
            of_month.entry(id.month).or_default().push(*id);
        }
        let active = &self.active;
        for part in self.parts.values_mut() {
            let ended = of_month.get(&part.month).map_or(&[][..], Vec::as_slice);
            if part.changed || !ended.is_empty() {
                part.sync(directory, *now, |tx| {
                    let known = ended.iter().filter_map(|id| active.get(*id).map(|session| (*id, session)));
                    known.filter(|(_, session)| session.hits > 0).try_for_each(|(id, session)| active::put_ended(tx, id, session))
                })?;
            }
        }
        self.fold(ended, *counters, *now).context("write open sessions and watermarks to analytics.db")?;
        ended.iter().for_each(|id| self.active.remove(*id));
        self.active.forget_changed();
        for part in self.parts.values_mut() {
            part.watermark = part.next_row - 1;
            part.changed = false;
        }
        self.told = Some((*counters, *now));
        self.close_unused();
        Ok(())
    }

    /// What follows from raw rows, with the watermark of each part, in one transaction.
    fn fold(&self, ended: &[SessionId], counters: Counters, now: Millis) -> rusqlite::Result<()> {
        let tx = self.main.unchecked_transaction()?;
        self.active.write_changed(&tx)?;
        for id in ended {
            active::delete(&tx, *id)?;
        }
        for part in self.parts.values().filter(|part| part.changed) {
            part.put(&tx, part.next_row - 1)?;
        }
        meta_set(&tx, MetaKey::Counters, serde_json::to_string(&counters).unwrap_or_default())?;
        meta_set(&tx, MetaKey::Heartbeat, now)?;
        visitors::forget_far_from(&tx, day_of(now))?;
        tx.commit()
    }

    fn close_unused(&mut self) {
        let mut open: Vec<_> = self.parts.values_mut().filter(|part| part.is_open()).collect();
        open.sort_by_key(|part| std::cmp::Reverse(part.used));
        open.into_iter().skip(OPEN_PARTS).for_each(Part::close);
    }
}
