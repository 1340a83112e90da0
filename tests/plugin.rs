//! A plugin from elsewhere: what it brings is there, guarded as it says, and does no harm when it breaks.

use axum::{Router, body::Body, routing::get};
use http_body_util::BodyExt;
use hyper::{Request, StatusCode};
use tower::ServiceExt;
use tower_analytics::{
    Analytics, Ask, Error, Head, Hit, Keep, Role,
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
    let request = Request::get(format!("/analytics/{path}")).header("x-role", role).body(Body::empty()).unwrap();
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
