use std::{borrow::Cow, error::Error as StdError, fmt, io};

/// What went wrong, as one sentence a person can act on.
///
/// The type is opaque so that the engines below it may change; ask [`kind`](Error::kind) what sort of
/// fault it is, [`is_retryable`](Error::is_retryable) whether waiting can help, and
/// [`source`](std::error::Error::source) for the cause.
///
/// ```
/// use tower_analytics::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Config, "session_timeout must be longer than zero");
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert!(!error.is_retryable());
/// ```
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    parameter: Option<&'static str>,
}

/// The sort of a fault, see [`Error::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is wrong; nothing was opened.
    Config,
    /// The data directory or a file in it cannot be read or written.
    Directory,
    /// Another process (or handle) records in the directory.
    Locked,
    /// The directory was written by a newer version of this crate.
    NewerSchema,
    /// The store refused a read or a write; it is tried again.
    Storage,
    /// A file was deleted, moved or replaced while it was open; it is opened anew.
    Gone,
    /// Work that was asked for could not be done, see [`Maintenance`](crate::Analytics::maintenance).
    Job,
    /// The writer has stopped.
    Stopped,
    /// It did not finish in time.
    Timeout,
    /// There is no room in the queue.
    Full,
    /// A question was asked wrongly: the message says what is allowed.
    Question,
    /// Raw hits that a question needs were archived or dropped, or their file is missing.
    NoRaw,
    /// A question was ended by whoever asked it.
    Cancelled,
    /// Whatever an export was written to refused it.
    Output,
    /// An address or port cannot be listened on.
    Listen,
    /// A file cannot be imported: the message says which record of it, and why. Nothing was.
    Import,
}

impl Error {
    /// An error of this kind; for authors of a [`Sink`](crate::Sink).
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), source: None, parameter: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn about(mut self, parameter: &'static str) -> Self {
        self.parameter = Some(parameter);
        self
    }

    /// Which part of a question was wrong, as the API names it, if one was.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        self.parameter
    }

    /// The sort of the fault.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call can succeed later without anybody changing it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Gone | ErrorKind::Locked | ErrorKind::Storage | ErrorKind::Timeout | ErrorKind::Full)
    }

    /// The message with every cause behind it, in one line.
    pub(crate) fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What `fn main() -> Result<(), Error>` prints: the sentence, not the struct.
        write!(f, "{} ({:?})", self.chain(), self.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::new(ErrorKind::Directory, "input or output failed").with_source(error)
    }
}
