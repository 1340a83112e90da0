use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{FailedFile, Step, Work, failed};
use crate::{
    aging::{Fate, RetentionRules},
    clock::Millis,
    error::{Error, ErrorKind},
    store::{
        archive::{self, Archived, Pack, Unpack},
        beside::Beside,
        connection::{Context, forced},
        due::due,
        opened::Opened,
        part::{Part, PartState},
        part_key::PartKey,
        rollup,
    },
};

/// What became of months that were old enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PutAway {
    /// Each raw file, in the order in which it was done.
    pub parts: Vec<PartPutAway>,
    /// Raw files that are as they were, and why.
    #[serde(default)]
    pub failed: Vec<FailedFile>,
}

/// What became of one raw file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartPutAway {
    /// The month, as `202611`.
    pub month: String,
    /// The name of its raw file.
    pub file: String,
    /// `archived`, `raw hits dropped` or `dropped with its counts`.
    pub what: String,
    /// Hits in it.
    pub hits: u64,
    /// The size of the raw file, or of its archive if it was put away before, in bytes.
    pub bytes: u64,
    /// Where it was put, if it was.
    pub archive: Option<PathBuf>,
    /// The size of what was put there, in bytes.
    pub archive_bytes: u64,
}

/// What is asked for.
#[derive(Serialize, Deserialize)]
pub(crate) struct PutAwayOrder {
    pub(crate) rules: RetentionRules,
    /// The moment by which months are old enough; that of the beginning if none is said.
    pub(crate) by: Option<Millis>,
}

/// Puts months away, gives up their raw hits or forgets them, one part after the other.
pub(in crate::store) struct PuttingAway {
    parts: VecDeque<(PartKey, Fate)>,
    to: PathBuf,
    stage: Stage,
    done: u64,
    total: u64,
    /// Since when nothing could be done.
    idle_since: Option<Instant>,
    result: PutAway,
}

enum Stage {
    Begin,
    /// Whether it is whole: what is damaged is not to be all that is left.
    Looking(Beside),
    Packing(Box<Pack>),
    /// What was written is read again before anything is given up for it.
    Checking(Box<Unpack>, Archived),
}

/// So long a part may be in use before it is said. Sessions of late hits go on for a minute after the last one.
const PATIENCE: Duration = Duration::from_secs(300);

impl PuttingAway {
    /// The argument is an order as JSON.
    pub(super) fn asked(opened: &Opened, argument: &str, directory: &Path) -> Result<Self, Error> {
        let wrong = |error| Error::new(ErrorKind::Config, "what is to be put away is said by rules").with_source(error);
        let PutAwayOrder { rules, by } = serde_json::from_str(argument).map_err(wrong)?;
        let by = by.unwrap_or(opened.now);
        let aging = rules.understood()?;
        let parts: VecDeque<_> = opened
            .parts
            .values()
            .filter_map(|part| due(&aging, part.key, part.state, part.is_forgotten(), by).map(|fate| (part.key, fate)))
            .collect();
        let total = parts.iter().filter(|(_, fate)| *fate == Fate::Archive).map(|(key, _)| 2 * length(&key.file(directory))).sum();
        let to = rules.archive_to.unwrap_or_else(|| directory.join("archive"));
        Ok(Self { parts, to, stage: Stage::Begin, done: 0, total, idle_since: None, result: PutAway::default() })
    }

    fn more(&mut self, bytes: u64) -> Step {
        self.done += bytes;
        self.idle_since = None;
        self.so_far()
    }

    fn so_far(&self) -> Step {
        Step::More { done: self.done as i64, total: self.total as i64 }
    }

