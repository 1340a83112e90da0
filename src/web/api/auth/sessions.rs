use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
    routing::{delete, get},
};
use http::StatusCode;
use serde::Serialize;

use super::{Problem, answer, asked, done, seconds};
use crate::{
    access::Role,
    auth::{audit, signin::session::Session},
    web::{guarded::Granted, host::Host, site::Site, who::Who},
};

/// Somebody who is signed in.
#[derive(Debug, Serialize)]
struct SessionRow {
    /// Names the session; it cannot be used to sign in.
    id: String,
    user: String,
    roles: Vec<String>,
    /// Seconds since 1970, as all times here.
    created_at: i64,
    /// Within a minute.
    last_seen_at: i64,
    idle_expires_at: i64,
    expires_at: i64,
    /// Whether it is the one that asks.
    is_own: bool,
}

#[derive(Debug, Serialize)]
struct SessionList {
    sessions: Vec<SessionRow>,
}

pub(super) fn register(host: &mut Host) {
    host.data("api/auth/sessions", Role::Mod, get(list));
    host.data("api/auth/sessions/{id}", Role::Mod, delete(end));
}

/// Admins see all, others their own.
async fn list(State(site): State<Site>, Extension(Granted(who)): Extension<Granted>) -> Response {
    let own = own_of(who.as_ref());
    let visible = move |session: &Session| may_touch(who.as_ref(), session);
    let sessions = asked(&site, |sign_in| sign_in.db().sessions()).await;
    answer(
        sessions.map(|all| SessionList { sessions: all.into_iter().filter(visible).map(|session| row(session, own.as_deref())).collect() }),
    )
}

async fn end(State(site): State<Site>, Extension(Granted(who)): Extension<Granted>, Path(id): Path<String>) -> Response {
    let by = who.as_ref().and_then(|who| who.name.clone()).unwrap_or_default();
    let shown = id.clone();
    let ended = asked(&site, move |sign_in| {
        let db = sign_in.db();
        // What somebody may not end is, to them, not there.
        let is_there = db.sessions()?.iter().any(|session| session.public_id == id && may_touch(who.as_ref(), session));
        Ok(is_there && db.end_session(&id)?)
    });
    done(ended.await.and_then(|ended| {
        if !ended {
            return Err(Problem::new(StatusCode::NOT_FOUND, "there is no such session, or it is over"));
        }
        audit::session_ended(&by, &shown);
        Ok(())
    }))
}

fn may_touch(who: Option<&Who>, session: &Session) -> bool {
    let is_theirs = |who: &Who| who.session.as_ref().is_some_and(|(_, own)| own.user == session.user);
    who.is_some_and(|who| who.role >= Role::Admin || is_theirs(who))
}

fn own_of(who: Option<&Who>) -> Option<String> {
    who?.session.as_ref().map(|(_, session)| session.public_id.clone())
}

fn row(session: Session, own: Option<&str>) -> SessionRow {
    SessionRow {
        is_own: own == Some(&*session.public_id),
        created_at: seconds(session.created),
        last_seen_at: seconds(session.seen),
        idle_expires_at: seconds(session.idle_ends),
        expires_at: seconds(session.ends),
        id: session.public_id,
        user: session.user,
        roles: session.roles,
    }
}
