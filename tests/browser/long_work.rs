//! The settings page of a directory in which much was asked for.

use serde_json::json;
use tower_analytics::Analytics;

use crate::{
    chromium::Chromium,
    fitting::{CONTRAST, SIDEWAYS},
    running,
};

/// Forty that have ended, two that failed with much to say, one that goes on, and some that wait.
fn ask_for_much(file: &std::path::Path) {
    let main = rusqlite::Connection::open(file).unwrap();
    let say = |kind: &str, state: &str, done: i64, message: &str| {
        let sql = "insert into jobs (kind, argument, state, done, total, message, changed) values (?, '', ?, ?, 200, ?, unixepoch())";
        main.execute(sql, rusqlite::params![kind, state, done, message]).unwrap();
    };
    (0..40).for_each(|number| say(["vacuum", "retention", "import"][number % 3], "done", 200, ""));
    say("merge", "failed", 0, &format!("nobody is called \"{}\": look at the list of users", "auth0|5f7c8ec7c33c6c004bbafe82".repeat(10)));
    say("archive", "failed", 3, &"there is no room for it where it is to go: make some, or name another place; ".repeat(5));
    say("reprocess", "running", 84, "");
    (0..6).for_each(|_| say("forget", "waiting", 0, ""));
}

#[test]
#[ignore = "needs chromium"]
fn long_work_of_every_kind_can_be_read_on_every_width_in_both_themes() {
    let directory = tempfile::tempdir().unwrap();
    // It only looks: what waits goes on waiting.
    drop(Analytics::builder(directory.path().join("data")).build().unwrap());
    let server = running::Server::start(directory.path(), &["--data", "data", "--open"]);
    ask_for_much(&directory.path().join("data/analytics.db"));
    let mut browser = Chromium::start();
    for (theme, width) in [("light", 390), ("dark", 390), ("light", 1024), ("light", 1440), ("dark", 1440), ("dark", 2560)] {
        browser.theme(theme);
        browser.size(width, 900);
        browser.open(&format!("http://{}/analytics/settings", server.address));
        let what = format!("in {theme} on {width}");
        let row = |place: usize| format!("document.querySelectorAll('[data-panel=work] tbody tr')[{place}].innerText");
        let first = browser.text(&row(0));
        assert!(first.contains("Counting months anew") && first.contains("running, 42 %"), "{first} {what}");
        assert!(browser.text(&row(1)).contains("waiting"), "{what}");
        assert_eq!(browser.value("document.querySelectorAll('[data-panel=work] tbody tr').length"), json!(19), "{what}");
        // Every letter of what failed is there, in its panel, and none is cut off.
        let cut = "[...document.querySelectorAll('[data-panel=work] .wrapped')].filter((cell) => cell.scrollWidth > cell.clientWidth + 1 \
                   || cell.textContent && cell.getBoundingClientRect().right > cell.closest('.panel').getBoundingClientRect().right).length";
        assert_eq!(browser.value(cut), json!(0), "{what}");
        assert!(browser.text(&row(8)).contains(&"auth0|5f7c8ec7c33c6c004bbafe82".repeat(10)), "{} {what}", browser.text(&row(8)));
        let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.value(&format!("Math.max(0, {wide})")), json!(0), "{what}");
        let table =
            "(() => { const one = document.querySelector('[data-panel=work] .scroll'); return one.scrollWidth - one.clientWidth; })()";
        assert_eq!(browser.value(table), json!(0), "the table scrolls sideways {what}");
        assert_eq!(browser.value(SIDEWAYS), json!([]), "{what}");
        assert_eq!(browser.value(CONTRAST), json!([]), "{what}");
    }
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}
