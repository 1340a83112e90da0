//! Who asks, in a build without `auth`: as the guard says.

use http::{HeaderMap, HeaderValue, Method};

use super::site::Site;
use crate::access::{Head, Role};

/// Somebody who is known.
#[derive(Clone, Debug)]
pub(in crate::web) struct Who {
    pub(in crate::web) role: Role,
    pub(in crate::web) cookie: Option<HeaderValue>,
}

/// It cannot be known now; here it always can.
pub(super) struct Unknowable;

/// What is known of the connection; here nothing is asked.
#[derive(Clone, Debug)]
pub(super) struct Seen;

impl Seen {
    pub(super) fn of(_: &Head<'_>, _: &Site) -> Self {
        Self
    }
}

impl Who {
    #[allow(clippy::unused_async, reason = "as with `auth`")]
    pub(super) async fn of(site: &Site, head: &Head<'_>, _: &Seen, _: bool) -> Result<Option<Self>, Unknowable> {
        Ok(site.guard.role(head).map(|role| Self { role, cookie: None }))
    }

    pub(super) fn can_leave(&self) -> bool {
        false
    }

    pub(super) fn leaver(&self) -> Option<String> {
        None
    }
}

/// Whether a request may be another site's doing: browsers of these years say so.
pub(super) fn is_forged(method: &Method, headers: &HeaderMap, _: &Seen, _: Option<&Who>, _: bool) -> bool {
    let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    !is_safe && headers.get("sec-fetch-site").is_none_or(|site| site != "same-origin")
}
