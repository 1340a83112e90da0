//! Who is believed about where a request comes from.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

use crate::error::{Error, ErrorKind};

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
            let wrong = |what: &str| Error::new(ErrorKind::Config, format!("trusted proxy {text:?} is {what}"));
            let network: IpNet = text
                .parse()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| wrong("no network: write it like \"10.0.0.0/8\" or \"::1\""))?;
            if network.prefix_len() == 0 {
                return Err(wrong(
                    "everybody, who could then all say which address they come from and who they are: write only the networks that \
                     your own proxies connect from, like \"10.0.0.0/8\"",
                ));
            }
            Ok(network)
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

/// An address with or without a port, and with or without brackets if it is of version 6.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip())).or_else(bare)
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
            ("127.0.0.1", &["6.6.6.6, [2001:db8::1]"], "2001:db8::1"),
            ("127.0.0.1", &["6.6.6.6, [192.0.2.1], 10.1.2.3"], "10.1.2.3"),
            ("127.0.0.1", &["6.6.6.6, unknown, 10.1.2.3"], "10.1.2.3"),
            ("127.0.0.1", &[], "127.0.0.1"),
        ] {
            assert_eq!(client(peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn everybody_is_no_proxy() {
        for network in ["0.0.0.0/0", "::/0", "10.0.0.1/0"] {
            let error = Proxies::new(["127.0.0.1", network]).unwrap_err().to_string();
            assert!(error.contains(network) && error.contains("everybody") && error.contains("10.0.0.0/8"), "{error}");
        }
    }

    #[test]
    fn a_wrong_network_is_named() {
        let error = Proxies::new(["10.0.0.0/8", "everywhere"]).unwrap_err();
        assert!(error.to_string().contains("everywhere"), "{error}");
        assert!(Proxies::default().trust("::ffff:127.0.0.1".parse().unwrap()));
    }
}
