//! The first moments of a page, and a page without JavaScript.

use serde_json::json;

use crate::server::with;

#[test]
#[ignore = "needs chromium"]
fn everything_can_be_read_without_javascript_and_nothing_moves_with_it() {
    let (server, mut browser) = with("");
    let shift = "new Promise((done) => { let sum = 0; new PerformanceObserver((list) => list.getEntries().forEach((one) => sum += one.value)) \
                 .observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 500); })";
    browser.open(&server.url("?days=10"));
    assert!(browser.value(shift).as_f64().unwrap() < 0.01, "the layout shifts");
    assert!(browser.received > 0.0 && browser.received < 60_000.0, "{} bytes", browser.received);
    browser.without_script(true);
    browser.open(&server.url("?days=10"));
    let read = "[...document.querySelectorAll('.card, svg.lines, .bars li, .heat rect, .rows td')].length > 50";
    assert_eq!(browser.value(read), json!(true));
    assert_eq!(browser.value("[...document.querySelectorAll('.js')].some((one) => one.checkVisibility())"), json!(false));
}
