use std::sync::Arc;

use crate::device::Device;

/// Devices by number, for whoever takes rows apart again.
#[derive(Default)]
pub(super) struct Devices(Vec<Option<Arc<Device>>>);

impl Devices {
    pub(super) fn insert(&mut self, number: u32, device: Arc<Device>) {
        let place = number as usize;
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        self.0[place] = Some(device);
    }

    /// What is not known (its row was lost) is the device of which nothing is known.
    pub(super) fn get(&self, number: i64) -> &Device {
        static UNKNOWN: std::sync::OnceLock<Device> = std::sync::OnceLock::new();
        let known = usize::try_from(number).ok().and_then(|place| self.0.get(place)?.as_deref());
        known.unwrap_or_else(|| UNKNOWN.get_or_init(Device::default))
    }

    pub(super) fn is_bot(&self, number: u32) -> bool {
        self.0.get(number as usize).is_some_and(|device| device.as_ref().is_some_and(|device| device.bot().is_some()))
    }
}
