//! The files of the panel that came before us: what is in them, and what is made of it.
//!
//! - A **session** is a record of it. Records of one id and one user whose spans lie within the idle timeout are merged; others of
//!   that id are sessions of their own. Two files that both have a record (same id, user and beginning) tell of the same one:
//!   the fuller counts. A session that lasts past its month or 24 hours is cut at the first of its hits beyond.
//! - Its **actions** are those of the map; what `actions_count` says beyond them are actions of `(unknown)`. They have no times of their
//!   own: from the beginning to the end of their record, evenly, in the order of the map. A single one is at the end, for that is
//!   when the last activity was. Where no action stands at a session's beginning or end, a hit of `(unknown)` that is no
//!   action does: so the session is there, and its last activity too.
//! - Status and times of them are not known: the status is 0.
//! - **Screens** are hits of `(screen) NAME` that are no actions.
//! - **Users**: the `discord_id`. `legacy_user` is one of them, the account that all shared who signed in by the old password: the old sums
//!   counted it so. `unknown`, or none, is a visitor; `monitoring_service` is a visitor that is a bot of the class `monitor`.
//! - **Errors** are failed hits that are no actions, for the request that failed is in the map already: in the session of their user at that
//!   moment, else in none.
//! - `daily_stats`, `user_stats` and the groups of errors are only compared and counted: see [`Found`].

mod at;
mod counts;
mod errors;
mod fields;
mod files;
mod in_order;
mod json;
mod record;
mod rows;
mod run;
mod sqlite;
mod stored;
#[cfg(test)]
mod tests;
mod time;
mod usage;
mod visits;
mod who;

use std::path::{Path, PathBuf};

pub(crate) use self::in_order::InOrder;
use self::{errors::Errors, files::Form, rows::Rows, stored::Stored};
use super::{
    content::Content,
    found::Found,
    source::{Progress, Rules, SourceId},
};
use crate::error::Error;

/// All that files say, read and checked: about 150 bytes a session, which merging by id and the order of time need.
pub(crate) struct Legacy {
    files: Vec<(PathBuf, Content)>,
    rows: Rows,
    errors: Errors,
    stored: Stored,
    found: Found,
}

impl Legacy {
    /// Reads files, or what lies in directories under the names that the panel gave them. One record that cannot be read fails it all.
    pub(crate) fn read(paths: &[PathBuf], progress: &Progress) -> Result<Self, Error> {
        let files = files::all_of(paths)?;
        files.iter().for_each(|file| progress.expect(file.bytes));
        let mut legacy =
            Self { files: Vec::new(), rows: Rows::new(), errors: Errors::default(), stored: Stored::default(), found: Found::default() };
        for file in &files {
            let content = legacy.read_file(&file.path, file.form, progress)?;
            legacy.files.push((file.path.clone(), content));
        }
        Ok(legacy)
    }

    fn read_file(&mut self, file: &Path, form: Form, progress: &Progress) -> Result<Content, Error> {
        let number = self.files.len() as u32;
        let Self { rows, errors, stored, found, .. } = self;
        match form {
            Form::Json => json::read(file, number, json::Gathered { rows, errors, stored, found }, progress),
            Form::Usage => usage::read(file, found, progress),
            Form::Sqlite => sqlite::read(file, number, rows, found, progress),
        }
    }

    /// Its hits, without the sessions and errors that are known from earlier.
    pub(crate) fn hits(mut self, rules: Rules, mut known: impl FnMut(&SourceId) -> bool) -> InOrder {
        let mut visits = visits::merge(&mut self.rows, rules.timeout, &mut self.found);
        self.stored.compare(&self.rows, rules.timeout, &self.files, &mut self.found);
        let all = visits.list.len() + self.errors.list.len();
        visits.list.retain(|visit| !known(&visit.source));
        self.errors.list.retain(|error| !known(&error.source));
        self.found.contents = self.files.iter().map(|(_, content)| *content).collect();
        self.found.known = (all - visits.list.len() - self.errors.list.len()) as u64;
        InOrder::new(self.rows, visits, self.errors, rules, self.found)
    }
}