    /// Another one is tried first; in the end somebody must hear of it.
    fn wait(&mut self) -> Result<Step, Error> {
        self.stage = Stage::Begin;
        let Some((key, _)) = self.parts.front() else { return Ok(self.more(0)) };
        if self.idle_since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            let message = format!("{key} is in use: hits of that month still come in, or somebody reads it for long; ask again later");
            return Err(Error::new(ErrorKind::Storage, message));
        }
        self.parts.rotate_left(1);
        Ok(Step::Wait)
    }

    fn archive(&mut self, opened: &mut Opened, key: PartKey, directory: &Path) -> Result<Step, Error> {
        let target = archive::file_in(&self.to, key);
        if !matches!(self.stage, Stage::Begin) && !opened.parts.get(&key).is_some_and(|part| part.is_kept_still) {
            // A late hit was written to it.
            return self.wait();
        }
        match &mut self.stage {
            Stage::Begin => {
                if !opened.complete(key, directory)? {
                    return self.wait();
                }
                let Some(part) = opened.parts.get_mut(&key) else { return self.wait() };
                prepare(&self.to, &target, part)?;
                let (file, hits) = (key.file(directory), part.is_whole().then_some(part.hits));
                self.stage = Stage::Looking(Beside::start(move || archive::is_fit(&file, key, hits))?);
                part.is_kept_still = true;
                Ok(self.more(0))
            }
            Stage::Looking(look) => {
                if look.is_over()? {
                    let Some(part) = opened.parts.get(&key) else { return self.wait() };
                    self.stage = Stage::Packing(Box::new(Pack::begin(&key.file(directory), &target, &part.file_id)?));
                    tracing::info!(part = %key, to = %target.display(), "a month is put away");
                }
                Ok(self.more(0))
            }
            Stage::Packing(pack) => {
                let bytes = pack.slice()?;
                if bytes == 0 {
                    let packed = pack.finish()?;
                    let archived = Archived {
                        place: place_of(&target, directory),
                        hash: packed.hash,
                        bytes: packed.bytes as i64,
                        raw_bytes: packed.raw_bytes as i64,
                    };
                    let Some(part) = opened.parts.get(&key) else { return self.wait() };
                    let check = Unpack::begin(&archive::unfinished(&target), &archived, &part.file_id, None)?;
                    self.stage = Stage::Checking(Box::new(check), archived);
                }
                Ok(self.more(bytes))
            }
            Stage::Checking(check, archived) => {
                let bytes = check.slice()?;
                if bytes == 0 {
                    check.finish()?;
                    archive::put_in_place(&target)?;
                    let (archived, Some(part)) = (archived.clone(), opened.parts.get_mut(&key)) else { return self.wait() };
                    let put_away = PartPutAway {
                        archive: Some(target),
                        archive_bytes: archived.bytes as u64,
                        bytes: archived.raw_bytes as u64,
                        ..said(part, Fate::Archive, directory)
                    };
                    let before = part.archived.replace(archived);
                    close(opened, key, PartState::Archived, before, directory)?;
                    self.result.parts.push(put_away);
                    self.parts.pop_front();
                    self.stage = Stage::Begin;
                }
                Ok(self.more(bytes))
            }
        }
    }

    fn drop(&mut self, opened: &mut Opened, key: PartKey, fate: Fate, directory: &Path) -> Result<Step, Error> {
        // What still waits to be counted is counted first.
        let can_end = opened.parts.get(&key).is_some_and(|part| part.state != PartState::Open) || opened.complete(key, directory)?;
        let Some(part) = opened.parts.get_mut(&key).filter(|_| can_end) else { return self.wait() };
        let dropped = said(part, fate, directory);
        let before = part.archived.clone();
        if fate == Fate::DropAll {
            forget(opened, key)?;
        }
        close(opened, key, PartState::Dropped, before, directory)?;
        self.result.parts.push(dropped);
        self.parts.pop_front();
        Ok(self.more(0))
    }

    /// The front one, a little further.
    fn go_on(&mut self, opened: &mut Opened, key: PartKey, fate: Fate, directory: &Path) -> Result<Step, Error> {
        // Gone or put away in the meantime.
        if !opened.parts.get(&key).is_some_and(|part| fate != Fate::Archive || part.state.has_raw()) {
            self.parts.pop_front();
            return Ok(self.more(0));
        }
        match fate {
            Fate::Archive => self.archive(opened, key, directory),
            Fate::DropRaw | Fate::DropAll => self.drop(opened, key, fate, directory),
        }
    }
}

