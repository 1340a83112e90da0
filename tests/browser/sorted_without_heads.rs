//! Where a table has no heads to click on: narrow screens, and no JavaScript.

use serde_json::json;

use crate::{chromium::Chromium, server::with};

const FIRSTS: &str = "JSON.stringify([...document.querySelectorAll('[data-panel=all] tbody tr')].map((row) => row.cells[0].textContent))";
const SELECT: &str = "document.querySelector('[data-panel=all] .sort select')";

fn names(browser: &mut Chromium) -> Vec<String> {
    serde_json::from_str(&browser.text(FIRSTS)).unwrap()
}

/// As somebody does who uses the list of choices.
fn choose(browser: &mut Chromium, value: &str) {
    let what = format!(
        "(() => {{ const one = {SELECT}; one.value = '{value}'; one.dispatchEvent(new Event('change', {{bubbles: true}})); return one.value; }})()"
    );
    assert_eq!(browser.text(&what), value);
}

#[test]
#[ignore = "needs chromium"]
fn a_narrow_table_is_sorted_by_a_choice_and_the_address_holds_it() {
    let (server, mut browser) = with("/endpoints?days=10");
    assert_eq!(browser.value(&format!("{SELECT}.checkVisibility()")), json!(false), "there are heads");
    browser.size(390, 844);
    browser.open(&server.url("/endpoints?days=10"));
    let box_of =
        format!("(() => {{ const box = {SELECT}.getBoundingClientRect(); return box.height >= 28 && box.right <= innerWidth; }})()");
    assert_eq!(browser.value(&box_of), json!(true), "a finger finds it");
    assert_eq!(browser.value("document.querySelector('.sort button').checkVisibility()"), json!(false));
    let as_listed = names(&mut browser);
    let mut sorted = as_listed.clone();
    sorted.sort();
    choose(&mut browser, "all:Endpoint");
    assert_eq!(names(&mut browser), sorted);
    assert_eq!(browser.text("location.hash"), "#all=Endpoint");
    // Whoever is sent the address, or refreshes, sees the same, and what it is.
    browser.leave(|browser| drop(browser.say("Page.reload", json!({}))));
    assert_eq!((names(&mut browser), browser.text(&format!("{SELECT}.value"))), (sorted.clone(), "all:Endpoint".to_owned()));
    choose(&mut browser, "all:-Endpoint");
    sorted.reverse();
    assert_eq!(names(&mut browser), sorted);
    choose(&mut browser, "");
    assert_eq!(names(&mut browser), as_listed);
    browser.back();
    browser.wait_for(&format!("{SELECT}.value === 'all:-Endpoint'"));
    assert_eq!(names(&mut browser), sorted);
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}

#[test]
#[ignore = "needs chromium"]
fn without_javascript_a_form_sorts_on_every_width() {
    let (server, mut browser) = with("/endpoints?days=10");
    let as_listed = names(&mut browser);
    let mut sorted = as_listed.clone();
    sorted.sort();
    browser.without_script(true);
    for width in [390, 1440] {
        browser.size(width, 900);
        browser.open(&server.url("/endpoints?days=10"));
        browser.value(&format!("{SELECT}.value = 'all:Endpoint'"));
        browser.go("[data-panel=all] .sort button");
        assert_eq!(names(&mut browser), sorted, "on {width}");
        assert_eq!(browser.text("location.search"), "?days=10&sort=all%3AEndpoint");
        assert_eq!(browser.text("document.querySelector('[data-panel=all] [aria-sort]').textContent"), "Endpoint");
    }
    // Somebody with JavaScript who is sent that address has the way back.
    browser.without_script(false);
    browser.size(390, 844);
    browser.open(&server.url("/endpoints?days=10&sort=all%3AEndpoint"));
    assert_eq!((names(&mut browser), browser.text(&format!("{SELECT}.value"))), (sorted, "all:Endpoint".to_owned()));
    choose(&mut browser, "");
    assert_eq!(names(&mut browser), as_listed);
}
