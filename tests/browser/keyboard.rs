//! Everything by keyboard: what can be used is reached, is seen to be reached, and every key of the list does what it says.

use std::collections::BTreeSet;

use serde_json::json;

use crate::server::{PAGES, with};

/// Numbers what can be used, and tells which of it should be reached; what is pushed is new each second.
const USABLE: &str = "(() => { const all = [...document.querySelectorAll('a[href], button, select, summary, input:not([type=hidden]), [tabindex=\"0\"]')];
    all.forEach((one, place) => { one.dataset.number = place; });
    return all.filter((one) => one.checkVisibility() && !one.closest('[data-live]') && !one.closest('dialog:not([open])') && !one.closest('details:not([open]) > :not(summary)'))
        .map((one) => Number(one.dataset.number)); })()";

/// Where the focus is, and what about it cannot be seen.
const FOCUSED: &str = "(() => { const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const inside = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    const fault = one === document.body || (ring && inside) ? '' : `${one.outerHTML.slice(0, 120)} ring ${ring}, inside ${inside}`;
    return [one === document.body ? -1 : Number(one.dataset.number ?? -2), fault]; })()";

#[test]
#[ignore = "needs chromium"]
fn all_that_can_be_used_is_reached_by_the_tab_key_and_seen_to_be() {
    let (server, mut browser) = with("");
    for width in [1440, 390] {
        browser.size(width, 900);
        for page in PAGES {
            browser.open(&server.url(page));
            let usable: BTreeSet<i64> = browser.value(USABLE).as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect();
            assert!(usable.len() > 5, "{page}");
            let mut reached = BTreeSet::new();
            for _ in 0..usable.len() * 2 {
                browser.key("Tab");
                let found = browser.value(FOCUSED);
                assert_eq!(found[1], json!(""), "{page} on {width}");
                if found[0] == json!(-1) || !reached.insert(found[0].as_i64().unwrap()) && found[0] != json!(-2) {
                    break;
                }
            }
            let missed: Vec<i64> = usable.difference(&reached).copied().collect();
            let what = browser
                .value(&format!("{missed:?}.map((at) => document.querySelector(`[data-number='${{at}}']`).outerHTML.slice(0, 120))"));
            assert_eq!(what, json!([]), "{page} on {width}");
        }
    }
}

#[test]
#[ignore = "needs chromium"]
fn every_key_of_the_list_does_what_it_says() {
    let (server, mut browser) = with("");
    browser.key("?");
    browser.wait_for("document.querySelector('#keys').open");
    let list = browser.value(
        "[...document.querySelectorAll('#keys dt')].map((term) => [[...term.querySelectorAll('kbd')].map((key) => key.textContent), term.nextElementSibling.textContent])",
    );
    browser.key("Escape");
    browser.wait_for("!document.querySelector('#keys').open");
    for entry in list.as_array().unwrap() {
        let (key, says) = (entry[0][0].as_str().unwrap(), entry[1].as_str().unwrap());
        match key {
            "1" => {
                for (key, range) in [("1", "?days=7"), ("2", "?days=30"), ("3", "?days=90"), ("4", "?range=all")] {
                    browser.open(&server.url("/users?days=10"));
                    browser.leave(|browser| browser.key(key));
                    assert_eq!(browser.text("location.search"), range);
                }
            }
            "." => {
                browser.value("document.querySelector('main').firstElementChild.dataset.old = 'yes'");
                browser.key(key);
                browser.wait_for("!document.querySelector('[data-old]')");
            }
            "a" => {
                browser.key(key);
                browser.wait_for("document.querySelector('[data-arrange]').getAttribute('aria-pressed') === 'true'");
                browser.key(key);
                browser.wait_for("document.querySelector('[data-arrange]').getAttribute('aria-pressed') === 'false'");
            }
            "d" => {
                let before = browser.text("getComputedStyle(document.body).backgroundColor");
                browser.key(key);
                assert_ne!(browser.text("getComputedStyle(document.body).backgroundColor"), before);
            }
            "←" => {
                browser.open(&server.url("?days=10"));
                browser.value("document.querySelector('.plotted').focus()");
                browser.key("ArrowRight");
                let first = browser.text("document.querySelector('.values b').textContent");
                browser.key("ArrowRight");
                assert_ne!(browser.text("document.querySelector('.values b').textContent"), first);
                browser.key("ArrowLeft");
                assert_eq!(browser.text("document.querySelector('.values b').textContent"), first);
                browser.value("document.querySelector('.heated').focus()");
                browser.key("ArrowRight");
                assert!(browser.text("document.querySelector('.values').textContent").starts_with("Monday 00:00"));
                browser.key("ArrowDown");
                assert!(browser.text("document.querySelector('.values').textContent").starts_with("Tuesday 00:00"));
            }
            "?" => assert_eq!(says, "This list"),
            _ => {
                browser.leave(|browser| browser.key(key));
                assert_eq!(browser.text("document.querySelector('.rail > ul > li:not(.menu-entry) > [aria-current]').textContent"), says);
            }
        }
    }
    assert!(list.as_array().unwrap().len() > 14, "{list}");
    // Whoever does not want single keys has none; the list is still there.
    browser.key("?");
    browser.press("[data-no-keys]");
    browser.key("Escape");
    let here = browser.text("location.href");
    browser.key("s");
    browser.key("?");
    browser.wait_for("document.querySelector('#keys').open");
    assert_eq!(browser.text("location.href"), here);
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}
