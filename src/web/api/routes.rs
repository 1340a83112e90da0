use std::sync::Arc;

use axum::{
    extract::{Path, Query as Pairs, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    openapi::{self, Operation},
    params::{
        BY, COHORTS, CURSOR, DEVICE_FILTERS, FILTERS, FINE_INTERVAL, FIRST_SEEN, IDLE, INTERVAL, LAST_FILTERS, LIMIT, LIST, ORDER, OTHER,
        Param, RANGE, USER_FILTERS, ZONE, list,
    },
    problem::Problem,
    query::Query,
    respond,
    tables::{self, Text},
};
use crate::{
    access::Role,
    report::{Answer, Cancel, Interval, Reports, USUAL_LIMIT},
    spreadsheet,
    web::{host::Host, router::answered, site::Site},
};

/// A question at a path.
struct Route<T> {
    path: &'static str,
    about: &'static str,
    params: &'static [&'static [Param]],
    ask: fn(&Reports, &Query) -> Result<Answer<T>, Problem>,
    /// As a list of plain rows, if it is one.
    table: Option<fn(&T, &str) -> Text>,
    next_cursor: fn(&T) -> Option<&str>,
}

struct Routes<'a>(&'a mut Host);

impl Routes<'_> {
    fn add<T: Serialize + JsonSchema + Send + 'static>(&mut self, route: Route<T>) {
        let Route { path, about, params, table, .. } = route;
        self.0.document.add::<T>(Operation { path: path.into(), about: about.into(), params, is_list: table.is_some() });
        let route = Arc::new(route);
        let (plain, as_csv) = (Arc::clone(&route), Arc::clone(&route));
        let of = |route: Arc<Route<T>>, csv: bool| {
            async move |State(site): State<Site>,
                        id: Option<Path<String>>,
                        Pairs(pairs): Pairs<Vec<(String, String)>>,
                        headers: HeaderMap| {
                answer(&site, &route, id.map(|Path(id)| id).unwrap_or_default(), pairs, &headers, csv).await
            }
        };
        self.0.data(path, Role::Mod, get(of(plain, false)));
        // The last part of a path is a name or ends in `.csv`; the router does not take both.
        if table.is_some() && !path.ends_with('}') {
            self.0.data(format!("{path}.csv"), Role::Mod, get(of(as_csv, true)));
        }
    }
}

async fn answer<T: Serialize + Send + 'static>(
    site: &Site,
    route: &Arc<Route<T>>,
    id: String,
    pairs: Vec<(String, String)>,
    headers: &HeaderMap,
    csv: bool,
) -> Response {
    let query = match Query::new(pairs, route.params, id) {
        Ok(query) => query,
        Err(problem) => return problem.into_response(),
    };
    let list = query.get(LIST).unwrap_or_default().to_owned();
    let (ask, cancel) = (route.ask, Cancel::new());
    let reports = site.reports.clone().cancelled_by(&cancel);
    // Whoever hangs up waits no longer.
    let answer = answered(cancel, move || ask(&reports, &query)).await;
    match (answer, route.table) {
        (Err(problem), _) => problem.into_response(),
        (Ok(answer), Some(table)) if csv || respond::wants_csv(headers) => {
            respond::csv(table(&answer, &list), (route.next_cursor)(&answer), headers)
        }
        (Ok(answer), _) => respond::json(&answer, headers),
    }
}

fn found<T>(answer: Answer<Option<T>>, what: &str) -> Result<Answer<T>, Problem> {
    answer.found().ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("there is no such {what}")))
}

/// For answers that are one page.
fn no_cursor<T>(_: &T) -> Option<&str> {
    None
}

