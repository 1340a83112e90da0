//! From the layer to the sink: a bounded queue that never blocks, and the one thread that empties it.

mod devices;
mod hooks;
mod live;
mod noise;
mod open;
mod queue;
#[allow(clippy::module_inception, reason = "the thing itself")]
mod recorder;
mod sessions;
mod settings;
mod shard;
mod stops;
mod users;
mod writer;

#[cfg(feature = "dashboard")]
pub(crate) use self::stops::said;
#[cfg(feature = "sqlite")]
pub(crate) use self::{devices::Devices, noise::Noise, sessions::Sessions};
pub use self::{
    hooks::Keep,
    recorder::Recorder,
    settings::{DEFAULT_NOISE, Settings},
};
