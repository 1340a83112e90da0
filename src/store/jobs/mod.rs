//! Work that anybody may ask for, and that only the holder of the lock does: long work in slices between batches.
//!
//! Asked for by a row in `jobs` (`asked.rs`), found and gone on with by the writer (`running.rs`), and after an interruption
//! begun again (`again.rs`). One file a kind of work.

mod again;
mod asked;
mod failed;
mod forget;
mod merge;
mod put_away;
mod reprocess;
mod reset;
mod restore;
mod running;
mod said;
mod vacuum;
mod work;

pub(super) use self::{
    again::{begin_again, next},
    reprocess::Reprocess,
    running::InHand,
    work::{Step, Work},
};
pub(crate) use self::{
    asked::{JobState, Jobs, Kind},
    failed::in_words,
    put_away::PutAwayOrder,
    restore::RestoreOrder,
};
pub use self::{
    failed::FailedFile,
    put_away::{PartPutAway, PutAway},
    reprocess::Reprocessed,
    restore::{PartRestored, Restored},
    vacuum::{Vacuumed, VacuumedFile},
};