impl Work for PuttingAway {
    fn slice(&mut self, opened: &mut Opened, directory: &Path) -> Result<Step, Error> {
        let Some((key, fate)) = self.parts.front().copied() else {
            return failed::end(self.result.parts.len(), &self.result.failed, json!(self.result));
        };
        self.go_on(opened, key, fate, directory).or_else(|error| {
            self.give_up(opened, directory);
            failed::note(&mut self.result.failed, key, &error);
            // Others that are in use are waited for no longer than this one was.
            self.parts.retain(|(other, _)| *other != key);
            Ok(self.so_far())
        })
    }

    fn give_up(&mut self, opened: &mut Opened, _: &Path) {
        opened.parts.values_mut().for_each(|part| part.is_kept_still = false);
        let key = self.parts.front().map(|(key, _)| *key);
        self.stage = Stage::Begin;
        if let Some(key) = key {
            drop(fs::remove_file(archive::unfinished(&archive::file_in(&self.to, key))));
        }
    }
}

/// An archive of somebody else's is not written over.
fn prepare(to: &Path, target: &Path, part: &Part) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(|error| archive::cannot(&format!("make the directory {}", to.display()), error))?;
    let is_others = target.exists() && !archive::is_of(target, &part.file_id).is_ok_and(|is_ours| is_ours);
    if is_others {
        let message = format!("{} is there already and holds something else: put hits away in a directory of their own", target.display());
        return Err(Error::new(ErrorKind::Directory, message));
    }
    Ok(())
}

/// From the data directory on, so that this can be moved with all that is in it.
fn place_of(target: &Path, directory: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (target, directory) = (absolute(target), absolute(directory));
    target.strip_prefix(&directory).unwrap_or(&target).to_string_lossy().into_owned()
}

/// Says for good that there is no raw file any more, and then deletes it; what was put away of it before is not kept twice.
fn close(opened: &mut Opened, key: PartKey, state: PartState, before: Option<Archived>, directory: &Path) -> Result<(), Error> {
    let Some(part) = opened.parts.get_mut(&key) else { return Ok(()) };
    let was = std::mem::replace(&mut part.state, state);
    part.is_kept_still = false;
    let written = forced(&opened.main, "say that raw hits were put away", |tx| {
        part.put(tx, part.watermark)?;
        part.put_archived(tx)
    });
    if let Err(error) = written {
        (part.state, part.archived) = (was, before);
        return Err(error);
    }
    part.close();
    let file = key.file(directory);
    if let Err(error) = archive::remove_raw(&file) {
        tracing::warn!(file = %file.display(), %error, "raw hits that were put away cannot be deleted; it is tried again at the next start");
    }
    match (state, before) {
        (PartState::Dropped, _) => archive::give_up_archive(&opened.main, part, directory).context("forget where an archive was"),
        (_, Some(before)) if part.archived.as_ref().is_some_and(|now| now.place != before.place) => {
            if let Err(error) = archive::remove_archive(&before, directory) {
                tracing::warn!(file = %before.file(directory).display(), %error, "an older archive of the same hits cannot be deleted: delete it by hand");
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Takes away all that was counted of a part, and says that it is empty and closed: numbers are never given twice.
fn forget(opened: &mut Opened, key: PartKey) -> Result<(), Error> {
    let Some(part) = opened.parts.get_mut(&key) else { return Ok(()) };
    let was = (part.state, part.hits, part.least, part.greatest);
    (part.state, part.hits, part.least, part.greatest) = (PartState::Dropped, 0, None, None);
    let written = forced(&opened.main, "forget a month", |tx| {
        rollup::delete(tx, part.number)?;
        part.put(tx, part.watermark)
    });
    if written.is_err() {
        (part.state, part.hits, part.least, part.greatest) = was;
    }
    written
}

fn said(part: &Part, fate: Fate, directory: &Path) -> PartPutAway {
    let raw = length(&part.key.file(directory));
    PartPutAway {
        month: part.month.to_string(),
        file: part.key.to_string(),
        what: fate.name().to_owned(),
        hits: part.hits as u64,
        bytes: if raw > 0 { raw } else { part.archived.as_ref().map_or(0, |archived| archived.bytes as u64) },
        archive: None,
        archive_bytes: 0,
    }
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |meta| meta.len())
}
