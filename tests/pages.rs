//! Every page over the router, of an empty store, one hit, odd names and much of everything: whole, harmless, and leading nowhere wrong.

use std::{collections::BTreeSet, time::Duration};

use axum::{Router, body::Body};
use http_body_util::BodyExt;
use hyper::{Request, StatusCode, header};
use tower::ServiceExt;
use tower_analytics::{Analytics, Clock, Hit, Role};

const PAGES: [&str; 18] = [
    "",
    "live",
    "sessions",
    "session?id=202601-1",
    "users",
    "user?id=ann",
    "power-users",
    "inactive-users",
    "retention",
    "lifecycle",
    "features",
    "endpoints",
    "endpoint?endpoint=GET%20/items",
    "platforms",
    "errors",
    "bots",
    "settings",
    "users?first_from=2026-01-01&first_to=2026-01-02",
];

/// What people are called, and what they try.
const ODD: [&str; 8] = [
    "<script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "مرحبا \u{202e}abc",
    "🦊👩‍👩‍👧",
    "a/b?c=d&e#f%2F",
    "javascript:alert(1)",
    "",
    "..",
];

struct Site {
    analytics: Analytics,
    clock: Clock,
    app: Router,
}

struct Page {
    status: StatusCode,
    headers: hyper::HeaderMap,
    text: String,
}

