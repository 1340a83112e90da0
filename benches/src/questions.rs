//! Every question, as it is measured: of roll-ups, and where that is plain, of raw rows in SQL.

use std::{
    hint::black_box,
    ops::Range,
    time::{Duration, Instant, SystemTime},
};

use axum::{Router, body::Body};
use http::{Request, StatusCode};
use rusqlite::Connection;
use tower::ServiceExt;
use tower_analytics::{
    Analytics, Ask, Interval, OpenToEveryone, Page, Reports,
    report::{Back, Cohorts, Power, UserOrder},
};

use crate::{raw_sql, year};

/// One year of hits, open.
pub struct Year {
    pub name: &'static str,
    analytics: Analytics,
    raw: Connection,
    /// A session of some ten hits of a sealed month.
    session: String,
    dashboard: Router,
    runtime: tokio::runtime::Runtime,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Days30,
    AllTime,
}

/// One question, or a page with all of its questions.
pub struct Question {
    pub name: &'static str,
    ask: fn(&Reports, &Ask, &Year),
    sql: Option<&'static str>,
}

impl Question {
    /// Whether somebody wrote it down in SQL.
    pub fn is_plain(&self) -> bool {
        self.sql.is_some()
    }
}

const PEOPLE: &str = "from hits where bot = 0 and at >= ?1 and at < ?2";

macro_rules! question {
    ($name:literal, $ask:expr) => {
        Question { name: $name, ask: $ask, sql: None }
    };
    ($name:literal, $ask:expr, $sql:literal) => {
        Question { name: $name, ask: $ask, sql: Some($sql) }
    };
}

/// `hits` stands for the rows of people in the range.
pub const QUESTIONS: &[Question] = &[
    question!("stats", |r, a, _| keep(r.stats(a)), "select count(*), count(distinct user), sum(opens), sum(failed) {hits}"),
    question!("user growth", |r, a, _| keep(r.user_growth(a, None)), "select at / {step} as t, count(distinct user) {hits} group by t"),
    question!(
        "devices",
        |r, a, _| keep(r.devices(a)),
        "select platform, version, count(*), count(distinct user) {hits} group by platform, version"
    ),
    question!("features", |r, a, _| keep(r.features(a)), "select endpoint, count(*), count(distinct user) {hits} group by endpoint"),
    question!(
        "peak hours",
        |r, a, _| keep(r.peak_hours(a)),
        "select at / 3600000 % 168 as t, count(*), count(distinct user) {hits} group by t"
    ),
    question!("traffic", |r, a, _| keep(r.traffic(a, None)), "select at / {step} as t, count(*), sum(failed) {hits} group by t"),
    question!(
        "versions",
        |r, a, _| keep(r.versions(a, None)),
        "select platform, version, at / {step} as t, count(distinct user) {hits} group by platform, version, t"
    ),
    question!("errors", |r, a, _| keep(r.errors(a))),
    question!("retention", |r, a, _| {
        // For all time the 52 weeks that people look at.
        let (ask, step) = if *a == Ask::all_time() { (Ask::last_days(364), Interval::Week) } else { (a.clone(), Interval::Day) };
        keep(r.retention(&ask, step, Cohorts::First, Back::On))
    }),
    question!("lifecycle", |r, a, _| keep(r.lifecycle(a, None))),
    question!("active sessions", |r, a, _| keep(r.active_sessions(a))),
    question!("session", |r, _, year| keep(r.session(&year.session, &Page::default()))),
    question!("sessions", |r, a, _| keep(r.sessions(a, &Page::default()))),
    question!("users", |r, a, _| keep(r.users(a, UserOrder::FirstSeen, &Page::default()))),
    question!("users by actions", |r, a, _| keep(r.users(a, UserOrder::Actions, &Page::default()))),
    question!("power users", |r, a, _| keep(r.power_users(a, Power::Actions, &Page::default()))),
    question!("inactive users", |r, a, _| keep(r.inactive_users(a, 30, &Page::default()))),
    question!("comparison", |r, a, _| keep(r.comparison(a, None))),
    question!(
        "crossing filter",
        |r, a, _| keep(r.stats(&a.clone().platform("iOS").endpoint("GET /area7/things7/{id}"))),
        "select count(*), count(distinct user) {hits} and platform = 'iOS' and endpoint = (select number from endpoints where route = '/area7/things7/{id}')"
    ),
    // As a browser gets it: nine questions side by side, then the page.
    question!("overview, the page", |_, a, year| year.get(if *a == Ask::all_time() {
        "/analytics?range=all"
    } else {
        "/analytics?days=30"
    })),
];

