//! A plugin: a hook that leaves health checks out and counts them, panels, also on the overview, a route of its own, and what it does when
//! serving begins and recording ends.
//!
//! `cargo run --example plugin`, then open <http://127.0.0.1:3000/analytics/x/tenants>. After ctrl-c it says how it ended.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tower_analytics::{
    Analytics, Ask, Error, Hit, Keep, OpenToEveryone, Role, User,
    axum::{self, Json, Router, routing::get},
    plugin::{Host, Panel, PanelData, Plugin},
    report::{Page, UserOrder},
};

/// Users are called `tenant/name` here.
struct Tenants;

impl Plugin for Tenants {
    fn name(&self) -> &'static str {
        "tenants"
    }

    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
        let pings = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&pings);
        host.on_hit(move |hit: &mut Hit| {
            if hit.route() != "/ping" {
                return Keep::Yes;
            }
            counted.fetch_add(1, Relaxed);
            Keep::No
        });

        let reports = host.reports();
        let busiest = Panel::new("busiest", "Busiest tenants", move |ask| {
            let users = reports.users(ask, UserOrder::Actions, &Page::first(1000))?.into_inner().users;
            let mut hits = BTreeMap::new();
            for user in users {
                let tenant = user.user_id.split('/').next().unwrap_or_default().to_owned();
                *hits.entry(tenant).or_insert(0) += user.hits;
            }
            Ok(PanelData::bars(hits))
        });
        host.panel(busiest.on_overview());
        let shown = Arc::clone(&pings);
        host.panel(Panel::new("pings", "Health checks", move |_| Ok(PanelData::number(shown.load(Relaxed) as f64))));

        let told = Arc::clone(&pings);
        host.route("/pings.json", Role::Mod, get(async move || Json(told.load(Relaxed))));

        // Health checks are counted over restarts, in a file of the plugin's own.
        let file = host.directory()?.join("pings");
        let (kept, read) = (file.clone(), Arc::clone(&pings));
        host.on_start(move || {
            let before = fs::read_to_string(kept).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
            read.fetch_add(before, Relaxed);
            println!("tenants: {before} health checks so far");
        });
        let reports = host.reports();
        host.on_stop(move || {
            let written = fs::write(file, pings.load(Relaxed).to_string());
            let hits = reports.stats(&Ask::all_time()).map_or(0, |stats| stats.total_hits);
            println!("tenants: {} health checks, written: {}, beside {hits} hits", pings.load(Relaxed), written.is_ok());
        });
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let analytics = Analytics::builder(std::env::temp_dir().join("tower-analytics-plugin"))
        .user(|head| head.header("x-user-id").map(User::new))
        .build()?;
    let app = Router::new()
        .route("/items/{id}", get(|| async { "an item" }))
        .route("/ping", get(|| async { "pong" }))
        .merge(analytics.dashboard(OpenToEveryone).plugin(Tenants)?) // this machine alone: see the address below
        .layer(analytics.layer());
    for user in ["acme/ann", "acme/ben", "globex/cleo"] {
        let mut hit = Hit::new("GET", "/items/{id}");
        hit.set_user(user);
        analytics.record(&hit);
    }
    let port = std::env::args().nth(1).unwrap_or_else(|| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}/analytics/x/tenants", listener.local_addr()?);
    let ctrl_c = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(analytics.closing(ctrl_c))
        .await?;
    analytics.shutdown(Duration::from_secs(5))?;
    Ok(())
}