impl Site {
    fn new() -> Self {
        let (analytics, clock) = Analytics::testing();
        let app = Router::new().merge(analytics.dashboard(|_: &tower_analytics::Head<'_>| Some(Role::Mod))).layer(analytics.layer());
        Self { analytics, clock, app }
    }

    fn one_hit() -> Self {
        let site = Self::new();
        let mut hit = Hit::new("GET", "/items");
        hit.set_user("ann");
        site.analytics.record(&hit);
        site.analytics.flush().unwrap();
        site
    }

    fn odd_names() -> Self {
        let site = Self::new();
        let long = "x".repeat(300);
        for (number, name) in ODD.iter().chain([&long.as_str()]).enumerate() {
            let mut hit = Hit::new("GET", &format!("/{name}"));
            hit.set_user(if number == 0 { "ann" } else { name });
            hit.set_user_name(name);
            hit.set_client(name, name, name, "");
            hit.set_status([200, 404, 500][number % 3]);
            hit.set_error(name, name);
            site.analytics.record(&hit);
            site.clock.advance(Duration::from_secs(7));
        }
        site.analytics.flush().unwrap();
        site
    }

    /// Ten days of forty people, a visitor and a bot.
    fn much() -> Self {
        let site = Self::new();
        for hour in 0..240_u64 {
            for person in 0..40_u64 {
                if (person * 7 + hour) % 11 < 4 && hour / 24 >= person % 5 {
                    let mut hit = Hit::new("GET", ["/items", "/items/{id}", "/orders"][(person + hour) as usize % 3]);
                    hit.set_user(&if person == 0 { "ann".to_owned() } else { format!("u-{person}") });
                    hit.set_client(["Web", "iOS", "Android"][person as usize % 3], ["3.9", "3.10"][(hour / 120) as usize], "", "");
                    hit.set_times(Duration::from_millis(person * 3 + hour % 50), Duration::ZERO);
                    hit.set_status([200, 200, 200, 404, 500][(hour % 5) as usize]);
                    site.analytics.record(&hit);
                }
            }
            for agent in ["Mozilla/5.0 Firefox/140.0", "Googlebot/2.1"] {
                let mut hit = Hit::new("GET", "/items");
                hit.set_client("", "", "", agent);
                hit.set_address([10, 1, 2, hour as u8].into());
                site.analytics.record(&hit);
            }
            site.clock.advance(Duration::from_secs(3600));
        }
        site.analytics.flush().unwrap();
        site
    }

    async fn get(&self, uri: &str) -> Page {
        let response = self.app.clone().oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let is_stream = headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/event-stream");
        let body = if is_stream { Vec::new() } else { response.into_body().collect().await.unwrap().to_bytes().to_vec() };
        Page { status, headers, text: String::from_utf8(body).unwrap() }
    }
}

/// Every value of an attribute, as the browser reads it.
fn values<'a>(html: &'a str, attribute: &'a str) -> impl Iterator<Item = String> + 'a {
    let start = format!(" {attribute}=\"");
    html.match_indices(&start)
        .map(|(at, start)| &html[at + start.len()..])
        .map(|rest| plain(&rest[..rest.find('"').unwrap()]))
        .collect::<Vec<_>>()
        .into_iter()
}

fn plain(text: &str) -> String {
    ["&#60;", "&#62;", "&#34;", "&#39;", "&#38;"]
        .iter()
        .zip(["<", ">", "\"", "'", "&"])
        .fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

fn is_harmless(html: &str, page: &str) {
    for needle in ["<script>", "style=\"", "href=\"javascript:", " onmouseover=\"", "NaN", "<style"] {
        let found = html.find(needle).map(|at| &html[at.saturating_sub(80)..(at + 80).min(html.len())]);
        assert!(found.is_none(), "{page} has {needle}: {found:?}");
    }
    assert_eq!(html.matches("<script").count(), 2, "{page}: our own files alone");
    for tag in ["section", "table", "svg", "a", "tr", "li", "details", "bdi", "form"] {
        let opened = html.matches(&format!("<{tag} ")).count() + html.matches(&format!("<{tag}>")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{page}: <{tag}>");
    }
    let ids: Vec<String> = values(html, "id").collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{page} says an id twice: {ids:?}");
}

/// Follows every link once; pages and answers for programs both.
async fn leads_nowhere_wrong(site: &Site, most: usize) {
    let mut seen: BTreeSet<String> =
        PAGES.iter().map(|page| format!("/analytics{}{page}", if page.is_empty() { "" } else { "/" })).collect();
    let mut next: Vec<(String, String)> = seen.iter().map(|page| (page.clone(), "the list".to_owned())).collect();
    let mut followed = 0;
    while let Some((uri, from)) = next.pop() {
        let page = site.get(&uri).await;
        assert_eq!(page.status, StatusCode::OK, "{uri}, found on {from}: {}", page.text);
        followed += 1;
        if !page.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html") {
            continue;
        }
        is_harmless(&page.text, &uri);
        for href in values(&page.text, "href").chain(values(&page.text, "src")).filter(|href| !href.is_empty() && !href.starts_with('#')) {
            let href = match href.strip_prefix('/') {
                Some(_) => href,
                // What is pushed to everybody is relative.
                None => format!("/analytics/{href}"),
            };
            assert!(href.starts_with("/analytics"), "{uri} leads to {href}");
            assert!(href.parse::<hyper::Uri>().is_ok(), "{uri} has the broken link {href}");
            if followed + next.len() < most && seen.insert(href.clone()) {
                next.push((href, uri.clone()));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_an_empty_store_is_whole_and_says_what_to_do() {
    let site = Site::new();
    for page in PAGES.iter().filter(|page| !page.starts_with("session?") && !page.starts_with("user?")) {
        let answer = site.get(format!("/analytics/{page}").trim_end_matches('/')).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}");
        is_harmless(&answer.text, page);
    }
    assert!(site.get("/analytics").await.text.contains("Add the layer to your service"));
    // No page speaks of ranges and filters where there is nothing to be filtered.
    for page in PAGES.iter().filter(|page| !page.contains('?') && !["live", "settings"].contains(page)) {
        let text = site.get(format!("/analytics/{page}").trim_end_matches('/')).await.text;
        assert!(text.contains("Nothing here yet") && !text.contains("fewer filters"), "{page}");
    }
    for missing in ["session?id=202601-1", "session", "user?id=nobody", "user"] {
        let answer = site.get(&format!("/analytics/{missing}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{missing}");
        assert!(answer.text.contains("Not found"), "{missing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hit_is_enough_for_every_page() {
    leads_nowhere_wrong(&Site::one_hit(), 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_day_says_what_there_is_and_nothing_of_the_days_before() {
    let site = Site::one_hit();
    let lifecycle = site.get("/analytics/lifecycle").await.text;
    assert!(!lifecycle.contains("How often people come") && lifecycle.contains("Who comes, who goes"), "no whole day has been");
    let retention = site.get("/analytics/retention").await.text;
    assert_eq!(panel(&retention, "retention").matches("<th scope=\"row\">").count(), 1, "no cohort before the first user");
    let bots = site.get("/analytics/bots").await.text;
    assert_eq!(bots.matches("<section class=\"panel").count(), 1, "that there was no bot is said once");
    let inactive = site.get("/analytics/inactive-users").await.text;
    assert_eq!(inactive.matches("<section class=\"panel").count(), 1, "that nobody has stayed away is said once");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_signed_in_features_and_platforms_are_told_by_hits() {
    let site = Site::new();
    for route in ["/items", "/items", "/items", "/orders"] {
        let mut hit = Hit::new("GET", route);
        hit.set_client("", "", "", "Mozilla/5.0 Firefox/140.0");
        hit.set_address([10, 1, 2, 3].into());
        site.analytics.record(&hit);
    }
    site.analytics.flush().unwrap();
    let text = site.get("/analytics").await.text;
    let first = |id: &str| {
        let bars = panel(&text, id).split("<li>").nth(1).unwrap();
        [bars.contains("% of hits"), bars.contains("<rect width=\"100%\"")]
    };
    assert!(panel(&text, "features").contains("75.0 % of hits"), "{}", panel(&text, "features"));
    assert_eq!([first("features"), first("platforms")], [[true; 2]; 2], "{text}");
    // With somebody who is, it is people.
    let one = Site::one_hit().get("/analytics").await.text;
    assert!(!panel(&one, "features").contains("of hits"));
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_names_do_nothing_and_lead_where_they_should() {
    let site = Site::odd_names();
    leads_nowhere_wrong(&site, 900).await;
    let users = site.get("/analytics/users").await.text;
    assert!(users.contains("&#60;script&#62;alert(1)&#60;/script&#62;"), "{users}");
    for name in ODD.iter().skip(1).filter(|name| !name.is_empty()) {
        let found = values(&users, "href").find(|href| href.starts_with("/analytics/user?") && plain_id(href) == *name);
        let href = found.unwrap_or_else(|| panic!("no link to {name:?}"));
        assert!(site.get(&href).await.text.contains("About the user"), "{href}");
    }
}

fn plain_id(href: &str) -> String {
    let url = url::Url::parse(&format!("http://here{href}")).unwrap();
    url.query_pairs().find(|(name, _)| name == "id").map(|(_, id)| id.into_owned()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_of_a_full_dashboard_resolves() {
    leads_nowhere_wrong(&Site::much(), 700).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_is_explained() {
    let site = Site::new();
    for (query, says) in [
        ("days=0", "from 1 to 100000"),
        ("dayz=3", "there is no parameter"),
        ("tz=Mars", "there is no time zone"),
        ("range=all&days=7", "all time"),
    ] {
        let answer = site.get(&format!("/analytics/users?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.text.contains(says), "{query}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_fails_fails_its_panel_and_not_the_page() {
    let site = Site::one_hit();
    // Sessions that go on cannot be asked about by endpoint; everything else can.
    let page = site.get("/analytics/sessions?cursor=1_2_3&days=7").await;
    assert_eq!(page.status, StatusCode::OK);
    let wrong = site.get("/analytics/sessions?cursor=1").await;
    assert_eq!(wrong.status, StatusCode::OK);
    assert!(wrong.text.contains("This could not be answered.") && wrong.text.contains("cursor"), "{}", wrong.text);
}

/// The panel of this id.
fn panel<'a>(html: &'a str, id: &str) -> &'a str {
    let from = html.find(&format!("data-panel=\"{id}\"")).unwrap();
    &html[from..from + html[from..].find("</section>").unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_is_told_in_words_and_what_goes_on_comes_first() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::builder(directory.path()).build().unwrap();
    let app = Router::new().merge(analytics.dashboard(|_: &tower_analytics::Head<'_>| Some(Role::Mod)));
    let (_, clock) = Analytics::testing();
    let site = Site { analytics, clock, app };
    assert!(panel(&site.get("/analytics/settings").await.text, "work").contains("Nothing goes on."));
    let main = rusqlite::Connection::open(directory.path().join("analytics.db")).unwrap();
    let say = |kind: &str, state: &str, done: i64, message: &str| {
        let sql = "insert into jobs (kind, argument, state, done, total, message, changed) values (?, '', ?, ?, 200, ?, unixepoch())";
        main.execute(sql, rusqlite::params![kind, state, done, message]).unwrap();
    };
    // The oldest goes on while many have ended since.
    say("reprocess", "running", 84, "");
    let kinds = ["archive", "forget", "import", "merge", "reset", "restore", "retention", "vacuum"];
    kinds.iter().for_each(|kind| say(kind, "done", 200, ""));
    (0..60).for_each(|_| say("vacuum", "done", 200, ""));
    let message = format!("nobody is called \"<b>{}\": look at the list of users", "x".repeat(300));
    say("merge", "failed", 0, &message);
    say("a later version's", "failed", 0, "update the program");
    let text = site.get("/analytics/settings").await.text;
    is_harmless(&text, "settings");
    let work = panel(&text, "work");
    let rows: Vec<String> = work.split("<tr>").skip(2).map(plain).collect();
    assert_eq!(rows.len(), 13, "{work}");
    assert!(
        rows[0].contains("Counting months anew") && rows[0].contains("running, 42 %") && rows[0].contains("<rect width=\"42%\""),
        "{}",
        rows[0]
    );
    assert!(rows[1].contains("Something else") && rows[1].contains("a later version's"), "{}", rows[1]);
    assert!(rows[2].contains("Merging users") && rows[2].contains(&message), "{}", rows[2]);
    assert!(work.contains("and 58 more"), "{work}");
    let sorted = site.get("/analytics/settings?sort=work:State").await.text;
    let states = ["done", "failed", "failed", "running"].map(|state| panel(&sorted, "work").rfind(&format!(">{state}")).unwrap());
    assert!(states.is_sorted(), "{states:?}");
    main.execute("delete from jobs where kind = 'vacuum' or state = 'failed'", []).unwrap();
    assert!(!panel(&site.get("/analytics/settings").await.text, "work").contains("Something else"), "every kind has words");
}

/// What stands first in each row of a panel.
fn firsts(html: &str, id: &str) -> Vec<String> {
    let rows = panel(html, id).split("<tr").skip(2);
    rows.map(|row| row.split("<bdi>").nth(1).unwrap_or_default().split('<').next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_sorted_by_a_form_too() {
    let site = Site::much();
    let before = site.get("/analytics/endpoints?days=10").await.text;
    let by = async |sort: &str| firsts(&site.get(&format!("/analytics/endpoints?days=10&sort={sort}")).await.text, "all");
    let (hits, names) = (firsts(&before, "all"), by("all:Endpoint").await);
    let mut sorted = hits.clone();
    sorted.sort();
    assert_eq!((names.clone(), names.len()), (sorted.clone(), 3));
    sorted.reverse();
    assert_eq!(by("all:-Endpoint").await, sorted);
    // It says what it is, and how it came.
    let page = site.get("/analytics/endpoints?days=10&sort=all:-Endpoint").await.text;
    let table = panel(&page, "all");
    assert!(table.contains("aria-sort=\"descending\"") && table.contains("<option value=\"all:-Endpoint\" selected>"), "{table}");
    let places: Vec<usize> = values(table, "data-place").map(|place| place.parse().unwrap()).collect();
    let as_they_came: Vec<&String> = (0..3).map(|place| &sorted[places.iter().position(|at| *at == place).unwrap()]).collect();
    assert_eq!(as_they_came, hits.iter().collect::<Vec<_>>());
    // The form keeps the rest, and other pages do not take it along.
    assert!(table.contains("<input type=\"hidden\" name=\"days\" value=\"10\">"), "{table}");
    assert!(values(&page, "href").all(|href| !href.contains("sort=") || href.starts_with("/analytics/endpoints?")));
    // What is no column, or of another panel, changes nothing.
    for other in ["all:Nothing", "all:", "users:-Hits", "", "-", "all:--Hits"] {
        assert_eq!(by(other).await, hits, "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_of_the_triangle_leads_to_exactly_its_users() {
    let site = Site::much();
    let page = site.get("/analytics/retention?interval=day&days=11").await.text;
    let cells: Vec<&str> = page.split("<td title=\"").skip(1).collect();
    let mut followed = 0;
    for cell in cells.iter().filter(|cell| cell.contains("<a class=\"h")).step_by(5) {
        let users: u64 = cell.split(' ').next().unwrap().replace('\u{202f}', "").parse().unwrap();
        let href = values(cell, "href").next().unwrap();
        let list = site.get(&href.replacen("/analytics/users", "/analytics/api/users", 1)).await;
        let answer: serde_json::Value = serde_json::from_str(&list.text).unwrap();
        assert_eq!(answer["total"], users, "{href}");
        assert!(site.get(&href).await.text.contains(&format!(">{users} users</h2>")), "{href}");
        followed += 1;
    }
    assert!(followed >= 3, "{followed}");
}
