use std::net::IpAddr;

use http::{HeaderMap, header};

use crate::access::{Guard, Head, Role};

/// `--open`: everybody on this machine, and nobody through a proxy or a name that leads here from elsewhere (DNS rebinding).
pub(super) struct OnThisMachine;

impl Guard for OnThisMachine {
    fn role(&self, head: &Head<'_>) -> Option<Role> {
        let here = head.peer().is_some_and(|peer| peer.to_canonical().is_loopback());
        (here && !is_forwarded(head.headers()) && is_local_name(head.headers())).then_some(Role::Admin)
    }
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let name = name.as_str();
        name == "forwarded" || name == "via" || name == "x-real-ip" || name.starts_with("x-forwarded")
    })
}

fn is_local_name(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::extract::ConnectInfo;
    use http::Request;

    use super::*;
    use crate::layer::{Proxies, head_of};

    fn role(peer: &str, headers: &[(&str, &str)]) -> Option<Role> {
        let socket: std::net::SocketAddr = peer.parse().unwrap();
        let request = headers.iter().fold(Request::get("/analytics"), |request, (name, value)| request.header(*name, *value));
        let request = request.extension(ConnectInfo(socket)).body(()).unwrap();
        OnThisMachine.role(&head_of(&request, None, &Proxies::default()))
    }

    #[test]
    fn open_means_this_machine_and_nothing_in_between() {
        for host in ["localhost:8089", "127.0.0.1:8089", "[::1]:8089", "LOCALHOST"] {
            assert_eq!(role("127.0.0.1:5000", &[("host", host)]), Some(Role::Admin), "{host}");
        }
        for (peer, headers) in [
            ("198.51.100.7:5000", &[("host", "localhost")][..]),
            ("127.0.0.1:5000", &[("host", "evil.example")]),
            ("127.0.0.1:5000", &[]),
            ("127.0.0.1:5000", &[("host", "localhost"), ("x-forwarded-for", "203.0.113.9")]),
            ("127.0.0.1:5000", &[("host", "localhost"), ("forwarded", "for=203.0.113.9")]),
            ("127.0.0.1:5000", &[("host", "localhost"), ("x-forwarded-proto", "https")]),
        ] {
            assert_eq!(role(peer, headers), None, "{peer} {headers:?}");
        }
    }
}
