use axum::{
    Extension,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Problem, answer, asked, done, read};
use crate::{
    access::Role,
    auth::{
        Auth, audit,
        revoking::FOR_EVER,
        signin::{revocations::Revocation, sign_in::SignIn},
    },
    error::Error,
    web::{guarded::Granted, host::Host, site::Site},
};

/// What counts no more: one token by its `jti`, or all of a subject that were issued before.
#[derive(Debug, Serialize)]
struct RevocationRow {
    /// Empty for tokens of a shared secret that names no issuer.
    issuer: String,
    token_id: Option<String>,
    subject: Option<String>,
    /// Seconds since 1970: tokens of the subject that were issued earlier are void.
    issued_before: Option<i64>,
    /// When the last of them has ended by itself, if that is known.
    until: Option<i64>,
}

#[derive(Debug, Serialize)]
struct RevocationList {
    revocations: Vec<RevocationRow>,
}

/// What to revoke, or to take back: exactly one of `token_id` and `subject`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Without, the only one of the settings.
    issuer: Option<String>,
    token_id: Option<String>,
    subject: Option<String>,
    /// Seconds since 1970: the token's `exp`, or that of the subject's last. Without, it is remembered for the longest that any
    /// token may live, for ever if nothing bounds that.
    until: Option<i64>,
}

#[derive(Debug)]
enum What {
    Token(String),
    Subject(String),
}

pub(super) fn register(host: &mut Host) {
    host.data("api/auth/revocations", Role::Admin, get(list).post(revoke).delete(take_back));
}

async fn list(State(site): State<Site>) -> Response {
    let all = asked(&site, |sign_in| sign_in.db().revocations()).await;
    answer(all.map(|all| RevocationList { revocations: all.into_iter().map(row).collect() }))
}

async fn revoke(State(site): State<Site>, Extension(Granted(who)): Extension<Granted>, headers: HeaderMap, body: Body) -> Response {
    let Some(auth) = &site.auth else { return Problem::unknowable().into_response() };
    let wanted = match read::<Wanted>(&headers, body).await.and_then(|wanted| wanted.for_revoking(auth)) {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    let by = who.and_then(|who| who.name).unwrap_or_default();
    let revoked = asked(&site, move |sign_in| {
        wanted.revoke(sign_in)?;
        sign_in.revocations_changed();
        audit::revoked(&by, wanted.kind());
        Ok(())
    });
    done(revoked.await)
}

async fn take_back(State(site): State<Site>, Extension(Granted(who)): Extension<Granted>, headers: HeaderMap, body: Body) -> Response {
    let Some(auth) = &site.auth else { return Problem::unknowable().into_response() };
    let wanted = match read::<Wanted>(&headers, body).await.and_then(|wanted| wanted.for_taking_back(auth)) {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    let by = who.and_then(|who| who.name).unwrap_or_default();
    let taken = asked(&site, move |sign_in| {
        let taken = sign_in.db().unrevoke(&wanted.entry())?;
        sign_in.revocations_changed();
        if taken {
            audit::taken_back(&by, wanted.kind());
        }
        Ok(taken)
    });
    done(taken.await.and_then(|taken| if taken { Ok(()) } else { Err(Problem::new(StatusCode::NOT_FOUND, "nothing such is revoked")) }))
}

#[derive(Debug)]
struct Checked {
    issuer: String,
    what: What,
    /// None for ever.
    until: Option<i64>,
}

impl Wanted {
    fn for_revoking(self, auth: &Auth) -> Result<Checked, Problem> {
        let (config, now) = (auth.config(), auth.now_s());
        let issuer = self.issuer(auth)?;
        let until = match self.until {
            Some(until) if until <= now => {
                return Err(Problem::wrong("until", format!("what has ended by itself needs no revocation: it is {now} now")));
            }
            Some(until) => Some(config.revoked_until_after(until)),
            None => config.revoked_until(now),
        };
        Ok(Checked { issuer, what: self.what()?, until })
    }

    /// Also what an issuer had that is in the settings no more.
    fn for_taking_back(self, auth: &Auth) -> Result<Checked, Problem> {
        let issuer = self.issuer(auth).or_else(|problem| self.issuer.clone().ok_or(problem))?;
        Ok(Checked { issuer, what: self.what()?, until: None })
    }

    /// As tokens are known here: no name where any issuer is taken. Where the settings have none, another process may.
    fn issuer(&self, auth: &Auth) -> Result<String, Problem> {
        let (config, named) = (auth.config(), self.issuer.as_deref());
        if config.issuer.is_empty() {
            return Ok(named.unwrap_or_default().to_owned());
        }
        config.pick(named, "`issuer`").map(|issuer| issuer.issuer.clone()).map_err(|message| Problem::wrong("issuer", message))
    }

    fn what(self) -> Result<What, Problem> {
        match (self.token_id, self.subject) {
            (Some(id), None) => Ok(What::Token(id)),
            (None, Some(subject)) => Ok(What::Subject(subject)),
            _ => Err(Problem::wrong("token_id", "exactly one of `token_id` and `subject` says what to revoke")),
        }
    }
}

impl Checked {
    fn revoke(&self, sign_in: &SignIn) -> Result<(), Error> {
        match &self.what {
            What::Token(id) => sign_in.db().revoke_token(&self.issuer, id, self.until.unwrap_or(FOR_EVER)),
            What::Subject(subject) => sign_in.db().revoke_subject(&self.issuer, subject, self.until),
        }
    }

    fn entry(&self) -> Revocation {
        let issuer = self.issuer.clone();
        match &self.what {
            What::Token(id) => Revocation::Token { issuer, id: id.clone(), until: 0 },
            What::Subject(subject) => Revocation::Subject { issuer, subject: subject.clone(), before: 0, until: None },
        }
    }

    fn kind(&self) -> &'static str {
        match self.what {
            What::Token(_) => "one token",
            What::Subject(_) => "all of a subject",
        }
    }
}

fn row(entry: Revocation) -> RevocationRow {
    match entry {
        Revocation::Token { issuer, id, until } => {
            let until = Some(until).filter(|until| *until < FOR_EVER);
            RevocationRow { issuer, token_id: Some(id), subject: None, issued_before: None, until }
        }
        Revocation::Subject { issuer, subject, before, until } => {
            RevocationRow { issuer, token_id: None, subject: Some(subject), issued_before: Some(before), until }
        }
    }
}
