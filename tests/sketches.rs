//! The code users are promised, as they would write it.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tonic::{
    Status,
    server::NamedService,
    transport::{Server, server::TcpIncoming},
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_analytics::{Analytics, AnalyticsLayer, Ask, Batch, Error, Head, Recorder, Reports, Role, Sink, User};

async fn ask(address: SocketAddr, path: &str, user: &str) -> u16 {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "localhost").header("x-user-id", user).body(Empty::<Bytes>::new()).unwrap();
    let response = client.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    response.into_body().collect().await.unwrap();
    status
}

/// What the reports say of each endpoint, most hits first.
fn endpoints(directory: &std::path::Path) -> Vec<(String, u64)> {
    let rows = Reports::open(directory).unwrap().endpoints(&Ask::all_time()).unwrap();
    rows.into_inner().into_iter().map(|row| (row.endpoint, row.hits)).collect()
}

fn named(rows: &[(&str, u64)]) -> Vec<(String, u64)> {
    rows.iter().map(|(name, hits)| ((*name).to_owned(), *hits)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_axum_app() -> Result<(), Box<dyn std::error::Error>> {
    #[derive(Clone)]
    struct Shop(&'static str);
    async fn item(State(shop): State<Shop>) -> &'static str {
        shop.0
    }
    let directory = tempfile::tempdir()?;
    let state = Shop("an item");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let ctrl_c = || stopped;
    let staff = |head: &Head<'_>| (head.header("x-user-id") == Some("boss")).then_some(Role::Mod);

    let served = tokio::spawn({
        let directory = directory.path().to_owned();
        async move {
            let analytics = Analytics::builder(directory).user(|head| head.header("x-user-id").map(User::new)).build()?;
            let app =
                Router::new().route("/items/{id}", get(item)).merge(analytics.dashboard(staff)).layer(analytics.layer()).with_state(state);
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
                .with_graceful_shutdown(analytics.closing(ctrl_c()))
                .await?;
            analytics.shutdown(Duration::from_secs(5))?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        }
    });
    assert_eq!(ask(address, "/items/7", "ann").await, 200);
    assert_eq!(ask(address, "/items/8", "ben").await, 200);
    assert_eq!(ask(address, "/nope", "ann").await, 404);
    assert_eq!(ask(address, "/analytics", "boss").await, 200);
    assert_ne!(ask(address, "/analytics", "ann").await, 200);
    drop(stop);
    served.await?.unwrap();
    assert_eq!(endpoints(directory.path()), named(&[("GET /items/{id}", 2), ("(unmatched)", 1)]));
    Ok(())
}

#[test]
fn and_its_test() -> Result<(), Error> {
    let (analytics, clock) = Analytics::testing();
    let service = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("an item"))) });
    let app = analytics.layer().layer(service);
    drop(futures_util::FutureExt::now_or_never(app.oneshot(Request::new(()))).unwrap());
    clock.advance(Duration::from_secs(1));
    analytics.flush()?;
    assert_eq!(analytics.reports().stats(&Ask::all_time())?.total_hits, 1);
    Ok(())
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from(request.uri().path().to_owned())))
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_hyper() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let analytics = Analytics::builder(directory.path()).routes(["/items", "/items/{id}"]).build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let layer = analytics.layer();
    let served = tokio::spawn(async move {
        for _ in 0..3 {
            let (stream, peer) = listener.accept().await?;
            let service = layer.clone().peer(peer.ip()).layer(service_fn(answer));
            let connection = auto::Builder::new(TokioExecutor::new());
            drop(connection.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await);
        }
        Ok::<_, io::Error>(())
    });
    for path in ["/items/7", "/items", "/nope"] {
        assert_eq!(ask(address, path, "ann").await, 200);
    }
    served.await??;
    tokio::task::spawn_blocking(move || analytics.shutdown(Duration::from_secs(5))).await??;
    assert_eq!(endpoints(directory.path()), named(&[("(unmatched)", 1), ("GET /items", 1), ("GET /items/{id}", 1)]));
    Ok(())
}

/// A gRPC service that knows one method, and nobody by name.
#[derive(Clone)]
struct Greeter;

impl NamedService for Greeter {
    const NAME: &'static str = "shop.Greeter";
}

impl Service<Request<tonic::body::Body>> for Greeter {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let known = request.uri().path() == "/shop.Greeter/SayHello";
        std::future::ready(Ok(if known { Status::not_found("who?") } else { Status::unimplemented("what?") }.into_http()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tonic() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let analytics = Analytics::builder(directory.path()).build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = Server::builder()
        .layer(analytics.layer())
        .add_service(Greeter)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async { drop(stopped.await) });
    let server = tokio::spawn(server);
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
    tokio::spawn(connection);
    for path in ["/shop.Greeter/SayHello", "/shop.Greeter/SayHello", "/shop.Greeter/MadeUp", "/made.Up/Too"] {
        let request = Request::post(format!("http://{address}{path}")).header("content-type", "application/grpc");
        client.send_request(request.body(Empty::<Bytes>::new())?).await?.into_body().collect().await?;
    }
    drop((client, stop));
    server.await??;
    tokio::task::spawn_blocking(move || analytics.shutdown(Duration::from_secs(5))).await??;
    assert_eq!(endpoints(directory.path()), named(&[("(unmatched)", 2), ("POST /shop.Greeter/SayHello", 2)]));
    let stats = Reports::open(directory.path())?.stats(&Ask::all_time())?;
    assert_eq!(stats.error_hits, 4, "by the status that gRPC gave");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_feature_and_a_sink_of_ones_own() -> Result<(), Error> {
    #[derive(Clone, Default)]
    struct MySink(Arc<AtomicU64>);
    impl Sink for MySink {
        fn write(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
            assert!(batch.hits().iter().all(|hit| hit.route() == "/items/{id}" && hit.session().is_some()));
            self.0.fetch_add(batch.hits().len() as u64, SeqCst);
            Ok(())
        }
    }
    let sink = MySink::default();
    let recorder = Recorder::start(sink.clone())?;
    let layer = AnalyticsLayer::new(recorder.clone()).routes(["/items/{id}"])?;
    let service = layer.layer(service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("an item"))) }));
    for _ in 0..3 {
        let response = service.clone().oneshot(Request::get("/items/7").body(()).unwrap()).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    tokio::task::spawn_blocking(move || recorder.shutdown(Duration::from_secs(5))).await.unwrap()?;
    assert_eq!(sink.0.load(SeqCst), 3);
    Ok(())
}
