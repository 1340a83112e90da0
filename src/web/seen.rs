use std::net::IpAddr;

use http::{HeaderMap, header};

use super::site::Site;
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
        let is_https = match forwarded_proto(head.headers()) {
            Some(proto) if head.is_from_trusted_proxy() => proto.eq_ignore_ascii_case("https"),
            _ => head.uri().scheme_str() == Some("https"),
        };
        let host = head.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| head.uri().authority().map(http::uri::Authority::as_str));
        Self { client, is_https, own: host.and_then(|host| Origin::of_host(is_https, host)).into_iter().collect() }
    }
}

/// The last of several, in one line or in many: that is by the proxy that we know, those before it anybody can have written.
fn forwarded_proto(headers: &HeaderMap) -> Option<&str> {
    let last = headers.get_all("x-forwarded-proto").iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next().map(str::trim).filter(|proto| !proto.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_is_said_of_the_scheme_counts() {
        for (lines, expected) in [
            (&["https"][..], Some("https")),
            (&["http, https"], Some("https")),
            (&["https", "http"], Some("http")),
            (&["http", "https , http"], Some("http")),
            (&["https", ""], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-proto", line.parse().unwrap());
            }
            assert_eq!(forwarded_proto(&headers), expected, "{lines:?}");
        }
    }
}
