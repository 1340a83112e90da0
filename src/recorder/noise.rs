use hashbrown::HashMap;

use crate::{error::Error, hit::Hit, pattern::Endpoints};

/// Which endpoints' hits are no actions. What a pattern says of a route is asked once.
#[derive(Default)]
pub(crate) struct Noise {
    patterns: Endpoints,
    known: HashMap<Box<str>, bool>,
}

/// More routes than this and they are asked anew.
const KNOWN: usize = 10_000;

impl Noise {
    pub(crate) fn new<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let mut noise = Self::default();
        for pattern in patterns {
            noise.patterns.insert(pattern.as_ref())?;
        }
        Ok(noise)
    }

    pub(crate) fn covers(&mut self, hit: &Hit) -> bool {
        // Routes come from a short list, and nearly all are asked for by `GET`.
        let (method, route) = (hit.method(), hit.route());
        if method != "GET" {
            return self.patterns.cover(method, route);
        }
        if let Some(noisy) = self.known.get(route) {
            return *noisy;
        }
        let noisy = self.patterns.cover(method, route);
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        self.known.insert(route.into(), noisy);
        noisy
    }
}
