//! What is known of a request, but for its text: small enough to be copied.

use std::{net::IpAddr, ops::Range};

use crate::{clock::Millis, user::MAX_USER_ID};

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The end of the body was seen, or there was none.
    #[default]
    Completed,
    /// The service or the body failed, or panicked.
    Failed,
    /// Dropped before either: the client left. The status is 499 if no head was ready.
    Aborted,
}

/// Everything of a hit that is no text; copied as it is into the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) at: Option<Millis>,
    pub(crate) head_ns: u64,
    pub(crate) body_ns: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) address: Option<IpAddr>,
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) grpc: Option<u8>,
    pub(crate) error: bool,
    /// Method or path may be made up: nothing says that the app knows the endpoint, and a new one is not opened for it.
    pub(crate) made_up: bool,
    pub(crate) spans: [Span; FIELDS],
}

/// Where a field stands in the text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u16,
    len: u16,
}

impl Span {
    pub(crate) fn of(start: usize, len: usize) -> Self {
        Self { start: start as u16, len: len as u16 }
    }

    pub(crate) fn range(self) -> Range<usize> {
        let start = usize::from(self.start);
        start..start + usize::from(self.len)
    }
}

const FIELDS: usize = 11;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    Method,
    Route,
    User,
    UserName,
    SessionKey,
    Platform,
    AppVersion,
    DeviceName,
    UserAgent,
    ErrorKind,
    ErrorMessage,
}

impl Field {
    pub(crate) const fn longest(self) -> usize {
        match self {
            Self::Method => 24,
            Self::Route | Self::UserAgent => 512,
            Self::ErrorMessage => 1024,
            Self::Platform | Self::AppVersion => 64,
            Self::DeviceName => 128,
            Self::User => MAX_USER_ID,
            Self::UserName | Self::SessionKey | Self::ErrorKind => 256,
        }
    }
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            at: None,
            head_ns: 0,
            body_ns: 0,
            bytes_in: 0,
            bytes_out: 0,
            address: None,
            status: 200,
            outcome: Outcome::Completed,
            grpc: None,
            error: false,
            made_up: false,
            spans: [Span::default(); FIELDS],
        }
    }
}

impl Facts {
    /// Appends a field to a text that nobody has checked: [`Hit::fill`](crate::Hit) does, on the writer's thread. Meant for the
    /// few fields of one request, so that offsets stay in their range.
    pub(crate) fn put(&mut self, text: &mut Vec<u8>, field: Field, value: &[u8]) {
        let value = &value[..cut(value, field.longest())];
        self.spans[field as usize] = Span::of(text.len(), value.len());
        text.extend_from_slice(value);
    }

    /// The text in use.
    pub(crate) fn text_len(&self) -> usize {
        self.spans.iter().map(|span| usize::from(span.len)).sum()
    }

    pub(crate) fn has(&self, field: Field) -> bool {
        self.spans[field as usize].len > 0
    }
}

/// How much of a text to keep, so that it is cut between two characters.
pub(crate) fn cut(text: &[u8], longest: usize) -> usize {
    if text.len() <= longest {
        return text.len();
    }
    let goes_on = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
    (0..=longest).rev().find(|place| !goes_on(text[*place])).unwrap_or_default()
}
