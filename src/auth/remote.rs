//! Keys from an issuer's own host: a JWK set at an address, or at the one that its discovery document names
//! ([OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)).
//!
//! The host is trusted to name the keys, and with nothing else: not with our memory, not with our time, and not to send us elsewhere.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use http::{HeaderMap, StatusCode, Uri, header};
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::{
    config::Issuer,
    document::MAX_DOCUMENT,
    fetch::KeyFetcher,
    json::{Bounds, Json, Object},
};
use crate::error::{Error, ErrorKind};

pub(super) struct Remote {
    agent: Agent,
    source: Source,
    /// In seconds, as the host said with its last answer; [`UNSAID`] if it did not.
    max_age: AtomicU64,
}

enum Source {
    Keys(Uri),
    Discovery { issuer: String, document: Uri },
}

/// For all of it together: names looked up, TLS, two documents if there are two, however slowly they trickle.
const TIMEOUT: Duration = Duration::from_secs(5);
const UNSAID: u64 = u64::MAX;
const DISCOVERY_BOUNDS: Bounds = Bounds { depth: 32, members: 1024 };

impl Remote {
    /// An error as a clause that continues "issuer ..: ".
    pub(super) fn new(issuer: &Issuer) -> Result<Self, String> {
        let source = match &issuer.keys.jwks_url {
            Some(url) => Source::Keys(address(url).map_err(|refusal| format!("`jwks_url` {refusal}"))?),
            None => {
                // What stands behind a `?` would swallow the path.
                let refusal = |refusal| format!("`discovery` needs an issuer that is an address, and this one {refusal}");
                let whole = Some(&issuer.issuer).filter(|text| !text.contains(['?', '#'])).ok_or_else(|| refusal("has a query"))?;
                let document = format!("{}/.well-known/openid-configuration", whole.trim_end_matches('/'));
                Source::Discovery { issuer: issuer.issuer.clone(), document: address(&document).map_err(refusal)? }
            }
        };
        let (Source::Keys(first) | Source::Discovery { document: first, .. }) = &source;
        Ok(Self { agent: agent(is_https(first))?, source, max_age: AtomicU64::new(UNSAID) })
    }

    /// Where the keys are. Another host's are not the issuer's, whatever its document says.
    fn discover(&self, issuer: &str, document: &Uri, until: Instant) -> Result<Uri, Error> {
        let wrong = |what: &str| Error::new(ErrorKind::Config, format!("the discovery document at {} {what}", shown(document)));
        let (text, _) = self.get(document, until)?;
        let said = Object::parse(&text, DISCOVERY_BOUNDS).ok_or_else(|| wrong("is no JSON object"))?;
        if said.get("issuer").and_then(Json::text) != Some(issuer) {
            return Err(wrong("is of another issuer"));
        }
        let keys = said.get("jwks_uri").and_then(Json::text).ok_or_else(|| wrong("has no `jwks_uri`"))?;
        let keys = address(keys).map_err(|refusal| wrong(&format!("has a `jwks_uri` that {refusal}")))?;
        if is_of_one_host(&keys, document) {
            Ok(keys)
        } else {
            Err(wrong("has a `jwks_uri` on another host: if that is right, set `jwks_url`"))
        }
    }

    fn get(&self, at: &Uri, until: Instant) -> Result<(Vec<u8>, HeaderMap), Error> {
        let wrong = |what: &str| Error::new(ErrorKind::Config, format!("{} {what}", shown(at)));
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(wrong("was not reached in time"));
        }
        let request = self.agent.get(at).config().timeout_global(Some(left)).build();
        let mut response = request.call().map_err(|error| wrong("cannot be reached").with_source(error))?;
        if response.status() != StatusCode::OK {
            return Err(wrong(&format!("answers {}", response.status().as_u16())));
        }
        if response.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(wrong("sends a compressed document, which was not asked for"));
        }
        let body = response.body_mut().with_config().limit(MAX_DOCUMENT as u64).read_to_vec();
        Ok((body.map_err(|error| wrong("sends no document").with_source(error))?, response.headers().clone()))
    }
}

impl KeyFetcher for Remote {
    fn fetch(&self) -> Result<Vec<u8>, Error> {
        let until = Instant::now() + TIMEOUT;
        let (keys, headers) = match &self.source {
            Source::Keys(at) => self.get(at, until)?,
            Source::Discovery { issuer, document } => self.get(&self.discover(issuer, document, until)?, until)?,
        };
        self.max_age.store(max_age(&headers).unwrap_or(UNSAID), Ordering::Relaxed);
        Ok(keys)
    }

    fn fresh_for(&self) -> Option<Duration> {
        Some(self.max_age.load(Ordering::Relaxed)).filter(|seconds| *seconds != UNSAID).map(Duration::from_secs)
    }
}

