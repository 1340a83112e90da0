//! Every page by its links, as somebody who signs in does it: an administrator, and a moderator.

use std::time::SystemTime;

use serde_json::json;
use tower_analytics::{Analytics, Hit};

use crate::{
    chromium::Chromium,
    running::{self, run_with},
};

const PASSWORD: &str = "correct horse battery";

/// A directory with two users, an error and a bot in it.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::builder(directory.path().join("data")).build().unwrap();
    for (user, route, status, agent) in
        [("ann", "/items", 200, ""), ("zoe", "/orders", 200, ""), ("ann", "/orders", 500, ""), ("", "/items", 200, "Googlebot/2.1")]
    {
        let mut hit = Hit::new("GET", route);
        hit.set_at(SystemTime::now());
        hit.set_status(status);
        hit.set_client(if agent.is_empty() { "Web" } else { "" }, "3.9", "", agent);
        hit.set_address([10, 1, 2, 3].into());
        if !user.is_empty() {
            hit.set_user(user);
        }
        analytics.record(&hit);
    }
    analytics.shutdown(std::time::Duration::from_secs(30)).unwrap();
    directory
}

/// A page like the others: with its frame, a heading, and panels none of which failed.
fn look(browser: &mut Chromium, seen: &mut Vec<String>) {
    let page = browser.text("location.pathname + location.search");
    assert_eq!(browser.value("document.querySelectorAll('.app h1').length"), json!(1), "{page}");
    assert_eq!(browser.value("document.querySelectorAll('main .failed, main [role=alert]').length"), json!(0), "{page}");
    assert_eq!(browser.value("[...document.querySelectorAll('.panel, .card')].length > 0"), json!(true), "{page}");
    seen.push(browser.text("location.pathname.split('/').at(-1)"));
}

/// All of them, by the rail, the bottom bar, and what leads to the rest.
fn click_through(browser: &mut Chromium) {
    let (mut seen, entries) = (Vec::new(), ".rail > ul > li:not(.menu-entry) > a");
    browser.size(1440, 900);
    let count = browser.value(&format!("document.querySelectorAll('{entries}').length")).as_u64().unwrap();
    assert_eq!(count, 10);
    for place in 1..=count {
        browser.go(&format!(".rail > ul > li:nth-child({place}) > a"));
        look(browser, &mut seen);
    }
    for way in [
        &["[data-key=u]", ".tabs a:nth-child(2)", ".tabs a:nth-child(3)", ".tabs a:nth-child(4)", ".tabs a:nth-child(5)"][..],
        &["[data-key=u]", "[data-panel=users] tbody tr:first-child td:first-child a", "[data-panel=sessions] tbody a"],
        &["[data-key=e]", "[data-panel=all-endpoints] tbody a, .rows tbody a"],
        &["[data-key=o]", "[data-panel=growth] .more", "[data-key=o]", "[data-panel=active] tbody a", ".facts.across a"],
        &["[data-key=o]", ".card", ".brand"],
    ] {
        for link in way {
            browser.go(link);
            look(browser, &mut seen);
        }
    }
    browser.size(390, 844);
    for place in ["1", "2", "4", "5"] {
        browser.go(&format!(".rail > ul > li:nth-child({place}) > a"));
        look(browser, &mut seen);
    }
    let more = browser.value("document.querySelectorAll('.menu.up li > a').length").as_u64().unwrap();
    for place in 1..=more {
        browser.press(".menu.up > summary");
        browser.go(&format!(".menu.up li:nth-child({place}) > a"));
        look(browser, &mut seen);
    }
    seen.sort();
    seen.dedup();
    let all = [
        "analytics",
        "bots",
        "endpoint",
        "endpoints",
        "errors",
        "features",
        "inactive-users",
        "lifecycle",
        "live",
        "platforms",
        "power-users",
        "retention",
        "session",
        "sessions",
        "settings",
        "user",
        "users",
    ];
    assert_eq!(seen, all);
}

fn status(browser: &mut Chromium, path: &str) -> u64 {
    browser.value(&format!("fetch('/analytics/{path}').then((answer) => answer.status)")).as_u64().unwrap()
}

#[test]
#[ignore = "needs chromium"]
fn an_admin_and_a_mod_sign_in_and_click_their_way_to_every_page() {
    let directory = directory();
    let server = running::Server::start(directory.path(), &["--data", "data"]);
    let link = server.greeting.split_whitespace().find(|word| word.contains("/analytics/link/")).unwrap().to_owned();
    let origin = format!("http://{}", server.address);
    let mut browser = Chromium::start();
    browser.size(1440, 900);
    browser.open(&link);
    browser.fill(&[("username", "ada"), ("password", PASSWORD), ("again", PASSWORD)]);
    assert_eq!(signed_in(&mut browser), "ada");
    click_through(&mut browser);
    assert_eq!(status(&mut browser, "api/auth/revocations"), 200);
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);

    for (name, role) in [("mo", "mod"), ("reader", "reader")] {
        let added = ["user", "add", name, "--role", role, "--password-stdin", "--data", "data"];
        run_with(directory.path(), &added, format!("{PASSWORD}\n")).good();
    }
    // On a narrow screen the way out is in the menu.
    browser.press(".menu.up > summary");
    browser.go(".menu.up form button");
    assert_eq!(browser.text("location.pathname"), "/analytics/login");
    browser.fill(&[("username", "mo"), ("password", PASSWORD)]);
    browser.size(1440, 900);
    assert_eq!(signed_in(&mut browser), "mo");
    click_through(&mut browser);
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
    let strange: Vec<_> = browser.asked.iter().filter(|url| !url.starts_with(&origin) && !url.starts_with("data:")).collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert_eq!(status(&mut browser, "api/auth/revocations"), 403);

    // Whoever may see nothing is told so, and can leave.
    browser.size(1440, 900);
    browser.go(".rail-foot form button");
    browser.fill(&[("username", "reader"), ("password", PASSWORD)]);
    assert_eq!(browser.value("document.querySelectorAll('.app, .panel').length"), json!(0));
    assert!(!browser.text("document.querySelector('.alone h1').textContent").is_empty());
    browser.go(".alone form button");
    assert_eq!(browser.text("location.pathname"), "/analytics/login");
}

fn signed_in(browser: &mut Chromium) -> String {
    browser.text("document.querySelector('.who bdi')?.textContent ?? document.body.innerText")
}
