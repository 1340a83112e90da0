//! What fuzz targets call of what is private here; compiled for them alone.

use http::{HeaderMap, HeaderName};

use super::{
    cookie::read,
    credential::Places,
    login::SameSite,
    reason::Reason,
    signin::{cookies::SessionCookie, next::Next},
};

/// A cookie's value; an error if it has two.
#[allow(clippy::result_unit_err, reason = "for the targets")]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    read(headers, name).map_err(drop)
}

/// The session's token, over https or from this machine.
#[allow(clippy::result_unit_err, reason = "for the targets")]
pub fn session(headers: &HeaderMap, is_https: bool) -> Result<Option<String>, ()> {
    let peer = Some([127, 0, 0, 1].into());
    let Some(cookie) = SessionCookie::fitting(is_https, peer, true, SameSite::Lax) else { return Ok(None) };
    let token = cookie.token(headers).map_err(drop)?;
    Ok(token.map(|token| token.as_str().to_owned()))
}

/// The token that a request carries.
pub fn credential<'a>(
    headers: &'a HeaderMap,
    cookie: Option<&str>,
    extra: &[&'static str],
    longest: usize,
) -> Result<Option<&'a str>, Reason> {
    let extra = extra.iter().map(|name| HeaderName::from_static(name)).collect();
    Places { headers: extra, cookie: cookie.map(str::to_owned), longest }.find(headers)
}

/// Where a sign-in leads.
pub fn next(raw: Option<&str>, base: &str) -> String {
    Next::of(raw, base).to_string()
}
