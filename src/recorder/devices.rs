use std::{hash::BuildHasher, sync::Arc};

use hashbrown::{DefaultHashBuilder, HashMap};

use crate::{
    device::Device,
    hit::{Field, Hit},
};

/// Devices by what the four headers said: user agents repeat, and reading one takes a microsecond.
pub(crate) struct Devices {
    known: HashMap<u64, Arc<Device>>,
    hasher: DefaultHashBuilder,
    limit: usize,
}

impl Devices {
    pub(crate) fn new(limit: usize) -> Self {
        Self { known: HashMap::new(), hasher: DefaultHashBuilder::default(), limit }
    }

    pub(crate) fn resolve(&mut self, hit: &mut Hit) {
        let [platform, version, name, agent] =
            [Field::Platform, Field::AppVersion, Field::DeviceName, Field::UserAgent].map(|field| hit.get(field));
        let seen = self.hasher.hash_one((platform, version, name, agent));
        if self.known.len() >= self.limit && !self.known.contains_key(&seen) {
            self.known.clear();
        }
        let device = self.known.entry(seen).or_insert_with(|| Arc::new(Device::of(platform, version, name, agent)));
        hit.device = Some(Arc::clone(device));
    }
}
