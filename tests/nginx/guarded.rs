use crate::{
    client::{get, send},
    common::until,
    site::{Site, bearer},
};

#[test]
#[ignore = "wants NGINX"]
fn what_a_program_fetches_is_told_the_status_and_what_is_missing() {
    let site = Site::of_the_example(&[]);
    let invalid = Some("Bearer realm=\"analytics\", error=\"invalid_token\"");
    for (path, headers, status, challenge) in [
        ("/app", String::new(), 401, Some("Bearer realm=\"analytics\"")),
        ("/app", "Sec-Fetch-Mode: cors\r\n".to_owned(), 401, Some("Bearer realm=\"analytics\"")),
        ("/app", "Authorization: Bearer x.y.z\r\n".to_owned(), 401, invalid),
        ("/app", bearer("ann", "admin", -100), 401, invalid),
        ("/app?access_token=x", "Authorization: Basic YTpi\r\n".to_owned(), 401, Some("Bearer realm=\"analytics\"")),
        ("/app", bearer("guest", "none", 60), 200, None),
        ("/app", bearer("mo", "mod", 60), 200, None),
        ("/admin/", bearer("mo", "mod", 60), 403, None),
        ("/admin/", bearer("ann", "admin", 60), 200, None),
        ("/admin/", bearer("ann", "admin", 60).replace("Bearer", "bearer"), 200, None),
        ("/analytics/api/stats", bearer("mo", "mod", 60), 200, None),
    ] {
        let reply = get(site.address(), path, &headers);
        assert_eq!((reply.status, reply.header("www-authenticate")), (status, challenge), "{path} {headers}");
        assert_eq!(reply.header("location"), None);
    }
    // More than NGINX takes never gets as far as a question.
    let twice = format!("{}{}", bearer("ann", "admin", 60), bearer("ann", "admin", 60));
    assert_eq!(get(site.address(), "/app", &twice).status, 400);
    assert_eq!(get(site.address(), "/app", &format!("Authorization: Bearer {}\r\n", "x".repeat(9000))).status, 400);
}

#[test]
#[ignore = "wants NGINX"]
fn bodies_reach_the_backend_whole_and_conditions_change_no_decision() {
    let site = Site::of_the_example(&[]);
    let bearer = bearer("ann", "admin", 60);
    let body = "0123456789".repeat(50_000);
    let headers = format!("{bearer}Content-Length: {}\r\n", body.len());
    let reply = send(site.address(), "POST", "/app", &headers, body.as_bytes());
    assert!(reply.status == 200 && reply.body.ends_with(&format!("\n\n{body}")), "{}", &reply.body[..200]);

    let chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let reply = send(site.address(), "PUT", "/app", &format!("{bearer}Transfer-Encoding: chunked\r\n"), chunks);
    assert!(reply.status == 200 && reply.body.starts_with("PUT /app\n") && reply.body.ends_with("\n\nhello world"), "{}", reply.body);

    for header in ["If-None-Match: *", "If-Match: \"x\"", "If-Modified-Since: Thu, 01 Jan 2037 00:00:00 GMT", "Range: bytes=0-0"] {
        let reply = get(site.address(), "/app", &format!("{bearer}{header}\r\n"));
        assert!(reply.status == 200 && reply.body.contains(&header.split_once(':').unwrap().0.to_lowercase()), "{header}: {}", reply.body);
    }
    let reply = get(site.address(), "/app", &format!("{bearer}Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    assert!(reply.body.contains("\nupgrade: websocket\n") && reply.body.contains("\nconnection: upgrade\n"), "{}", reply.body);
    // The question is asked without a body, so the backend keeps its connection for the next request.
    assert!(!get(site.address(), "/app", &bearer).body.contains("\nconnection: "));
}

#[test]
#[ignore = "wants NGINX"]
fn nobody_outside_asks_who_may_pass() {
    let site = Site::of_the_example(&[]);
    let bearer = bearer("ann", "admin", 60);
    for path in [
        "/analytics/auth/verify/any",
        "/analytics/auth/verify",
        "/analytics/auth",
        "/analytics/%61uth/verify/any",
        "/analytics/auth%2Fverify%2Fany",
        "//analytics//auth/verify/any",
        "/x/../analytics/auth/verify/any",
        "/analytics/x/%2e%2e/auth/verify/any",
        "/analytics/./auth/verify/any",
        "/analytics/AUTH/verify/any",
        "/analytics/auth/verify/any/",
        "/analytics/auth/verify/any?x=1",
        "/analytics/%2561uth/verify/any",
        "/_analytics_verify_any",
        "/_analytics_verify_admin",
        "/%5fanalytics_verify_admin",
    ] {
        let reply = get(site.address(), path, &bearer);
        assert_eq!((reply.status, reply.header("x-auth-subject")), (404, None), "{path}");
    }
}

#[test]
#[ignore = "wants NGINX"]
fn while_the_app_is_down_everything_is_closed_and_opens_again_by_itself() {
    let mut site = Site::of_the_example(&[]);
    let bearer = bearer("ann", "admin", 60);
    assert_eq!(get(site.address(), "/app", &bearer).status, 200);
    site.stop_app();
    for headers in ["", &bearer, "Sec-Fetch-Mode: navigate\r\n"] {
        let reply = get(site.address(), "/app", headers);
        assert!(reply.status == 500 && !reply.body.contains("GET /app"), "{}", reply.head);
    }
    site.start_app_again();
    until("NGINX asks it again", || get(site.address(), "/app", &bearer).status == 200);
}

#[test]
#[ignore = "wants NGINX"]
fn a_policy_that_is_not_there_closes_what_it_should_open() {
    let site = Site::of_the_example(&[("auth/verify/admin", "auth/verify/amdin")]);
    assert_eq!(get(site.address(), "/admin/", &bearer("ann", "admin", 60)).status, 500);
    assert!(site.nginx.log().contains("unexpected status: 404"), "{}", site.nginx.log());
}
