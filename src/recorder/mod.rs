//! From the layer to the sink: a bounded queue that never blocks, and the one thread that empties it.

mod counters;
mod devices;
mod queue;
#[allow(clippy::module_inception, reason = "the thing itself")]
mod recorder;
mod sessions;
mod writer;

pub use self::{
    counters::{Counters, DropCause, State},
    recorder::{Recorder, Settings},
};
