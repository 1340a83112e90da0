use std::time::Duration;

use rusqlite::{Transaction, params};

use super::access_db::AccessDb;
use crate::error::{Error, ErrorKind};

/// Seconds since 1970, as tokens have them.
pub(crate) type Seconds = i64;

/// What a verified token says of itself, as far as it can be revoked by it. Never its text: the same token has several
/// (OWASP, JSON Web Token cheat sheet).
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenFacts<'a> {
    pub(crate) issuer: &'a str,
    /// `jti`
    pub(crate) id: Option<&'a str>,
    /// `sub`
    pub(crate) subject: &'a str,
    /// `iat`
    pub(crate) issued: Option<Seconds>,
}

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Revocation {
    /// One token, until it ends by itself.
    Token { issuer: String, id: String, until: Seconds },
    /// All tokens of a subject that were issued before; until then, if the last of them ends.
    Subject { issuer: String, subject: String, before: Seconds, until: Option<Seconds> },
}

/// After a change of the list each process asks for it anew within this time.
pub(crate) const HEEDED_WITHIN: Duration = Duration::from_millis(500);

/// Entries of each kind. One more is an error: none is dropped that still matters.
const MOST: i64 = 100_000;
/// In bytes, of each name: tokens with longer ones are refused anyway.
const MAX_NAME: usize = 1024;

impl AccessDb {
    /// Another number after every change of the list, in whichever process: whoever keeps a copy, or verified tokens, asks for it.
    pub(crate) fn revocation_version(&self) -> Result<i64, Error> {
        self.read("look for revocations", |tx| tx.prepare_cached("select version from revocation_version")?.query_row([], |row| row.get(0)))
    }

    /// Voids one token until it ends by itself: `until` is its `exp` and the leeway.
    pub(crate) fn revoke_token(&self, issuer: &str, id: &str, until: Seconds) -> Result<(), Error> {
        check(issuer, id)?;
        let upsert = "insert into revoked_tokens (issuer, id, until) values (?, ?, ?)
            on conflict do update set until = max(until, excluded.until)";
        self.add("revoked_tokens", |tx| tx.execute(upsert, params![issuer, id, until]))
    }

    /// Voids all tokens of a subject that were issued up to now, those of this second included. `until` is when the last
    /// of them ends by itself, if tokens have a longest life; without, the entry stays.
    pub(crate) fn revoke_subject(&self, issuer: &str, subject: &str, until: Option<Seconds>) -> Result<(), Error> {
        check(issuer, subject)?;
        let before = self.seconds() + 1;
        let upsert = "insert into revoked_subjects (issuer, subject, before, until) values (?, ?, ?, ?)
            on conflict do update set before = max(before, excluded.before), until = max(until, excluded.until)";
        self.add("revoked_subjects", |tx| tx.execute(upsert, params![issuer, subject, before, until]))
    }

    /// Takes an entry back. `false` if there is none such.
    pub(crate) fn unrevoke(&self, entry: &Revocation) -> Result<bool, Error> {
        self.write("take a revocation back", |tx| {
            let deleted = match entry {
                Revocation::Token { issuer, id, .. } => {
                    tx.execute("delete from revoked_tokens where issuer = ? and id = ?", [issuer, id])?
                }
                Revocation::Subject { issuer, subject, .. } => {
                    tx.execute("delete from revoked_subjects where issuer = ? and subject = ?", [issuer, subject])?
                }
            };
            changed(tx)?;
            Ok(deleted == 1)
        })
    }

    /// All that still matter.
    pub(crate) fn revocations(&self) -> Result<Vec<Revocation>, Error> {
        let now = self.seconds();
        self.read("list the revocations", |tx| {
            let mut tokens = tx.prepare("select issuer, id, until from revoked_tokens where until > ? order by issuer, id")?;
            let tokens = tokens
                .query_map([now], |row| Ok(Revocation::Token { issuer: row.get(0)?, id: row.get(1)?, until: row.get(2)? }))?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let select = "select issuer, subject, before, until from revoked_subjects where until is null or until > ? order by 1, 2";
            let mut subjects = tx.prepare(select)?;
            let subjects = subjects.query_map([now], |row| {
                Ok(Revocation::Subject { issuer: row.get(0)?, subject: row.get(1)?, before: row.get(2)?, until: row.get(3)? })
            })?;
            tokens.into_iter().map(Ok).chain(subjects).collect()
        })
    }

