//! A plugin from elsewhere: what it brings is there, guarded as it says, and does no harm when it breaks.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Body, routing::get};
use http_body_util::BodyExt;
use hyper::{Request, StatusCode};
use tower::ServiceExt;
use tower_analytics::{
    Analytics, Ask, Error, ErrorKind, Head, Hit, Keep, Role,
    plugin::{Host, Panel, PanelData, Plugin},
    report::UserOrder,
};

/// With what it is to bring.
struct Made(&'static str, fn(&mut Host));

impl Plugin for Made {
    fn name(&self) -> &'static str {
        self.0
    }

    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
        self.1(host);
        Ok(())
    }
}

/// With what it is to bring, which holds something.
struct Holding<F>(&'static str, F);

impl<F: FnOnce(&mut Host) -> Result<(), Error>> Plugin for Holding<F> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
        (self.1)(host)
    }
}

/// Longer than anything healthy takes.
const LONG: Duration = Duration::from_secs(60);

fn tenants(host: &mut Host) {
    host.on_hit(|hit| if hit.route() == "/ping" { Keep::No } else { Keep::Yes });
    host.on_hit(|hit| {
        let tenant = hit.user().and_then(|user| user.split_once('@')).map(|(_, tenant)| tenant.to_owned());
        hit.set_user(&tenant.unwrap_or_default());
        Keep::Yes
    });
    let reports = host.reports();
    host.panel(Panel::new("busiest", "Busiest <tenants>", move |ask| {
        let users = reports.users(ask, UserOrder::Actions, &Default::default())?.into_inner().users;
        Ok(PanelData::bars(users.into_iter().map(|row| (row.user_id, row.hits))))
    }));
    host.panel(Panel::new("broken", "Broken", |_| panic!("made to")));
    host.panel(Panel::new("lines", "Lines", |_| Ok(PanelData::lines(["Mon", "Tue"], [("=a", vec![1.0, 2.0])]))));
    host.panel(Panel::new("table", "Table", |_| Ok(PanelData::table(["a", "b"], [vec!["<b>".to_owned(), "2".to_owned()]]))));
    host.panel(Panel::new("heat", "Heat", |_| Ok(PanelData::heatmap(["Mon", "Tue"], ["am", "pm"], [1, 2, 3]))));
    host.route("/tenants.json", Role::Admin, get(|| async { "[]" }));
}

/// Whoever says a role in `x-role` has it.
fn guard(head: &Head<'_>) -> Option<Role> {
    match head.header("x-role")? {
        "mod" => Some(Role::Mod),
        "admin" => Some(Role::Admin),
        _ => None,
    }
}

