use std::{
    collections::VecDeque,
    path::Path,
    time::{Duration, Instant},
};

use roaring::RoaringBitmap;
use rusqlite::{Connection, TransactionBehavior};
use serde_json::json;

use super::{Step, Work};
use crate::{
    error::{Error, ErrorKind},
    sink::LetGo,
    store::{
        compact::{compact, empty_log},
        connection::{Context, Synchronous},
        dictionary::Dictionary,
        erase::{self, Forgotten, Person},
        opened::Opened,
        part_key::PartKey,
    },
};

/// Takes a person's identity away: first the keys in raw files, then everything else in one transaction, then whatever is left of it in
/// free pages and in the log. From the transaction on the job itself knows the person no more.
pub(super) struct Forget {
    job: i64,
    /// None once it is erased.
    id: Option<String>,
    /// Raw files whose keys are still to be taken off; not looked up yet.
    parts: Option<VecDeque<PartKey>>,
    found: Forgotten,
    is_compact: bool,
    /// Since when a file is waited for that somebody reads.
    waiting_since: Option<Instant>,
}

/// So long whoever reads is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

impl Forget {
    pub(super) fn asked(job: i64, argument: &str) -> Result<Self, Error> {
        let new = |id, found| Self { job, id, parts: None, found, is_compact: false, waiting_since: None };
        if let Ok(found) = serde_json::from_str::<Forgotten>(argument) {
            return Ok(new(None, found));
        }
        let id: String = serde_json::from_str(argument)
            .map_err(|error| Error::new(ErrorKind::Config, "who is to be forgotten is one id").with_source(error))?;
        if id.is_empty() {
            return Err(Error::new(ErrorKind::Config, "an id to forget has at least one letter"));
        }
        Ok(new(Some(id), Forgotten::default()))
    }

    /// Whether there is still time to wait for whoever reads.
    fn may_wait(&mut self, file: &str) -> Result<Step, Error> {
        if self.waiting_since.get_or_insert_with(Instant::now).elapsed() < PATIENCE {
            // Tried again at once it would keep everybody else from writing.
            return Ok(Step::Wait);
        }
        let message = format!(
            "somebody has read {file} for more than {} s, so it still holds what is erased: let that end (a backup, a long question, a shell of SQLite) and forget the same id again",
            PATIENCE.as_secs()
        );
        Err(Error::new(ErrorKind::Storage, message))
    }

    /// Keys of the person's sessions in the raw files, one file a slice.
    fn take_keys(&mut self, key: PartKey, users: &RoaringBitmap, opened: &mut Opened, directory: &Path) -> Result<Step, Error> {
        let Some(part) = opened.parts.get_mut(&key).filter(|part| part.state.has_raw()) else { return Ok(self.next_part()) };
        part.close();
        let taken = erase::take_keys(&part.key.file(directory), part.month, users).context(&format!("take keys off in {key}"))?;
        let Some(taken) = taken else { return self.may_wait(&key.to_string()) };
        self.found.keys += taken;
        self.waiting_since = None;
        Ok(self.next_part())
    }

    fn next_part(&mut self) -> Step {
        if let Some(parts) = &mut self.parts {
            parts.pop_front();
        }
        Step::More { done: 0, total: 1 }
    }

    fn erase(&mut self, person: &Person, opened: &mut Opened, directory: &Path) -> Result<(), Error> {
        // Sessions that were put away since.
        for part in opened.parts.values_mut().filter(|part| part.is_open()) {
            part.close();
            let taken = erase::take_keys(&part.key.file(directory), part.month, &person.users).context("take keys off")?;
            self.found.keys += taken.unwrap_or_default();
        }
        self.found.ids = person.ids.len() as u64;
        Synchronous::Full.set(&opened.main).context("erase a person")?;
        let (job, found) = (self.job, self.found);
        // What is in memory knows the person still: it is read anew before anything is final.
        let erase = |main: &mut Connection, dictionary: &Dictionary| -> rusqlite::Result<_> {
            let tx = main.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let found = erase::erase(&tx, person, job, found)?;
            let anew = dictionary.anew(&tx)?;
            tx.commit().map(|()| (found, anew))
        };
        let erased = erase(&mut opened.main, &opened.dictionary).context("erase a person in analytics.db");
        Synchronous::Normal.set(&opened.main).context("erase a person")?;
        (self.found, opened.dictionary) = erased?;
        self.id = None;
        opened.active.take_keys(&person.users);
        opened.let_go = LetGo::Users(person.known_by());
        tracing::info!("a person's identity was erased, as was asked for");
        Ok(())
    }
}

impl Work for Forget {
    fn slice(&mut self, opened: &mut Opened, directory: &Path) -> Result<Step, Error> {
        if let Some(id) = &self.id {
            let person = Person::find(&opened.main, id).context("look up a user")?;
            let parts = self.parts.get_or_insert_with(|| opened.parts.keys().copied().collect());
            if let Some(key) = parts.front().copied() {
                return self.take_keys(key, &person.users, opened, directory);
            }
            self.erase(&person, opened, directory)?;
            return Ok(Step::More { done: 0, total: 1 });
        }
        if !self.is_compact {
            compact(&opened.main)
                .context("write analytics.db anew without what was erased (it is in no answer any more; forget the same id again)")?;
            self.is_compact = true;
        }
        if !empty_log(&opened.main).context("empty the log of analytics.db")? {
            return self.may_wait("analytics.db");
        }
        Ok(Step::Done(json!(self.found)))
    }
}
