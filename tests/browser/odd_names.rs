//! Names of every kind, on every page: nothing is executed, nothing breaks out, and what has no name is said to have none.

use std::time::Duration;

use serde_json::json;
use tower_analytics::{Analytics, Clock, Hit};

use crate::{chromium::Chromium, server::Server};

/// What people are called, and what they try.
const ODD: [&str; 7] = [
    "<script>window.hacked = 1</script>",
    "\"><img src=x onerror=\"window.hacked = 1\">",
    "{{ 7 * 7 }}</textarea></style></title><svg onload=\"window.hacked = 1\">",
    "مرحبا بالعالم \u{202e}abc",
    "🦊👩‍👩‍👧🏳️‍🌈",
    "",
    "   ",
];

fn record(analytics: &Analytics, clock: &Clock, number: usize, name: &str) {
    for status in [200, 404, 500] {
        let mut hit = Hit::new(name, &format!("/{name}"));
        hit.set_user(if name.trim().is_empty() { ["u-1", "u-2"][number % 2] } else { name });
        hit.set_user_name(name);
        hit.set_client(name, name, name, "");
        hit.set_status(status);
        hit.set_error(name, name);
        hit.set_times(Duration::from_millis(3), Duration::ZERO);
        analytics.record(&hit);
        clock.advance(Duration::from_secs(11));
    }
}

/// With addresses of the pages that are about each of them.
fn server() -> (Server, Vec<String>) {
    let (analytics, clock) = Analytics::testing();
    let [wide, narrow] = ["w".repeat(300), "many words ".repeat(27)];
    let names: Vec<&str> = ODD.iter().copied().chain([&*wide, &*narrow]).collect();
    for (number, name) in names.iter().enumerate() {
        record(&analytics, &clock, number, name);
    }
    analytics.flush().unwrap();
    let mut pages: Vec<String> = crate::server::PAGES.iter().map(|page| (*page).to_owned()).filter(|page| !page.contains("ann")).collect();
    pages.extend((1..=names.len()).map(|session| format!("/session?id=202601-{session}")));
    for name in names {
        let coded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        for filter in ["platform", "version", "user", "endpoint"] {
            pages.push(format!("?{filter}={coded}"));
        }
    }
    (Server::of(analytics, clock), pages)
}

/// What makes the page or its main part scroll sideways.
const WIDE: &str = "[document.documentElement, document.querySelector('main')].filter((part) => part.scrollWidth > part.clientWidth)
    .flatMap((part) => [part.tagName, ...[...part.querySelectorAll('*')].filter((one) => !one.closest('.scroll, svg')
        && one.getBoundingClientRect().right > part.getBoundingClientRect().right + 1).slice(0, 8).map((one) => one.outerHTML.slice(0, 80))])";

/// What names something and shows nothing.
const SILENT: &str = "[...document.querySelectorAll('h1, .name, .rows td:first-child, .facts dd, .key, .chip bdi, main a')]
    .filter((one) => one.checkVisibility() && !one.innerText.trim()).map((one) => one.outerHTML.slice(0, 200))";

fn look(browser: &mut Chromium, page: &str) {
    assert_eq!(browser.value(WIDE), json!([]), "{page} is wider than its room");
    assert_eq!(browser.value(SILENT), json!([]), "{page}");
    assert_eq!(browser.value("[window.hacked ?? 0, document.images.length]"), json!([0, 0]), "{page}");
}

#[test]
#[ignore = "needs chromium"]
fn names_of_every_kind_are_shown_and_do_nothing() {
    let (server, mut pages) = server();
    let mut browser = Chromium::start();
    // Ids are cut to what is kept of them: the pages about people are where the list leads.
    browser.open(&server.url("/users"));
    let people = browser.value(
        "[...document.querySelectorAll('.rows td:first-child a')].map((link) => link.getAttribute('href').replace('/analytics', ''))",
    );
    assert!(people.as_array().unwrap().len() > 5, "{people}");
    pages.extend(people.as_array().unwrap().iter().map(|page| page.as_str().unwrap().to_owned()));
    for width in [1440, 390] {
        browser.size(width, 900);
        for page in &pages {
            browser.open(&server.url(page));
            look(&mut browser, page);
        }
    }
    // Nor in the boxes with values, nor in what is drawn again.
    browser.open(&server.url("/platforms"));
    browser.value("document.querySelector('.plotted').focus()");
    browser.key("ArrowRight");
    browser.wait_for("document.querySelector('.values i') !== null");
    browser.key("a");
    browser.key(".");
    look(&mut browser, "/platforms, arranged");
    let origin = server.url("");
    let strange: Vec<_> = browser.asked.iter().filter(|url| !url.starts_with(&origin) && !url.starts_with("data:")).collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}
