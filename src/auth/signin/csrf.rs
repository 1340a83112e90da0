use http::{HeaderMap, HeaderName, Method, header};
use subtle::ConstantTimeEq;

use super::{origin::Origin, session_token::SessionToken};

/// What a cookie-borne request wants to change, which decides what it has to show.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change<'a> {
    /// A sign-in. There is no session yet, but another page must not sign anybody in as somebody else.
    SignIn,
    /// A form of a page, such as the sign-out.
    Form,
    /// A call of the API, in this session if it is one of ours.
    Api(Option<&'a SessionToken>),
}

/// Why a request may have been caused by another site; for logs, the answer is 403 in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgery {
    /// `Sec-Fetch-Site` names another site.
    CrossSite,
    /// `Origin` is another, `null`, or no origin at all.
    OtherOrigin,
    /// Neither header: no browser of these years, or something in between took them off.
    Unknown,
    /// The API wants JSON, or the session's CSRF value, which no form of another page can send.
    NotScript,
}

/// The header that carries [`SessionToken::csrf`].
pub(crate) const CSRF_HEADER: HeaderName = HeaderName::from_static("x-analytics-csrf");

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Lets a request through that our own pages caused, or that cannot change anything.
///
/// Browsers say where a request comes from in `Sec-Fetch-Site`, which no page can forge, older ones in `Origin`, which
/// has to be one of `own`. A sister host (`same-site`) is another site. To be asked for every request that a cookie
/// speaks for, one that has a bearer token besides included.
pub(crate) fn check(method: &Method, headers: &HeaderMap, own: &[Origin], change: Change<'_>) -> Result<(), Forgery> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    match (only(headers, &SEC_FETCH_SITE), only(headers, &header::ORIGIN)) {
        (Only::One("same-origin"), _) => {}
        // Typed or opened from a bookmark: no page has caused it.
        (Only::One("none"), _) if matches!(change, Change::SignIn) => {}
        (Only::One(_) | Only::Unclear, _) => return Err(Forgery::CrossSite),
        (Only::Absent, Only::One(origin)) if Origin::of_header(origin).is_some_and(|origin| own.contains(&origin)) => {}
        (Only::Absent, Only::Absent) => return Err(Forgery::Unknown),
        (Only::Absent, _) => return Err(Forgery::OtherOrigin),
    }
    match change {
        Change::Api(token) if !is_json(headers) && !token.is_some_and(|token| has_csrf(headers, token)) => Err(Forgery::NotScript),
        _ => Ok(()),
    }
}

enum Only<'a> {
    Absent,
    One(&'a str),
    /// More than one, or no text.
    Unclear,
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Only<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Only::Absent,
        (Some(value), None) => value.to_str().map_or(Only::Unclear, Only::One),
        (Some(_), Some(_)) => Only::Unclear,
    }
}

