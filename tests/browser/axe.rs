//! What axe-core finds.

use serde_json::json;

use crate::server::{PAGES, with};

#[test]
#[ignore = "needs chromium, and axe-core by AXE_CORE"]
fn axe_finds_no_serious_fault_on_any_page() {
    let file = std::env::var_os("AXE_CORE").expect("AXE_CORE is where axe.min.js of the npm package axe-core is");
    let axe = std::fs::read_to_string(file).unwrap();
    let (server, mut browser) = with("");
    for theme in ["light", "dark"] {
        browser.theme(theme);
        for width in [390, 1440] {
            browser.size(width, 900);
            for page in PAGES {
                browser.open(&server.url(page));
                browser.value(&format!("{axe}; 0"));
                let found = browser.value(
                    "axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations
                        .filter((fault) => ['serious', 'critical'].includes(fault.impact))
                        .map((fault) => `${fault.id}: ${fault.help}: ${fault.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`))",
                );
                assert_eq!(found, json!([]), "{page} in {theme} on {width}");
            }
        }
    }
}
