//! A dashboard with something in it, on a port of its own.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use tower_analytics::{Analytics, Clock, Hit, OpenToEveryone};

use crate::chromium::Chromium;

pub(crate) const PAGES: [&str; 17] = [
    "",
    "/live",
    "/sessions",
    "/session?id=202601-1",
    "/users",
    "/user?id=ann",
    "/power-users",
    "/inactive-users",
    "/retention?interval=day",
    "/lifecycle",
    "/features",
    "/endpoints",
    "/endpoint?endpoint=GET%20/items",
    "/platforms",
    "/errors",
    "/bots",
    "/settings",
];

pub(crate) struct Server {
    pub(crate) analytics: Analytics,
    _clock: Clock,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    /// Ten days of some people, with names of every kind.
    pub(crate) fn start() -> Self {
        let (analytics, clock) = Analytics::testing();
        let long = "a name of three hundred characters ".repeat(9);
        let names = ["Ann", "<script>alert(1)</script>", "مرحبا", "🦊", &long, ""];
        for hour in 0..240_usize {
            for person in (0..18_usize).filter(|person| (person * 7 + hour) % 11 < 3) {
                let mut hit = Hit::new("GET", ["/items", "/items/{id}", "/orders"][(person + hour) % 3]);
                hit.set_user(&if person == 0 { "ann".to_owned() } else { format!("u-{person}") });
                hit.set_user_name(names[person % names.len()]);
                hit.set_client(["Web", "iOS"][person % 2], ["3.9", "3.10"][hour / 120], "", "");
                hit.set_times(Duration::from_millis((person * 3 + hour % 50) as u64), Duration::ZERO);
                hit.set_status([200, 200, 200, 404, 500][hour % 5]);
                analytics.record(&hit);
            }
            // One of them stays a little.
            clock.advance(Duration::from_secs(300));
            let mut hit = Hit::new("POST", "/orders");
            hit.set_user("ann");
            hit.set_client("Web", ["3.9", "3.10"][hour / 120], "", "");
            hit.set_times(Duration::from_millis(80), Duration::ZERO);
            analytics.record(&hit);
            clock.advance(Duration::from_secs(3300));
        }
        analytics.flush().unwrap();
        Self::of(analytics, clock)
    }

    pub(crate) fn of(analytics: Analytics, clock: Clock) -> Self {
        let mut server = Self { analytics, _clock: clock, address: ([127, 0, 0, 1], 0).into(), runtime: None };
        server.serve();
        server
    }

    pub(crate) fn serve(&mut self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let app: Router = Router::new().merge(self.analytics.dashboard(OpenToEveryone));
        let listener = runtime.block_on(tokio::net::TcpListener::bind(self.address)).unwrap();
        self.address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, app).await });
        self.runtime = Some(runtime);
    }

    pub(crate) fn stop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    pub(crate) fn url(&self, page: &str) -> String {
        format!("http://{}/analytics{page}", self.address)
    }
}

pub(crate) fn with(page: &str) -> (Server, Chromium) {
    let (server, mut browser) = (Server::start(), Chromium::start());
    browser.size(1440, 1000);
    browser.open(&server.url(page));
    (server, browser)
}
