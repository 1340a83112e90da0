//! Who asks: by the guard, or, where the guard is an [`Auth`], by a token, by what a proxy says, or by the session of the sign-in.

use http::{HeaderMap, HeaderValue, Method, header};

pub(super) use super::seen::Seen;
use super::site::Site;
use crate::{
    access::{Head, Role},
    auth::{
        Auth, ProxyIdentity, Reason, audit,
        signin::{
            cookies::SessionCookie,
            csrf::{self, Change},
            session::{Refusal, Session},
            session_token::SessionToken,
        },
    },
};

/// Somebody who is known.
#[derive(Clone, Debug)]
pub(in crate::web) struct Who {
    pub(in crate::web) role: Role,
    /// As the sign-in, the token or the proxy says; a guard says none.
    pub(in crate::web) name: Option<String>,
    /// When what they came with ends, in seconds since 1970.
    pub(in crate::web) expires: Option<i64>,
    /// With the token that the request came with.
    pub(in crate::web) session: Option<(SessionToken, Session)>,
    /// The session's next token, which the answer brings to the browser.
    pub(in crate::web) next: Option<SessionToken>,
    pub(in crate::web) cookie: Option<HeaderValue>,
}

/// It cannot be known now.
pub(super) struct Unknowable;

impl Who {
    /// `renews`: whether the answer may bring the browser the session's next token.
    pub(super) async fn of(site: &Site, head: &Head<'_>, seen: &Seen, renews: bool) -> Result<Option<Self>, Unknowable> {
        let Some(auth) = &site.auth else { return Ok(site.guard.role(head).map(Self::nameless)) };
        match auth.verify_headers(head.headers()) {
            Ok(token) => {
                let name = token.name().map(str::to_owned).unwrap_or_else(|| token.subject().to_owned());
                let name = Some(name).filter(|name| !name.is_empty());
                return Ok(Some(Self { name, expires: Some(token.expires_s()), ..Self::nameless(token.role()) }));
            }
            Err(Reason::Missing) => {}
            Err(Reason::KeysUnavailable) => return Err(Unknowable),
            // What is there and bad is not made good by another credential.
            Err(_) => return Ok(None),
        }
        if let Some(who) = by_proxy(&auth.config().proxy, head) {
            return Ok(Some(who));
        }
        by_session(auth, head.headers(), seen, renews).await
    }

    /// Whether there is something to sign out of.
    pub(super) fn can_leave(&self) -> bool {
        self.session.is_some()
    }

    /// The name of whom there is something to sign out of.
    pub(super) fn leaver(&self) -> Option<String> {
        self.session.as_ref().map(|(_, session)| session.user.clone())
    }

    /// By a token or a session, which the verify route takes too, and not by a proxy's word, which it does not.
    pub(super) fn is_by_credential(&self) -> bool {
        self.expires.is_some()
    }

    fn nameless(role: Role) -> Self {
        Self { role, name: None, expires: None, session: None, next: None, cookie: None }
    }
}

fn by_proxy(settings: &ProxyIdentity, head: &Head<'_>) -> Option<Who> {
    if settings.user_header.is_empty() || !head.is_from_trusted_proxy() {
        return None;
    }
    // Twice the same header: the proxy has not overwritten what the client sent.
    let only = |name: &str| {
        let mut lines = head.headers().get_all(name).iter();
        lines.next().filter(|_| lines.next().is_none()).and_then(crate::access::text)
    };
    let name = only(&settings.user_header)?;
    let theirs = Some(&*settings.roles_header).filter(|name| !name.is_empty()).and_then(only).unwrap_or_default();
    let mapped = theirs.split([',', ' ']).filter_map(|role| settings.role_map.get(role.trim()).map(String::as_str));
    let role = mapped.chain([&*settings.role]).map(role_of).max().unwrap_or(Role::User);
    Some(Who { name: Some(name.to_owned()), ..Who::nameless(role) })
}

fn role_of(name: &str) -> Role {
    match name {
        "admin" => Role::Admin,
        "mod" => Role::Mod,
        _ => Role::User,
    }
}

async fn by_session(auth: &Auth, headers: &HeaderMap, seen: &Seen, renews: bool) -> Result<Option<Who>, Unknowable> {
    let login = &auth.config().login;
    if !login.enabled {
        return Ok(None);
    }
    let Ok(Some(token)) = SessionCookie::find(headers, login.insecure_cookies_for_loopback) else { return Ok(None) };
    let sign_in = match auth.sign_in() {
        Ok(Some(sign_in)) => sign_in,
        Ok(None) => return Ok(None),
        Err(_) => return Err(Unknowable),
    };
    // A token that cannot be handed out must not take the place of the one at hand.
    let cookie = cookie_for(auth, seen).filter(|_| renews);
    let found = match cookie {
        Some(_) => sign_in.resume(token.clone()).await.map(|found| found.map(|resumed| (resumed.session, resumed.token))),
        None => sign_in.glance(token.clone()).await.map(|found| found.map(|session| (session, None))),
    };
    let found = found.map_err(|error| {
        tracing::error!(error = %error.chain(), "whose session it is cannot be known");
        Unknowable
    })?;
    let (session, next) = match found {
        Ok(found) => found,
        Err(refusal) => {
            if refusal == Refusal::Rotated {
                audit::stale_token();
            }
            return Ok(None);
        }
    };
    let cookie = next.as_ref().and_then(|next| cookie?.set(next));
    let who =
        Who { name: Some(session.user.clone()), expires: Some(session.ends.div_euclid(1000)), cookie, ..Who::nameless(session.role()) };
    Ok(Some(Who { session: Some((token, session)), next, ..who }))
}

/// The session's cookie on this connection, if it may have one.
pub(super) fn cookie_for(auth: &Auth, seen: &Seen) -> Option<SessionCookie> {
    let login = &auth.config().login;
    SessionCookie::fitting(seen.is_https, seen.client, login.insecure_cookies_for_loopback, login.same_site)
}

/// Whether a request may be another site's doing. Not if a bearer token alone speaks for it, which no browser sends by itself.
pub(super) fn is_forged(method: &Method, headers: &HeaderMap, seen: &Seen, who: Option<&Who>, is_data: bool) -> bool {
    let is_bearer = |value: &HeaderValue| value.as_bytes().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
    if headers.get(header::AUTHORIZATION).is_some_and(is_bearer) && !headers.contains_key(header::COOKIE) {
        return false;
    }
    let token = who.and_then(|who| who.session.as_ref()).map(|(token, _)| token);
    let change = if is_data { Change::Api(token) } else { Change::Form };
    csrf::check(method, headers, &seen.own, change).is_err()
}
