//! What is recorded and for how long, how big it is, how the writer does, and what we cost.

use askama::Template;
use axum::response::Response;

use super::{
    cell::Cell,
    page::{Page, Which, shown},
    panel::{Panel, markup},
    table::Table,
    work::work,
};
use crate::{
    aging::RetentionRules,
    counters::{Counters, State as WriterState},
    report::{Expiring, Health, PartHealth, Reports},
    web::{format, host::Host},
};

const PAGE: Which = Which::new("settings", "Settings and health").plain();

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    panels: [Panel; 6],
    page: Page,
}

/// Words and what they stand for.
#[derive(Template)]
#[template(path = "_facts.html")]
struct Facts {
    facts: Vec<(&'static str, String)>,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let writer = Panel::of("writer", "Writer", &page.health, |health| Ok(markup(&Facts { facts: writer(&page, health) })));
    let dropped = Panel::of("drops", "Drops by cause", &page.health, |health| Ok(drops(&counters(&page, health))));
    let data = Panel::of("data", "Data", &page.health, |health| months(&page, health));
    let (expiring, jobs) =
        tokio::join!(page.ask(&[], |reports, _| reports.expiring(None)), page.ask(&[], |reports, _| Reports::jobs(reports)));
    let kept = Panel::of("kept", "How long it is kept", &expiring, |expiring| Ok(markup(&Facts { facts: kept(expiring) })));
    let recorded = Panel::fixed("recorded", "What is recorded", markup(&Facts { facts: recorded(&page) }));
    let panels = [
        writer.width(4),
        dropped.width(4).about("Hits that were not recorded, since the recorder started"),
        kept.width(4),
        data.half(),
        work(&page, &jobs),
        recorded.width(12),
    ];
    shown(&Settings { panels, page })
}

fn counters(page: &Page, health: &Health) -> Counters {
    page.site.recording.as_ref().map_or(health.counters, |analytics| analytics.counters())
}

fn writer(page: &Page, health: &Health) -> Vec<(&'static str, String)> {
    let counters = counters(page, health);
    let state = match page.site.recording.as_ref().map(|analytics| analytics.state()) {
        Some(WriterState::Recording) => "recording, in this process",
        Some(WriterState::Waiting) => "waiting for another process to end",
        Some(WriterState::Faulted) => "interrupted: the store refuses",
        Some(WriterState::Stopped) => "shut down",
        None if health.recording => "recording, in another process",
        None => "nobody records",
    };
    let overhead = match counters.written {
        // The first ones pay for what is made once.
        0..100 => "too few hits to say".to_owned(),
        written => format!("{:.1} µs a hit, on a thread of its own", counters.busy_us as f64 / written as f64),
    };
    let batches = format!("{} batch{}", format::exact(counters.batches), if counters.batches == 1 { "" } else { "es" });
    let heartbeat = health.heartbeat.map_or_else(|| "never".to_owned(), |beat| page.ago(&beat));
    vec![
        ("State", state.to_owned()),
        ("Heartbeat", heartbeat),
        ("Written", format!("{} in {}", format::counted(counters.written, "hit"), batches)),
        ("Waiting", format!("{}, {}", format::counted(counters.queued, "hit"), format::bytes(counters.queued_bytes))),
        ("Dropped", format::exact(counters.dropped())),
        ("Faults", format!("{} writes refused and tried again", format::exact(counters.faults))),
        ("Panics", format::exact(counters.panics)),
        ("Our own work", overhead),
    ]
}

fn drops(counters: &Counters) -> String {
    let mut table = Table::new("Drops", &[("Cause", ""), ("#Hits", "")]);
    for (cause, hits) in counters.by_cause() {
        table.row([Cell::text(cause), Cell::fault(hits)]);
    }
    markup(&table)
}

fn months(page: &Page, health: &Health) -> Result<String, &'static str> {
    let mut table = Table::new(
        "Months",
        &[
            ("Month", "UTC"),
            ("State", ""),
            ("#Hits", ""),
            ("#Size", ""),
            ("#A hit", "Bytes of the raw file"),
            ("#Put away", "The size of what was put away"),
            ("First", ""),
            ("Last", ""),
        ],
    );
    let when = |at: Option<_>| at.map_or_else(|| Cell::text("–"), |at| Cell::moment(&page.view, at));
    let size = |bytes: u64| Cell::float(bytes as f64, format::bytes(bytes));
    for part in health.parts.iter().rev() {
        let PartHealth { hits, bytes, .. } = *part;
        let each = bytes.checked_div(hits).unwrap_or_default();
        table.row([
            Cell::text(format::month(&part.month)),
            Cell::text(part.state),
            Cell::number(hits),
            size(bytes),
            size(each),
            size(part.archive_bytes),
            when(part.from),
            when(part.to),
        ]);
    }
    if table.rows.is_empty() {
        return Err("Nothing has been recorded yet.");
    }
    let (raw, all): (u64, _) = (health.parts.iter().map(|part| part.bytes).sum(), health.bytes);
    let total = format!("{} on disk, {} of it raw hits", format::bytes(all), format::bytes(raw));
    Ok(format!("{}<p class=\"soft\">{total}</p>", markup(&table.sorted(&page.view, "data"))))
}

fn kept(expiring: &Expiring) -> Vec<(&'static str, String)> {
    let RetentionRules { archive_after, archive_to, drop_raw_after, drop_all_after } = &expiring.rules;
    let after = |age: &Option<String>| age.as_ref().map_or_else(|| "never".to_owned(), |age| format!("{age} after the end of a month"));
    let to = archive_to.as_ref().map_or_else(|| "archive, in the data directory".to_owned(), |to| to.display().to_string());
    let due = match expiring.parts.len() {
        0 => "nothing".to_owned(),
        files => format!(
            "{files} raw files with {} hits, {}",
            format::exact(expiring.parts.iter().map(|part| part.hits).sum::<u64>()),
            format::bytes(expiring.parts.iter().map(|part| part.bytes).sum::<u64>())
        ),
    };
    vec![
        ("Raw hits put away", after(archive_after)),
        ("Put into", to),
        ("Raw hits deleted", after(drop_raw_after)),
        ("Counts deleted too", after(drop_all_after)),
        ("Due now", due),
    ]
}

fn recorded(page: &Page) -> Vec<(&'static str, String)> {
    let minutes = page.session_timeout().as_secs() / 60;
    vec![
        ("Each request", "time, session, user or visitor, method and route template, status, outcome, two durations, bytes".to_owned()),
        ("Each device", "platform, app version, device name, class of bot with its reason".to_owned()),
        ("Never", "addresses, user agents, paths with their parameters, query strings, headers, bodies".to_owned()),
        ("Visitors", "a keyed hash whose key is deleted after two days: nobody is known again the day after".to_owned()),
        ("Session", format!("ends after {minutes} min without a hit, after a day, and with the UTC month")),
        ("Days", format!("those of {}", page.view.zone().name())),
        ("Kept", "raw hits and sums, a file for each month; for how long stands above".to_owned()),
        ("Leaves this machine", "nothing".to_owned()),
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}
