//! What a browser keeps: theme and layout.

use serde_json::json;

use crate::server::with;

#[test]
#[ignore = "needs chromium"]
fn themes_layouts_and_shortcuts_are_kept() {
    let (server, mut browser) = with("");
    browser.theme("light");
    browser.key("d");
    browser.wait_for("getComputedStyle(document.body).backgroundColor === 'rgb(15, 23, 42)'");
    let first = "document.querySelector('.grid > [data-panel]:not([hidden])').dataset.panel";
    assert_eq!(browser.text(first), "growth");
    browser.key("a");
    browser.click("[data-panel='growth'] [title='Move after']");
    assert_eq!(browser.text(first), "traffic");
    browser.click("[data-panel='traffic'] [title='Narrower']");
    browser.click("[data-panel='hours'] [title='Hide']");
    browser.open(&server.url("?days=10"));
    assert_eq!(browser.text(first), "traffic");
    assert_eq!(browser.text("document.querySelector('[data-panel=traffic]').dataset.w"), "4");
    assert_eq!(browser.value("document.querySelector('[data-panel=hours]').hidden"), json!(true));
    assert_eq!(browser.text("getComputedStyle(document.body).backgroundColor"), "rgb(15, 23, 42)");
    browser.key("a");
    browser.value("[...document.querySelectorAll('.put-away button')].at(-1).click()");
    browser.wait_for(&format!("document.readyState === 'complete' && {first} === 'growth'"));
    browser.key("?");
    browser.wait_for("document.querySelector('#keys').open");
    browser.key("Escape");
    browser.wait_for("!document.querySelector('#keys').open");
    browser.key("e");
    browser.wait_for("location.pathname.endsWith('/endpoints') && document.readyState === 'complete'");
    browser.click("th[data-by]");
    assert_eq!(browser.text("document.querySelector('th[data-by]').getAttribute('aria-sort')"), "ascending");
    browser.key("1");
    browser.wait_for("location.search === '?days=7'");
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}
