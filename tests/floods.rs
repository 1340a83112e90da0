//! What a client makes up by the thousand finds its cap: `(other)`, never an error, and no more memory.

mod common;

use axum::{
    body::Body,
    http::{Method, Request, request},
};
use common::tried::{CAP, Tried, number, tried};

const FLOOD: usize = 2000;

fn flood(tried: &mut Tried, answer: &str, request: impl Fn(usize, request::Builder) -> request::Builder) {
    for n in 0..FLOOD {
        tried.send(request(n, Request::builder().uri("/items/7")).body(Body::empty()).unwrap(), answer);
    }
}

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}

#[test]
fn what_no_answer_confirms_is_no_endpoint() {
    let mut tried = tried();
    let grpc = |builder: request::Builder| builder.method("POST").header("content-type", "application/grpc");
    flood(&mut tried, "hello", |n, builder| builder.uri(format!("/nope/{n}")));
    flood(&mut tried, "", |n, builder| builder.method(method(&format!("MADE-UP-{n}"))));
    flood(&mut tried, "hello", |n, builder| grpc(builder).uri(format!("/gone.Service/{n}")));
    flood(&mut tried, "hello", |n, builder| grpc(builder).uri(format!("/wp-admin/{n}")));
    flood(&mut tried, "hello", |n, builder| grpc(builder).method(method("STEAL")).uri(format!("/wp-admin/{n}")));
    tried.send(Request::get("/items/7").body(Body::empty()).unwrap(), "an item");
    tried.send(grpc(Request::post("/shop.Orders/Place")).body(Body::empty()).unwrap(), "hello");
    let directory = tried.all_is_there();
    let stored = common::stored(directory);
    assert_eq!(stored.keys().map(|(endpoint, _)| endpoint.as_str()).filter(|name| *name == "(unmatched)").count(), 2, "{stored:?}");
    assert_eq!(stored.len(), 4, "with the two that are endpoints: {stored:?}");
    assert_eq!(stored[&("POST /shop.Orders/Place".to_owned(), 200)], 1);
}

#[test]
fn what_the_app_does_answer_is_capped() {
    let mut tried = tried();
    flood(&mut tried, "anything", |n, builder| builder.uri("/any/7").method(method(&format!("MADE-UP-{n}"))));
    flood(&mut tried, "hello", |n, builder| {
        builder.uri(format!("/shop.Orders/{n}")).method("POST").header("content-type", "application/grpc")
    });
    flood(&mut tried, "an item", |n, builder| builder.header("x-user-id", format!("user {n}")));
    flood(&mut tried, "an item", |n, builder| builder.header("x-app-version", format!("1.{n}")));
    flood(&mut tried, "an item", |n, builder| builder.header("x-device-info", format!("phone {n}")));
    flood(&mut tried, "an item", |n, builder| builder.header("x-platform", format!("system {n}")));
    flood(&mut tried, "an item", |n, builder| builder.header("user-agent", format!("agent/{n}")));
    flood(&mut tried, "an item", |n, builder| builder.header("x-session-id", format!("session {n}")));
    let other = tried.all_is_there();
    for table in ["users", "endpoints", "devices", "visitors"] {
        assert_eq!(number(other, &format!("select count(*) from {table}")), i64::from(CAP), "{table}");
    }
    let stored = common::stored(other);
    assert!(stored[&("(other)".to_owned(), 200)] > 3 * FLOOD as u64, "{stored:?}");
    assert!(number(other, "select count(*) from active_sessions") <= i64::from(CAP));
}

/// Pages of this process, from the system.
#[cfg(target_os = "linux")]
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "measures this whole process: to be run alone"]
fn memory_stays_within_bounds_however_much_is_made_up() {
    let mut tried = tried();
    let mut round = |round: usize| {
        flood(&mut tried, "hello", |n, builder| {
            let n = round * FLOOD + n;
            let builder = builder.method("POST").uri(format!("/shop.Orders/{n}")).header("content-type", "application/grpc");
            let names = ["x-user-id", "x-app-version", "x-device-info", "x-session-id", "user-agent"];
            names.into_iter().fold(builder, |builder, name| builder.header(name, format!("{n:>500}")))
        });
        tried.analytics.flush().unwrap();
    };
    (0..15).for_each(&mut round);
    let before = resident_bytes();
    (15..60).for_each(&mut round);
    let grown = resident_bytes().saturating_sub(before);
    println!("{} requests more, {} KiB more", 45 * FLOOD, grown >> 10);
    assert!(grown < 16 << 20, "{grown} bytes more");
}
