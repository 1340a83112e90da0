use std::time::Duration;

use rusqlite::Row;

use super::{
    accounts::{role_of, split},
    limits::SessionLimits,
    session_token::SessionToken,
};
use crate::{access::Role, clock::Millis};

/// Somebody who is signed in. Name and roles are the user's of this moment, not of the sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// Stays the same when the token changes.
    pub(crate) public_id: String,
    pub(crate) user: String,
    pub(crate) roles: Vec<String>,
    pub(crate) created: Millis,
    pub(crate) seen: Millis,
    /// When it ends if nobody uses it, and when at the latest.
    pub(crate) idle_ends: Millis,
    pub(crate) ends: Millis,
    pub(super) id: i64,
    pub(super) rotated: Millis,
    pub(super) is_current: bool,
    is_disabled: bool,
}

impl Session {
    /// From a row of session_of_token.sql or session_all.sql.
    pub(super) fn from_row(row: &Row<'_>, limits: &SessionLimits) -> rusqlite::Result<Self> {
        let (created, seen): (Millis, Millis) = (row.get("created")?, row.get("seen")?);
        let ends = created.saturating_add(millis(limits.absolute));
        Ok(Self {
            id: row.get("id")?,
            public_id: row.get("public_id")?,
            user: row.get("name")?,
            roles: split(&row.get::<_, String>("roles")?),
            created,
            seen,
            idle_ends: seen.saturating_add(millis(limits.idle)).min(ends),
            ends,
            rotated: row.get("rotated")?,
            is_current: row.get("is_current")?,
            is_disabled: row.get("disabled")?,
        })
    }

    /// Whether it lives, and by a token that still counts.
    pub(super) fn checked(self, now: Millis, limits: &SessionLimits) -> Result<Self, Refusal> {
        match () {
            () if !self.is_current && now - self.rotated >= millis(limits.grace) => Err(Refusal::Rotated),
            () if self.is_disabled => Err(Refusal::Disabled),
            () if now >= self.ends => Err(Refusal::TooOld),
            () if now >= self.idle_ends => Err(Refusal::Idle),
            () => Ok(self),
        }
    }

    /// What its roles are worth on our pages.
    pub(crate) fn role(&self) -> Role {
        role_of(&self.roles)
    }
}

/// Why a token opens nothing; for logs, the answer is 401 in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There never was such a session, or it was ended.
    Unknown,
    /// The token was replaced more than the grace ago: somebody may have copied it.
    Rotated,
    /// Nobody used it for too long.
    Idle,
    /// It is too old.
    TooOld,
    /// The user may not sign in any more.
    Disabled,
}

/// A session that has just begun.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) token: SessionToken,
    pub(crate) public_id: String,
    /// Public ids of those that ended to make room.
    pub(crate) ended: Vec<String>,
}

/// A session in use, with the token that replaces the one it came with, if it is time for that.
#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) session: Session,
    pub(crate) token: Option<SessionToken>,
}

pub(super) fn millis(span: Duration) -> Millis {
    span.as_millis().min(1 << 48) as Millis
}
