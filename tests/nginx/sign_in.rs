use tower_analytics::auth::Policy;

use crate::{
    client::{get, send},
    common::until,
    site::{Site, bearer, sign_in, token},
};

#[test]
#[ignore = "wants NGINX"]
fn whoever_opens_a_page_signs_in_and_comes_back_to_it() {
    let site = Site::of_the_example(&[]);
    let mut browser = site.browser();
    let reply = browser.open("/app/x?a=1&b=%20c&d=%2F%2F");
    assert_eq!((reply.status, reply.location()), (303, "/analytics/login?next=%2Fapp%2Fx%3Fa%3D1%26b%3D%2520c%26d%3D%252F%252F"));
    let form = browser.open("/analytics/login?next=%2Fapp%2Fx%3Fa%3D1%26b%3D2");
    assert_eq!(form.status, 200, "{}", form.body);
    assert!(form.body.contains("name=\"next\" value=\"/app/x?a=1&#38;b=2\"") && form.body.contains("<h1>Sign in</h1>"), "{}", form.body);

    let reply = sign_in(&mut browser, "ann", "/app/x?a=1&b=2");
    assert_eq!((reply.status, reply.location()), (303, "/app/x?a=1&b=2"));
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-analytics_session=an1_") && cookie.ends_with("Path=/; Secure; HttpOnly; SameSite=Lax"), "{cookie}");

    let page = browser.open("/app/x?a=1&b=2");
    assert_eq!(page.status, 200);
    assert!(page.body.starts_with("GET /app/x?a=1&b=2\n"), "{}", page.body);
    assert!(browser.open("/analytics").body.contains("Analytics"), "the dashboard is open too");
    // Whoever is in already is not asked again.
    assert_eq!(browser.open("/analytics/login?next=%2Fapp%2Fx").location(), "/app/x");
}

#[test]
#[ignore = "wants NGINX"]
fn a_form_that_is_sent_without_a_session_leads_to_the_sign_in_and_not_to_the_backend() {
    let site = Site::of_the_example(&[]);
    let reply = site.browser().submit("/app/orders?x=1", "much=1");
    assert_eq!((reply.status, reply.location()), (303, "/analytics/login?next=%2Fapp%2Forders%3Fx%3D1"));
}

#[test]
#[ignore = "wants NGINX"]
fn a_browser_that_says_no_mode_gets_to_the_sign_in_if_it_wants_a_page() {
    let site = Site::of_the_example(&[]);
    assert_eq!(get(site.address(), "/app", "Accept: text/html,application/xhtml+xml\r\n").status, 303);
    for headers in ["", "Accept: */*\r\n", "Accept: application/json, text/html\r\n", "Sec-Fetch-Mode: cors\r\nAccept: text/html\r\n"] {
        assert_eq!(get(site.address(), "/app", headers).status, 401, "{headers}");
    }
}

#[test]
#[ignore = "wants NGINX"]
fn the_wrong_role_is_told_so_and_sent_nowhere() {
    let site = Site::of_the_example(&[]);
    let mut mo = site.browser_of("mo");
    assert_eq!(mo.fetch("/admin/").status, 403);
    let page = mo.open("/admin/");
    assert_eq!((page.status, page.header("location")), (403, None));
    assert!(page.body.contains("Not for your role") && page.body.contains("action=\"/analytics/logout\""), "{}", page.body);
    assert_eq!(mo.open("/app").status, 200);
    assert_eq!(site.browser_of("ursa").open("/admin/").status, 403);
    assert_eq!(site.browser_of("ann").open("/admin/").status, 200);
}

#[test]
#[ignore = "wants NGINX"]
fn a_token_of_the_wrong_role_is_not_sent_to_a_form_that_could_not_help_it() {
    let site = Site::of(|auth| auth.jwt_cookie("app_token"), |app| app, &[]);
    let headers = format!("Sec-Fetch-Mode: navigate\r\nCookie: app_token={}\r\n", token("ann", "mod", 60));
    assert_eq!(get(site.address(), "/app", &headers).status, 200);
    let page = get(site.address(), "/admin/", &headers);
    assert_eq!((page.status, page.header("location")), (403, None));
    assert!(page.body.contains("Not for your role") && !page.body.contains("Sign out"), "there is no session to end: {}", page.body);
    // One that is bad counts as nobody.
    assert_eq!(get(site.address(), "/app", "Sec-Fetch-Mode: navigate\r\nCookie: app_token=x.y.z\r\n").status, 303);
}

#[test]
#[ignore = "wants NGINX"]
fn a_policy_that_takes_no_session_says_so_to_whoever_has_one() {
    let mut tokens = Policy::any_of(["admin"]);
    tokens.accept_session = false;
    let site = Site::of(|auth| auth.policy("tokens", tokens), |app| app, &[("auth/verify/admin", "auth/verify/tokens")]);
    let mut ann = site.browser_of("ann");
    let page = ann.open("/admin/");
    assert_eq!((page.status, page.header("location")), (403, None));
    assert!(page.body.contains("action=\"/analytics/logout\""), "{}", page.body);
    assert_eq!(ann.fetch("/admin/").status, 401);
    assert_eq!(get(site.address(), "/admin/", &bearer("ann", "admin", 60)).status, 200);
}

#[test]
#[ignore = "wants NGINX"]
fn signing_out_ends_the_session_everywhere() {
    let site = Site::of_the_example(&[]);
    let mut ann = site.browser_of("ann");
    assert_eq!(ann.fetch("/app").status, 200);
    assert!(ann.open("/analytics/logout").body.contains("You are signed in as"));
    let copied = ann.cookie.clone();
    let reply = ann.submit("/analytics/logout", "");
    assert_eq!((reply.status, reply.location(), &ann.cookie), (303, "/analytics/login", &None));
    for cookie in [None, copied] {
        ann.cookie = cookie;
        let reply = ann.fetch("/app");
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Bearer realm=\"analytics\"")));
        assert_eq!(ann.open("/app").location(), "/analytics/login?next=%2Fapp");
    }
}

#[test]
#[ignore = "wants NGINX"]
fn a_flood_of_sign_ins_ends_at_nginx_and_the_form_stays() {
    let site = Site::of_the_example(&[]);
    // From another site's page, so that the app has no reason to count them.
    let headers = "Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n";
    let mut answers = Vec::new();
    until("NGINX counts", || {
        answers.push(send(site.address(), "POST", "/analytics/login", headers, b"").status);
        answers.last() == Some(&429)
    });
    assert!(answers.len() > 5 && answers[..answers.len() - 1].iter().all(|status| *status == 403), "{answers:?}");
    assert_eq!(site.browser().open("/analytics/login").status, 200);
}
