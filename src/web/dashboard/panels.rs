//! Parts that stand on more than one page.

use super::{
    bars::{Bar, Bars},
    cell::Cell,
    chart::{Chart, Unit, series},
    page::{Outcome, Page},
    panel::{Panel, markup},
    table::Table,
    values::Values,
};
use crate::{
    report::{
        ActiveSession, ActiveSessions, Devices, Errors, FeatureRow, Features, LatencyStep, LatencySteps, PeakHours, Traffic, TrafficBucket,
        UserGrowth,
    },
    web::{
        api::params::{DEVICE_FILTERS, FILTERS, FINE_INTERVAL, INTERVAL, RANGE, ZONE},
        charts::{self, Heat, Kind},
        format::{self, percent},
    },
};

/// So many bars where there is a page with all of them.
pub(super) const BARS: usize = 8;

const NO_HITS: &str = "No hits in this range. Try a longer one, or fewer filters.";

pub(super) fn growth(page: &Page, growth: &Outcome<UserGrowth>, before: Option<&Outcome<UserGrowth>>) -> Panel {
    let panel = Panel::of("growth", "Users", growth, |growth| {
        let of = |value: fn(&crate::report::UserBucket) -> u64| growth.buckets.iter().map(move |bucket| value(bucket) as f64);
        let mut lines = vec![
            series("Active", 1, Kind::Area, of(|bucket| bucket.active)),
            series("New", 2, Kind::Line, of(|bucket| bucket.new)),
            series("Visitors", 5, Kind::Line, of(|bucket| bucket.visitors)),
        ];
        if let Some(Ok(before)) = before {
            let values = before.buckets.iter().take(growth.buckets.len()).map(|bucket| bucket.active as f64);
            lines.push(series("Active before", 1, Kind::Before, values));
        }
        let names = growth.buckets.iter().map(|bucket| format::step(&bucket.start, &growth.interval)).collect();
        let chart = Chart::new("Users over time", names, lines, page.view.goes_on(), Unit::Count);
        if chart.is_flat() { Err("Nobody was here in this range. Try a longer one, or fewer filters.") } else { Ok(markup(&chart)) }
    });
    let panel = panel.about("Users are signed in, each counted once a step; visitors are not, each counted once a day");
    panel.api(&page.view, "api/chart/user-growth", &[RANGE, FILTERS, INTERVAL])
}

pub(super) fn traffic(page: &Page, traffic: &Outcome<Traffic>, before: Option<&Outcome<Traffic>>) -> Panel {
    let panel = Panel::of("traffic", "Traffic and errors", traffic, |traffic| {
        let of = |value: fn(&TrafficBucket) -> u64| so_far(page, traffic).iter().map(move |bucket| value(bucket) as f64);
        let mut lines = vec![
            series("Hits", 5, Kind::Area, of(|bucket| bucket.hits)),
            series("Client errors", 3, Kind::Line, of(|bucket| bucket.client_errors)),
            series("Errors", 4, Kind::Line, of(|bucket| bucket.errors)),
        ];
        if let Some(Ok(before)) = before.filter(|before| before.as_ref().is_ok_and(|before| before.interval == traffic.interval)) {
            let values = before.buckets.iter().take(traffic.buckets.len()).map(|bucket| bucket.hits as f64);
            lines.push(series("Hits before", 5, Kind::Before, values));
        }
        let step = |bucket: &TrafficBucket| format::step_at(bucket.start, &traffic.interval, page.view.zone(), page.view.tz());
        let names = traffic.buckets.iter().map(step).collect();
        let chart = Chart::new("Hits and errors over time", names, lines, page.view.goes_on(), Unit::Count);
        if chart.is_flat() { Err(NO_HITS) } else { Ok(markup(&chart)) }
    });
    let panel = panel.about("Errors failed or answered 500 or more; client errors answered 400 to 499");
    panel.api(&page.view, "api/chart/traffic", &[RANGE, ZONE, FILTERS, FINE_INTERVAL])
}

