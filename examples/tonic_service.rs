//! A gRPC service: its methods are the endpoints, its status is seen in the trailers.
//!
//! `cargo run --release --example tonic_service` calls itself a few times and prints what was recorded.

use std::{convert::Infallible, time::Duration};

use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tonic::{
    Code, Request, Response, Status,
    codegen::{BoxFuture, Service, StdError, http},
    server::{Grpc, NamedService, UnaryService},
    transport::{Endpoint, Server, server::TcpIncoming},
};
use tower_analytics::{Analytics, Ask};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let analytics = Analytics::open("./analytics-data")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = Server::builder()
        .layer(analytics.layer())
        .add_service(Greeter)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async { drop(stopped.await) });
    let server = tokio::spawn(server);

    for name in ["Ann", "Ben", ""] {
        let answer = greet(address, name).await;
        println!("{name:?}: {answer:?}");
    }

    drop(stop);
    server.await??;
    let reports = analytics.reports();
    tokio::task::spawn_blocking(move || analytics.shutdown(Duration::from_secs(5))).await??;
    for row in reports.endpoints(&Ask::all_time())?.into_inner() {
        println!("{}: {} hits, {} errors", row.endpoint, row.hits, row.errors);
    }
    Ok(())
}

/// What `tonic-prost-build` generates from a `.proto` file, by hand and in short.
#[derive(Clone)]
struct Greeter;

#[derive(Clone, PartialEq, prost::Message)]
struct Name {
    #[prost(string, tag = "1")]
    name: String,
}

impl NamedService for Greeter {
    const NAME: &'static str = "shop.Greeter";
}

impl Service<http::Request<tonic::body::Body>> for Greeter {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(async move { Ok(Grpc::new(tonic_prost::ProstCodec::<Name, Name>::default()).unary(SayHello, request).await) })
    }
}

struct SayHello;

impl UnaryService<Name> for SayHello {
    type Response = Name;
    type Future = BoxFuture<Response<Name>, Status>;

    fn call(&mut self, request: Request<Name>) -> Self::Future {
        Box::pin(async move {
            match request.into_inner().name {
                name if name.is_empty() => Err(Status::new(Code::InvalidArgument, "a name, please")),
                name => Ok(Response::new(Name { name: format!("Hello, {name}") })),
            }
        })
    }
}

async fn greet(address: std::net::SocketAddr, name: &str) -> Result<String, StdError> {
    let connect = tower::service_fn(move |_| async move { TcpStream::connect(address).await.map(TokioIo::new) });
    let channel = Endpoint::from_static("http://greeter").connect_with_connector(connect).await?;
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let path = http::uri::PathAndQuery::from_static("/shop.Greeter/SayHello");
    let codec = tonic_prost::ProstCodec::<Name, Name>::default();
    Ok(client.unary(Request::new(Name { name: name.to_owned() }), path, codec).await?.into_inner().name)
}