async fn ask(app: &Router, path: &str, role: &str) -> (StatusCode, String) {
    let slash = if path.is_empty() || path.starts_with('?') { "" } else { "/" };
    let request = Request::get(format!("/analytics{slash}{path}")).header("x-role", role).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    (status, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_brings_is_there() {
    let (analytics, _clock) = Analytics::testing();
    let app: Router = Router::new().merge(analytics.dashboard(guard).plugin(Made("tenants", tenants)).unwrap());
    for (route, user) in [("/items", "ann@north"), ("/items", "ben@north"), ("/ping", "ann@north"), ("/items", "<script>@<south>")] {
        let mut hit = Hit::new("GET", route);
        hit.set_user(user);
        analytics.record(&hit);
    }
    analytics.flush().unwrap();
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 3, "pings are not kept");
    let (status, page) = ask(&app, "x/tenants", "mod").await;
    assert_eq!(status, StatusCode::OK);
    for part in ["Busiest &#60;tenants&#62;", "north", "&#60;south&#62;", "This could not be answered.", "Show as table"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<south>") && !page.contains("<b>2"));
    let list = ask(&app, "users", "mod").await.1;
    assert!(list.contains("/analytics/x/tenants"), "it is in the list of pages: {list}");
    let (_, csv) = ask(&app, "x/tenants/busiest.csv", "mod").await;
    assert_eq!(csv, "name,value\r\nnorth,2\r\n<south>,1\r\n");
    assert!(ask(&app, "x/tenants/lines.csv", "mod").await.1.contains("step,'=a"), "formulas are defused");
    let (_, json) = ask(&app, "x/tenants/table?days=7", "mod").await;
    assert_eq!(json, r#"{"columns":["a","b"],"rows":[["<b>","2"]],"title":"Table"}"#);
    assert_eq!(ask(&app, "x/tenants/heat.csv", "mod").await.1, ",am,pm\r\nMon,1,2\r\nTue,3,0\r\n");
    assert!(page.contains("Tue am: 3"), "{page}");
    assert_eq!(ask(&app, "x/tenants/table?dayz=7", "mod").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(ask(&app, "x/tenants/broken", "mod").await.0, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_routes_take_the_role_they_say() {
    let (analytics, _clock) = Analytics::testing();
    let app: Router = Router::new().merge(analytics.dashboard(guard).plugin(Made("tenants", tenants)).unwrap());
    for (path, role, status) in [
        ("x/tenants/tenants.json", "admin", StatusCode::OK),
        ("x/tenants/tenants.json", "mod", StatusCode::FORBIDDEN),
        ("x/tenants/tenants.json", "", StatusCode::UNAUTHORIZED),
        ("x/tenants", "", StatusCode::UNAUTHORIZED),
        ("x/tenants/busiest", "", StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(ask(&app, path, role).await.0, status, "{path} as {role:?}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_a_reason() {
    let (analytics, _clock) = Analytics::testing();
    let nothing: fn(&mut Host) = |_| {};
    type Case = (&'static str, fn(&mut Host), &'static str);
    let cases: [Case; 6] = [
        ("Not Plain", nothing, "lower-case"),
        ("a", |host| host.panel(Panel::new("A b", "", |_| Ok(PanelData::text("")))), "ids are lower-case"),
        ("b", |host| (0..2).for_each(|_| host.panel(Panel::new("x", "", |_| Ok(PanelData::number(1.0))))), "two panels"),
        ("c", |host| host.route("no-slash", Role::Mod, get(|| async {})), "begin with"),
        ("d", |host| host.route("/{", Role::Mod, get(|| async {})), "cannot be added"),
        (
            "e",
            |host| {
                host.panel(Panel::new("x", "", |_| Ok(PanelData::number(1.0))));
                host.route("/x", Role::Mod, get(|| async {}));
            },
            "cannot be added",
        ),
    ];
    for (name, build, says) in cases {
        let error = analytics.dashboard(guard).plugin(Made(name, build)).unwrap_err().to_string();
        assert!(error.contains(says), "{name}: {error}");
    }
    let twice = analytics.dashboard(guard).plugin(Made("twice", nothing)).unwrap().plugin(Made("twice", nothing));
    assert!(twice.unwrap_err().to_string().contains("already"));
}

#[tokio::test]
async fn a_hook_knows_the_device_and_may_say_another_and_one_that_panics_is_counted() {
    let (analytics, _clock) = Analytics::testing();
    let hooks = |host: &mut Host| {
        host.on_hit(|hit| {
            if hit.device().is_some_and(|device| device.platform() == "iOS") {
                hit.set_bot(Some(tower_analytics::Bot::new("monitor", "our own probe")));
            }
            Keep::Yes
        });
        host.on_hit(|hit| {
            if hit.route() == "/tv" {
                hit.set_client("TV", "1.0", "", "");
            }
            if hit.route() == "/ping" { Keep::No } else { Keep::Yes }
        });
        host.on_hit(|_| panic!("made to"));
    };
    let _app: Router = Router::new().merge(analytics.dashboard(guard).plugin(Made("hooks", hooks)).unwrap());
    for (route, platform) in [("/items", "iOS"), ("/tv", "Web"), ("/ping", "Web"), ("/items", "Web")] {
        let mut hit = Hit::new("GET", route);
        hit.set_user("ann");
        hit.set_client(platform, "", "", "");
        analytics.record(&hit);
    }
    let asked = tokio::task::spawn_blocking(move || {
        analytics.flush().unwrap();
        let stats = analytics.reports().stats(&Ask::all_time()).unwrap().into_inner();
        let devices = analytics.reports().devices(&Ask::all_time()).unwrap().into_inner();
        (stats.total_hits, stats.bot_hits, analytics.counters(), serde_json::to_string(&devices).unwrap())
    });
    let (hits, bots, counters, devices) = asked.await.unwrap();
    assert_eq!((hits, bots, counters.left_out, counters.hooks_removed), (2, 1, 1, 1));
    assert!(devices.contains("TV"), "{devices}");
}

/// Says what is done, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn say(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn living(name: &'static str, log: &Log) -> impl Plugin + 'static {
    let log = log.clone();
    Holding(name, move |host: &mut Host| {
        let (hits, starts, stops, reports) = (log.clone(), log.clone(), log, host.reports());
        host.on_hit(move |hit| {
            hits.say(format!("{name} sees {}", hit.route()));
            Keep::Yes
        });
        host.on_start(|| panic!("made to"));
        host.on_start(move || starts.say(format!("{name} starts")));
        host.on_stop(move || {
            let stored = reports.stats(&Ask::all_time()).unwrap().total_hits;
            stops.say(format!("{name} stops after {stored}"));
        });
        host.on_stop(|| panic!("made to"));
        Ok(())
    })
}

#[test]
fn start_and_stop_are_done_once_whatever_panics_and_the_stop_sees_the_last_hit() {
    let (analytics, _clock) = Analytics::testing();
    let log = Log::default();
    drop(analytics.dashboard(guard).plugin(living("unused", &log)).unwrap());
    analytics.record(&Hit::new("GET", "/early"));
    analytics.flush().unwrap();
    let dashboard = analytics.dashboard(guard).plugins(vec![Box::new(living("one", &log)), Box::new(living("two", &log))]).unwrap();
    assert!(log.all().is_empty(), "nothing begins before there is a router: {:?}", log.all());
    let _app: Router = dashboard.into();
    assert_eq!(log.all(), ["one starts", "two starts"]);
    analytics.record(&Hit::new("GET", "/late"));
    analytics.shutdown(LONG).unwrap();
    analytics.shutdown(LONG).unwrap();
    let all = ["one starts", "two starts", "one sees /late", "two sees /late", "two stops after 2", "one stops after 2"];
    assert_eq!(log.all(), all);
}

/// What the log says, as lines.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_names_the_plugin_whose_start_or_stop_panicked() {
    let (analytics, _clock) = Analytics::testing();
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let unlucky = |host: &mut Host| {
        host.on_start(|| panic!("made to"));
        host.on_stop(|| panic!("made to"));
    };
    let dashboard = analytics.dashboard(guard).plugin(Made("unlucky", unlucky)).unwrap();
    // After the end both are done on the thread that makes the router, and that is the one whose log is read.
    analytics.shutdown(LONG).unwrap();
    let _app: Router = tracing::subscriber::with_default(subscriber, || dashboard.into());
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    for (line, what) in lines.iter().zip(["a hook on the start panicked", "a hook on the stop panicked"]) {
        assert!(line.contains(what) && line.contains(r#""unlucky""#) && line.contains("made to"), "{line}");
    }
}

#[test]
fn the_stop_is_done_after_the_last_handle_or_router_is_gone() {
    let (analytics, _clock) = Analytics::testing();
    let log = Log::default();
    let app: Router = analytics.dashboard(guard).plugin(living("one", &log)).unwrap().into();
    drop(analytics);
    assert_eq!(log.all(), ["one starts"], "a router is a handle");
    drop(app);
    assert_eq!(log.all(), ["one starts", "one stops after 0"]);
}

#[test]
fn a_stop_that_hangs_holds_no_shutdown_longer_than_it_said_and_no_flush_at_all() {
    let (analytics, _clock) = Analytics::testing();
    let (release, held) = mpsc::channel::<()>();
    let (began, begun) = mpsc::channel();
    let hanging = Holding("hanging", move |host: &mut Host| {
        host.on_stop(move || {
            began.send(()).unwrap();
            let _ = held.recv();
        });
        Ok(())
    });
    let _app: Router = analytics.dashboard(guard).plugin(hanging).unwrap().into();
    analytics.record(&Hit::new("GET", "/items"));
    // However slow the machine is, the writer gets as far as the hook; from then on it is the hook that is waited for.
    drop(analytics.shutdown(Duration::ZERO));
    begun.recv_timeout(LONG).unwrap();
    let start = Instant::now();
    let error = analytics.shutdown(Duration::from_millis(30)).unwrap_err();
    assert!(start.elapsed() < LONG / 2);
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let says = error.to_string();
    assert!(says.contains("every hit is written") && says.contains(r#""hanging""#), "{says}");
    assert_eq!(analytics.flush().unwrap_err().kind(), ErrorKind::Stopped);
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 1);
    drop(release);
    analytics.shutdown(LONG).unwrap();
}

#[test]
fn what_begins_after_the_end_is_ended_at_once() {
    let (analytics, _clock) = Analytics::testing();
    let log = Log::default();
    analytics.record(&Hit::new("GET", "/items"));
    analytics.flush().unwrap();
    let reading = Holding("late", {
        let log = log.clone();
        move |host: &mut Host| {
            let again = log.clone();
            host.on_stop(move || log.say("stops"));
            host.on_start(move || again.say("starts"));
            Ok(())
        }
    });
    analytics.shutdown(LONG).unwrap();
    let _app: Router = analytics.dashboard(guard).plugin(reading).unwrap().into();
    assert_eq!(log.all(), ["starts", "stops"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_in_all_plugins_is_said_at_once_and_nothing_of_them_stays() {
    let (analytics, _clock) = Analytics::testing();
    let log = Log::default();
    let two_faults = |host: &mut Host| {
        host.on_hit(|_| Keep::No);
        host.panel(Panel::new("A b", "", |_| Ok(PanelData::text(""))));
        host.route("no-slash", Role::Mod, get(|| async {}));
    };
    let unwell = |host: &mut Host| {
        host.on_hit(|_| Keep::No);
        Err(Error::new(ErrorKind::Plugin, "the shop is closed").with_source("it is Sunday"))
    };
    let plugins: Vec<Box<dyn Plugin>> = vec![
        Box::new(living("good", &log)),
        Box::new(Made("panels", |host| host.panel(Panel::new("one", "One", |_| Ok(PanelData::number(1.0)))))),
        Box::new(Made("two-faults", two_faults)),
        Box::new(Holding("unwell", unwell)),
        Box::new(Made("panics", |_| panic!("made to"))),
        Box::new(Made("Not Plain", |_| {})),
        Box::new(Made("good", |_| {})),
        Box::new(Made("verify", |_| {})),
        Box::new(Made("api", |_| {})),
    ];
    let auth = tower_analytics::Auth::hs256("an example, and too well known to be a secret").unwrap();
    let error = analytics.dashboard(auth).plugins(plugins).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let says = error.to_string();
    let expected = [
        r#"the plugin "two-faults" has a panel "A b": ids are lower-case letters, digits and `-`"#,
        r#"the plugin "two-faults" has a route "no-slash": it must begin with `/` and go on"#,
        r#"the plugin "unwell" cannot be built: the shop is closed: it is Sunday"#,
        r#"the plugin "panics" panicked while it was built: made to"#,
        r#"the plugin "Not Plain" must have a name of lower-case letters, digits and `-`"#,
        r#"the plugin "good" has a name that is taken already: another plugin has it, or a part of the dashboard itself"#,
        r#"the plugin "verify" has a name that is taken already: another plugin has it, or a part of the dashboard itself"#,
        r#"the plugin "api" has a name that is taken already: another plugin has it, or a part of the dashboard itself"#,
    ];
    assert_eq!(says.split("; ").collect::<Vec<_>>(), expected);
    let app: Router = analytics.dashboard(guard).into();
    analytics.record(&Hit::new("GET", "/items"));
    analytics.flush().unwrap();
    assert_eq!(ask(&app, "x/panels", "mod").await.0, StatusCode::NOT_FOUND);
    assert!(!ask(&app, "users", "mod").await.1.contains("/analytics/x/"));
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 1, "no hook is left");
    analytics.shutdown(LONG).unwrap();
    assert!(log.all().is_empty(), "{:?}", log.all());
}

/// A panel whose question waits until it is let go, and says when it begins.
fn stuck(began: &mpsc::Sender<()>, held: &Arc<Mutex<mpsc::Receiver<()>>>, id: &'static str) -> Panel {
    let (began, held) = (began.clone(), Arc::clone(held));
    Panel::new(id, "Stuck", move |_| {
        let _ = began.send(());
        drop(held.lock().map(|held| held.recv()));
        Ok(PanelData::text("let go"))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn panels_on_the_overview_stand_after_ours_and_a_slow_one_delays_it_no_longer_than_its_limit() {
    let (analytics, _clock) = Analytics::testing();
    let (began, _begun) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let shop = Holding("shop", move |host: &mut Host| {
        host.panel(Panel::new("seats", "Seats <sold>", |_| Ok(PanelData::bars([("opera", 41)]))).on_overview());
        host.panel(Panel::new("closed", "Closed", |_| Err(Error::new(ErrorKind::Plugin, "the shop <is> closed"))).on_overview());
        host.panel(Panel::new("broken", "Broken", |_| panic!("made to")).on_overview());
        host.panel(Panel::new("secret", "Secret", |_| Err(Error::new(ErrorKind::Directory, "no /srv/secret"))).on_overview());
        host.panel(Panel::new("apart", "Apart", |_| Ok(PanelData::text("only on its own page"))));
        host.panel(stuck(&began, &held, "stuck").on_overview());
        Ok(())
    });
    let app: Router = analytics.dashboard(guard).plugin(shop).unwrap().into();
    let (_, page) = ask(&app, "", "mod").await;
    assert!(!page.contains("shop_"), "before the first hit there is a welcome and nothing else: {page}");
    analytics.record(&Hit::new("GET", "/items"));
    analytics.flush().unwrap();
    let start = Instant::now();
    let (status, page) = ask(&app, "?days=7", "mod").await;
    let took = start.elapsed();
    assert_eq!(status, StatusCode::OK);
    assert!(took >= Duration::from_millis(500) && took < Duration::from_secs(20), "{took:?}");
    let card = |id: &str| {
        let (_, from) = page.split_once(&format!(r#"data-panel="shop_{id}""#)).unwrap_or_else(|| panic!("{id} in {page}"));
        from.split("</section>").next().unwrap().to_owned()
    };
    let ours = page.find(r#"data-panel="traffic""#).unwrap();
    assert!(ours < page.find(r#"data-panel="shop_seats""#).unwrap(), "ours come first");
    let seats = card("seats");
    for part in ["Seats &#60;sold&#62;", "opera", "/analytics/x/shop?days=7", "/analytics/x/shop/seats.csv?days=7", "by shop"] {
        assert!(seats.contains(part), "{part} in {seats}");
    }
    let failed = "This could not be answered.";
    for (id, why) in [
        ("closed", "the shop &#60;is&#62; closed"),
        ("broken", "the plugin &#34;shop&#34; panicked"),
        ("secret", "the server&#39;s log says"),
        ("stuck", "the plugin &#34;shop&#34; did not answer within 0.5 s"),
    ] {
        let card = card(id);
        assert!(card.contains(failed) && card.contains(why), "{why} in {card}");
        assert!(!card.contains("/srv/secret"), "{card}");
    }
    assert!(!page.contains("shop_apart"));
    assert!(ask(&app, "x/shop/closed", "mod").await.1.contains("the shop <is> closed"));
    drop(release);
    let (_, page) = ask(&app, "x/shop", "mod").await;
    assert!(page.contains("only on its own page") && page.contains("let go"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_never_end_are_given_up_and_take_no_more_than_two_threads() {
    let (analytics, _clock) = Analytics::testing();
    let (began, begun) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let hanging = Holding("hanging", move |host: &mut Host| {
        host.panel(stuck(&began, &held, "stuck").time_limit(Duration::from_millis(50)));
        Ok(())
    });
    let app: Router = analytics.dashboard(guard).plugin(hanging).unwrap().into();
    for path in ["x/hanging/stuck", "x/hanging/stuck.csv", "x/hanging/stuck", "x/hanging/stuck?days=7"] {
        let (status, says) = ask(&app, path, "mod").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{says}");
        assert!(says.contains("did not answer within 0.05 s"), "{says}");
    }
    assert_eq!(begun.try_iter().count(), 2, "the others waited for their turn");
    let (_, page) = ask(&app, "x/hanging", "mod").await;
    assert!(page.contains("did not answer within 0.05 s"), "{page}");
    drop(release);
}

/// Asks until it is told to stop, and says what told it.
fn restless(told: mpsc::Sender<ErrorKind>, rounds: Arc<AtomicUsize>, limit: Duration) -> impl Plugin + 'static {
    Holding("restless", move |host: &mut Host| {
        let reports = host.reports();
        let question = move |ask: &Ask| loop {
            rounds.fetch_add(1, SeqCst);
            if let Err(error) = reports.stats(ask) {
                told.send(error.kind()).unwrap();
                return Err(error);
            }
        };
        host.panel(Panel::new("restless", "Restless", question).time_limit(limit));
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_panel_asks_ends_when_whoever_asked_has_gone_or_the_time_is_over() {
    for (path, leaves) in [("x/restless", true), ("x/restless/restless", true), ("x/restless/restless.csv", false), ("x/restless", false)] {
        let (analytics, _clock) = Analytics::testing();
        analytics.record(&Hit::new("GET", "/items"));
        analytics.flush().unwrap();
        let (told, heard) = mpsc::channel();
        let rounds = Arc::new(AtomicUsize::new(0));
        let limit = if leaves { LONG * 10 } else { Duration::from_millis(50) };
        let app: Router = analytics.dashboard(guard).plugin(restless(told, Arc::clone(&rounds), limit)).unwrap().into();
        if leaves {
            let asking = tokio::spawn(async move { ask(&app, path, "mod").await });
            while rounds.load(SeqCst) < 2 {
                tokio::task::yield_now().await;
            }
            // As when the connection is closed: what waits is dropped.
            asking.abort();
        } else {
            assert!(ask(&app, path, "mod").await.1.contains("did not answer within 0.05 s"));
        }
        assert_eq!(heard.recv_timeout(LONG).unwrap(), ErrorKind::Cancelled, "{path}");
        assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 1, "nobody else is disturbed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn panels_are_in_the_document_of_the_api_of_their_dashboard_alone() {
    let (analytics, _clock) = Analytics::testing();
    let app: Router = analytics.dashboard(guard).plugin(Made("tenants", tenants)).unwrap().into();
    let (status, text) = ask(&app, "api/openapi.json", "mod").await;
    assert_eq!(status, StatusCode::OK);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let paths = document["paths"].as_object().unwrap();
    for (path, kind) in
        [("/x/tenants/busiest", "application/json"), ("/x/tenants/busiest.csv", "text/csv"), ("/x/tenants/heat", "application/json")]
    {
        let get = &paths[path]["get"];
        assert!(get["responses"]["200"]["content"][kind]["schema"].is_object(), "{path}: {get}");
        assert_eq!(get["responses"]["200"]["content"].as_object().unwrap().len(), 1, "{path}");
        assert!(get["summary"].as_str().unwrap().ends_with(", by the plugin tenants"), "{get}");
        let names: Vec<_> = get["parameters"].as_array().unwrap().iter().map(|param| param["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"days") && names.contains(&"tz") && names.contains(&"platform"), "{names:?}");
        assert!(get["responses"]["503"].is_object() && get["responses"]["400"].is_object());
    }
    assert!(!paths.keys().any(|path| path.contains("tenants.json")), "only panels say what they answer");
    let ids: Vec<_> = paths.values().map(|path| path["get"]["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len(), "each has an id of its own: {ids:?}");
    // What it says is what there is.
    let schema = document["paths"]["/x/tenants/table"]["get"]["responses"]["200"]["content"]["application/json"]["schema"].to_string();
    let name = schema.rsplit('/').next().unwrap().trim_end_matches(['"', '}']).to_owned();
    let required = document["components"]["schemas"][&name]["required"].as_array().unwrap().clone();
    let answer: serde_json::Value = serde_json::from_str(&ask(&app, "x/tenants/table", "mod").await.1).unwrap();
    for field in &required {
        assert!(!answer[field.as_str().unwrap()].is_null(), "{field} in {answer}");
    }
    assert_eq!(required.len(), 3);
    let plain: Router = analytics.dashboard(guard).into();
    assert!(!ask(&plain, "api/openapi.json", "mod").await.1.contains("/x/tenants"));
}