pub(super) fn features(page: &Page, features: &Outcome<Features>, most: usize) -> Panel {
    let panel = Panel::of("features", "Top features", features, |features| {
        // An app that says of nobody who it is has hits to show.
        let all: u64 = features.features.iter().map(|row| row.hits).sum();
        let by_hits = features.features.iter().all(|row| row.users == 0);
        let bar = |row: &FeatureRow| Bar {
            name: row.name.clone(),
            href: page.view.with("feature", &row.feature),
            open: page.view.page_with("endpoints", "feature", &row.feature),
            value: if by_hits { row.hits } else { row.users },
            soft: if by_hits { format!("{} of hits", format::share(row.hits, all)) } else { percent(row.adoption) },
            change: row.change.filter(|_| page.view.compares()),
            fault: false,
        };
        bars(features.features.iter().map(bar), most)
    });
    let panel =
        panel.about("Users of each feature, as a share of all users of the range, and how its hits changed; hits, if nobody is signed in");
    panel.api(&page.view, "api/chart/features", &[RANGE, FILTERS])
}

pub(super) fn endpoints(page: &Page, features: &Outcome<Features>, most: usize) -> Panel {
    let panel = Panel::of("endpoints", "Top endpoints", features, |features| {
        let bar = |row: &FeatureRow| Bar {
            name: row.endpoint.clone(),
            href: page.view.with("endpoint", &row.endpoint),
            open: page.view.page_with("endpoint", "endpoint", &row.endpoint),
            value: row.hits,
            soft: format::duration(row.p95),
            change: row.change.filter(|_| page.view.compares()),
            fault: false,
        };
        bars(features.endpoints.iter().map(bar), most)
    });
    let panel = panel.width(4).about("Hits of each endpoint, their 95th percentile, and how they changed");
    panel.api(&page.view, "api/chart/features", &[RANGE, FILTERS]).list("endpoints")
}

pub(super) fn platforms(page: &Page, devices: &Outcome<Devices>, most: usize) -> Panel {
    let panel = Panel::of("platforms", "Platforms", devices, |devices| {
        let all: u64 = devices.platforms.iter().map(|row| row.users).sum();
        let hits: u64 = devices.platforms.iter().map(|row| row.hits).sum();
        let by_hits = all == 0;
        let bar = |row: &crate::report::PlatformRow| Bar {
            name: row.platform.clone(),
            href: page.view.with("platform", &row.platform),
            open: page.view.page_with("platforms", "platform", &row.platform),
            value: if by_hits { row.hits } else { row.users },
            soft: if by_hits {
                format!("{} of hits", format::share(row.hits, hits))
            } else {
                let word = if row.hits == 1 { "hit" } else { "hits" };
                format!("{} · {} {word}", format::share(row.users, all), format::rough(row.hits as f64))
            },
            ..Bar::default()
        };
        bars(devices.platforms.iter().map(bar), most)
    });
    let panel = panel.width(4).about("Users of each platform; who uses two counts for both. Hits, if nobody is signed in");
    panel.api(&page.view, "api/chart/devices", &[RANGE, FILTERS]).list("platforms")
}

pub(super) fn bars(items: impl Iterator<Item = Bar>, most: usize) -> Result<String, &'static str> {
    let bars = Bars::of(items, most);
    if bars.items.is_empty() { Err(NO_HITS) } else { Ok(markup(&bars)) }
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const WHOLE_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

