use std::net::IpAddr;

use http::header;

use super::host::Site;
use crate::{access::Head, auth::signin::origin::Origin};

/// What is known of the connection, as far as proxies may be believed.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The right-most hop that is no trusted proxy.
    pub(super) client: Option<IpAddr>,
    /// Whether what the browser sends is encrypted on the way.
    pub(super) is_https: bool,
    /// Our own origins, as the browser names them.
    pub(super) own: Vec<Origin>,
}

impl Seen {
    pub(super) fn of(head: &Head<'_>, site: &Site) -> Self {
        let client = head.peer().map(|peer| site.proxies.client(peer, head.headers()));
        if let Some(url) = site.public_url.as_deref() {
            let is_https = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
            return Self { client, is_https, own: Origin::of_url(url).into_iter().collect() };
        }
        // The last of several is by the proxy that we know.
        let forwarded = head.header("x-forwarded-proto").and_then(|protos| protos.rsplit(',').next());
        let is_https = match forwarded {
            Some(proto) if head.is_from_trusted_proxy() => proto.trim().eq_ignore_ascii_case("https"),
            _ => head.uri().scheme_str() == Some("https"),
        };
        let host = head.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| head.uri().authority().map(http::uri::Authority::as_str));
        Self { client, is_https, own: host.and_then(|host| Origin::of_host(is_https, host)).into_iter().collect() }
    }
}
