//! The exact values of charts: by mouse, keyboard and touch.

use crate::server::with;

#[test]
#[ignore = "needs chromium"]
fn values_are_shown_by_mouse_and_by_keyboard() {
    let (_server, mut browser) = with("?days=10");
    browser.point(".plotted", 0.99, 0.5);
    browser.wait_for(
        "document.querySelector('.values b')?.textContent === document.querySelector('.chart tbody tr:last-child th').textContent",
    );
    assert!(browser.text("document.querySelector('.values').textContent").contains("Active"));
    browser.value("document.querySelector('.plotted').focus()");
    browser.key("ArrowLeft");
    browser.wait_for(
        "document.querySelector('.values b')?.textContent === document.querySelector('.chart tbody tr:nth-last-child(2) th').textContent",
    );
    browser.key("Escape");
    browser.wait_for("!document.querySelector('.values')");
    browser.point(".heat .peak", 0.5, 0.5);
    browser.wait_for("/:00: \\d+ hits/.test(document.querySelector('.values')?.textContent)");
    // A line that is put away is in no value.
    browser.click(".key[data-series='0']");
    browser.wait_for("document.querySelector('.series[data-series=\"0\"]').classList.contains('off')");
    browser.point(".plotted", 0.5, 0.5);
    browser.wait_for("document.querySelector('.values i') && !document.querySelector('.values').textContent.startsWith('Active')");
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}

#[test]
#[ignore = "needs chromium"]
fn a_finger_shows_values_too() {
    let (_server, mut browser) = with("?days=10");
    browser.size(390, 844);
    browser.say("Emulation.setTouchEmulationEnabled", serde_json::json!({"enabled": true}));
    browser.touch(".plotted");
    browser.wait_for("/^\\w{3} \\d+ \\w{3} \\d{4}$/.test(document.querySelector('.chart .values b')?.textContent)");
    browser.touch(".heat .peak");
    browser.wait_for("/:00: \\d+ hits/.test(document.querySelector('.heated .values')?.textContent)");
    assert_eq!(browser.value("document.querySelectorAll('.values').length"), serde_json::json!(1));
    // A finger on anything else puts it away.
    browser.touch("h1");
    browser.wait_for("!document.querySelector('.values')");
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}