pub(super) fn hours(page: &Page, hours: &Outcome<PeakHours>) -> Panel {
    let panel = Panel::of("hours", "Peak hours", hours, |hours| {
        let values: Vec<u64> = hours.week.iter().map(|row| row.hits).collect();
        let title = |(place, row): (usize, &crate::report::WeekHourRow)| {
            let day = WHOLE_DAYS.get(place / 24).copied().unwrap_or_default();
            format!("{day} {:02}:00: {}, {}", row.hour, format::counted(row.hits, "hit"), format::counted(row.users, "user"))
        };
        let titles: Vec<String> = hours.week.iter().enumerate().map(title).collect();
        let most = values.iter().copied().max().unwrap_or_default();
        let Some(peak) = values.iter().position(|value| *value == most && most > 0) else { return Err(NO_HITS) };
        let busiest = titles.get(peak).cloned().unwrap_or_default();
        let of_day: Vec<String> = (0..24).map(|hour| format!("{hour:02}:00")).collect();
        let columns: Vec<&str> = of_day.iter().map(String::as_str).collect();
        let about = "Hits by weekday and hour";
        let svg = charts::heatmap(&Heat { about, rows: &DAYS, columns: &columns, values: &values, titles: &titles });
        let zone = charts::escaped(&hours.tz);
        let row = |(day, hours): (&&str, &[u64])| ((*day).to_owned(), hours.iter().map(|hits| format::exact(*hits)).collect());
        let columns = ["Hits".to_owned()].into_iter().chain((0..24).map(|hour| format!("{hour:02}"))).collect();
        let table = markup(&Values { columns, rows: DAYS.iter().zip(values.chunks(24)).map(row).collect(), open: false });
        Ok(format!(
            r#"<div class="scroll heated" tabindex="0" role="group" aria-label="Hours: arrow keys">{svg}</div><p class="soft">Busiest: {busiest}. Hours of {zone}.</p>{table}"#
        ))
    });
    panel.width(8).api(&page.view, "api/chart/peak-hours", &[RANGE, ZONE, FILTERS])
}

/// The sessions that go on, newest activity first.
pub(super) fn active(page: &Page, active: &Outcome<ActiveSessions>, most: usize) -> Panel {
    let panel = Panel::of("active", "Active now", active, |active| {
        let mut table = Table::new("Active sessions", &[("Who", ""), ("Last", "The last endpoint"), ("#When", "The last activity")]);
        for session in active.sessions.iter().take(most) {
            table.row([
                Cell::name(who(session), "a visitor").to(page.view.page_with("session", "id", &session.session_id)).soft(&session.platform),
                Cell::endpoint(&session.last_endpoint),
                Cell::ago(&page.view, Some(session.last_activity)),
            ]);
        }
        if table.rows.is_empty() { Err("Nobody is here just now.") } else { Ok(markup(&table)) }
    });
    panel.api(&page.view, "api/active-sessions", &[DEVICE_FILTERS])
}

fn who(session: &ActiveSession) -> &str {
    match &session.user_id {
        Some(id) if session.user_name.is_empty() => id,
        Some(_) => &session.user_name,
        None => "",
    }
}

/// A name, or that there is none.
pub(super) fn known(name: &str) -> &str {
    if name.trim().is_empty() { "unknown" } else { name }
}

/// What people call a user, and else the id.
pub(super) fn person(id: &str, name: &str) -> String {
    if name.trim().is_empty() { id.to_owned() } else { name.to_owned() }
}

