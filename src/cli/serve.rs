//! `serve`: the dashboard as a server of its own, or the verify routes alone.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use axum::{Router, response::Redirect, routing::get};
use clap::{Args, Parser};
use http::StatusCode;
use tokio::net::TcpListener;
use tower_http::{compression::CompressionLayer, timeout::TimeoutLayer};

use super::{browser, demo, fault, open_guard::OnThisMachine, reload, settings::Settings, stop::asked_to_stop, verify_only};
use crate::{
    analytics::Analytics,
    auth::{Auth, Login, OneTimeLink},
    builder,
    clock::Clock,
    config::Config,
    error::{Error, ErrorKind},
    plugins::dashboard_of,
    report::Reports,
    web::Dashboard,
};

/// Show the dashboard of a data directory, or only say to a proxy whose tokens are good.
///
/// Reads beside an app that records there, or without one. With settings that have an `[auth]` table and no `data`, nothing is
/// recorded, there is no dashboard, and only `{base_path}/auth/verify/..` is served. SIGHUP reads keys anew.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// The settings file, in TOML; flags count more
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on [default: 127.0.0.1]
    #[arg(long)]
    host: Option<IpAddr>,
    /// The port to listen on, 0 for any that is free [default: 8089]
    #[arg(long)]
    port: Option<u16>,
    /// The data directory [default: analytics-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
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

const EXAMPLES: &str = "Examples:
  tower-analytics serve --demo                     look at it, with made-up traffic
  tower-analytics serve --data /srv/analytics      the data of a service
  tower-analytics serve --config verify.toml       only the route that NGINX asks, see examples/verify.toml";

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
        let settings = Settings::read_with_keys(self.config.as_deref(), self.data.as_deref())?;
        let address = settings.listen(self.host, self.port)?;
        self.check_flags(&settings, address)?;
        // First the port: whoever starts a second server by mistake should not touch the data.
        let listener = listen(address).await?;
        if settings.is_verify_only() {
            return verify_only::serve(listener, &settings).await;
        }
        let address = listener.local_addr()?;
        let config = Config { require_writer: true, ..settings.config.clone() };
        let (recording, beside) = self.open_directory(&config).await?;
        let auth = if self.open { None } else { Some(auth_of(&settings)?) };
        let (dashboard, url) = dashboard(&config, recording.clone(), address, auth.as_ref())?;
        self.greet(&config, &url, beside);
        let _signpost = (!self.no_browser).then(|| browser::open(&url, &config.data));
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
        let reloading = auth.map(reload::on_hangup);
        let trickle = recording.as_ref().map(|analytics| tokio::spawn(demo::trickle(analytics.recorder().clone())));
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).with_graceful_shutdown(stopping).await?;
        [trickle, reloading].into_iter().flatten().for_each(|task| task.abort());
        recording.map_or(Ok(()), |analytics| analytics.shutdown(Duration::from_secs(5)))
    }

    fn check_flags(&self, settings: &Settings, address: SocketAddr) -> Result<(), Error> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Config, message));
        if self.open && !address.ip().is_loopback() {
            return wrong(format!(
                "--open would let everybody in who can reach {}: it is only for a loopback address such as 127.0.0.1",
                address.ip()
            ));
        }
        if self.open && settings.config.auth.is_some() {
            return wrong(
                "--open lets everybody in, and the settings have an [auth] table that does not: take one of them away".to_owned(),
            );
        }
        if self.demo && settings.is_verify_only() {
            return wrong("--demo makes up data, and the settings name no directory for it: add --data, or leave --config away".to_owned());
        }
        Ok(())
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

    fn greet(&self, config: &Config, url: &str, beside: bool) {
        let data = config.data.display();
        match (beside, self.demo) {
            (true, _) => println!("Data       {data}, read only: an app records there"),
            (false, true) => println!("Data       {data}, made up by --demo"),
            (false, false) => println!("Data       {data}; no app records there now"),
        }
        println!("Dashboard  {url}");
        if let Some(auth) = &config.auth {
            println!("Verify     {}/auth/verify/{{policy}}", url.split("/link/").next().unwrap_or(url));
            if !auth.issuer.is_empty() {
                println!("Tokens     as [auth] in the settings says");
            }
        }
        if self.open {
            println!("Sign-in    none: --open lets everybody on this machine in");
        } else if url.contains("/link/") {
            println!("Sign-in    nobody can sign in yet: the link makes the first admin. It works once, within ten minutes");
        } else {
            println!("Sign-in    with name and password");
        }
    }
}

/// As the settings say. Without any: users with passwords, over plain http only in browsers on this machine, as whoever starts it by hand
/// has no certificate.
fn auth_of(settings: &Settings) -> Result<Auth, Error> {
    if let Some(auth) = settings.auth()? {
        return Ok(auth);
    }
    let login = Login { insecure_cookies_for_loopback: true, ..Login::default() };
    Auth::builder().sign_in(&settings.config.data).login(login).build()
}

/// The dashboard, and what to open to see it.
fn dashboard(
    config: &Config,
    recording: Option<Analytics>,
    address: SocketAddr,
    auth: Option<&Auth>,
) -> Result<(Dashboard, String), Error> {
    let reports = recording.as_ref().map_or_else(|| Reports::new(&config.data, Clock::system()), Analytics::reports);
    let shown = match address.ip() {
        ip if ip.is_unspecified() => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    };
    let home = format!("http://{shown}{}", config.base_path);
    let Some(auth) = auth else { return Ok((dashboard_of(reports, recording, config, OnThisMachine), home)) };
    let dashboard = dashboard_of(reports, recording, config, auth.clone());
    // Whoever has tokens needs no first user.
    let needs_user = auth.config().issuer.is_empty() && auth.config().proxy.user_header.is_empty();
    let has_users = auth.sign_in()?.map_or(Ok(true), |sign_in| sign_in.db().users().map(|users| !users.is_empty()))?;
    if has_users || !needs_user {
        return Ok((dashboard, home));
    }
    let (link, secret) = OneTimeLink::new(Clock::system())?;
    Ok((dashboard.with_link(link), format!("{home}/link/{secret}")))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there; choose another port with --port",
            std::io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege; choose a higher one with --port",
            _ => "check --host and --port, or `listen` in the settings",
        };
        Error::new(ErrorKind::Listen, format!("cannot listen on {address}: {advice}")).with_source(error)
    })
}
