//! Tables and filters: what a click does is in the address, and goes away with the back button.

use serde_json::json;

use crate::{chromium::Chromium, server::with};

/// What stands in a column of the first table, as far as it is sorted by.
fn column(browser: &mut Chromium, place: u64) -> String {
    browser.text(&format!(
        "JSON.stringify([...document.querySelector('.rows').tBodies[0].rows].map((row) => row.cells[{place}].dataset.sort ?? row.cells[{place}].textContent))"
    ))
}

/// Whether a column is in order; what there is none of is last.
fn is_sorted(browser: &mut Chromium, place: u64, descending: bool) -> bool {
    let order = format!(
        "(() => {{ const cells = [...document.querySelector('.rows').tBodies[0].rows].map((row) => row.cells[{place}]);
        const values = cells.some((cell) => cell.dataset.sort)
            ? cells.filter((cell) => cell.dataset.sort).map((cell) => Number(cell.dataset.sort)) : cells.map((cell) => cell.textContent);
        const order = (a, b) => typeof a === 'number' ? a - b : a.localeCompare(b, undefined, {{numeric: true}});
        return values.every((value, at) => at === 0 || order(values[at - 1], value) * ({descending} ? -1 : 1) <= 0); }})()"
    );
    browser.value(&order) == json!(true)
}

#[test]
#[ignore = "needs chromium"]
fn every_table_is_sorted_by_a_click_and_the_address_holds_it() {
    let (server, mut browser) = with("");
    for page in [
        "/sessions",
        "/session?id=202601-1",
        "/users",
        "/user?id=ann",
        "/power-users",
        "/lifecycle",
        "/features",
        "/endpoints",
        "/endpoint?endpoint=GET%20/items",
        "/platforms",
        "/errors",
        "/settings",
    ] {
        browser.open(&server.url(page));
        let heads = browser.value("document.querySelectorAll('.rows')[0].tHead.rows[0].cells.length").as_u64().unwrap();
        let names = browser.value("new Set([...document.querySelector('.rows').tHead.rows[0].cells].map((head) => head.textContent)).size");
        assert_eq!(names, json!(heads), "two columns of {page} have one name");
        for place in 0..heads {
            let head = format!(".rows th:nth-child({})", place + 1);
            let text = browser.text(&format!("document.querySelector('{head}').textContent"));
            if text.is_empty() {
                continue;
            }
            let sorting = format!("document.querySelector('{head}').getAttribute('aria-sort')");
            let (as_it_came, address) = (column(&mut browser, place), browser.text("location.href"));
            assert_eq!(browser.value(&sorting), json!(null), "{page}, {text}");
            browser.press(&head);
            let first = browser.text(&sorting);
            assert!(is_sorted(&mut browser, place, first == "descending"), "{page}, {text}: {}", column(&mut browser, place));
            browser.press(&head);
            let second = browser.text(&sorting);
            assert_ne!(first, second, "{page}, {text}");
            assert!(is_sorted(&mut browser, place, second == "descending"), "{page}, {text}: {}", column(&mut browser, place));
            // Whoever is sent the address sees the same.
            let (sorted, held) = (column(&mut browser, place), browser.text("location.href"));
            assert_ne!(held, address, "{page}, {text}");
            browser.leave(|browser| drop(browser.say("Page.reload", json!({}))));
            assert_eq!((column(&mut browser, place), browser.text(&sorting)), (sorted, second), "{page}, {text}");
            for _ in 0..2 {
                browser.back();
            }
            browser.wait_for(&format!("location.href === {} && !document.querySelector('[aria-sort]')", json!(address)));
            assert_eq!(column(&mut browser, place), as_it_came, "{page}, {text}");
        }
    }
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}

#[test]
#[ignore = "needs chromium"]
fn a_sorted_table_stays_so_when_it_is_refreshed_filtered_or_of_another_range() {
    let (_server, mut browser) = with("/endpoints?days=10");
    browser.value("document.querySelector('th[data-by]').focus()");
    browser.key(" ");
    let sorted = |browser: &mut Chromium, what: &str| {
        assert_eq!(browser.text("document.querySelector('.rows th').getAttribute('aria-sort')"), "ascending", "{what}");
        assert!(is_sorted(browser, 0, false), "{what}");
    };
    sorted(&mut browser, "by a key");
    browser.value("document.querySelector('tbody tr').dataset.old = 'yes'");
    browser.key(".");
    browser.wait_for("!document.querySelector('[data-old]')");
    sorted(&mut browser, "refreshed");
    browser.go("[data-range='2']");
    assert_eq!(browser.text("location.search"), "?days=30");
    sorted(&mut browser, "of another range");
    // A form says what it was sent with.
    browser.press(".asked .menu:last-of-type > summary");
    browser.leave(|browser| drop(browser.value("document.querySelector('.asked .menu:last-of-type form').requestSubmit()")));
    assert!(browser.text("location.search").contains("tz=UTC"));
    sorted(&mut browser, "of another zone");
    // By the skip link nothing changes.
    browser.value("document.querySelector('.skip').click()");
    sorted(&mut browser, "skipped to");
}

/// What the page says in numbers.
const NUMBERS: &str = "document.querySelector('main').innerText.replace(/[0-9.]+ .?s from .*/g, '')";

#[test]
#[ignore = "needs chromium"]
fn a_click_on_a_name_filters_and_the_cross_takes_it_back() {
    let (server, mut browser) = with("");
    for (page, link, chip) in [
        ("?days=10", "[data-panel=platforms] .bars a.name", "platform"),
        ("?days=10", "[data-panel=endpoints] .bars a.name", "endpoint"),
        ("?days=10", "[data-panel=features] .bars a.name", "feature"),
        ("/platforms?days=10", "[data-panel=all-versions] tbody td:first-child a", "version"),
        ("/platforms?days=10", "[data-panel=all-versions] tbody td:nth-child(2) a", "platform"),
        ("/errors?days=10", "[data-panel=failures] tbody td:nth-child(2) a", "status"),
        ("/features?days=10", "[data-panel=features] tbody td:first-child a, .rows td:first-child a", "feature"),
        ("/user?id=ann&days=10", ".panel .button", "user"),
    ] {
        browser.open(&server.url(page));
        let (address, before) = (browser.text("location.href"), browser.text(NUMBERS));
        browser.go(link);
        assert_eq!(browser.text("document.querySelector('.chip span').textContent"), chip, "{page} {link}");
        assert!(browser.text("location.search").contains(&format!("{chip}=")), "{page} {link}");
        let filtered = browser.text(NUMBERS);
        assert_ne!(filtered, before, "{page} {link}");
        assert!(!filtered.contains("could not be answered"), "{filtered}");
        let there = browser.text("location.pathname");
        browser.go(".chip");
        assert_eq!(browser.value("document.querySelectorAll('.chip').length"), json!(0), "{page} {link}");
        assert_eq!(browser.text("location.pathname"), there);
        assert!(!browser.text("location.search").contains(chip), "{page} {link}");
        browser.back();
        assert_eq!(browser.text("document.querySelector('.chip span').textContent"), chip, "{page} {link}");
        browser.back();
        assert_eq!((browser.text("location.href"), browser.text(NUMBERS)), (address, before), "{page} {link}");
    }
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}