/// A type that a page of another site cannot send without asking first (it is not CORS-safelisted).
fn is_json(headers: &HeaderMap) -> bool {
    let Only::One(value) = only(headers, &header::CONTENT_TYPE) else { return false };
    value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn has_csrf(headers: &HeaderMap, token: &SessionToken) -> bool {
    let Only::One(value) = only(headers, &CSRF_HEADER) else { return false };
    value.as_bytes().ct_eq(token.csrf().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())).collect()
    }

    fn own() -> [Origin; 1] {
        [Origin::of_url("https://stats.example.com/ops").unwrap()]
    }

    fn post(pairs: &[(&'static str, &str)], change: Change<'_>) -> Result<(), Forgery> {
        check(&Method::POST, &headers(pairs), &own(), change)
    }

    const SITE: &str = "sec-fetch-site";
    const OWN: (&str, &str) = ("origin", "https://stats.example.com");

    #[test]
    fn a_form_is_taken_from_our_own_pages_only() {
        use Forgery::{CrossSite, OtherOrigin, Unknown};
        type Case<'a> = (&'a [(&'static str, &'a str)], Result<(), Forgery>);
        let cases: [Case<'_>; 19] = [
            (&[(SITE, "same-origin")], Ok(())),
            (&[(SITE, "same-origin"), ("origin", "https://evil.example")], Ok(())),
            (&[OWN], Ok(())),
            (&[("origin", "HTTPS://STATS.example.com:443")], Ok(())),
            (&[(SITE, "cross-site")], Err(CrossSite)),
            (&[(SITE, "cross-site"), OWN], Err(CrossSite)),
            (&[(SITE, "same-site"), OWN], Err(CrossSite)),
            (&[(SITE, ""), OWN], Err(CrossSite)),
            (&[(SITE, "Same-Origin")], Err(CrossSite)),
            (&[(SITE, "same-origin"), (SITE, "same-origin")], Err(CrossSite)),
            (&[(SITE, "ü"), OWN], Err(CrossSite)),
            (&[("origin", "null")], Err(OtherOrigin)),
            (&[("origin", "https://evil.example")], Err(OtherOrigin)),
            (&[("origin", "http://stats.example.com")], Err(OtherOrigin)),
            (&[("origin", "https://stats.example.com:8443")], Err(OtherOrigin)),
            (&[("origin", "https://stats.example.com.evil.example")], Err(OtherOrigin)),
            (&[("origin", "https://stats.example.com/")], Err(OtherOrigin)),
            (&[OWN, OWN], Err(OtherOrigin)),
            (&[("referer", "https://stats.example.com/"), ("host", "stats.example.com")], Err(Unknown)),
        ];
        for (pairs, expected) in cases {
            assert_eq!(post(pairs, Change::Form), expected, "{pairs:?}");
            assert_eq!(post(pairs, Change::SignIn), expected, "{pairs:?}");
        }
    }

    #[test]
    fn only_a_sign_in_may_come_from_no_page_at_all() {
        assert_eq!(post(&[(SITE, "none")], Change::SignIn), Ok(()));
        assert_eq!(post(&[(SITE, "none")], Change::Form), Err(Forgery::CrossSite));
        assert_eq!(post(&[(SITE, "none")], Change::Api(Some(&SessionToken::new().unwrap()))), Err(Forgery::CrossSite));
    }

    #[test]
    fn the_api_wants_json_or_the_value_of_the_session_besides() {
        let token = SessionToken::new().unwrap();
        let other = SessionToken::new().unwrap().csrf();
        let good = token.csrf();
        for (name, value, is_allowed) in [
            ("content-type", "application/json", true),
            ("content-type", "Application/JSON ; charset=utf-8", true),
            ("content-type", "text/plain", false),
            ("content-type", "text/plain; application/json", false),
            ("content-type", "application/jsonx", false),
            ("content-type", "application/x-www-form-urlencoded", false),
            ("content-type", "", false),
            ("x-analytics-csrf", &good, true),
            ("x-analytics-csrf", &other, false),
            ("x-analytics-csrf", &good[1..], false),
            ("x-analytics-csrf", "", false),
            ("accept", "application/json", false),
        ] {
            let answer = post(&[(SITE, "same-origin"), (name, value)], Change::Api(Some(&token)));
            assert_eq!(answer, if is_allowed { Ok(()) } else { Err(Forgery::NotScript) }, "{name}: {value}");
            // Never instead of the origin.
            assert_eq!(post(&[(name, value)], Change::Api(Some(&token))), Err(Forgery::Unknown));
        }
        let twice = [(SITE, "same-origin"), ("content-type", "application/json"), ("content-type", "text/plain")];
        assert_eq!(post(&twice, Change::Api(Some(&token))), Err(Forgery::NotScript));
    }

    #[test]
    fn what_changes_nothing_is_let_through_and_every_other_method_is_checked() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(check(&method, &headers(&[(SITE, "cross-site")]), &own(), Change::Form), Ok(()));
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "PROPFIND"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(check(&method, &headers(&[(SITE, "cross-site")]), &own(), Change::Form), Err(Forgery::CrossSite), "{method}");
        }
    }

    proptest! {
        #[test]
        fn no_origin_but_our_own_is_taken(origin in "(https?://)?[a-z.:@/]{0,20}(stats\\.example\\.com)?[a-z.:@/0-9]{0,6}") {
            let is_ours = url::Url::parse(&origin).is_ok_and(|url| url.origin().ascii_serialization() == "https://stats.example.com");
            let taken = post(&[("origin", &origin)], Change::Form).is_ok();
            prop_assert!(!taken || is_ours, "{}", origin);
        }
    }
}
