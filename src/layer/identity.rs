//! Who sent a request: the user as the app says, the address as the socket and trusted proxies say.

use std::net::{IpAddr, SocketAddr};

use http::{Extensions, HeaderMap, Request};
use ipnet::IpNet;

use super::{AnalyticsLayer, draft::Draft};
use crate::{
    access::Head,
    error::{Error, ErrorKind},
    hit::network,
    user::User,
};

/// Proxies on the same machine are believed, nobody else.
pub(crate) const DEFAULT_TRUSTED_PROXIES: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// Networks whose forwarding headers are believed.
#[derive(Clone, Debug)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Default for Proxies {
    fn default() -> Self {
        Self::new(DEFAULT_TRUSTED_PROXIES).unwrap_or_else(|_| Self(Vec::new()))
    }
}

impl Proxies {
    pub(crate) fn new<T: AsRef<str>>(networks: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let parse = |text: T| {
            let text = text.as_ref();
            text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
                Error::new(ErrorKind::Config, format!("trusted proxy {text:?} is no network: write it like \"10.0.0.0/8\" or \"::1\""))
            })
        };
        networks.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The right-most hop that is no trusted proxy: what stands left of it, anybody can have written.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let forwarded_for = headers.get_all("x-forwarded-for").iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in forwarded_for {
            if !self.trust(client) {
                return client;
            }
            match std::str::from_utf8(hop).ok().and_then(|hop| address(hop.trim())) {
                Some(address) => client = address,
                None => return client,
            }
        }
        client
    }
}

/// An address with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

pub(super) fn note<B>(draft: &mut Draft, request: &Request<B>, layer: &AnalyticsLayer) {
    let head = head_of(request, layer.peer, &layer.shared.proxies);
    if let Some(peer) = head.peer {
        let client = if head.from_proxy { layer.shared.proxies.client(peer, head.headers) } else { peer };
        draft.facts.address = Some(network(client));
    }
    if let Some(user) = head.extensions.get::<User>() {
        draft.put_user(user);
    } else if let Some(closure) = &layer.shared.user
        && let Some(user) = closure(&head)
    {
        draft.put_user(&user);
    }
}

/// The request as guards and `user` closures see it.
pub(crate) fn head_of<'a, B>(request: &'a Request<B>, peer: Option<IpAddr>, proxies: &Proxies) -> Head<'a> {
    let peer = peer.or_else(|| socket(request.extensions()).map(|socket| socket.ip()));
    Head {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        extensions: request.extensions(),
        peer,
        from_proxy: peer.is_some_and(|peer| proxies.trust(peer)),
    }
}

fn socket(extensions: &Extensions) -> Option<SocketAddr> {
    #[cfg(feature = "axum")]
    {
        use axum::extract::connect_info::{ConnectInfo, MockConnectInfo};
        if let Some(ConnectInfo(socket)) = extensions.get::<ConnectInfo<SocketAddr>>() {
            return Some(*socket);
        }
        if let Some(MockConnectInfo(socket)) = extensions.get::<MockConnectInfo<SocketAddr>>() {
            return Some(*socket);
        }
    }
    extensions.get::<SocketAddr>().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        Proxies::new(["127.0.0.1", "10.0.0.0/8"]).unwrap().client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_client_is_the_right_most_hop_that_is_not_trusted() {
        for (peer, lines, expected) in [
            ("198.51.100.1", &["203.0.113.9"][..], "198.51.100.1"),
            ("127.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", &["6.6.6.6, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
            ("127.0.0.1", &["6.6.6.6", "203.0.113.9:443, 10.1.2.3"], "203.0.113.9"),
            ("127.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("127.0.0.1", &["6.6.6.6, unknown, 10.1.2.3"], "10.1.2.3"),
            ("127.0.0.1", &[], "127.0.0.1"),
        ] {
            assert_eq!(client(peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn a_wrong_network_is_named() {
        let error = Proxies::new(["10.0.0.0/8", "everywhere"]).unwrap_err();
        assert!(error.to_string().contains("everywhere"), "{error}");
        assert!(Proxies::default().trust("::ffff:127.0.0.1".parse().unwrap()));
    }
}