pub(crate) fn register(host: &mut Host) {
    openapi::register(host);
    let mut routes = Routes(host);
    routes.add(Route {
        path: "api/stats",
        about: "The totals, and those of the period before",
        params: &[RANGE, FILTERS],
        ask: |reports, query| Ok(reports.stats(&query.ask()?)?),
        table: None,
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/active-sessions",
        about: "Sessions whose last activity lies within the timeout, newest activity first",
        params: &[DEVICE_FILTERS, LIMIT],
        ask: |reports, query| {
            let limit = query.limit().unwrap_or(usize::MAX);
            Ok(reports.active_sessions(&query.ask()?)?.with(|answer| answer.sessions.truncate(limit)))
        },
        table: Some(|answer, _| spreadsheet::write(&answer.sessions)),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/latest-hits",
        about: "What was recorded last, newest first",
        params: &[LIMIT],
        ask: |reports, query| Ok(reports.latest_hits(query.limit().unwrap_or(USUAL_LIMIT))?),
        table: Some(|answer, _| spreadsheet::write(&answer.hits)),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/sessions",
        about: "Sessions that began in the range, in the order of their opening, newest first",
        params: &[RANGE, FILTERS, LIMIT, CURSOR],
        ask: |reports, query| Ok(reports.sessions(&query.ask()?, &query.page()?)?),
        table: Some(|answer, _| spreadsheet::write(&answer.sessions)),
        next_cursor: |answer| answer.next_cursor.as_deref(),
    });
    routes.add(Route {
        path: "api/session/{session_id}",
        about: "A session with its hits in order, and the same person's sessions before and after",
        params: &[LIMIT, CURSOR],
        ask: |reports, query| found(reports.session(&query.id, &query.page()?)?, "session"),
        table: Some(|answer, _| spreadsheet::write(&answer.actions)),
        next_cursor: |answer| answer.next_cursor.as_deref(),
    });
    routes.add(Route {
        path: "api/users",
        about: "Users of the range and what they did in it",
        params: &[RANGE, FILTERS, FIRST_SEEN, ORDER, LIMIT, CURSOR],
        ask: |reports, query| Ok(reports.users(&query.ask()?, query.order(), &query.page()?)?),
        table: Some(|answer, _| spreadsheet::write(&answer.users)),
        next_cursor: |answer| answer.next_cursor.as_deref(),
    });
    routes.add(Route {
        path: "api/user/{user_id}",
        about: "One person: sums, platforms, features, days",
        params: &[RANGE, USER_FILTERS],
        ask: |reports, query| found(reports.user(&query.ask()?, &query.id)?, "user"),
        table: Some(|answer, _| spreadsheet::write(&answer.days)),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/chart/user-growth",
        about: "Active, new, returning and all users over time",
        params: &[RANGE, FILTERS, INTERVAL],
        ask: |reports, query| Ok(reports.user_growth(&query.ask()?, query.interval())?),
        table: Some(|answer, _| spreadsheet::write(&answer.buckets)),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/chart/devices",
        about: "Platforms with their versions, devices, classes of bots",
        params: &[RANGE, FILTERS, &[const { list(&["versions", "platforms", "devices", "bots"]) }]],
        ask: |reports, query| Ok(reports.devices(&query.ask()?)?),
        table: Some(tables::devices),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/chart/features",
        about: "Features and endpoints: who uses them, how they fare, how that has changed",
        params: &[RANGE, FILTERS, &[const { list(&["features", "endpoints"]) }]],
        ask: |reports, query| Ok(reports.features(&query.ask()?)?),
        table: Some(tables::features),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/chart/peak-hours",
        about: "Hits, sessions and users by hour of the day and of the week",
        params: &[RANGE, ZONE, FILTERS, &[const { list(&["week", "hours"]) }]],
        ask: |reports, query| Ok(reports.peak_hours(&query.ask()?)?),
        table: Some(|answer, list| if list == "hours" { spreadsheet::write(&answer.hours) } else { spreadsheet::write(&answer.week) }),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/chart/traffic",
        about: "Hits, errors and latencies over time",
        params: &[RANGE, ZONE, FILTERS, FINE_INTERVAL],
        ask: |reports, query| Ok(reports.traffic(&query.ask()?, query.interval())?),
        table: Some(|answer, _| spreadsheet::write(&answer.buckets)),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/chart/latency",
        about: "How many hits took how long",
        params: &[RANGE, FILTERS],
        ask: |reports, query| Ok(reports.latency(&query.ask()?)?),
        table: Some(tables::latency),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/chart/versions",
        about: "Users by version over time, platform by platform",
        params: &[RANGE, FILTERS, INTERVAL],
        ask: |reports, query| Ok(reports.versions(&query.ask()?, query.interval())?),
        table: Some(|answer, _| tables::versions(answer)),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/errors",
        about: "What went wrong by endpoint and status, and the errors the app attached",
        params: &[RANGE, FILTERS, &[const { list(&["failures", "errors"]) }]],
        ask: |reports, query| Ok(reports.errors(&query.ask()?)?),
        table: Some(tables::errors),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/inactive-users",
        about: "Users who have not been here for a while, and what they used last",
        params: &[IDLE, LAST_FILTERS, LIMIT, CURSOR],
        ask: |reports, query| Ok(reports.inactive_users(&query.ask()?, query.idle_days(), &query.page()?)?),
        table: Some(|answer, _| spreadsheet::write(&answer.users)),
        next_cursor: |answer| answer.next_cursor.as_deref(),
    });
    routes.add(Route {
        path: "api/power-users",
        about: "Users who do most",
        params: &[RANGE, FILTERS, BY, LIMIT, CURSOR],
        ask: |reports, query| Ok(reports.power_users(&query.ask()?, query.power(), &query.page()?)?),
        table: Some(|answer, _| tables::power_users(answer)),
        next_cursor: |answer| answer.next_cursor.as_deref(),
    });
    routes.add(Route {
        path: "api/features/comparison",
        about: "Features in two periods, per day",
        params: &[RANGE, OTHER, FILTERS],
        ask: |reports, query| Ok(reports.comparison(&query.ask()?, query.other()?.as_ref())?),
        table: Some(|answer, _| spreadsheet::write(&answer.features)),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/retention",
        about: "How many of those who came in a step were there again later",
        params: &[RANGE, FILTERS, INTERVAL, COHORTS],
        ask: |reports, query| {
            let (cohorts, back) = query.cohorts();
            Ok(reports.retention(&query.ask()?, query.interval().unwrap_or(Interval::Week), cohorts, back)?)
        },
        table: Some(|answer, _| tables::retention(answer)),
        next_cursor: no_cursor,
    });
    routes.add(Route {
        path: "api/lifecycle",
        about: "Who is new, returns, comes back after a pause or stays away; and how often people come",
        params: &[RANGE, FILTERS, INTERVAL],
        ask: |reports, query| Ok(reports.lifecycle(&query.ask()?, query.interval())?),
        table: Some(|answer, _| spreadsheet::write(&answer.buckets)),
        next_cursor: no_cursor,
    });
}
