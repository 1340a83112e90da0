//! What changes by itself, and what that leaves alone.

use serde_json::json;
use tower_analytics::Hit;

use crate::server::with;

#[test]
#[ignore = "needs chromium"]
fn a_refresh_keeps_the_place_and_one_that_fails_keeps_the_numbers() {
    let (mut server, mut browser) = with("/users?days=10");
    browser.size(1440, 500);
    browser.value("scrollTo(0, 300); document.querySelector('details.as-table').open = true; document.querySelector('.rows td a').focus()");
    let (top, focused) = (browser.value("scrollY"), browser.text("document.activeElement.textContent"));
    browser.value(
        "document.querySelector('main').firstElementChild.dataset.old = 'yes'; document.querySelector('[data-updated]').textContent = ''",
    );
    browser.key(".");
    browser.wait_for("document.querySelector('[data-updated]').textContent.includes(':')");
    assert_eq!(browser.value("document.querySelectorAll('[data-old]').length"), json!(0), "it was changed for what is new");
    assert_eq!(browser.value("scrollY"), top);
    assert_eq!(browser.text("document.activeElement.textContent"), focused);
    assert_eq!(browser.value("document.querySelector('details.as-table').open"), json!(true));
    server.stop();
    browser.key(".");
    browser.wait_for("document.querySelector('[data-updated]').textContent.startsWith('Not refreshed')");
    assert_eq!(browser.value("document.querySelectorAll('.rows tbody tr').length > 5"), json!(true));
}

#[test]
#[ignore = "needs chromium"]
fn the_live_page_says_when_the_connection_is_lost_and_back() {
    let (mut server, mut browser) = with("/live");
    let state = |says: &str| format!("document.querySelector('[data-live-state]').textContent.startsWith({})", json!(says));
    browser.wait_for(&state("connected"));
    let mut hit = Hit::new("GET", "/just-now");
    hit.set_user("zoe");
    server.analytics.record(&hit);
    server.analytics.flush().unwrap();
    browser.wait_for("document.querySelector('main').textContent.includes('/just-now')");
    server.stop();
    browser.wait_for(&state("connection lost"));
    server.serve();
    browser.wait_for(&state("connected again"));
}

#[test]
#[ignore = "needs chromium"]
fn the_overview_says_how_many_are_here_while_it_is_connected() {
    let (mut server, mut browser) = with("");
    browser.wait_for("/active now · .* hits\\/s/.test(document.querySelector('[data-now]').textContent)");
    assert_eq!(browser.value("document.querySelector('.strip .dot').classList.contains('on')"), json!(true));
    // Somebody comes while it is open.
    let active = "parseInt(document.querySelector('[data-now]').textContent)";
    let before = browser.value(active);
    let mut hit = Hit::new("GET", "/just-now");
    hit.set_user("zoe");
    server.analytics.record(&hit);
    server.analytics.flush().unwrap();
    browser.wait_for(&format!("{active} === {before} + 1"));
    server.stop();
    browser.wait_for("!document.querySelector('.strip .dot').classList.contains('on')");
    assert!(browser.text("document.querySelector('.strip').textContent").contains("connection lost"));
    server.serve();
    browser.wait_for("document.querySelector('.strip .dot').classList.contains('on')");
    assert!(!browser.text("document.querySelector('.strip').textContent").contains("connection lost"));
}

#[test]
#[ignore = "needs chromium"]
fn a_page_that_refreshes_itself_shows_what_is_new_and_says_if_it_cannot() {
    let (mut server, mut browser) = with("/users?days=10");
    browser.size(1440, 500);
    browser.value("scrollTo(0, 300)");
    let top = browser.value("scrollY");
    browser.value("(() => { const choice = document.querySelector('[data-refresh]'); choice.value = '10'; choice.dispatchEvent(new Event('change', {bubbles: true})); })()");
    let mut hit = Hit::new("GET", "/items");
    hit.set_user("just-come");
    server.analytics.record(&hit);
    server.analytics.flush().unwrap();
    browser.wait_for("document.querySelector('.rows').textContent.includes('just-come')");
    assert_eq!(browser.value("scrollY"), top);
    server.stop();
    browser.wait_for("document.querySelector('[data-updated].failed')?.textContent.startsWith('Not refreshed')");
    assert!(browser.text("document.querySelector('.rows').textContent").contains("just-come"), "the old numbers stay");
    server.serve();
    browser.wait_for("!document.querySelector('[data-updated].failed')");
    // It is kept over a reload.
    browser.leave(|browser| drop(browser.say("Page.reload", json!({}))));
    assert_eq!(browser.text("document.querySelector('[data-refresh]').value"), "10");
    assert_eq!(browser.value("scrollY >= 0"), json!(true));
}
