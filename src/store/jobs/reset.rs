use std::path::Path;

use rusqlite::{Connection, params};

use super::{Step, Work};
use crate::{
    error::Error,
    sink::{LetGo, Salt},
    store::{
        connection::{Context, Synchronous},
        opened::Opened,
        part::Part,
        schema::{self, MetaKey, meta_set},
    },
};

/// Empties analytics.db in one transaction that says so; the files are deleted by the start that follows, in this process or after
/// a crash.
pub(super) struct BeginAnew {
    job: i64,
}

impl BeginAnew {
    pub(super) fn asked(job: i64) -> Self {
        Self { job }
    }
}

impl Work for BeginAnew {
    fn slice(&mut self, opened: &mut Opened, _: &Path) -> Result<Step, Error> {
        // Of what was replayed into memory nothing is to be written any more: from here on it is the start's.
        Synchronous::Full.set(&opened.main).context("begin anew")?;
        let elsewhere = serde_json::to_string(&elsewhere(opened)).unwrap_or_default();
        let emptied = empty(&mut opened.main, self.job, &elsewhere).context("empty analytics.db");
        Synchronous::Normal.set(&opened.main).context("begin anew")?;
        emptied?;
        tracing::warn!("everything that was recorded is deleted, as was asked for");
        opened.let_go = LetGo::Everything;
        Ok(Step::More { done: 0, total: 1 })
    }
}

/// Archives that lie in no place of ours, each with the id of what it holds: analytics.db is about to forget them.
fn elsewhere(opened: &Opened) -> Vec<(String, Salt)> {
    let archived = |part: &Part| Some((part.archived.as_ref()?.place.clone(), part.file_id));
    opened.parts.values().filter_map(archived).filter(|(place, _)| !Path::new(place).starts_with("archive")).collect()
}

fn empty(main: &mut Connection, job: i64, elsewhere: &str) -> rusqlite::Result<()> {
    // Statements that are kept ready hold their tables.
    main.flush_prepared_statement_cache();
    let tx = main.transaction()?;
    schema::begin_anew(&tx)?;
    meta_set(&tx, MetaKey::Resetting, job)?;
    let running = "insert into jobs (id, kind, argument, state, done, total, message, changed) values (?, 'reset', ?, 'running', 0, 1, '', unixepoch())";
    tx.execute(running, params![job, elsewhere])?;
    tx.commit()
}
