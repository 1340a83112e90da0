use axum::{extract::State, response::Response, routing::get};
use serde::Serialize;

use super::{answer, asked};
use crate::{
    access::Role,
    auth::tally::Count,
    web::{host::Host, site::Site},
};

/// For monitors; counted since this process began.
#[derive(Debug, Serialize)]
struct AuthCounters {
    /// What proxies were told, by outcome.
    verify: Vec<Count>,
    /// Attempts to sign in, by outcome.
    sign_in: Vec<Count>,
    /// Those who are signed in now, in whichever process.
    sessions_active: usize,
}

pub(super) fn register(host: &mut Host) {
    host.data("api/auth/counters", Role::Mod, get(show));
}

async fn show(State(site): State<Site>) -> Response {
    let (verify, sign_in) = site.auth.as_ref().map(|auth| (auth.tally().decisions(), auth.tally().sign_ins())).unwrap_or_default();
    let sessions = asked(&site, |sign_in| sign_in.db().sessions()).await;
    answer(sessions.map(|sessions| AuthCounters { verify, sign_in, sessions_active: sessions.len() }))
}
