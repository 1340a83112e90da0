use std::{ops::Deref, time::Duration};

/// An answer, with where it came from and how long it took. It can be used as what it holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<T> {
    value: T,
    source: Source,
    took: Duration,
}

/// What a question was answered from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// Sums and sets that were made while recording.
    #[default]
    Rollup,
    /// Hits and sessions, one by one.
    Raw,
}

impl Source {
    /// `rollup` or `raw`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rollup => "rollup",
            Self::Raw => "raw",
        }
    }
}

impl<T> Answer<T> {
    pub(in crate::report) fn new(value: T, source: Source, took: Duration) -> Self {
        Self { value, source, took }
    }

    /// The answer changed, its source and time kept.
    #[cfg(feature = "dashboard")]
    pub(crate) fn with(mut self, change: impl FnOnce(&mut T)) -> Self {
        change(&mut self.value);
        self
    }

    /// The answer alone.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }

    /// What it was answered from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// How long it took, the wait for a connection included.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.took
    }
}

impl<T> Answer<Option<T>> {
    /// What was found, if anything was.
    #[must_use]
    pub fn found(self) -> Option<Answer<T>> {
        let Self { value, source, took } = self;
        value.map(|value| Answer { value, source, took })
    }
}

/// Two are equal if they say the same, however long it took.
impl<T: PartialEq> PartialEq for Answer<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T> Deref for Answer<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
