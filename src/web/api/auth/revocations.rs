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
        audit,
        signin::{revocations::Revocation, sign_in::SignIn},
    },
    error::Error,
    web::host::{Granted, Host, Site},
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
    #[serde(default)]
    issuer: String,
    token_id: Option<String>,
    subject: Option<String>,
    /// Seconds since 1970: the token's `exp`, or that of the subject's last. Without, tokens are remembered for the longest that any
    /// may live, subjects for ever.
    until: Option<i64>,
}

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
    let wanted = match read::<Wanted>(&headers, body).await.and_then(Wanted::checked) {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    let (longest, leeway) = site.auth.as_ref().map_or((0, 0), |auth| (auth.config().max_token_lifetime_s, auth.config().leeway_s));
    let by = who.and_then(|who| who.name).unwrap_or_default();
    let revoked = asked(&site, move |sign_in| {
        wanted.revoke(sign_in, longest, leeway)?;
        sign_in.revocations_changed();
        audit::revoked(&by, wanted.kind());
        Ok(())
    });
    done(revoked.await)
}

async fn take_back(State(site): State<Site>, headers: HeaderMap, body: Body) -> Response {
    let wanted = match read::<Wanted>(&headers, body).await.and_then(Wanted::checked) {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    let taken = asked(&site, move |sign_in| {
        let taken = sign_in.db().unrevoke(&wanted.entry())?;
        sign_in.revocations_changed();
        Ok(taken)
    });
    done(taken.await.and_then(|taken| if taken { Ok(()) } else { Err(Problem::new(StatusCode::NOT_FOUND, "nothing such is revoked")) }))
}

struct Checked {
    issuer: String,
    what: What,
    until: Option<i64>,
}

impl Wanted {
    fn checked(self) -> Result<Checked, Problem> {
        let what = match (self.token_id, self.subject) {
            (Some(id), None) => What::Token(id),
            (None, Some(subject)) => What::Subject(subject),
            _ => return Err(Problem::wrong("token_id", "exactly one of `token_id` and `subject` says what to revoke")),
        };
        Ok(Checked { issuer: self.issuer, what, until: self.until })
    }
}

impl Checked {
    fn revoke(&self, sign_in: &SignIn, longest: u64, leeway: u64) -> Result<(), Error> {
        let db = sign_in.db();
        let leeway = i64::try_from(leeway).unwrap_or(i64::MAX);
        // Tokens that may live for ever are remembered for ten years.
        let longest = if longest == 0 { 10 * 366 * 86_400 } else { i64::try_from(longest).unwrap_or(i64::MAX) };
        let until = self.until.map(|until| until.saturating_add(leeway));
        match &self.what {
            What::Token(id) => db.revoke_token(&self.issuer, id, until.unwrap_or_else(|| db.seconds().saturating_add(longest))),
            What::Subject(subject) => db.revoke_subject(&self.issuer, subject, until),
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
            RevocationRow { issuer, token_id: Some(id), subject: None, issued_before: None, until: Some(until) }
        }
        Revocation::Subject { issuer, subject, before, until } => {
            RevocationRow { issuer, token_id: None, subject: Some(subject), issued_before: Some(before), until }
        }
    }
}
