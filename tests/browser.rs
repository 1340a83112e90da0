//! The dashboard in a real browser: `cargo test --test browser -- --ignored`, with Debian's `chromium` installed.

#[path = "browser/chromium.rs"]
mod chromium;

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use chromium::Chromium;
use serde_json::json;
use tower_analytics::{Analytics, Clock, Hit, OpenToEveryone};

const PAGES: [&str; 16] = [
    "",
    "/live",
    "/sessions",
    "/session?id=202601-1",
    "/users",
    "/user?id=ann",
    "/power-users",
    "/inactive-users",
    "/retention?interval=day",
    "/lifecycle",
    "/features",
    "/endpoints",
    "/endpoint?endpoint=GET%20/items",
    "/platforms",
    "/errors",
    "/settings",
];

struct Server {
    analytics: Analytics,
    _clock: Clock,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    /// Ten days of some people, with names of every kind.
    fn start() -> Self {
        let (analytics, clock) = Analytics::testing();
        let long = "a name of three hundred characters ".repeat(9);
        let names = ["Ann", "<script>alert(1)</script>", "مرحبا", "🦊", &long, ""];
        for hour in 0..240_usize {
            for person in (0..18_usize).filter(|person| (person * 7 + hour) % 11 < 3) {
                let mut hit = Hit::new("GET", ["/items", "/items/{id}", "/orders"][(person + hour) % 3]);
                hit.set_user(&if person == 0 { "ann".to_owned() } else { format!("u-{person}") });
                hit.set_user_name(names[person % names.len()]);
                hit.set_client(["Web", "iOS"][person % 2], ["3.9", "3.10"][hour / 120], "", "");
                hit.set_times(Duration::from_millis((person * 3 + hour % 50) as u64), Duration::ZERO);
                hit.set_status([200, 200, 200, 404, 500][hour % 5]);
                analytics.record(&hit);
            }
            clock.advance(Duration::from_secs(3600));
        }
        analytics.flush().unwrap();
        let mut server = Self { analytics, _clock: clock, address: ([127, 0, 0, 1], 0).into(), runtime: None };
        server.serve();
        server
    }

    fn serve(&mut self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let app: Router = Router::new().merge(self.analytics.dashboard(OpenToEveryone));
        let listener = runtime.block_on(tokio::net::TcpListener::bind(self.address)).unwrap();
        self.address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, app).await });
        self.runtime = Some(runtime);
    }

    fn stop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    fn url(&self, page: &str) -> String {
        format!("http://{}/analytics{page}", self.address)
    }
}

fn with(page: &str) -> (Server, Chromium) {
    let (server, mut browser) = (Server::start(), Chromium::start());
    browser.size(1440, 1000);
    browser.open(&server.url(page));
    (server, browser)
}

#[test]
#[ignore = "needs chromium"]
fn pages_fit_every_width_in_both_themes_and_complain_of_nothing() {
    let (server, mut browser) = with("");
    for theme in ["light", "dark"] {
        browser.theme(theme);
        for width in [390, 1024, 1440, 2560] {
            browser.size(width, 900);
            for page in PAGES {
                browser.open(&server.url(page));
                let over = browser.value("Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)");
                assert_eq!(over, json!(0), "{page} scrolls sideways on {width}");
                let main = browser.value("document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth");
                assert_eq!(main, json!(0), "{page} is wider than its room on {width}");
                assert_eq!(browser.value(NAMELESS), json!([]), "{page} on {width}");
                assert_eq!(browser.value(CONTRAST), json!([]), "{page} in {theme} on {width}");
            }
        }
    }
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}

/// What can be used and has no name that is read out.
const NAMELESS: &str = "[...document.querySelectorAll('a, button, summary, select, input:not([type=hidden]), [tabindex=\"0\"]')] \
     .filter((one) => one.checkVisibility() && !one.innerText?.trim() && !one.ariaLabel && !one.labels?.length && !one.querySelector('[aria-label]')) \
     .map((one) => one.outerHTML.slice(0, 100))";

/// Text that stands out too little from what is behind it (WCAG 2.2, 1.4.3).
const CONTRAST: &str = r"(() => {
    const context = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
    const over = (below, color) => {
        context.fillStyle = `rgb(${below})`; context.fillRect(0, 0, 1, 1);
        context.fillStyle = color; context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const behind = (element) => {
        if (!element) return [255, 255, 255];
        return over(behind(element.parentElement), getComputedStyle(element).backgroundColor);
    };
    const light = (color) => color.map((part) => part / 255).map((part) => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [.2126, .7152, .0722][place], 0);
    const weak = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!own || !element.checkVisibility({checkOpacity: true}) || element.closest('.skip, .hidden, svg, option, datalist')) continue;
        const style = getComputedStyle(element), below = behind(element), color = over(below, style.color);
        const [high, low] = [light(color), light(below)].sort((a, b) => b - a), ratio = (high + .05) / (low + .05);
        if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) weak.push(`${element.className} ${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return [...new Set(weak)].slice(0, 8);
})()";

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
    server.stop();
    browser.wait_for("!document.querySelector('.strip .dot').classList.contains('on')");
}

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
