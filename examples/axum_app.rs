//! An app as you have one, with the layer and the dashboard added: search for `analytics`.
//!
//! `cargo run --release --example axum_app -- --open`, then `curl -H 'X-User-Id: ann' localhost:3000/items/7`
//! and <http://localhost:3000/analytics>.

use std::{convert::Infallible, net::SocketAddr, path::PathBuf, time::Duration};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use clap::Parser;
use serde::Deserialize;
use tower_analytics::{
    Analytics, Auth, ErrorNote, Head, Role, User,
    auth::{Issuer, Secret},
};
use tracing_subscriber::EnvFilter;

#[derive(Parser)]
struct Flags {
    #[arg(long, default_value = "127.0.0.1")]
    host: std::net::IpAddr,
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The analytics directory
    #[arg(long, default_value = "./analytics-data")]
    data: PathBuf,
    /// Let everybody on this machine see the dashboard; otherwise whoever sends `X-Staff: yes`, standing in for your own sign-in
    #[arg(long)]
    open: bool,
    /// Guard the dashboard with the sign-in, and with tokens if `ANALYTICS_JWT_SECRET` is set; needs https, see `examples/nginx`
    #[arg(long, conflicts_with = "open")]
    sign_in: bool,
    /// Where browsers see this app, if that cannot be told from what a proxy sends: `https://example.com/ops`
    #[arg(long)]
    public_url: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::parse();
    tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_writer(std::io::stderr).init();
    let builder = Analytics::builder(&flags.data).user(|head| head.header("x-user-id").map(User::new)); // stands in for your own sign-in
    let analytics = flags.public_url.iter().fold(builder, |builder, url| builder.public_url(url)).build()?;
    let dashboard = if flags.sign_in {
        analytics.dashboard(sign_in(&flags)?)
    } else {
        let open = flags.open && flags.host.is_loopback();
        analytics.dashboard(move |head: &Head<'_>| {
            let here = open && head.peer().is_some_and(|peer| peer.is_loopback()) && head.header("x-forwarded-for").is_none();
            (here || head.header("x-staff") == Some("yes")).then_some(Role::Admin)
        })
    };
    let app = routes().merge(dashboard).layer(analytics.layer()); // the layer last

    let listener = tokio::net::TcpListener::bind((flags.host, flags.port)).await?;
    println!("http://{0}/items and http://{0}/analytics", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(analytics.closing(tokio::signal::ctrl_c()))
        .await?;
    analytics.shutdown(Duration::from_secs(5))?; // a clean stop loses nothing
    Ok(())
}

/// The users of `tower-analytics user add`, and whoever brings a token that another program has signed.
fn sign_in(flags: &Flags) -> Result<Auth, tower_analytics::Error> {
    let auth = Auth::builder().sign_in(&flags.data);
    let secret = std::env::var_os("ANALYTICS_JWT_SECRET").map(|_| Secret::new("env:ANALYTICS_JWT_SECRET"));
    secret.into_iter().fold(auth, |auth, secret| auth.issuer(Issuer::shared_secret("HS256", secret))).build()
}

fn routes() -> Router {
    Router::new()
        .route("/items", get(list).post(create))
        .route("/items/{id}", get(show))
        .route("/slow", get(slow))
        .route("/stream", get(stream))
        .route("/sized", get(sized))
        .route("/fail", get(fail))
        .route("/panic", get(panic))
}

async fn list() -> Json<[&'static str; 2]> {
    Json(["a hammer", "a saw"])
}

async fn create() -> StatusCode {
    StatusCode::CREATED
}

async fn show(Path(id): Path<String>) -> String {
    format!("item {id}\n")
}

#[derive(Deserialize)]
struct Ask {
    #[serde(default)]
    ms: u64,
    #[serde(default)]
    kb: usize,
}

async fn slow(Query(ask): Query<Ask>) -> &'static str {
    tokio::time::sleep(Duration::from_millis(ask.ms)).await;
    "at last\n"
}

/// `kb` chunks of 1 kB, a pause after each.
fn chunks(kb: usize) -> Body {
    let chunk = Bytes::from_static(&[b'.'; 1000]);
    Body::from_stream(futures_util::stream::unfold((kb, chunk), |(left, chunk)| async move {
        let left = left.checked_sub(1)?;
        tokio::task::yield_now().await;
        Some((Ok::<_, Infallible>(chunk.clone()), (left, chunk)))
    }))
}

async fn stream(Query(ask): Query<Ask>) -> Body {
    chunks(ask.kb)
}

async fn sized(Query(ask): Query<Ask>) -> Response {
    ([(header::CONTENT_LENGTH, (ask.kb * 1000).to_string())], chunks(ask.kb)).into_response()
}

async fn fail() -> impl IntoResponse {
    let note = ErrorNote::new("warehouse", "shelf 4711 is \"empty\"");
    (StatusCode::INTERNAL_SERVER_ERROR, axum::Extension(note), "that did not work\n")
}

async fn panic() -> &'static str {
    panic!("as asked")
}
