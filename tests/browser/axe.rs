//! What axe-core finds.

use serde_json::json;

use crate::{
    chromium::Chromium,
    running,
    server::{PAGES, with},
};

fn axe() -> String {
    let file = std::env::var_os("AXE_CORE").expect("AXE_CORE is where axe.min.js of the npm package axe-core is");
    std::fs::read_to_string(file).unwrap()
}

/// What is wrong with the page, if it is serious.
fn faults(browser: &mut Chromium, axe: &str) -> serde_json::Value {
    browser.value(&format!("{axe}; 0"));
    browser.value(
                    "axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations
                        .filter((fault) => ['serious', 'critical'].includes(fault.impact))
                        .map((fault) => `${fault.id}: ${fault.help}: ${fault.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`))",
                )
}

#[test]
#[ignore = "needs chromium, and axe-core by AXE_CORE"]
fn axe_finds_no_serious_fault_on_any_page() {
    let axe = axe();
    let (server, mut browser) = with("");
    for theme in ["light", "dark"] {
        browser.theme(theme);
        for width in [390, 1440] {
            browser.size(width, 900);
            for page in PAGES {
                browser.open(&server.url(page));
                let found = faults(&mut browser, &axe);
                assert_eq!(found, json!([]), "{page} in {theme} on {width}");
            }
        }
    }
}

#[test]
#[ignore = "needs chromium, and axe-core by AXE_CORE"]
fn axe_finds_no_serious_fault_where_people_sign_in_and_out() {
    let (axe, directory) = (axe(), tempfile::tempdir().unwrap());
    let server = running::Server::start(directory.path(), &["--data", "data"]);
    let link = server.greeting.split_whitespace().find(|word| word.contains("/analytics/link/")).unwrap().to_owned();
    let url = |path: &str| format!("http://{}/analytics/{path}", server.address);
    let mut browser = Chromium::start();
    let look = |browser: &mut Chromium, address: &str, heading: &str| {
        for (theme, width) in [("light", 390), ("dark", 390), ("light", 1440), ("dark", 1440)] {
            browser.theme(theme);
            browser.size(width, 900);
            browser.open(address);
            let what = format!("{address} in {theme} on {width}");
            assert_eq!(browser.text("document.querySelector('h1').textContent"), heading, "{what}");
            assert_eq!(faults(browser, &axe), json!([]), "{what}");
            let over = browser.value("Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)");
            assert_eq!(over, json!(0), "{what}");
        }
    };
    look(&mut browser, &link, "Welcome");
    look(&mut browser, &url("login"), "Sign in");
    browser.open(&link);
    browser.fill(&[("username", "ada"), ("password", "correct horse"), ("again", "another horse")]);
    assert_eq!(faults(&mut browser, &axe), json!([]), "refused");
    browser.fill(&[("password", "correct horse"), ("again", "correct horse")]);
    look(&mut browser, &url("logout"), "Sign out");
    look(&mut browser, &url("live"), "Live");
    browser.open(&url("logout"));
    browser.go(".alone form button");
    look(&mut browser, &url("login"), "Sign in");
    look(&mut browser, &link, "This link is over");
}
