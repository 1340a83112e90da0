//! Work that anybody may ask for, and that only the holder of the lock does: long work in slices between batches.
//!
//! Asked for by a row in `jobs` (`asked.rs`), found and gone on with by the writer (`running.rs`). One file a kind of work.

mod asked;
mod forget;
mod merge;
mod reprocess;
pub(super) mod reset;
mod running;
mod vacuum;

pub(crate) use self::asked::{JobState, Jobs, Kind};
pub(super) use self::{
    asked::begin_again,
    reprocess::Reprocess,
    running::{InHand, Step, Work},
};
pub use self::{
    forget::Forgotten,
    reset::Reset,
    vacuum::{Vacuumed, VacuumedFile},
};
