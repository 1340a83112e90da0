//! What a token says, checked: the claims of [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519#section-4.1).

use std::sync::Arc;

use super::{
    claim_rule::Required,
    config::Issuer,
    identity::Identity,
    json::{Bounds, Json, Object},
    reason::Reason,
    roles::{RoleNames, RoleReader},
};
use crate::clock::Millis;

/// What an issuer's tokens must say.
#[derive(Debug)]
pub(super) struct ClaimRules {
    issuer: Arc<str>,
    audience: Vec<String>,
    subject: Vec<String>,
    name: Vec<String>,
    session: Option<String>,
    require_sub: bool,
    require_iat: bool,
    require_jti: bool,
    ignore_cnf: bool,
    required: Vec<Required>,
    roles: RoleReader,
    role_names: Arc<RoleNames>,
    leeway: f64,
    lifetime: Option<f64>,
    passed_on: Vec<Vec<String>>,
}

/// What holds for all issuers.
pub(super) struct Common {
    pub(super) role_names: Arc<RoleNames>,
    pub(super) leeway_s: u64,
    /// 0 for none.
    pub(super) lifetime_s: u64,
    pub(super) passed_on: Vec<Vec<String>>,
    pub(super) can_revoke: bool,
}

pub(super) const CLAIM_BOUNDS: Bounds = Bounds { depth: 32, members: 256 };
const MAX_SUBJECT: usize = 1024;
const MAX_ID: usize = 256;
/// Above it not every whole number is one of its own.
const MAX_TIME: f64 = (1_u64 << 53) as f64;

impl ClaimRules {
    pub(super) fn new(issuer: &Issuer, common: &Common) -> Self {
        Self {
            issuer: issuer.issuer.as_str().into(),
            audience: issuer.audience.clone(),
            subject: issuer.subject.clone(),
            name: issuer.name.clone(),
            session: Some(issuer.session.clone()).filter(|name| !name.is_empty()),
            require_sub: issuer.require_sub,
            require_iat: issuer.require_iat,
            require_jti: issuer.require_jti.unwrap_or(common.can_revoke),
            ignore_cnf: issuer.ignore_cnf,
            required: issuer.claim_rules.iter().map(Required::new).collect(),
            roles: RoleReader::new(issuer, &common.role_names),
            role_names: Arc::clone(&common.role_names),
            leeway: common.leeway_s as f64,
            lifetime: Some(common.lifetime_s as f64).filter(|lifetime| *lifetime > 0.0),
            passed_on: common.passed_on.clone(),
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn check(&self, claims: &Object<'_>, kid: Option<String>, now: Millis) -> Result<Identity, Reason> {
        let now = now as f64 / 1000.0;
        let expires = time(claims, "exp", Reason::Exp)?.filter(|exp| now < exp + self.leeway).ok_or(Reason::Exp)?;
        let not_before = time(claims, "nbf", Reason::Nbf)?;
        if not_before.is_some_and(|nbf| nbf > now + self.leeway || nbf > expires) {
            return Err(Reason::Nbf);
        }
        let issued_at = time(claims, "iat", Reason::Iat)?;
        if issued_at.map_or(self.require_iat, |iat| iat > now + self.leeway) {
            return Err(Reason::Iat);
        }
        if self.lifetime.is_some_and(|longest| expires - issued_at.unwrap_or(now) > longest) {
            return Err(Reason::Lifetime);
        }
        if !self.issuer.is_empty() && claims.get("iss").and_then(Json::text) != Some(&self.issuer) {
            return Err(Reason::Iss);
        }
        if !self.audience.is_empty() && !self.is_for_us(claims.get("aud")) {
            return Err(Reason::Aud);
        }
        let subject = match first(claims, &self.subject) {
            Some(claim) => short_text(claim, MAX_SUBJECT).ok_or(Reason::Sub)?,
            None if self.require_sub => return Err(Reason::Sub),
            None => "",
        };
        let token_id = match claims.get("jti") {
            Some(claim) => Some(short_text(claim, MAX_ID).ok_or(Reason::Jti)?),
            None if self.require_jti => return Err(Reason::Jti),
            None => None,
        };
        if claims.has("cnf") && !self.ignore_cnf {
            return Err(Reason::Cnf);
        }
        if !self.required.iter().all(|rule| rule.is_kept_by(claims)) {
            return Err(Reason::Claim);
        }
        let session = self.session.as_ref().and_then(|name| claims.get(name)).and_then(|claim| short_text(claim, MAX_ID));
        Ok(Identity {
            issuer: Arc::clone(&self.issuer),
            subject: subject.into(),
            name: first(claims, &self.name).and_then(|claim| short_text(claim, MAX_SUBJECT)).map(Into::into),
            roles: self.roles.read(claims),
            role_names: Arc::clone(&self.role_names),
            scope: claims.get("scope").and_then(Json::text).unwrap_or_default().into(),
            token_id: token_id.map(Into::into),
            session: session.map(Into::into),
            key_id: kid.map(Into::into),
            issued_at,
            not_before: not_before.unwrap_or_default().max(issued_at.unwrap_or_default()),
            expires,
            passed_on: self.passed_on.iter().map(|path| claims.at(path).map(plain).unwrap_or_default()).collect(),
        })
    }

    /// Text or a list of text, and nothing else.
    fn is_for_us(&self, aud: Option<&Json<'_>>) -> bool {
        let is_ours = |text: &str| self.audience.iter().any(|ours| ours == text);
        match aud {
            Some(Json::Text(text)) => is_ours(text),
            Some(Json::List(list)) => list.iter().all(|item| item.text().is_some()) && list.iter().filter_map(Json::text).any(is_ours),
            _ => false,
        }
    }

    /// Whether an identity that was checked before still stands.
    pub(super) fn still_stands(&self, who: &Identity, now: Millis) -> bool {
        let now = now as f64 / 1000.0;
        now < who.expires + self.leeway && who.not_before <= now + self.leeway
    }
}

/// A NumericDate; wrong if it is there and none.
fn time(claims: &Object<'_>, name: &str, wrong: Reason) -> Result<Option<f64>, Reason> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Number(time)) if (0.0..MAX_TIME).contains(time) => Ok(Some(*time)),
        Some(_) => Err(wrong),
    }
}

fn first<'o, 'a>(claims: &'o Object<'a>, names: &[String]) -> Option<&'o Json<'a>> {
    names.iter().find_map(|name| claims.get(name))
}

/// Text that may stand in a header or a log.
fn short_text<'o>(claim: &'o Json<'_>, longest: usize) -> Option<&'o str> {
    claim.text().filter(|text| !text.is_empty() && text.len() <= longest && !text.contains(char::is_control))
}

/// A claim as a header can carry it.
fn plain(claim: &Json<'_>) -> Vec<String> {
    match claim {
        Json::Text(text) => vec![text.clone().into_owned()],
        Json::Number(number) => vec![number.to_string()],
        Json::Bool(value) => vec![value.to_string()],
        Json::List(list) => list.iter().filter_map(Json::text).map(str::to_owned).collect(),
        Json::Null | Json::Object(_) => Vec::new(),
    }
}
