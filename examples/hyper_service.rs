//! Plain hyper, no axum: route templates are said by hand, the peer by connection.
//!
//! `cargo run --release --example hyper_service`, then `curl localhost:3001/items/7`.

use std::{convert::Infallible, time::Duration};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower::{Layer, service_fn};
use tower_analytics::{Analytics, User};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let analytics = Analytics::builder("./analytics-data")
        .routes(["/items", "/items/{id}"])
        .user(|head| head.header("x-user-id").map(User::new))
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:3001").await?;
    println!("http://{}/items/7; see it with: cargo run --release --example standalone", listener.local_addr()?);
    loop {
        let (stream, peer) = tokio::select! {
            connection = listener.accept() => connection?,
            _ = tokio::signal::ctrl_c() => break,
        };
        let service = analytics.layer().peer(peer.ip()).layer(service_fn(answer));
        tokio::spawn(async move {
            let connection = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = connection.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await {
                eprintln!("a connection ended: {error}");
            }
        });
    }
    analytics.shutdown(Duration::from_secs(5))?;
    Ok(())
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from(format!("you asked for {}\n", request.uri().path()))))
}
