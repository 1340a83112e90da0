//! The embedded store: raw parts are the log, everything else follows from them.
//!
//! ```text
//! analytics.db           dictionaries · visitors · active_sessions · parts · meta
//! analytics-202611.db    sessions_202611 · session_actions_202611       one file a UTC month: a part
//! lock                   one writer a directory; readers are unlimited
//! ```

mod active;
mod connection;
mod dictionary;
mod lock;
mod outcome;
mod part;
mod raw;
mod readers;
mod replay;
mod schema;
#[allow(clippy::module_inception, reason = "the thing itself")]
mod store;
mod temp;
mod visitors;

pub(crate) use self::{
    connection::Context,
    dictionary::Caps,
    outcome::Packed,
    raw::for_month,
    readers::{PartView, Readers, Snapshot},
    schema::{MetaKey, meta_get},
    store::Store,
    temp::TempDir,
    visitors::FIRST_VISITOR,
};
