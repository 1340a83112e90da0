//! Whatever a client sends, the answer is the app's own and the hit is there.

mod common;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request},
};
use common::tried::{number, tried};
use proptest::prelude::*;

const HEADERS: [&str; 9] = [
    "user-agent",
    "x-platform",
    "x-app-version",
    "x-device-info",
    "x-session-id",
    "x-user-id",
    "content-length",
    "content-type",
    "x-forwarded-for",
];

#[test]
fn headers_that_say_nothing_sensible_stop_nobody() {
    let mut tried = tried();
    let huge = vec![b'x'; 64 << 10];
    let numbers: [&[u8]; 5] = [b"-1", b"1e9", b"9223372036854775807", b"18446744073709551615", b"99999999999999999999999"];
    let texts: [&[u8]; 10] = [
        b"",
        b" ",
        b" \t ",
        &huge[..8192],
        &huge,
        b"\xff\xfe\x80",
        b"a\tb",
        "\u{80}\u{9f}\u{202e}\u{feff}".as_bytes(),
        b"'; --",
        b"%00<b>",
    ];
    for name in HEADERS {
        for value in numbers.into_iter().chain(texts) {
            let value = HeaderValue::from_bytes(value).unwrap();
            let request = Request::get("/items/7").header(name, &value);
            tried.send(request.body(Body::empty()).unwrap(), "an item");
            let twice = Request::get("/items/7").header(name, &value).header(name, "second").header(name, &value);
            tried.send(twice.body(Body::empty()).unwrap(), "an item");
        }
    }
    let directory = tried.all_is_there();
    assert_eq!(number(directory, "select count(*) from endpoints"), 3, "and one endpoint");
    assert_eq!(number(directory, "select max(length(cast(id as blob))) from users"), 256);
}

#[test]
fn random_headers_and_methods_are_one_hit_each() {
    let value = prop::collection::vec(any::<u8>(), 0..200);
    let allowed = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..);
    let value = value.prop_map(move |bytes| bytes.into_iter().filter(allowed).collect::<Vec<_>>());
    let header = (0..HEADERS.len(), value);
    let request = (prop::collection::vec(header, 0..12), "[A-Z!#$%&'*+.^_`|~-]{1,40}", "/[a-z%0-9/{}*._~-]{0,80}");
    let tried = std::cell::RefCell::new(tried());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(500));
    let result = runner.run(&request, |(headers, method, path)| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::builder().method(method).uri(format!("/any/x{}", path.replace('/', "-"))).body(Body::empty()).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::from_static(HEADERS[name]), HeaderValue::from_bytes(&value).unwrap());
        }
        let answer = if request.method() == Method::HEAD { "" } else { "anything" };
        tried.borrow_mut().send(request, answer);
        Ok(())
    });
    result.unwrap();
    tried.borrow().all_is_there();
}
