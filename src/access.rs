//! Who may see what: [`Role`], [`Guard`], and the [`Head`] of a request that both a guard and a `user` closure look at.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, Method, Uri};

/// How far somebody is trusted. Ordered: each role may do what the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Nobody in particular: what needs no sign-in (a stylesheet, the one-time link).
    Anyone,
    /// Signed in, without a right to see anything here.
    User,
    /// Reads everything.
    Mod,
    /// Reads everything, erases and manages.
    Admin,
}

/// Decides who is asking. A closure `Fn(&Head) -> Option<Role>` is a guard.
///
/// Called once for every request to a page or the API, on the async thread: look, do not block.
///
/// ```
/// use tower_analytics::{Guard, Head, Role};
///
/// let guard = |head: &Head<'_>| (head.header("x-team") == Some("core")).then_some(Role::Mod);
/// fn takes_a_guard(_: impl Guard) {}
/// takes_a_guard(guard);
/// ```
pub trait Guard: Send + Sync + 'static {
    /// The role of whoever sent this request; `None` for a stranger.
    fn role(&self, head: &Head<'_>) -> Option<Role>;
}

impl<F: Fn(&Head<'_>) -> Option<Role> + Send + Sync + 'static> Guard for F {
    fn role(&self, head: &Head<'_>) -> Option<Role> {
        self(head)
    }
}

/// **Danger: the guard that lets everyone in as admin.** For a dashboard that only you can reach.
///
/// Whoever can connect sees every user of your service, also a web page that makes your browser connect
/// (DNS rebinding). Prefer a closure that checks something.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenToEveryone;

impl Guard for OpenToEveryone {
    fn role(&self, _: &Head<'_>) -> Option<Role> {
        Some(Role::Admin)
    }
}

/// A request without its body.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) from_proxy: bool,
}

impl<'a> Head<'a> {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The target as the service sees it.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// All headers, as the peer sent them: anybody can write anything there.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The value of one header, if it is there, not empty and UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        // A walk is cheaper than the look-up, which checks and hashes the name first. Names are kept in lower case.
        let is_it = |key: &str| key.len() == name.len() && (key == name || key.eq_ignore_ascii_case(name));
        self.headers.iter().find(|(key, _)| is_it(key.as_str())).and_then(|(_, value)| text(value))
    }

    /// What layers further out have put on the request, such as your own sign-in.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// The socket's peer, if the server told us (axum: `into_make_service_with_connect_info`).
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// Whether the peer is one of the listed `trusted_proxies`, so that its headers can be believed.
    #[must_use]
    pub fn is_from_trusted_proxy(&self) -> bool {
        self.from_proxy
    }
}

/// A header's value as text: not empty, and UTF-8.
pub(crate) fn text(value: &http::HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes().trim_ascii()).ok().filter(|text| !text.is_empty())
}
