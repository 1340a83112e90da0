use std::{
    collections::{BTreeSet, VecDeque},
    fs,
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{FailedFile, Step, Work, failed};
use crate::{
    error::{Error, ErrorKind},
    store::{
        archive::{self, Unpack},
        connection::{Context, forced, reader},
        opened::Opened,
        part::{Part, PartState},
        part_key::PartKey,
    },
};

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Restored {
    /// Each raw file.
    pub parts: Vec<PartRestored>,
    /// Raw files that did not, and why.
    #[serde(default)]
    pub failed: Vec<FailedFile>,
}

/// A raw file that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartRestored {
    /// The month, as `202611`.
    pub month: String,
    /// The name of its raw file.
    pub file: String,
    /// Hits in it.
    pub hits: u64,
    /// The size of the raw file, in bytes.
    pub bytes: u64,
}

/// What is asked for.
#[derive(Serialize, Deserialize)]
pub(crate) struct RestoreOrder {
    pub(crate) months: Vec<String>,
    /// Whether what was put away is deleted afterwards.
    pub(crate) remove: bool,
}

/// Brings raw files back, one after the other.
pub(in crate::store) struct Restoring {
    parts: VecDeque<PartKey>,
    unpack: Option<Box<Unpack>>,
    remove: bool,
    done: u64,
    total: u64,
    result: Restored,
}

impl Restoring {
    /// The argument is an order as JSON.
    pub(super) fn asked(opened: &Opened, argument: &str, directory: &Path) -> Result<Self, Error> {
        let wrong = |error| Error::new(ErrorKind::Config, "what is to come back is said by months").with_source(error);
        let RestoreOrder { months, remove } = serde_json::from_str(argument).map_err(wrong)?;
        let (mut parts, mut total, mut result) = (VecDeque::new(), 0, Restored::default());
        for month in months.iter().collect::<BTreeSet<_>>() {
            let of_month: Vec<_> = opened.parts.values().filter(|part| part.month.to_string() == *month).collect();
            let away: Vec<_> = of_month.iter().filter(|part| part.state == PartState::Archived).collect();
            let Some(any) = of_month.first() else {
                return Err(Error::new(ErrorKind::Config, format!("nothing was recorded in {month}: say a month as 202611")));
            };
            if away.is_empty() {
                let message = format!("{} is not archived, it is {}: there is nothing to bring back", any.key, any.state.name());
                return Err(Error::new(ErrorKind::Config, message));
            }
            for part in away {
                match whole(part, directory) {
                    Ok(bytes) => {
                        total += bytes;
                        parts.push_back(part.key);
                    }
                    Err(error) => failed::note(&mut result.failed, part.key, &error),
                }
            }
        }
        Ok(Self { parts, unpack: None, remove, done: 0, total, result })
    }

    fn more(&mut self, bytes: u64) -> Step {
        self.done += bytes;
        Step::More { done: self.done as i64, total: self.total as i64 }
    }

    /// The file under its name, and then the word that it is there.
    fn finish(&mut self, opened: &mut Opened, key: PartKey, directory: &Path) -> Result<(), Error> {
        let file = key.file(directory);
        archive::put_in_place(&file)?;
        let Some(part) = opened.parts.get_mut(&key) else { return Ok(()) };
        let since = reader(&file).and_then(|raw| raw.query_row("select since from part", [], |row| row.get(0)));
        part.since = since.context(&format!("read {key}"))?;
        let archived = part.archived.clone();
        (part.state, part.is_plain) = (PartState::Sealed, false);
        if part.zone != opened.days.zone().name() {
            // Days of another zone: they are made anew, whatever is set next.
            part.zone.clear();
        }
        if self.remove {
            part.archived = None;
        }
        let written = forced(&opened.main, "say that raw hits are back", |tx| {
            part.put(tx, part.watermark)?;
            part.put_archived(tx)
        });
        if let Err(error) = written {
            (part.state, part.archived) = (PartState::Archived, archived);
            return Err(error);
        }
        let (hits, bytes) = (part.hits as u64, archived.as_ref().map_or(0, |archived| archived.raw_bytes as u64));
        self.result.parts.push(PartRestored { month: key.month.to_string(), file: key.to_string(), hits, bytes });
        tracing::info!(part = %key, "a month that was put away is back");
        if let Some(archived) = archived.filter(|_| self.remove)
            && let Err(error) = archive::remove_archive(&archived, directory)
        {
            tracing::warn!(file = %archived.file(directory).display(), %error, "an archive that is needed no longer cannot be deleted");
        }
        opened.look_for_stale();
        Ok(())
    }
}

/// Before anything is done: whether it is there. Gives its bytes once it is unpacked.
fn whole(part: &Part, directory: &Path) -> Result<u64, Error> {
    let Some(archived) = &part.archived else {
        let message = format!("analytics.db does not say where {} was put: put the file back by hand", part.key);
        return Err(Error::new(ErrorKind::NoRaw, message));
    };
    Unpack::begin(&archived.file(directory), archived, &part.file_id, None)?;
    Ok(archived.raw_bytes as u64)
}

impl Work for Restoring {
    fn slice(&mut self, opened: &mut Opened, directory: &Path) -> Result<Step, Error> {
        let Some(key) = self.parts.front().copied() else {
            return failed::end(self.result.parts.len(), &self.result.failed, json!(self.result));
        };
        self.go_on(opened, key, directory).or_else(|error| {
            self.give_up(opened, directory);
            failed::note(&mut self.result.failed, key, &error);
            self.parts.pop_front();
            Ok(self.more(0))
        })
    }

    fn give_up(&mut self, _: &mut Opened, directory: &Path) {
        self.unpack = None;
        if let Some(key) = self.parts.front() {
            drop(fs::remove_file(archive::unfinished(&key.file(directory))));
        }
    }
}

impl Restoring {
    /// The front one, a little further.
    fn go_on(&mut self, opened: &mut Opened, key: PartKey, directory: &Path) -> Result<Step, Error> {
        let away = opened.parts.get(&key).filter(|part| part.state == PartState::Archived);
        let Some((archived, file_id)) = away.and_then(|part| Some((part.archived.as_ref()?, part.file_id))) else {
            self.parts.pop_front();
            return Ok(self.more(0));
        };
        let Some(unpack) = &mut self.unpack else {
            let out = archive::unfinished(&key.file(directory));
            self.unpack = Some(Box::new(Unpack::begin(&archived.file(directory), archived, &file_id, Some(&out))?));
            return Ok(self.more(0));
        };
        let bytes = unpack.slice()?;
        if bytes == 0 {
            unpack.finish()?;
            self.unpack = None;
            self.finish(opened, key, directory)?;
            self.parts.pop_front();
        }
        Ok(self.more(bytes))
    }
}
