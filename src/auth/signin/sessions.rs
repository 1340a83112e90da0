use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    access_db::AccessDb,
    accounts::User,
    session::{Begun, Refusal, Resumed, Session, millis},
    session_token::SessionToken,
};
use crate::error::Error;

/// That somebody is active is noted at most so often: an idle session may end as much earlier.
const TOUCH: Duration = Duration::from_secs(60);

impl AccessDb {
    /// Signs a user in whose password was right. The session that the browser had before ends: a token that somebody
    /// planted there is worth nothing. `None` if the user was changed, disabled or removed since he was looked up.
    pub(crate) fn begin(&self, user: &User, before: Option<&SessionToken>) -> Result<Option<Begun>, Error> {
        let (token, now, limits) = (SessionToken::new()?, self.now(), self.limits);
        let public_id = token.public_id();
        let ended = self.write("begin a session", |tx| {
            let found = "select 1 from users where id = ? and version = ? and disabled = 0";
            if !tx.prepare_cached(found)?.exists(params![user.id, user.version])? {
                return Ok(None);
            }
            if let Some(before) = before {
                remove(tx, &before.hash())?;
            }
            tx.execute("delete from sessions where created <= ? or seen <= ?", [now - millis(limits.absolute), now - millis(limits.idle)])?;
            let mut ended = oldest(tx, "where user = ?1 order by created, id", user.id, limits.per_user)?;
            ended.extend(oldest(tx, "where ?1 = ?1 order by seen, id", 0, limits.total)?);
            let insert = "insert into sessions (token, public_id, user, created, rotated, seen) values (?1, ?2, ?3, ?4, ?4, ?4)";
            tx.execute(insert, params![token.hash(), public_id, user.id, now])?;
            Ok(Some(ended))
        })?;
        Ok(ended.map(|ended| Begun { token, public_id, ended }))
    }

    /// Whose session this token is of. Changes nothing, waits for nobody.
    pub(crate) fn look(&self, token: &SessionToken) -> Result<Result<Session, Refusal>, Error> {
        let hash = token.hash();
        let found = self.read("look for a session", |tx| {
            let select = include_str!("session_of_token.sql");
            tx.prepare_cached(select)?.query_row([&hash[..]], |row| Session::from_row(row, &self.limits)).optional()
        })?;
        Ok(found.ok_or(Refusal::Unknown).and_then(|session| session.checked(self.now(), &self.limits)))
    }

