use crate::{
    client::{Reply, get},
    site::{Site, bearer},
};

/// What the backend has seen of the headers that say who it is.
fn identity(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut lines: Vec<&str> = reply.body.lines().filter(|line| line.starts_with("x-auth") || line.starts_with("x_auth")).collect();
    lines.retain(|line| !line.starts_with("x-auth-expires: "));
    lines.sort_unstable();
    lines
}

const MADE_UP: &str = "X-Auth-Subject: root\r\nX-Auth-Roles: admin\r\nX-Auth-Issuer: https://evil.example\r\nX-Auth-Method: jwt\r\n\
                       X-Auth-Token-Id: 1\r\nX_Auth_Subject: root\r\nX_Auth_Roles: admin\r\nx-auth-SUBJECT: root\r\n";

#[test]
#[ignore = "wants NGINX"]
fn the_backend_learns_who_it_is_from_the_app_alone() {
    let site = Site::of_the_example(&[]);
    let reply = get(site.address(), "/app", &format!("{MADE_UP}{}", bearer("mo", "mod", 60)));
    assert_eq!(identity(&reply), ["x-auth-method: jwt", "x-auth-roles: mod", "x-auth-subject: mo"]);
    let odd = get(site.address(), "/app", &bearer("Zoë; admin=1, x", "none", 60));
    assert_eq!(identity(&odd), ["x-auth-method: jwt", "x-auth-subject: Zo%C3%AB%3B%20admin=1%2C%20x"]);

    let cookie = site.browser_of("ann").cookie.unwrap();
    let reply = get(site.address(), "/app", &format!("{MADE_UP}Cookie: {cookie}\r\n"));
    assert_eq!(identity(&reply), ["x-auth-method: session", "x-auth-roles: admin", "x-auth-subject: ann"]);
    let wrong = get(site.address(), "/app", MADE_UP);
    assert_eq!(wrong.status, 401);
}

#[test]
#[ignore = "wants NGINX"]
fn the_backend_sees_no_session_and_all_other_cookies() {
    let site = Site::of_the_example(&[]);
    let session = site.browser_of("ann").cookie.unwrap();
    for (sent, seen) in [
        (format!("Cookie: {session}\r\n"), None),
        (format!("Cookie: {session}; a=1; b=2\r\n"), Some("a=1; b=2")),
        (format!("Cookie: a=1; {session}\r\n"), Some("a=1")),
        (format!("Cookie: a=1; {session}; b=2\r\n"), Some("a=1; b=2")),
        (format!("Cookie: a=1;{session};b=2\r\n"), Some("a=1;b=2")),
        (format!("Cookie: a=1\r\nCookie: {session}\r\nCookie: b=2\r\n"), Some("a=1; b=2")),
        (format!("Cookie: {session}; a=1; {session}\r\n"), None),
    ] {
        let reply = get(site.address(), "/app", &sent);
        assert_eq!(reply.status, 200, "{sent}");
        assert_eq!(reply.body.lines().find_map(|line| line.strip_prefix("cookie: ")), seen, "{sent}");
        assert!(!reply.body.contains("an1_"));
    }
    let bearer = format!("{}Cookie: a=1; b=2\r\n", bearer("ann", "admin", 60));
    assert!(get(site.address(), "/app", &bearer).body.contains("\ncookie: a=1; b=2\n"));
}

#[test]
#[ignore = "wants NGINX"]
fn an_app_behind_nginx_sees_who_came_and_not_what_they_say_they_are() {
    let site = Site::of_the_example(&[]);
    let headers = format!("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\n{}", bearer("ann", "admin", 60));
    let reply = get(site.address(), "/app", &headers);
    assert!(reply.body.contains("\nx-forwarded-for: 127.0.0.1\n") && reply.body.contains("\nx-forwarded-proto: https\n"), "{}", reply.body);
    assert!(reply.body.contains(&format!("\nhost: {}\n", site.address())), "{}", reply.body);
    // What the client says it wanted is for NGINX to say.
    let form = get(site.address(), "/analytics/login", "X-Original-URI: /elsewhere\r\n");
    assert_eq!((form.status, form.header("location")), (200, None), "{}", form.head);
}
