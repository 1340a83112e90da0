//! A real NGINX with the files of `examples/nginx` in front of a real app: what they promise together. Wants `nginx`, `openssl` and
//! `curl`, so these tests run with `cargo test -- --ignored`.

mod backend;
mod cached;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod guarded;
mod identity;
mod proxy;
mod sign_in;
mod site;
mod tls;