    fn add(&self, table: &str, upsert: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<usize>) -> Result<(), Error> {
        let now = self.seconds();
        let has_room = self.write("revoke", |tx| {
            tx.execute(&format!("delete from {table} where until <= ?"), [now])?;
            let count: i64 = tx.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0))?;
            if count < MOST {
                upsert(tx)?;
                changed(tx)?;
            }
            Ok(count < MOST)
        })?;
        if has_room {
            return Ok(());
        }
        let message = format!("{MOST} revocations are kept already: take some back, or replace the key, which voids all its tokens");
        Err(Error::new(ErrorKind::Full, message))
    }

    pub(crate) fn seconds(&self) -> Seconds {
        self.now().div_euclid(1000)
    }
}

fn changed(tx: &Transaction<'_>) -> rusqlite::Result<usize> {
    tx.execute("update revocation_version set version = version + 1", [])
}

/// The issuer is empty where the settings take tokens of any, as the short forms of `Auth` do.
fn check(issuer: &str, name: &str) -> Result<(), Error> {
    if issuer.len() <= MAX_NAME && (1..=MAX_NAME).contains(&name.len()) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Question, format!("a token id and a subject have 1 to {MAX_NAME} bytes, an issuer at most as many")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::testing::{new, open},
        *,
    };

    const NOW: Seconds = 1_800_000_000;

    fn token<'a>(issuer: &'a str, id: Option<&'a str>, subject: &'a str, issued: Option<Seconds>) -> TokenFacts<'a> {
        TokenFacts { issuer, id, subject, issued }
    }

    /// As whoever keeps no copy yet.
    fn is_revoked(db: &AccessDb, token: TokenFacts<'_>) -> bool {
        super::super::denied::Denied::default().covers(token, db, &crate::clock::Clock::system()).unwrap()
    }

    #[test]
    fn a_token_is_revoked_by_issuer_and_id_in_every_process_at_once() {
        let (db, directory, clock) = new();
        let other = open(directory.path(), &clock).unwrap();
        assert!(!is_revoked(&other, token("a", Some("1"), "ann", Some(NOW))));
        db.revoke_token("a", "1", NOW + 60).unwrap();
        for (issuer, id, expected) in [
            ("a", Some("1"), true),
            ("a", Some("2"), false),
            ("b", Some("1"), false),
            ("a", None, false),
            ("a", Some("1 "), false),
            ("A", Some("1"), false),
        ] {
            assert_eq!(is_revoked(&other, token(issuer, id, "ann", Some(NOW))), expected, "{issuer} {id:?}");
        }
    }

    #[test]
    fn all_tokens_of_a_subject_up_to_now_are_revoked_and_later_ones_are_not() {
        let (db, _directory, clock) = new();
        clock.advance(Duration::from_millis(700));
        db.revoke_subject("a", "ann", None).unwrap();
        for (subject, issued, expected) in [
            ("ann", Some(NOW - 1), true),
            ("ann", Some(NOW), true),
            ("ann", Some(NOW + 1), false),
            ("ann", None, true),
            ("bob", Some(0), false),
            ("bob", None, false),
        ] {
            assert_eq!(is_revoked(&db, token("a", Some("1"), subject, issued)), expected, "{subject} {issued:?}");
            assert!(!is_revoked(&db, token("b", Some("1"), subject, issued)));
        }
        // A clock that went back takes nothing back.
        clock.set(std::time::SystemTime::UNIX_EPOCH);
        db.revoke_subject("a", "ann", None).unwrap();
        assert!(is_revoked(&db, token("a", None, "ann", Some(NOW))));
    }

    #[test]
    fn entries_stay_until_the_tokens_have_ended_by_themselves() {
        let (db, _directory, clock) = new();
        db.revoke_token("a", "short", NOW + 60).unwrap();
        db.revoke_token("a", "long", NOW + 600).unwrap();
        db.revoke_token("a", "long", NOW + 10).unwrap();
        db.revoke_subject("a", "ann", Some(NOW + 60)).unwrap();
        db.revoke_subject("a", "bob", None).unwrap();
        assert_eq!(db.revocations().unwrap().len(), 4);
        clock.advance(Duration::from_secs(60));
        let left = [
            Revocation::Token { issuer: "a".to_owned(), id: "long".to_owned(), until: NOW + 600 },
            Revocation::Subject { issuer: "a".to_owned(), subject: "bob".to_owned(), before: NOW + 1, until: None },
        ];
        assert_eq!(db.revocations().unwrap(), left);
        db.revoke_token("a", "another", NOW + 600).unwrap();
        let rows: i64 = db.read("count", |tx| tx.query_row("select count(*) from revoked_tokens", [], |row| row.get(0))).unwrap();
        assert_eq!(rows, 2);
    }

    #[test]
    fn an_entry_without_an_end_keeps_none() {
        let (db, _directory, _) = new();
        db.revoke_subject("a", "ann", None).unwrap();
        db.revoke_subject("a", "ann", Some(NOW + 60)).unwrap();
        assert!(matches!(db.revocations().unwrap()[..], [Revocation::Subject { until: None, .. }]));
    }

    #[test]
    fn entries_can_be_taken_back_and_every_change_is_counted() {
        let (db, directory, clock) = new();
        let other = open(directory.path(), &clock).unwrap();
        let version = || other.revocation_version().unwrap();
        let first = version();
        db.revoke_token("a", "1", NOW + 60).unwrap();
        db.revoke_subject("a", "ann", None).unwrap();
        assert_eq!(version(), first + 2);
        for entry in db.revocations().unwrap() {
            assert!(db.unrevoke(&entry).unwrap() && !db.unrevoke(&entry).unwrap());
        }
        assert!(version() > first + 2 && other.revocations().unwrap().is_empty());
        assert!(!is_revoked(&other, token("a", Some("1"), "ann", None)));
    }

    #[test]
    fn the_list_is_bounded_and_drops_none_that_matters() {
        let (db, _directory, clock) = new();
        let fill = "with recursive n (i) as (select 1 union all select i + 1 from n where i < ?)
            insert into revoked_tokens select 'a', 'token ' || i, ? from n";
        db.write("fill", |tx| tx.execute(fill, [MOST, NOW + 60])).unwrap();
        let error = db.revoke_token("a", "one more", NOW + 60).unwrap_err();
        assert!(error.kind() == ErrorKind::Full && error.to_string().contains("replace the key"), "{error}");
        assert!(is_revoked(&db, token("a", Some("token 1"), "ann", None)));
        clock.advance(Duration::from_secs(60));
        db.revoke_token("a", "one more", NOW + 600).unwrap();
        assert_eq!(db.revocations().unwrap().len(), 1);
    }

    #[test]
    fn tokens_of_no_issuer_in_particular_are_revoked_by_the_empty_name() {
        let (db, _directory, _) = new();
        db.revoke_token("", "1", NOW + 60).unwrap();
        db.revoke_subject("", "ann", None).unwrap();
        assert!(is_revoked(&db, token("", Some("1"), "bob", Some(NOW))));
        assert!(is_revoked(&db, token("", Some("2"), "ann", Some(NOW))));
        assert!(!is_revoked(&db, token("a", Some("1"), "ann", Some(NOW))));
    }

    #[test]
    fn names_that_no_token_can_have_are_refused() {
        let (db, _directory, _) = new();
        let long = "n".repeat(MAX_NAME + 1);
        for (issuer, name) in [("a", ""), ("", ""), ("a", &*long), (&*long, "1")] {
            assert_eq!(db.revoke_token(issuer, name, NOW).unwrap_err().kind(), ErrorKind::Question);
            assert_eq!(db.revoke_subject(issuer, name, None).unwrap_err().kind(), ErrorKind::Question);
        }
    }
}
