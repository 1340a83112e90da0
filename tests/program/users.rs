//! `user`: everybody who may sign in, from the command line.

use std::{path::Path, thread};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::running::{Done, Server, file, files, mode, run, run_with};

const PASSWORD: &str = "correct horse battery";

fn add(at: &Path, name: &str, more: &[&str]) -> Done {
    run_with(at, &[&["user", "add", name], more].concat(), format!("{PASSWORD}\n"))
}

fn list(at: &Path) -> Value {
    serde_json::from_str(&run(at, &["user", "list", "--json"]).good()).unwrap()
}

fn hash(at: &Path, name: &str) -> String {
    let access = Connection::open(at.join("analytics-data/access.db")).unwrap();
    access.query_row("select hash from users where name = ?", [name], |row| row.get(0)).unwrap()
}

/// Whether the stored hash is this password's.
fn is_password(at: &Path, name: &str, password: &str) -> bool {
    use argon2::{Argon2, PasswordVerifier, password_hash::phc::PasswordHash};

    let hash = hash(at, name);
    Argon2::default().verify_password(password.as_bytes(), &PasswordHash::new(&hash).unwrap()).is_ok()
}

#[test]
fn the_first_user_is_an_admin_and_the_next_one_is_not_unless_it_is_said() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let said = add(at, "ann", &[]).good();
    assert_eq!(said, "Added ann, the first user of analytics-data, with the role admin.\n");
    assert_eq!(add(at, "bob", &[]).good(), "Added bob, with the role mod.\n");
    let user: Value = serde_json::from_str(&add(at, "Zoë Z", &["--role", "support", "--role", "admin", "--json"]).good()).unwrap();
    assert_eq!(user, json!({"name": "Zoë Z", "roles": ["admin", "support"], "disabled": false, "first": false}));
    let all = json!([
        {"name": "Zoë Z", "roles": ["admin", "support"], "disabled": false},
        {"name": "ann", "roles": ["admin"], "disabled": false},
        {"name": "bob", "roles": ["mod"], "disabled": false},
    ]);
    assert_eq!(list(at), all);
    assert_eq!(run(at, &["user", "list"]).good(), "Zoë Z  admin, support\nann    admin\nbob    mod\n");
    for file in files(&at.join("analytics-data")) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert!(is_password(at, "ann", PASSWORD) && !is_password(at, "ann", "another password"));
}

#[test]
fn users_are_changed_disabled_enabled_and_removed() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    add(at, "ann", &[]).good();
    add(at, "bob", &[]).good();
    let done = run(at, &["user", "role", "bob", "--role", "admin", "--role", "billing"]);
    assert_eq!((done.code, done.out.as_str()), (0, "bob has the role admin, billing now.\n"));
    let user: Value = serde_json::from_str(&run(at, &["user", "disable", "bob", "--json"]).good()).unwrap();
    assert_eq!(user, json!({"name": "bob", "roles": ["admin", "billing"], "disabled": true}));
    assert!(run(at, &["user", "list"]).good().contains("bob  admin, billing  (disabled)\n"));
    run(at, &["user", "enable", "bob"]).good();
    assert_eq!(list(at)[1]["disabled"], json!(false));
    run_with(at, &["user", "passwd", "bob"], "another long password\r\n").good();
    assert!(is_password(at, "bob", "another long password"));
    run(at, &["user", "remove", "bob"]).good();
    assert_eq!(list(at).as_array().unwrap().len(), 1);
    // The last admin may go, and it is said.
    let done = run(at, &["user", "remove", "ann"]);
    assert!(done.code == 0 && done.err.contains("nobody is an admin now"), "{done:?}");
    let done = add(at, "carol", &["--role", "adnim"]);
    assert!(done.code == 0 && done.err.contains("none of these roles is admin or mod"), "{done:?}");
}

#[test]
fn a_password_is_taken_as_it_is_and_bad_ones_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let longest = "x".repeat(1024);
    for (n, (input, password)) in [
        (" pässwörd😀 \n", " pässwörd😀 "),
        ("no newline", "no newline"),
        ("the first line\nand another\n", "the first line"),
        ("with\ttab\r\n", "with\ttab"),
        ("😀😀😀😀😀😀😀😀\n", "😀😀😀😀😀😀😀😀"),
        (&format!("{longest}\n"), &longest),
        (&format!("{longest}\r\n"), &longest),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("user{n}");
        run_with(at, &["user", "add", &name, "--password-stdin"], input).good();
        assert!(is_password(at, &name, password), "{password:?}");
    }
    let count = list(at).as_array().unwrap().len();
    for (input, part) in [
        (&b""[..], "no password on the standard input"),
        (b"\n", "too short"),
        (b"1234567\n", "at least 8 characters"),
        ("äöüäöü\n".as_bytes(), "too short"),
        (format!("{longest}y\n").as_bytes(), "1024 bytes"),
        (format!("{longest}y").as_bytes(), "1024 bytes"),
        ("y".repeat(1 << 20).as_bytes(), "1024 bytes"),
        (b"\xff\xfe12345678\n", "no UTF-8"),
    ] {
        let error = run_with(at, &["user", "add", "bad"], input).bad();
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(list(at).as_array().unwrap().len(), count);
    // There is no flag for one.
    assert_eq!(run(at, &["user", "add", "bad", "--password", "12345678"]).code, 2);
}

