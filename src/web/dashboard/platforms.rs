//! Platforms, and how versions take over.

use askama::Template;
use axum::response::Response;

use super::{
    cell::Cell,
    chart::{Chart, Unit, series},
    page::{Outcome, Page, Which, shown},
    panel::{Panel, markup},
    panels,
    table::Table,
};
use crate::{
    report::{Devices, PlatformVersions, Reports, Versions},
    web::{
        api::params::{FILTERS, INTERVAL, RANGE},
        charts::Kind,
        format::{self, share},
        host::Host,
    },
};

const PAGE: Which = Which::new("platforms", "Platforms and versions");
/// As many lines as there are colours.
const LINES: usize = 6;
const PLATFORMS: usize = 4;

#[derive(Template)]
#[template(path = "platforms.html")]
struct Platforms {
    panels: Vec<Panel>,
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let (devices, versions) = tokio::join!(
        page.ask(&[RANGE, FILTERS], Reports::devices),
        page.ask(&[RANGE, FILTERS], |reports, ask| reports.versions(ask, None)),
    );
    let mut panels = vec![panels::platforms(&page, &devices, 20), oldest(&page, &devices, &versions).width(8)];
    match &versions {
        Ok(answer) => {
            let with_versions = answer.platforms.iter().filter(|platform| platform.versions.iter().any(|row| !row.version.is_empty()));
            for (place, platform) in with_versions.take(PLATFORMS).enumerate() {
                panels.push(over_time(&page, &versions, answer, platform, place));
            }
        }
        Err(_) => panels.push(Panel::of("versions", "Versions", &versions, |_| Err(""))),
    }
    panels.push(models(&page, &devices));
    shown(&Platforms { panels, page })
}

fn over_time(page: &Page, outcome: &Outcome<Versions>, answer: &Versions, platform: &PlatformVersions, place: usize) -> Panel {
    const IDS: [&str; PLATFORMS] = ["versions-1", "versions-2", "versions-3", "versions-4"];
    let title = format!("Versions on {}", panels::known(&platform.platform));
    let panel = Panel::of(IDS[place % PLATFORMS], &title, outcome, |_| {
        let lines = platform.versions.iter().take(LINES).enumerate().map(|(place, version)| {
            let kind = if place == 0 { Kind::Area } else { Kind::Line };
            series(panels::known(&version.version), place % LINES + 1, kind, version.share.iter().copied())
        });
        let names = answer.starts.iter().map(|start| format::step(start, &answer.interval)).collect();
        Ok(markup(&Chart::new(&title, names, lines.collect(), page.view.goes_on(), Unit::Share)))
    });
    let panel = panel.about("The share of the platform's users on each of its newest versions; who used two in a step counts for both");
    panel.api(&page.view, "api/chart/versions", &[RANGE, FILTERS, INTERVAL])
}

fn oldest(page: &Page, devices: &Outcome<Devices>, versions: &Outcome<Versions>) -> Panel {
    let panel = Panel::of("all-versions", "All versions", devices, |devices| {
        let oldest = |platform: &str| {
            let found = versions.iter().flat_map(|versions| &versions.platforms).find(|row| row.platform == platform);
            found.and_then(|row| row.oldest.clone())
        };
        let mut table = Table::new(
            "Versions",
            &[("Version", ""), ("Platform", ""), ("#Users", ""), ("#Share", "Of the platform's users"), ("#Sessions", ""), ("#Hits", "")],
        );
        for platform in &devices.platforms {
            let oldest = oldest(&platform.platform);
            for row in &platform.versions {
                let name = Cell::name(&row.version, "unknown").to(page.view.with("version", &row.version));
                let is_oldest = !row.version.is_empty() && oldest.as_ref() == Some(&row.version);
                table.row([
                    if is_oldest { name.soft("oldest still seen") } else { name },
                    Cell::name(&platform.platform, "unknown").to(page.view.with("platform", &platform.platform)),
                    Cell::number(row.users),
                    Cell::float(row.users as f64 / platform.users.max(1) as f64, share(row.users, platform.users)),
                    Cell::number(row.sessions),
                    Cell::number(row.hits),
                ]);
            }
        }
        if table.rows.is_empty() {
            Err("No hits in this range. Try a longer one, or fewer filters.")
        } else {
            Ok(markup(&table.sorted(&page.view, "all-versions")))
        }
    });
    panel.api(&page.view, "api/chart/devices", &[RANGE, FILTERS]).list("versions")
}

fn models(page: &Page, devices: &Outcome<Devices>) -> Panel {
    let panel = Panel::of("devices", "Devices", devices, |devices| {
        let mut table = Table::new("Devices", &[("Device", ""), ("#Users", ""), ("#Sessions", ""), ("#Hits", "")]);
        for row in devices.devices.iter().take(50) {
            table.row([Cell::name(&row.device, "unknown"), Cell::number(row.users), Cell::number(row.sessions), Cell::number(row.hits)]);
        }
        if table.rows.is_empty() {
            Err("No device has said its name: send X-Device-Info, if your app knows it.")
        } else {
            Ok(markup(&table.sorted(&page.view, "devices")))
        }
    });
    panel.width(12).api(&page.view, "api/chart/devices", &[RANGE, FILTERS]).list("devices")
}
