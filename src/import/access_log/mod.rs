//! Access logs of NGINX and Apache, in the common and the combined format, packed or not.
//!
//! - A **line** is a hit: `remote_user` is the user, else address and user agent tell visitors apart, as live. Its time is the one it
//!   says, in whole seconds: the end of the request with NGINX, its beginning with Apache.
//! - **Sessions** are those that the recorder would have made: the same code makes them.
//! - The **route** is that of the first template that covers the path; without one it is `(unmatched)`. Paths are not kept.
//! - The **time** is `$request_time`, if the format ends with it or says `rt=0.123`, else the last field if its unit is said (`duration.rs`), and
//!   lies before the head: logs know no more of it.
//! - A last line **without an end** is still being written, or was cut off: it is left for the next import.
//! - Status 499 is what NGINX writes when the client left: aborted.
//! - Lines of what was no HTTP request (a TLS hello on a plain port, an empty one) are counted and left out, as are lines that cannot be
//!   read; if those are more than half, the format is another one and it is an error.

mod day;
mod duration;
mod line;
mod log_file;
mod log_part;
mod reader;
mod request;
#[cfg(test)]
mod tests;
mod unescape;

pub use self::duration::DurationUnit;
pub(crate) use self::{log_part::LogPart, reader::AccessLog};