#[test]
fn a_generated_password_is_shown_once_and_works() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let said = run(at, &["user", "add", "ann", "--generate"]).good();
    let password = said.lines().find_map(|line| line.strip_prefix("Password: ")).unwrap();
    assert!(password.len() == 24 && is_password(at, "ann", password), "{said}");
    let user: Value = serde_json::from_str(&run(at, &["user", "passwd", "ann", "--generate", "--json"]).good()).unwrap();
    let next = user["password"].as_str().unwrap();
    assert!(next != password && is_password(at, "ann", next));
}

#[test]
fn what_cannot_be_is_said_with_the_way_out_and_makes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    for args in [&["user", "list"][..], &["user", "remove", "ann"], &["user", "role", "ann", "--role", "mod"], &["user", "disable", "ann"]]
    {
        let error = run(at, args).bad();
        assert!(error.contains("no access.db in analytics-data: check --data"), "{error}");
    }
    run_with(at, &["user", "add", "ann"], "short\n").bad();
    assert!(files(at).is_empty());
    add(at, "ann", &[]).good();
    for (args, part) in [
        (&["user", "add", "ann"][..], "user passwd"),
        (&["user", "passwd", "bob"], "user list"),
        (&["user", "remove", "bob"], "no user of this name"),
        (&["user", "role", "bob", "--role", "mod"], "no user of this name"),
        (&["user", "enable", "bob"], "no user of this name"),
        (&["user", "add", " bob"], "no blanks around it"),
        (&["user", "add", "b\nob"], "no control characters"),
        (&["user", "add", ""], "1 to 256 bytes"),
        (&["user", "add", "bob", "--role", "a b"], "without commas"),
        (&["user", "role", "ann", "--role", "a,b"], "without commas"),
        (&["user", "list", "--data", "nowhere"], "check --data"),
    ] {
        let error = run_with(at, args, format!("{PASSWORD}\n")).bad();
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(list(at).as_array().unwrap().len(), 1);
    assert!(!at.join("nowhere").exists());
    let verify = file(at, "verify.toml", "[auth]\n[[auth.issuer]]\nissuer = \"a\"\n");
    let error = run_with(at, &["user", "add", "bob", "--config", &verify], PASSWORD).bad();
    assert!(error.contains("or say --data"), "{error}");
}

#[test]
fn the_settings_name_the_directory_and_its_keys_need_not_be_there() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let text = "data = \"stats\"\n[auth]\n[[auth.issuer]]\nissuer = \"a\"\naudience = [\"b\"]\nalgorithms = [\"HS256\"]\n\
                keys = { hmac = \"env:NOT_IN_THIS_SHELL\" }\n";
    let settings = file(at, "settings.toml", text);
    add(at, "ann", &["--config", &settings]).good();
    assert!(at.join("stats/access.db").exists() && !at.join("analytics-data").exists());
    add(at, "ann", &["--config", &settings, "--data", "elsewhere"]).good();
    assert!(at.join("elsewhere/access.db").exists());
}

#[test]
fn neither_passwords_nor_hashes_are_shown() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let mut shown = String::new();
    for done in [
        add(at, "ann", &[]),
        add(at, "ann", &[]),
        add(at, "bob", &["--json"]),
        run_with(at, &["user", "passwd", "ann"], PASSWORD),
        run_with(at, &["user", "passwd", "nobody"], PASSWORD),
        run(at, &["user", "list"]),
        run(at, &["user", "list", "--json"]),
        run(at, &["user", "role", "ann", "--role", "mod", "--json"]),
    ] {
        shown += &format!("{}{}", done.out, done.err);
    }
    assert!(!shown.contains(PASSWORD) && !shown.contains("argon2") && !shown.contains(&hash(at, "ann")), "{shown}");
    // Nor kept.
    for file in files(&at.join("analytics-data")) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()), "{}", file.display());
    }
}

#[test]
fn processes_that_add_users_at_once_do_not_disturb_each_other() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    thread::scope(|scope| {
        for n in 0..8 {
            scope.spawn(move || {
                add(at, &format!("user{n}"), &["--role", "mod"]).good();
                run(at, &["user", "role", &format!("user{n}"), "--role", "admin"]).good();
            });
        }
        // Of two who take the same name one is told.
        let both: Vec<_> = (0..2).map(|_| scope.spawn(|| add(at, "same", &[]).code)).collect();
        let mut codes: Vec<_> = both.into_iter().map(|one| one.join().unwrap()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [0, 1]);
    });
    assert_eq!(list(at).as_array().unwrap().len(), 9);
}

#[test]
fn users_are_added_and_removed_while_a_server_runs() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let text = "data = \"analytics-data\"\n[auth]\n[[auth.issuer]]\nissuer = \"a\"\naudience = [\"b\"]\nalgorithms = [\"HS256\"]\n\
                keys = { hmac = \"0123456789abcdef0123456789abcdef\" }\n";
    let settings = file(at, "settings.toml", text);
    let server = Server::start(at, &["--config", &settings]);
    add(at, "ann", &[]).good();
    add(at, "bob", &[]).good();
    run(at, &["user", "remove", "bob"]).good();
    assert_eq!(list(at).as_array().unwrap().len(), 1);
    assert_eq!(server.get("/analytics/auth/verify", None).status, 401);
    let done = server.stop();
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_eq!(list(at).as_array().unwrap().len(), 1);
}

#[test]
fn every_command_explains_itself_with_examples() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    for args in [&["--help"][..], &["serve", "--help"], &["user", "--help"]] {
        assert!(run(at, args).good().contains("Examples:\n  tower-analytics "), "{args:?}");
    }
    for command in ["add", "passwd", "remove", "list", "role", "disable", "enable"] {
        let help = run(at, &["user", command, "--help"]).good();
        assert!(help.contains("--data <DIR>") && help.contains("--config <FILE>") && help.contains("--json"), "{help}");
    }
}
