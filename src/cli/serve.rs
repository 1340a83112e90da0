//! `serve`: the dashboard as a server of its own.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use axum::{Router, response::Redirect, routing::get};
use clap::{Args, Parser};
use http::StatusCode;
use tokio::net::TcpListener;
use tower_http::{compression::CompressionLayer, timeout::TimeoutLayer};

use super::{demo, fault, open_guard::OnThisMachine};
use crate::{
    analytics::Analytics,
    auth::OneTimeLink,
    builder,
    clock::Clock,
    config::Config,
    error::{Error, ErrorKind},
    report::Reports,
    web::Dashboard,
};

/// Show the dashboard of a data directory. Reads beside an app that records there, or without one.
#[derive(Args, Clone, Debug)]
pub(super) struct Serve {
    /// The address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port to listen on
    #[arg(long, default_value_t = 8089)]
    port: u16,
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = "./analytics-data")]
    data: PathBuf,
    /// Do not open the browser
    #[arg(long)]
    no_browser: bool,
    /// Let everybody on this machine in without a link; only on a loopback address
    #[arg(long)]
    open: bool,
    /// Fill the directory with 90 days of made-up traffic, and keep some coming
    #[arg(long)]
    demo: bool,
}

#[derive(Debug, Parser)]
#[command(name = "standalone", version)]
struct Alone {
    #[command(flatten)]
    serve: Serve,
}

/// A request to the dashboard that takes longer has lost its reader.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// Runs `serve` as a program of its own, with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    Alone::parse().serve.run()
}

impl Serve {
    pub(super) fn run(self) -> ExitCode {
        let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        fault::exit(runtime.map_err(Error::from).and_then(|runtime| runtime.block_on(self.serve())))
    }

    async fn serve(self) -> Result<(), Error> {
        if self.open && !self.host.is_loopback() {
            let message =
                format!("--open would let everybody in who can reach {}: it is only for a loopback address such as 127.0.0.1", self.host);
            return Err(Error::new(ErrorKind::Config, message));
        }
        // First the port: whoever starts a second server by mistake should not touch the data.
        let listener = self.listen().await?;
        let address = listener.local_addr()?;
        let config = Config { data: self.data.clone(), require_writer: true, ..Config::default() };
        config.check()?;
        let (recording, beside) = self.open_directory(&config).await?;
        let (dashboard, url) = self.dashboard(&config, recording.clone(), address)?;
        self.greet(&url, beside);
        let (home, hub) = (config.base_path.clone(), dashboard.hub());
        let app = Router::new()
            .route("/", get(async move || Redirect::to(&home)))
            .merge(dashboard)
            .layer(CompressionLayer::new())
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST_ANSWER));
        let stopping = async move {
            asked_to_stop().await;
            hub.close();
        };
        let trickle = recording.as_ref().map(|analytics| tokio::spawn(demo::trickle(analytics.recorder().clone())));
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).with_graceful_shutdown(stopping).await?;
        trickle.inspect(|task| task.abort());
        recording.map_or(Ok(()), |analytics| analytics.shutdown(Duration::from_secs(5)))
    }

    async fn listen(&self) -> Result<TcpListener, Error> {
        let address = SocketAddr::new(self.host, self.port);
        TcpListener::bind(address).await.map_err(|error| {
            let advice = match error.kind() {
                std::io::ErrorKind::AddrInUse => "another program listens there; choose another port with --port",
                std::io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege; choose a higher one with --port",
                _ => "check --host and --port",
            };
            Error::new(ErrorKind::Listen, format!("cannot listen on {address}: {advice}")).with_source(error)
        })
    }

    /// The recorder of a demo, and whether an app records in the directory. Without a demo nothing is held: an app
    /// that starts later finds the lock free.
    async fn open_directory(&self, config: &Config) -> Result<(Option<Analytics>, bool), Error> {
        let (config, demo) = (config.clone(), self.demo);
        let opened = tokio::task::spawn_blocking(move || {
            if !demo {
                return builder::prepare(&config).map(|free| (None, !free));
            }
            let analytics = Analytics::builder(&config.data).config(config.clone()).build().map_err(|error| match error.kind() {
                ErrorKind::Locked => Error::new(
                    ErrorKind::Locked,
                    format!("an app records in {}: a demo needs a directory of its own, see --data", config.data.display()),
                ),
                _ => error,
            })?;
            demo::fill(&analytics)?;
            Ok((Some(analytics), false))
        });
        opened.await.map_err(|error| Error::new(ErrorKind::Storage, "opening the directory panicked").with_source(error))?
    }

    fn dashboard(&self, config: &Config, recording: Option<Analytics>, address: SocketAddr) -> Result<(Dashboard, String), Error> {
        let reports = recording.as_ref().map_or_else(|| Reports::new(&config.data, Clock::system()), Analytics::reports);
        let shown = match address.ip() {
            ip if ip.is_unspecified() => format!("localhost:{}", address.port()),
            _ => address.to_string(),
        };
        let home = format!("http://{shown}{}", config.base_path);
        if self.open {
            return Ok((Dashboard::new(reports, recording, config, Arc::new(OnThisMachine)), home));
        }
        let (link, secret) = OneTimeLink::new(Clock::system())?;
        let dashboard = Dashboard::new(reports, recording, config, Arc::new(link.clone())).with_link(link);
        Ok((dashboard, format!("{home}/link/{secret}")))
    }

    fn greet(&self, url: &str, beside: bool) {
        let data = self.data.display();
        match (beside, self.demo) {
            (true, _) => println!("Data       {data}, read only: an app records there"),
            (false, true) => println!("Data       {data}, made up by --demo"),
            (false, false) => println!("Data       {data}; no app records there now"),
        }
        println!("Dashboard  {url}");
        if self.open {
            println!("Sign-in    none: --open lets everybody on this machine in");
        } else {
            println!("Sign-in    the link works once, within ten minutes; start again for a new one");
        }
        if !self.no_browser && open::that_detached(url).is_err() {
            tracing::debug!("no browser could be opened");
        }
    }
}

async fn asked_to_stop() {
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