/// No proxies from the environment and no redirects, which lead where nobody looked; no connection kept for ten minutes.
fn agent(is_https: bool) -> Result<Agent, String> {
    let mut config = Agent::config_builder()
        .https_only(is_https)
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .max_idle_connections(0)
        .max_response_header_size(16 << 10)
        .user_agent(concat!("tower-analytics/", env!("CARGO_PKG_VERSION")))
        .accept("application/jwk-set+json, application/json")
        .accept_encoding("identity");
    if is_https {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            return Err("this machine has no certificates of authorities, as the package ca-certificates brings: no host can be \
                        trusted"
                .to_owned());
        }
        let roots = found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
        // The cryptography that tokens are verified with, not a second one.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder().root_certs(RootCerts::from(roots)).unversioned_rustls_crypto_provider(provider);
        config = config.tls_config(tls.build());
    }
    Ok(config.build().new_agent())
}

/// https, or http within this machine. What is wrong, as a clause that continues "the address ..".
fn address(text: &str) -> Result<Uri, &'static str> {
    let uri: Uri = text.parse().map_err(|_| "is no address")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err("is no whole address: https://..") };
    if authority.as_str().contains('@') {
        return Err("has a name or a password in it");
    }
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match scheme {
        _ if host.is_empty() => Err("has no host"),
        "https" => Ok(uri),
        "http" if is_here => Ok(uri),
        "http" => Err("must be https: over plain http anybody on the way can bring keys of their own"),
        _ => Err("must be https"),
    }
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

fn is_of_one_host(one: &Uri, other: &Uri) -> bool {
    let port = |uri: &Uri| uri.port_u16().unwrap_or(if is_https(uri) { 443 } else { 80 });
    let host = |uri: &Uri| uri.host().map(str::to_ascii_lowercase);
    is_https(one) == is_https(other) && host(one) == host(other) && port(one) == port(other)
}

/// Without the query, which may hold what no log should.
fn shown(uri: &Uri) -> String {
    let host = uri.authority().map_or("", http::uri::Authority::as_str);
    format!("{}://{host}{}", uri.scheme_str().unwrap_or_default(), uri.path())
}

/// `max-age`, [RFC 9111](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.1).
fn max_age(headers: &HeaderMap) -> Option<u64> {
    let lines = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let mut values = lines.flat_map(|line| line.split(',')).filter_map(|directive| directive.split_once('='));
    let (_, value) = values.find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"))?;
    value.trim().trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_within_this_machine() {
        for good in [
            "https://id.example.com/certs",
            "https://id.example.com:8443",
            "https://192.0.2.1/certs?a=b",
            "http://127.0.0.1:8080/certs",
            "http://127.9.9.9/",
            "http://[::1]:80/",
            "http://LOCALHOST/",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/certs",
            "id.example.com",
            "id.example.com:443",
            "http://id.example.com/certs",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://127.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://[::ffff:10.0.0.1]/",
            "http://0.0.0.0/",
            "http://localhost@example.com/",
            "https://ann:secret@id.example.com/",
            "ftp://localhost/",
            "file:///etc/passwd",
            "https://",
            "https:///certs",
            "https://a b/",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_host_is_the_same_scheme_name_and_port() {
        let is_one = |one: &str, other: &str| is_of_one_host(&one.parse().unwrap(), &other.parse().unwrap());
        assert!(is_one("https://id.example.com/a", "https://ID.example.com:443/b"));
        assert!(is_one("http://localhost:80/a", "http://localhost/b"));
        for other in ["https://id.example.com:8443/", "https://id.example.com.", "https://example.com", "http://id.example.com"] {
            assert!(!is_one("https://id.example.com/a", other), "{other}");
        }
    }

    #[test]
    fn how_long_keys_are_fresh_is_read_from_any_spelling() {
        let said = |lines: &[&str]| {
            max_age(&lines.iter().map(|line| (header::CACHE_CONTROL, http::HeaderValue::from_str(line).unwrap())).collect())
        };
        assert_eq!(said(&["public, max-age=600, must-revalidate"]), Some(600));
        assert_eq!(said(&["no-transform", "Max-Age = \"60\""]), Some(60));
        assert_eq!(said(&["max-age=0"]), Some(0));
        for unsaid in [&[][..], &["no-cache"], &["s-maxage=60"], &["max-age"], &["max-age=-1"], &["max-age=x"], &["xmax-age=1"]] {
            assert_eq!(said(unsaid), None, "{unsaid:?}");
        }
    }

    #[test]
    fn queries_are_not_shown() {
        assert_eq!(shown(&"https://id.example.com/certs?key=secret".parse().unwrap()), "https://id.example.com/certs");
    }
}
