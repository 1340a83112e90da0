use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Request, middleware};

use crate::{
    client::{get, send},
    common::until,
    site::{Site, bearer, token},
};

/// A site whose app lets NGINX keep decisions for a minute, and how often it was asked.
fn site(extra: &'static [&'static str]) -> (Site, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let count = move |app: Router| {
        app.layer(middleware::from_fn(move |request: Request, next: middleware::Next| {
            counter.fetch_add(usize::from(request.uri().path().contains("/auth/verify/")), Ordering::SeqCst);
            next.run(request)
        }))
    };
    let mut config = tower_analytics::auth::AuthConfig::default();
    config.extra_token_headers = extra.iter().map(|name| (*name).to_owned()).collect();
    config.issuer.push(tower_analytics::auth::Issuer::shared_secret("HS256", crate::site::SECRET.into()));
    let settings =
        |auth: tower_analytics::auth::AuthBuilder| auth.config(config).leeway(Duration::ZERO).nginx_cache_ttl(Duration::from_secs(60));
    (Site::of(settings, count, &[]), asked)
}

#[test]
#[ignore = "wants NGINX"]
fn a_decision_that_is_kept_is_asked_for_once() {
    let (site, asked) = site(&[]);
    let bearer = bearer("ann", "admin", 60);
    for _ in 0..3 {
        assert_eq!(get(site.address(), "/cached/x", &bearer).status, 200);
    }
    assert_eq!(send(site.address(), "POST", "/cached/y", &format!("{bearer}Content-Length: 2\r\n"), b"hi").status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // What is not kept is asked for each time.
    for _ in 0..3 {
        assert_eq!(get(site.address(), "/app", &bearer).status, 200);
        assert_eq!(get(site.address(), "/cached/x", "").status, 401);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 7);
}

#[test]
#[ignore = "wants NGINX"]
fn what_is_kept_for_one_is_never_given_to_another() {
    let (site, _) = site(&[]);
    let session = site.browser_of("ann").cookie.unwrap();
    let people = [
        (bearer("ann", "admin", 60), "ann"),
        (bearer("mo", "mod", 60), "mo"),
        (format!("Cookie: {session}\r\n"), "ann"),
        (String::new(), ""),
        ("Authorization: Bearer x.y.z\r\n".to_owned(), ""),
        (format!("{}x\r\n", bearer("ann", "admin", 60).trim_end()), ""),
        (format!("Cookie: {session}x\r\n"), ""),
        (bearer("ann", "admin", -100), ""),
    ];
    // In any order, with the cache empty and full.
    for (headers, subject) in people.iter().chain(people.iter().rev()).chain(&people) {
        let reply = get(site.address(), "/cached/x", headers);
        let seen = reply.body.lines().find_map(|line| line.strip_prefix("x-auth-subject: ")).unwrap_or_default();
        assert_eq!((reply.status, seen), (if subject.is_empty() { 401 } else { 200 }, *subject), "{headers}");
    }
    let mut kept = 0;
    for file in fs::read_dir(site.nginx.path("cache")).unwrap() {
        let text = String::from_utf8_lossy(&fs::read(file.unwrap().path()).unwrap()).into_owned();
        assert!(text.contains("KEY: any|") && !text.contains("eyJ") && !text.contains("an1_"), "a credential is in a file: {text}");
        kept += 1;
    }
    assert_eq!(kept, 3);
}

#[test]
#[ignore = "wants NGINX"]
fn a_token_in_a_header_of_a_gateway_is_told_apart_too() {
    let (site, asked) = site(&["X-Id-Token"]);
    for (token, status) in [(token("ann", "admin", 60), 200), ("x.y.z".to_owned(), 401), (token("mo", "mod", 60), 200)] {
        assert_eq!(get(site.address(), "/cached/x", &format!("X-Id-Token: {token}\r\n")).status, status);
    }
    assert_eq!(get(site.address(), "/cached/x", "").status, 401);
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[test]
#[ignore = "wants NGINX"]
fn what_is_kept_ends_with_the_token() {
    let (site, asked) = site(&[]);
    let bearer = bearer("ann", "admin", 4);
    assert_eq!(get(site.address(), "/cached/x", &bearer).status, 200);
    assert_eq!(get(site.address(), "/cached/x", &bearer).status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    until("the token ends", || get(site.address(), "/cached/x", &bearer).status == 401);
}
