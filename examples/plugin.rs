//! A plugin: a hook that leaves health checks out and tells tenants apart, a panel, and a route of its own.
//!
//! `cargo run --example plugin`, then open <http://127.0.0.1:3000/analytics/x/tenants>.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use tower_analytics::{
    Analytics, Error, Hit, Keep, OpenToEveryone, Role, User,
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
        host.on_hit(|hit: &mut Hit| if hit.route() == "/ping" { Keep::No } else { Keep::Yes });

        let reports = host.reports();
        host.panel(Panel::new("busiest", "Busiest tenants", move |ask| {
            let users = reports.users(ask, UserOrder::Actions, &Page::first(1000))?.into_inner().users;
            let mut hits = BTreeMap::new();
            for user in users {
                let tenant = user.user_id.split('/').next().unwrap_or_default().to_owned();
                *hits.entry(tenant).or_insert(0) += user.hits;
            }
            Ok(PanelData::bars(hits))
        }));

        host.route("/limits.json", Role::Mod, get(|| async { Json([("free", 100), ("paid", 10_000)]) }));
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
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://127.0.0.1:3000/analytics/x/tenants");
    let ctrl_c = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(analytics.closing(ctrl_c))
        .await?;
    analytics.shutdown(Duration::from_secs(5))?;
    Ok(())
}