fn keep<T, E: std::fmt::Debug>(answer: Result<T, E>) {
    drop(black_box(answer.expect("an answer")));
}

impl Year {
    pub fn open(name: &'static str, hits: u64) -> Self {
        let directory = year::directory(hits);
        let raw = raw_sql::open(&directory);
        let analytics = Analytics::builder(&directory).clock(year::clock()).build().expect("what was recorded");
        let april = Ask::all_time().from("2026-04-01").and_then(|ask| ask.to("2026-04-15")).expect("dates");
        let sessions = analytics.reports().sessions(&april, &Page::default()).expect("sessions").into_inner().sessions;
        let session = sessions.into_iter().find(|session| session.hits == 10).expect("a session of ten hits").session_id;
        let dashboard = analytics.dashboard(OpenToEveryone).into();
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        Self { name, analytics, raw, session, dashboard, runtime }
    }

    fn get(&self, address: &str) {
        let request = Request::get(address).header("host", "localhost").body(Body::empty()).expect("a request");
        // As a server does it, on a thread of the runtime.
        let answer = self.runtime.spawn(self.dashboard.clone().oneshot(request));
        let response = self.runtime.block_on(answer).expect("no panic").expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{address}");
        let page = self.runtime.block_on(axum::body::to_bytes(response.into_body(), usize::MAX)).expect("a page");
        let page = std::str::from_utf8(&page).expect("text");
        assert!(page.contains("GET /area") && !page.contains("could not be"), "{address}: {page}");
    }

    /// The 1 M and the 10 M.
    pub fn both() -> [Self; 2] {
        [Self::open("1 M", 1_000_000), Self::open("10 M", 10_000_000)]
    }

    pub fn ask(&self, question: &Question, asked: Asked) {
        let ask = match asked {
            Asked::Days30 => Ask::last_days(30),
            Asked::AllTime => Ask::all_time(),
        };
        (question.ask)(&self.analytics.reports(), &ask, self);
    }

    /// The same of raw rows, if somebody wrote that down.
    pub fn ask_raw(&self, question: &Question, asked: Asked) -> bool {
        let Some(sql) = question.sql else { return false };
        let now = year::clock().now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as i64;
        const DAY: i64 = 86_400_000;
        let (at, step): (Range<i64>, i64) = match asked {
            Asked::Days30 => ((now / DAY - 29) * DAY..now + 1, DAY),
            Asked::AllTime => (0..now + 1, 7 * DAY),
        };
        black_box(raw_sql::ask(&self.raw, &sql.replace("{hits}", PEOPLE).replace("{step}", &step.to_string()), &at));
        true
    }
}

/// The median of so many runs, or of as many as fit into some seconds.
pub fn median(runs: usize, mut run: impl FnMut()) -> Duration {
    run();
    let began = Instant::now();
    let mut times = Vec::with_capacity(runs);
    while times.len() < runs && (times.is_empty() || began.elapsed() < Duration::from_secs(4)) {
        let start = Instant::now();
        run();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    // On a machine that does other things too, the fastest says more.
    let place = if std::env::var_os("BEST").is_some() { 0 } else { times.len() / 2 };
    times[place]
}
