use rusqlite::params;
use serde_json::Value;

use crate::{
    error::Error,
    store::{connection::Context, opened::Opened},
};

impl Opened {
    pub(in crate::store) fn end_job(&self, id: i64, result: Result<Value, Error>) -> Result<(), Error> {
        match result {
            Ok(result) => self.put_job(id, "done", (1, 1), None, Some(&result.to_string())),
            Err(error) => self.put_job(id, "failed", (0, 0), Some(&error.chain()), None),
        }
    }

    pub(super) fn put_job(
        &self,
        id: i64,
        state: &str,
        (done, total): (i64, i64),
        message: Option<&str>,
        result: Option<&str>,
    ) -> Result<(), Error> {
        self.main
            .execute(include_str!("job_set.sql"), params![state, done, total, message, result, id])
            .context("say how far work has come")
            .map(drop)
    }
}
