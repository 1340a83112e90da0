//! What this process takes, once a second.

use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(Clone, Copy)]
pub(crate) struct Sample {
    /// Bytes in memory.
    pub(crate) rss: u64,
    /// Open files.
    pub(crate) handles: u64,
}

pub(crate) struct Gauge {
    data: PathBuf,
    pub(crate) samples: Vec<Sample>,
}

impl Gauge {
    pub(crate) fn new(data: &Path) -> Self {
        Self { data: data.to_owned(), samples: Vec::new() }
    }

    pub(crate) fn take(&mut self) -> Sample {
        let sample = Sample { rss: rss(), handles: fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64) };
        self.samples.push(sample);
        sample
    }

    /// The size of the data directory.
    pub(crate) fn bytes(&self) -> u64 {
        size(&self.data)
    }
}

/// Medians of the second and of the last quarter of the run: the first one is for growing.
pub(crate) fn medians(samples: &[Sample], value: impl Fn(&Sample) -> u64) -> (u64, u64) {
    let quarter = samples.len() / 4;
    let median = |samples: &[Sample]| {
        let mut values: Vec<u64> = samples.iter().map(&value).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    (median(&samples[quarter..2 * quarter]), median(&samples[samples.len() - quarter..]))
}

fn rss() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() << 10
}

/// Files come and go while we look.
fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
