use serde_json::Value;

use crate::{
    error::Error,
    store::{
        aliases,
        connection::{Context, Synchronous},
        opened::Opened,
    },
};

/// The alias and the word that it is done, in one transaction that a loss of power does not take back.
pub(super) fn merge(opened: &Opened, id: i64, argument: &str) -> Result<(), Error> {
    Synchronous::Full.set(&opened.main).context("write an alias")?;
    let merge = || {
        let tx = opened.main.unchecked_transaction().context("begin to write an alias")?;
        aliases::merge(&tx, argument)?;
        opened.end_job(id, Ok(Value::Null))?;
        tx.commit().context("write an alias")
    };
    let result = merge();
    Synchronous::Normal.set(&opened.main).context("write an alias")?;
    result
}
