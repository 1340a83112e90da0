use axum::{Extension, Json, response::IntoResponse, response::Response, routing::get};
use serde::Serialize;

use super::seconds;
use crate::{
    access::Role,
    web::{guarded::Granted, host::Host},
};

/// Whoever asks.
#[derive(Debug, Serialize)]
struct SessionAnswer {
    subject: Option<String>,
    /// What they may do on these pages: `user`, `mod` or `admin`.
    role: &'static str,
    /// All roles of a user of the sign-in.
    roles: Vec<String>,
    /// Seconds since 1970: when this ends at the latest.
    expires_at: Option<i64>,
    /// When it ends if nothing is asked any more; for sessions.
    idle_expires_at: Option<i64>,
    /// For the header `X-Analytics-CSRF` of requests that change something; for sessions.
    csrf: Option<String>,
}

pub(super) fn register(host: &mut Host) {
    host.data("api/auth/session", Role::User, get(show));
}

async fn show(Extension(Granted(who)): Extension<Granted>) -> Response {
    let Some(who) = who else { return super::Problem::of_role(false).into_response() };
    let csrf = who.next.as_ref().or(who.session.as_ref().map(|(token, _)| token)).map(|token| token.csrf());
    let session = who.session.map(|(_, session)| session);
    Json(SessionAnswer {
        subject: who.name,
        role: role_name(who.role),
        idle_expires_at: session.as_ref().map(|session| seconds(session.idle_ends)),
        roles: session.map(|session| session.roles).unwrap_or_default(),
        expires_at: who.expires,
        csrf,
    })
    .into_response()
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Mod => "mod",
        Role::User | Role::Anyone => "user",
    }
}
