//! The embedded store: raw parts are the log, everything else follows from them.
//!
//! ```text
//! analytics.db           dictionaries · visitors · active_sessions · daily_metrics · aggregated_metrics · part_totals · user_totals · parts · jobs · meta
//! analytics-202611.db    sessions_202611 · session_actions_202611       one file a UTC month: a part
//! archive/               raw files that were put away, compressed; or elsewhere
//! lock                   one writer a directory; readers are unlimited
//! ```
//!
//! - A start: `opened.rs`, `replay.rs`. A batch: `batch.rs`, `dictionary.rs`, `raw.rs`. Every few seconds: `checkpoint.rs`,
//!   `rollup/`. Long work: `jobs/`, `rebuild.rs`, `archive/`. Questions: `readers.rs`. Is it all
//!   sound: `verify/`.
//! - Order of commits: what raw rows refer to, raw rows, what follows from them together with the watermark. The last of
//!   these is forced to the disk, and the raw rows before it; see `known.rs` for what a loss of power may leave behind.

mod active;
mod aliases;
mod archive;
mod backup;
mod batch;
mod beside;
mod cancel;
mod checkpoint;
mod compact;
mod connection;
mod devices;
mod dictionary;
mod due;
mod emptied;
mod erase;
mod import;
mod jobs;
mod known;
mod lately;
mod lock;
mod opened;
mod openings;
mod outcome;
mod part;
mod part_key;
mod pending;
mod plain_files;
pub(crate) mod raw;
mod readers;
mod rebuild;
mod replay;
mod rollup;
mod schema;
mod seal;
mod settings;
#[allow(clippy::module_inception, reason = "the thing itself")]
mod store;
mod temp;
mod tend;
mod varint;
mod verify;
mod visitors;

pub(crate) use self::{
    active::rows_of,
    aliases::Aliases,
    backup::take as backup,
    connection::Context,
    dictionary::Caps,
    due::due,
    import::{Content, End, Imported, Known, OpenSource, Progress, Source, SourceId},
    jobs::{JobState, Jobs, Kind, PutAwayOrder, RestoreOrder, in_words},
    lock::is_free,
    outcome::Packed,
    part::{PartState, looks_whole},
    part_key::FIRST_IMPORTED,
    raw::{Row, for_month},
    readers::{Limits, PartView, Readers, Snapshot},
    rollup::{Audience, Dimension, Histogram, SLOT_MS, Sums, Value, bitmap, cell, failure, failure_parts, version, visitor_at},
    schema::{MetaKey, VERSION, caps, meta_get},
    settings::Settings,
    store::Store,
    temp::TempDir,
    verify::{Look, quick, verify},
    visitors::FIRST_VISITOR,
};
#[cfg(feature = "cli")]
pub(crate) use self::{backup::beside as backups_beside, schema::kept};
pub use self::{
    backup::{Backup, BackupFile},
    cancel::Cancel,
    emptied::Reset,
    erase::Forgotten,
    jobs::{FailedFile, PartPutAway, PartRestored, PutAway, Reprocessed, Restored, Vacuumed, VacuumedFile},
    verify::{Fault, Verified},
};
