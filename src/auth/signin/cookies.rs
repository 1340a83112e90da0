use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};

use super::session_token::SessionToken;
use crate::auth::{
    cookie::{Tossed, read},
    login::SameSite,
};

/// The cookie that holds the session's token: which name it has, and with which attributes it is set.
///
/// It ends with the browser (no `Max-Age`), and scripts cannot read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionCookie {
    is_secure: bool,
    same_site: SameSite,
}

impl SessionCookie {
    /// The cookie that fits a connection; `None` if there is none: over plain http the token would be readable on the way,
    /// so only a browser on this machine may have it, and only if `insecure_cookies_for_loopback` says so.
    pub(crate) fn fitting(is_https: bool, peer: Option<IpAddr>, insecure_for_loopback: bool, same_site: SameSite) -> Option<Self> {
        let is_here = insecure_for_loopback && peer.is_some_and(|peer| peer.to_canonical().is_loopback());
        (is_https || is_here).then_some(Self { is_secure: is_https, same_site })
    }

    /// Browsers take a `__Host-` name only from the host itself, over https, for all paths: no other host can set it.
    pub(crate) fn name(self) -> &'static str {
        if self.is_secure { "__Host-analytics_session" } else { "analytics_session" }
    }

    /// The token in a request, if it is one of ours by its form.
    pub(crate) fn token(self, headers: &HeaderMap) -> Result<Option<SessionToken>, Tossed> {
        Ok(read(headers, self.name())?.and_then(SessionToken::parse))
    }

    /// Whose token a request carries, in whichever of the cookies: the secure one first, the other only where it can have been set.
    pub(crate) fn find(headers: &HeaderMap, insecure_for_loopback: bool) -> Result<Option<SessionToken>, Tossed> {
        let of = |is_secure| Self { is_secure, same_site: SameSite::Lax }.token(headers);
        match of(true)? {
            None if insecure_for_loopback => of(false),
            found => Ok(found),
        }
    }

    /// The value of `Set-Cookie` that gives a browser this token. `None` cannot be: tokens are plain ASCII.
    pub(crate) fn set(self, token: &SessionToken) -> Option<HeaderValue> {
        self.line(token.as_str(), "").map(|mut line| {
            line.set_sensitive(true);
            line
        })
    }

    /// The value of `Set-Cookie` that takes the token away.
    pub(crate) fn clear(self) -> Option<HeaderValue> {
        self.line("", "Max-Age=0; ")
    }

    fn line(self, value: &str, life: &str) -> Option<HeaderValue> {
        let secure = if self.is_secure { "Secure; " } else { "" };
        let same_site = match self.same_site {
            SameSite::Lax => "Lax",
            SameSite::Strict => "Strict",
        };
        HeaderValue::from_str(&format!("{}={value}; {life}Path=/; {secure}HttpOnly; SameSite={same_site}", self.name())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (http::header::COOKIE, HeaderValue::from_bytes(line).unwrap())).collect()
    }

    fn host() -> SessionCookie {
        SessionCookie::fitting(true, None, false, SameSite::Lax).unwrap()
    }

    #[test]
    fn the_session_cookie_has_exactly_its_attributes() {
        let token = SessionToken::new().unwrap();
        let text = token.as_str();
        let secure = host();
        assert_eq!(
            secure.set(&token).unwrap(),
            format!("__Host-analytics_session={text}; Path=/; Secure; HttpOnly; SameSite=Lax").as_str()
        );
        assert_eq!(secure.clear().unwrap(), "__Host-analytics_session=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax");
        let strict = SessionCookie::fitting(true, None, false, SameSite::Strict).unwrap();
        assert!(strict.set(&token).unwrap().to_str().unwrap().ends_with("; SameSite=Strict"));
        let here = SessionCookie::fitting(false, Some([127, 0, 0, 1].into()), true, SameSite::Lax).unwrap();
        assert_eq!(here.set(&token).unwrap(), format!("analytics_session={text}; Path=/; HttpOnly; SameSite=Lax").as_str());
        assert!(secure.set(&token).unwrap().len() < 4096);
    }

    #[test]
    fn plain_http_has_a_cookie_only_on_this_machine_and_if_asked_for() {
        let fitting = |https, peer: Option<&str>, asked| {
            SessionCookie::fitting(https, peer.map(|peer| peer.parse().unwrap()), asked, SameSite::Lax).map(SessionCookie::name)
        };
        assert_eq!(fitting(true, None, false), Some("__Host-analytics_session"));
        assert_eq!(fitting(true, Some("127.0.0.1"), true), Some("__Host-analytics_session"));
        for loopback in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(fitting(false, Some(loopback), true), Some("analytics_session"));
            assert_eq!(fitting(false, Some(loopback), false), None);
        }
        assert_eq!(fitting(false, Some("192.168.0.1"), true), None);
        assert_eq!(fitting(false, None, true), None);
    }

    #[test]
    fn a_token_is_read_back_and_the_value_of_its_header_is_not_shown() {
        let token = SessionToken::new().unwrap();
        let set = host().set(&token).unwrap();
        assert!(!format!("{set:?}").contains(token.as_str()));
        let line = format!("a=b; __Host-analytics_session={}", token.as_str());
        assert_eq!(host().token(&headers(&[line.as_bytes()])), Ok(Some(token)));
        assert_eq!(host().token(&headers(&[b"__Host-analytics_session=an1_short"])), Ok(None));
        assert_eq!(host().token(&headers(&[b"analytics_session=x; __host-analytics_session=y"])), Ok(None));
    }
}