    /// As [`look`](Self::look), and notes that the session is in use, and replaces an old token. Another process, or
    /// another request of the page, may do the same at the same time: one of them gets the new token.
    pub(crate) fn resume(&self, token: &SessionToken) -> Result<Result<Resumed, Refusal>, Error> {
        let session = match self.look(token)? {
            Ok(session) => session,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let now = self.now();
        if session.is_current && now - session.rotated >= millis(self.limits.rotate) {
            let (next, old) = (SessionToken::new()?, token.hash());
            let update = "update sessions set token = ?1, previous = ?2, rotated = ?3, seen = max(seen, ?3) where id = ?4 and token = ?2";
            let rotated = self.try_write(|tx| tx.execute(update, params![next.hash(), old, now, session.id]));
            return Ok(Ok(Resumed { session, token: Some(next).filter(|_| rotated == Some(1)) }));
        }
        self.touch(&session);
        Ok(Ok(Resumed { session, token: None }))
    }

    /// As [`look`](Self::look), and notes that the session is in use.
    pub(crate) fn glance(&self, token: &SessionToken) -> Result<Result<Session, Refusal>, Error> {
        let found = self.look(token)?;
        if let Ok(session) = &found {
            self.touch(session);
        }
        Ok(found)
    }

    fn touch(&self, session: &Session) {
        let now = self.now();
        if now - session.seen >= millis(TOUCH) {
            let update = "update sessions set seen = max(seen, ?) where id = ?";
            // With a full disk, whoever is signed in can still look why.
            self.try_write(|tx| tx.execute(update, [now, session.id]));
        }
    }

    /// Signs out. `false` if the session had ended already, which is no error.
    pub(crate) fn end(&self, token: &SessionToken) -> Result<bool, Error> {
        self.write("end a session", |tx| remove(tx, &token.hash()))
    }

    /// Ends a session from a list. `false` if there is none of this public id.
    pub(crate) fn end_session(&self, public_id: &str) -> Result<bool, Error> {
        self.write("end a session", |tx| Ok(tx.execute("delete from sessions where public_id = ?", [public_id])? == 1))
    }

    /// All that live, the newest first.
    pub(crate) fn sessions(&self) -> Result<Vec<Session>, Error> {
        let all: Vec<_> = self.read("list the sessions", |tx| {
            let mut select = tx.prepare_cached(include_str!("session_all.sql"))?;
            select.query_map([], |row| Session::from_row(row, &self.limits))?.collect()
        })?;
        Ok(all.into_iter().filter_map(|session| session.checked(self.now(), &self.limits).ok()).collect())
    }
}

fn remove(tx: &Transaction<'_>, hash: &[u8; 32]) -> rusqlite::Result<bool> {
    Ok(tx.prepare_cached("delete from sessions where token = ?1 or previous = ?1")?.execute([&hash[..]])? == 1)
}

/// Ends the first of these until one fewer than `limit` are left.
fn oldest(tx: &Transaction<'_>, which: &str, user: i64, limit: u32) -> rusqlite::Result<Vec<String>> {
    let count: i64 = tx.query_row(&format!("select count(*) from (select 1 from sessions {which})"), [user], |row| row.get(0))?;
    let excess = (count + 1 - i64::from(limit.max(1))).max(0);
    let delete = format!("delete from sessions where id in (select id from sessions {which} limit ?2) returning public_id");
    tx.prepare_cached(&delete)?.query_map([user, excess], |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        super::{
            limits::SessionLimits,
            testing::{hash, new, open},
        },
        *,
    };
    use crate::{access::Role, clock::Clock};

    const MINUTE: Duration = Duration::from_secs(60);

    fn ann(db: &AccessDb) -> User {
        add(db, "ann", &["admin"])
    }

    fn add(db: &AccessDb, name: &str, roles: &[&str]) -> User {
        db.add_user(name, &hash("AAAA"), roles).unwrap();
        db.user(name).unwrap().unwrap()
    }

    fn begin(db: &AccessDb, user: &User) -> SessionToken {
        db.begin(user, None).unwrap().unwrap().token
    }

    /// Why it is refused, if it is.
    fn refusal(db: &AccessDb, token: &SessionToken) -> Option<Refusal> {
        db.look(token).unwrap().err()
    }

    #[test]
    fn a_session_is_known_by_its_token_in_every_process() {
        let (db, directory, clock) = new();
        let begun = db.begin(&ann(&db), None).unwrap().unwrap();
        let session = open(directory.path(), &clock).unwrap().look(&begun.token).unwrap().unwrap();
        assert_eq!((session.user.as_str(), session.role(), &session.public_id), ("ann", Role::Admin, &begun.public_id));
        assert_eq!(session.ends - session.created, 12 * 3_600_000);
        assert_eq!(session.idle_ends - session.seen, 30 * 60_000);
        assert_eq!(refusal(&db, &SessionToken::new().unwrap()), Some(Refusal::Unknown));
    }

    #[test]
    fn no_token_is_in_the_file_nor_in_anything_that_is_shown() {
        let (db, directory, clock) = new();
        let user = ann(&db);
        let first = db.begin(&user, None).unwrap().unwrap();
        clock.advance(MINUTE * 29);
        db.resume(&first.token).unwrap().unwrap();
        clock.advance(MINUTE * 29);
        db.resume(&first.token).unwrap().unwrap();
        clock.advance(MINUTE * 2);
        let resumed = db.resume(&first.token).unwrap().unwrap();
        let tokens = [first.token.as_str().to_owned(), resumed.token.as_ref().unwrap().as_str().to_owned()];
        let shown = format!("{first:?} {resumed:?} {:?}", db.sessions());
        for file in std::fs::read_dir(directory.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            for token in &tokens {
                assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
                assert!(!shown.contains(&token[4..]), "{shown}");
            }
        }
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it_for_half_an_hour() {
        let (db, _directory, clock) = new();
        let token = begin(&db, &ann(&db));
        clock.advance(MINUTE * 30 - Duration::from_millis(1));
        assert_eq!(refusal(&db, &token), None);
        clock.advance(Duration::from_millis(1));
        assert_eq!(refusal(&db, &token), Some(Refusal::Idle));
        assert_eq!(db.resume(&token).unwrap().unwrap_err(), Refusal::Idle);
        assert!(db.sessions().unwrap().is_empty());
    }

    #[test]
    fn use_keeps_a_session_alive_and_looking_does_not() {
        let (db, _directory, clock) = new();
        let token = begin(&db, &ann(&db));
        clock.advance(MINUTE * 20);
        db.resume(&token).unwrap().unwrap();
        clock.advance(MINUTE * 20);
        assert_eq!(refusal(&db, &token), None);
        clock.advance(MINUTE * 10);
        assert_eq!(refusal(&db, &token), Some(Refusal::Idle));
    }

    #[test]
    fn use_is_noted_once_a_minute_at_most() {
        let (db, _directory, clock) = new();
        let token = begin(&db, &ann(&db));
        let seen = || db.look(&token).unwrap().unwrap().seen;
        let began = seen();
        for (second, noted) in [(59, 0), (60, 60), (90, 60), (119, 60), (121, 121)] {
            clock.set(crate::clock::from_millis(began + second * 1000));
            db.resume(&token).unwrap().unwrap();
            assert_eq!(seen() - began, noted * 1000, "{second}");
        }
    }

    /// Uses a session for as long as that, and gives the token it has then.
    fn use_for(db: &AccessDb, clock: &Clock, mut token: SessionToken, span: Duration) -> SessionToken {
        let mut left = span;
        while !left.is_zero() {
            let step = left.min(MINUTE * 20);
            clock.advance(step);
            left -= step;
            if let Ok(Resumed { token: Some(next), .. }) = db.resume(&token).unwrap() {
                token = next;
            }
        }
        token
    }

    #[test]
    fn a_session_ends_after_twelve_hours_however_much_it_is_used() {
        let (db, _directory, clock) = new();
        let token = use_for(&db, &clock, begin(&db, &ann(&db)), MINUTE * (12 * 60 - 1));
        assert_eq!(refusal(&db, &token), None);
        clock.advance(MINUTE);
        assert_eq!(refusal(&db, &token), Some(Refusal::TooOld));
    }

    #[test]
    fn a_token_is_replaced_every_hour_and_works_for_half_a_minute_more() {
        let (db, _directory, clock) = new();
        let begun = db.begin(&ann(&db), None).unwrap().unwrap();
        let old = use_for(&db, &clock, begun.token, MINUTE * 40);
        clock.advance(MINUTE * 20);
        let new = db.resume(&old).unwrap().unwrap().token.unwrap();
        assert_ne!(new, old);
        // Requests under way with the old token are answered, and do not get a third.
        clock.advance(Duration::from_millis(29_999));
        let resumed = db.resume(&old).unwrap().unwrap();
        assert!(resumed.token.is_none() && resumed.session.public_id == begun.public_id);
        clock.advance(Duration::from_millis(1));
        assert_eq!(refusal(&db, &old), Some(Refusal::Rotated));
        assert_eq!(db.look(&new).unwrap().unwrap().public_id, begun.public_id);
        let third = use_for(&db, &clock, new.clone(), MINUTE * 60);
        assert_ne!(third, new);
        assert_eq!(refusal(&db, &old), Some(Refusal::Unknown));
    }

    #[test]
    fn of_many_requests_at_once_one_gets_the_new_token_and_none_is_refused() {
        let (db, directory, clock) = new();
        let token = use_for(&db, &clock, begin(&db, &ann(&db)), MINUTE * 40);
        clock.advance(MINUTE * 20);
        let others: Vec<_> = (0..4).map(|_| open(directory.path(), &clock).unwrap()).collect();
        let renewed: usize = std::thread::scope(|scope| {
            let ask = |db: &AccessDb| (0..5).filter(|_| db.resume(&token).unwrap().unwrap().token.is_some()).count();
            let asks: Vec<_> = others.iter().map(|db| scope.spawn(move || ask(db))).collect();
            asks.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(renewed, 1);
    }

    #[test]
    fn a_sixth_session_ends_the_oldest_of_the_same_user() {
        let (db, _directory, clock) = new();
        let (user, other) = (ann(&db), add(&db, "bob", &[]));
        let bobs = begin(&db, &other);
        let first = db.begin(&user, None).unwrap().unwrap();
        let mut tokens = Vec::new();
        for _ in 0..4 {
            clock.advance(MINUTE);
            tokens.push(begin(&db, &user));
        }
        assert_eq!(refusal(&db, &first.token), None);
        assert_eq!(db.begin(&user, None).unwrap().unwrap().ended, [first.public_id]);
        assert_eq!(refusal(&db, &first.token), Some(Refusal::Unknown));
        assert!(tokens.iter().chain([&bobs]).all(|token| refusal(&db, token).is_none()));
    }

    #[test]
    fn there_are_never_more_sessions_than_the_limit_and_the_longest_unused_goes() {
        let (_, directory, clock) = new();
        let db = AccessDb::open(directory.path(), clock.clone(), SessionLimits { total: 3, ..SessionLimits::default() }).unwrap();
        let tokens = ["a", "b", "c"].map(|name| begin(&db, &add(&db, name, &[])));
        clock.advance(MINUTE);
        db.resume(&tokens[0]).unwrap().unwrap();
        begin(&db, &add(&db, "d", &[]));
        assert_eq!(db.sessions().unwrap().len(), 3);
        assert_eq!(tokens.map(|token| refusal(&db, &token)), [None, Some(Refusal::Unknown), None]);
    }

    #[test]
    fn rows_of_ended_sessions_do_not_stay() {
        let (db, _directory, clock) = new();
        let users = ["a", "b", "c"].map(|name| add(&db, name, &[]));
        for user in &users {
            begin(&db, user);
        }
        clock.advance(MINUTE * 30);
        begin(&db, &users[0]);
        let rows: i64 = db.read("count", |tx| tx.query_row("select count(*) from sessions", [], |row| row.get(0))).unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_planted_token_is_never_taken_over_and_the_session_before_ends() {
        let (db, _directory, _) = new();
        let (user, mallory) = (ann(&db), add(&db, "mallory", &[]));
        let planted = begin(&db, &mallory);
        let begun = db.begin(&user, Some(&planted)).unwrap().unwrap();
        assert_ne!(begun.token, planted);
        assert_eq!(refusal(&db, &planted), Some(Refusal::Unknown));
        let unknown = SessionToken::new().unwrap();
        assert!(db.begin(&user, Some(&unknown)).unwrap().is_some());
        assert_eq!(refusal(&db, &unknown), Some(Refusal::Unknown));
    }

    #[test]
    fn a_change_of_the_user_ends_the_sessions_and_a_sign_in_that_was_under_way() {
        type Change = fn(&AccessDb);
        let changes: [(&str, Change); 4] = [
            ("password", |db| db.set_password("ann", &hash("BBBB")).unwrap()),
            ("roles", |db| db.set_roles("ann", &["mod"]).unwrap()),
            ("disabled", |db| db.set_disabled("ann", true).unwrap()),
            ("removed", |db| db.remove_user("ann").unwrap()),
        ];
        for (what, change) in changes {
            let (db, directory, clock) = new();
            let (user, bob) = (ann(&db), add(&db, "bob", &[]));
            let (token, bobs) = (begin(&db, &user), begin(&db, &bob));
            change(&open(directory.path(), &clock).unwrap());
            assert_eq!(refusal(&db, &token), Some(Refusal::Unknown), "{what}");
            assert_eq!(refusal(&db, &bobs), None, "{what}");
            assert!(db.begin(&user, None).unwrap().is_none(), "{what}");
        }
    }

    #[test]
    fn a_new_user_of_the_same_name_is_somebody_else() {
        let (db, _directory, _) = new();
        let (user, token) = { (ann(&db), begin(&db, &db.user("ann").unwrap().unwrap())) };
        db.remove_user("ann").unwrap();
        ann(&db);
        assert_eq!(refusal(&db, &token), Some(Refusal::Unknown));
        assert!(db.begin(&user, None).unwrap().is_none());
    }

    #[test]
    fn roles_are_those_of_now_even_if_somebody_edits_the_file() {
        let (db, _directory, _) = new();
        let token = begin(&db, &ann(&db));
        db.write("edit", |tx| tx.execute("update users set roles = 'mod'", [])).unwrap();
        assert_eq!(db.look(&token).unwrap().unwrap().role(), Role::Mod);
        db.write("edit", |tx| tx.execute("update users set disabled = 1", [])).unwrap();
        assert_eq!(refusal(&db, &token), Some(Refusal::Disabled));
    }

    #[test]
    fn signing_out_ends_the_session_with_either_token_and_twice_is_no_error() {
        let (db, _directory, clock) = new();
        let user = ann(&db);
        let token = begin(&db, &user);
        assert_eq!((db.end(&token).unwrap(), db.end(&token).unwrap()), (true, false));
        let old = use_for(&db, &clock, begin(&db, &user), MINUTE * 40);
        clock.advance(MINUTE * 20);
        let new = db.resume(&old).unwrap().unwrap().token.unwrap();
        assert!(db.end(&old).unwrap());
        assert_eq!(refusal(&db, &new), Some(Refusal::Unknown));
    }

    #[test]
    fn sessions_are_listed_and_ended_by_their_public_id() {
        let (db, _directory, clock) = new();
        let (user, bob) = (ann(&db), add(&db, "bob", &[]));
        let tokens = [&user, &user, &bob].map(|user| {
            clock.advance(MINUTE);
            begin(&db, user)
        });
        let listed: Vec<_> = db.sessions().unwrap().into_iter().map(|session| (session.user, session.public_id)).collect();
        let expected = [("bob", 2), ("ann", 1), ("ann", 0)].map(|(name, n)| (name.to_owned(), tokens[n].public_id()));
        assert_eq!(listed, expected);
        assert!(db.end_session(&tokens[2].public_id()).unwrap() && !db.end_session("nonsense").unwrap());
    }

    #[test]
    fn a_clock_that_jumps_ends_sessions_at_worst() {
        let (db, _directory, clock) = new();
        let token = begin(&db, &ann(&db));
        let now = clock.now();
        for jump in [-1_i64, 0, 1, -(1 << 40), 1 << 40] {
            clock.set(crate::clock::from_millis(crate::clock::to_millis(now) + jump * 1000));
            let _ = db.resume(&token).unwrap();
        }
        clock.set(now);
        assert_eq!(refusal(&db, &token), None);
    }

    #[test]
    fn a_session_that_cannot_be_written_goes_on_as_it_is() {
        let (db, _directory, clock) = new();
        let token = begin(&db, &ann(&db));
        let full = "create trigger full before update on sessions begin select raise(fail, 'full'); end";
        db.write("break", |tx| tx.execute_batch(full)).unwrap();
        clock.advance(MINUTE * 20);
        assert!(db.resume(&token).unwrap().unwrap().token.is_none());
        db.write("repair", |tx| tx.execute_batch("drop trigger full")).unwrap();
        let token = use_for(&db, &clock, use_for(&db, &clock, token, MINUTE * 5), MINUTE * 15);
        db.write("break", |tx| tx.execute_batch(full)).unwrap();
        clock.advance(MINUTE * 20);
        assert!(db.resume(&token).unwrap().unwrap().token.is_none());
        db.write("repair", |tx| tx.execute_batch("drop trigger full")).unwrap();
        assert!(db.resume(&token).unwrap().unwrap().token.is_some());
    }

    /// Signs in and out twenty times, as another process of the service would.
    fn come_and_go(directory: &Path, name: &str) {
        let db = AccessDb::open(directory, Clock::system(), SessionLimits::default()).unwrap();
        let user = add(&db, name, &["mod"]);
        for _ in 0..20 {
            let token = begin(&db, &user);
            assert_eq!(db.resume(&token).unwrap().unwrap().session.user, user.name);
            db.revoke_token("issuer", name, i64::MAX).unwrap();
            assert!(db.end(&token).unwrap());
        }
        begin(&db, &user);
    }

    const CHILD: &str = "TOWER_ANALYTICS_TEST_ACCESS_DB";

    #[test]
    fn processes_that_sign_in_and_out_at_once_do_not_disturb_each_other() {
        const NAME: &str = "auth::signin::sessions::tests::processes_that_sign_in_and_out_at_once_do_not_disturb_each_other";
        if let Ok(directory) = std::env::var(CHILD) {
            return come_and_go(directory.as_ref(), &format!("process {}", std::process::id()));
        }
        let directory = tempfile::tempdir().unwrap();
        let children: Vec<_> = (0..4)
            .map(|_| {
                let mut child = std::process::Command::new(std::env::current_exe().unwrap());
                child.args(["--exact", NAME]).env(CHILD, directory.path()).stdout(std::process::Stdio::null()).spawn().unwrap()
            })
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let db = AccessDb::open(directory.path(), Clock::system(), SessionLimits::default()).unwrap();
        assert_eq!((db.users().unwrap().len(), db.sessions().unwrap().len(), db.revocations().unwrap().len()), (4, 4, 4));
    }

    #[test]
    fn threads_that_sign_in_and_out_at_once_do_not_disturb_each_other() {
        let directory = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for n in 0..6 {
                let directory = directory.path();
                scope.spawn(move || come_and_go(directory, &format!("thread {n}")));
            }
        });
        let db = AccessDb::open(directory.path(), Clock::system(), SessionLimits::default()).unwrap();
        assert_eq!((db.users().unwrap().len(), db.sessions().unwrap().len()), (6, 6));
    }
}