pub(super) fn latency(page: &Page, latency: &Outcome<LatencySteps>) -> Panel {
    let panel = Panel::of("latency", "Latency", latency, |latency| {
        let step = |steps: &[LatencyStep]| {
            let from = steps.first().map(|step| step.from).unwrap_or_default();
            (format::duration(from), steps.iter().map(|step| step.hits).sum())
        };
        // Never more bars than there is room for.
        let together = latency.steps.len().div_ceil(48).max(1);
        let steps: Vec<(String, u64)> = latency.steps.chunks(together).map(step).collect();
        if steps.is_empty() {
            return Err(NO_HITS);
        }
        let svg = charts::histogram("Hits by the time to the head of the response", &steps);
        let columns = ["From".to_owned(), "Hits".to_owned()].into();
        let rows = steps.into_iter().map(|(from, hits)| (from, vec![format::exact(hits)])).collect();
        let table = markup(&Values { columns, rows, open: false });
        Ok(format!(r#"<div class="heated" tabindex="0" role="group" aria-label="Steps: arrow keys">{svg}</div>{table}"#))
    });
    let panel = panel.about("Hits by the time to the head of the response, in steps that each take longer by the same share");
    panel.api(&page.view, "api/chart/latency", &[RANGE, FILTERS])
}

/// Only what went wrong, over time.
pub(super) fn faults(page: &Page, traffic: &Outcome<Traffic>, before: Option<&Outcome<Traffic>>) -> Panel {
    let panel = Panel::of("faults", "Errors over time", traffic, |traffic| {
        let of = |value: fn(&TrafficBucket) -> u64| so_far(page, traffic).iter().map(move |bucket| value(bucket) as f64);
        let mut lines = vec![
            series("Errors", 4, Kind::Area, of(|bucket| bucket.errors)),
            series("Client errors", 3, Kind::Line, of(|bucket| bucket.client_errors)),
            series("Given up by the client", 5, Kind::Line, of(|bucket| bucket.aborted)),
        ];
        if let Some(Ok(before)) = before {
            let values = before.buckets.iter().take(traffic.buckets.len()).map(|bucket| bucket.errors as f64);
            lines.push(series("Errors before", 4, Kind::Before, values));
        }
        let step = |bucket: &TrafficBucket| format::step_at(bucket.start, &traffic.interval, page.view.zone(), page.view.tz());
        let names = traffic.buckets.iter().map(step).collect();
        let chart = Chart::new("Errors over time", names, lines, page.view.goes_on(), Unit::Count);
        if chart.is_flat() { Err("Nothing went wrong in this range.") } else { Ok(markup(&chart)) }
    });
    panel.api(&page.view, "api/chart/traffic", &[RANGE, ZONE, FILTERS, FINE_INTERVAL])
}

/// What went wrong by endpoint and status.
pub(super) fn failures(page: &Page, errors: &Outcome<Errors>, most: usize) -> Panel {
    let panel = Panel::of("failures", "By endpoint and status", errors, |errors| {
        let columns = [
            ("Endpoint", ""),
            ("Status", ""),
            ("#Hits", ""),
            ("#Users", "Affected"),
            ("Trend", ""),
            ("#First", "Day of the range"),
            ("#Last", "Day of the range"),
        ];
        let mut table = Table::new("Failures", &columns);
        for row in errors.failures.iter().take(most) {
            let trend: Vec<f64> = row.trend.iter().map(|hits| *hits as f64).collect();
            let (text, filter) = match row.outcome.as_str() {
                "completed" => (row.status.to_string(), row.status.to_string()),
                outcome => (format!("{} {outcome}", row.status), outcome.to_owned()),
            };
            let status = Cell::text(text).class(if row.status >= 500 || row.outcome == "failed" { "bad" } else { "warn" });
            table.row([
                Cell::endpoint(&row.endpoint).to(page.view.page_with("endpoint", "endpoint", &row.endpoint)),
                status.to(page.view.with("status", &filter)).soft(row.grpc_status.map(|code| format!("gRPC {code}")).unwrap_or_default()),
                Cell::number(row.count),
                Cell::number(row.users),
                Cell::drawn(charts::spark(&trend)),
                Cell::day(&page.view, &row.first_seen),
                Cell::day(&page.view, &row.last_seen),
            ]);
        }
        if table.rows.is_empty() { Err("Nothing went wrong in this range.") } else { Ok(markup(&table.sorted(&page.view, "failures"))) }
    });
    panel.api(&page.view, "api/errors", &[RANGE, FILTERS]).list("failures")
}

/// Without the hours that are still to come.
pub(super) fn so_far<'a>(page: &Page, traffic: &'a Traffic) -> &'a [TrafficBucket] {
    let come = traffic.buckets.partition_point(|bucket| bucket.start <= page.view.now());
    &traffic.buckets[..come]
}

/// A step that goes on is no fall.
pub(super) fn done<'a, T>(page: &Page, steps: &'a [T]) -> &'a [T] {
    match steps {
        [done @ .., _] if done.len() > 1 && page.view.goes_on() => done,
        all => all,
    }
}
