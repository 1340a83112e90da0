//! Stored + dropped = requests, counted by somebody else.

mod common;

use std::{
    process::{Child, Command, Stdio},
    sync::atomic::Ordering::SeqCst,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode},
    routing::get,
};
use common::{
    Counts,
    counting::{Counted, Counting},
    parts, stored, total, until,
};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tower_analytics::Analytics;

struct Served {
    address: std::net::SocketAddr,
    counted: Counted,
    analytics: Analytics,
    directory: tempfile::TempDir,
    stop: tokio::sync::oneshot::Sender<()>,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn serve(queue_bytes: usize) -> Served {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::builder(directory.path()).queue_bytes(queue_bytes).build().unwrap();
    let counted = Counted::default();
    let chunks = || async {
        Body::from_stream(futures_util::stream::iter((0..20).map(|_| Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b'.'; 1000])))))
    };
    let app = Router::new()
        .route("/items", get(|| async { "items" }).post(|| async { StatusCode::CREATED }))
        .route("/items/{id}", get(|| async { "an item" }))
        .route("/stream", get(chunks))
        .route("/slow", get(|| async { tokio::time::sleep(Duration::from_millis(40)).await }))
        .route("/fail", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .layer(analytics.layer())
        .layer(tower::layer::layer_fn({
            let counted = counted.clone();
            move |inner| Counting { inner, counted: counted.clone() }
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) });
    Served { address, counted, analytics, directory, stop, server: tokio::spawn(async { server.await }) }
}

impl Served {
    fn requests(&self) -> u64 {
        total(&self.counted.counts.lock().unwrap())
    }

    /// Ends the server; gives what was counted, what is stored, and what was dropped.
    async fn end(self) -> (Counts, Counts, u64) {
        drop(self.stop);
        self.server.await.unwrap().unwrap();
        // The server has ended, but tasks of cut connections may be on their way out: what they held counts too.
        let ended = tokio::task::spawn_blocking(move || {
            until("every request has ended", || self.counted.alive.load(SeqCst) == 0);
            self.analytics.shutdown(Duration::from_secs(60)).unwrap();
            let counted = self.counted.counts.lock().unwrap().clone();
            (counted, stored(self.directory.path()), self.analytics.counters().dropped())
        });
        ended.await.unwrap()
    }
}

const MIX: [(&str, &str, &str, u16); 6] = [
    ("GET", "/items", "GET /items", 200),
    ("POST", "/items", "POST /items", 201),
    ("GET", "/items/7", "GET /items/{id}", 200),
    ("GET", "/stream", "GET /stream", 200),
    ("GET", "/fail", "GET /fail", 500),
    ("GET", "/nope", "(unmatched)", 404),
];

/// Sends so many requests of the mix, each answer awaited, on one connection; gives what it sent.
async fn awaiting_client(address: std::net::SocketAddr, requests: usize, http2: bool) -> Counts {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let mut sent = Counts::new();
    macro_rules! send_all {
        ($client:expr) => {
            for number in 0..requests {
                let (method, path, endpoint, status) = MIX[number % MIX.len()];
                let request = Request::builder().method(method).uri(format!("http://localhost{path}")).header("host", "localhost");
                // The end of the answer before may not have reached the connection's task yet.
                $client.ready().await.unwrap();
                let response = $client.send_request(request.body(Body::empty()).unwrap()).await.unwrap();
                assert_eq!(response.status(), status);
                response.into_body().collect().await.unwrap();
                *sent.entry((endpoint.to_owned(), status)).or_default() += 1;
            }
        };
    }
    if http2 {
        let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        send_all!(client);
    } else {
        let (mut client, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        send_all!(client);
    }
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_sent_and_saw_answered_is_what_is_stored() {
    for http2 in [false, true] {
        let served = serve(32 << 20).await;
        let clients: Vec<_> = (0..6).map(|_| tokio::spawn(awaiting_client(served.address, 600, http2))).collect();
        let mut sent = Counts::new();
        for client in clients {
            for (key, hits) in client.await.unwrap() {
                *sent.entry(key).or_default() += hits;
            }
        }
        let (counted, stored, dropped) = served.end().await;
        assert_eq!((&stored, dropped), (&sent, 0), "http2: {http2}");
        assert_eq!(stored, counted);
    }
}

const LOAD: &str = r#"
local paths = { "/items", "/items/7", "/stream", "/fail", "/nope" }
local n = 0
request = function() n = n + 1; return wrk.format("GET", n % 50 == 0 and "/slow" or paths[n % 5 + 1]) end
"#;

/// wrk on keep-alive with 64 connections; whoever has it kills it in the middle, so that clients are cut in head and body.
fn wrk(served: &Served) -> Child {
    let script = served.directory.path().join("load.lua");
    std::fs::write(&script, LOAD).unwrap();
    let url = format!("http://{}/", served.address);
    Command::new("wrk").args(["-t1", "-c64", "-d300s", "-s"]).arg(&script).arg(&url).stdout(Stdio::null()).spawn().unwrap()
}

/// Kills the client once so many more requests have ended.
fn kill_after(served: &Served, requests: u64, mut client: Child) {
    let before = served.requests();
    until("the client has sent enough", || served.requests() >= before + requests);
    client.kill().unwrap();
    client.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs wrk"]
async fn under_load_with_cut_clients_every_request_is_stored_by_endpoint_and_status() {
    let served = serve(512 << 20).await;
    for _ in 0..3 {
        tokio::task::block_in_place(|| kill_after(&served, 20_000, wrk(&served)));
    }
    let (counted, stored, dropped) = served.end().await;
    let cut: u64 = stored.iter().filter(|((_, status), _)| *status == 499).map(|(_, hits)| hits).sum();
    println!("{} requests, {cut} of them cut before their head", total(&counted));
    assert!(cut > 0, "nobody was cut");
    assert_eq!((stored, dropped), (counted, 0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs wrk"]
async fn what_finds_no_room_is_counted_so_that_stored_and_dropped_are_all() {
    let served = serve(64 << 10).await;
    tokio::task::block_in_place(|| {
        kill_after(&served, 5_000, wrk(&served));
        served.analytics.flush().unwrap();
        // Somebody holds the file: the queue fills up.
        let (_, part) = parts(served.directory.path()).pop().unwrap();
        let holder = rusqlite::Connection::open(part).unwrap();
        holder.execute_batch("begin immediate").unwrap();
        kill_after(&served, 20_000, wrk(&served));
        drop(holder);
        kill_after(&served, 20_000, wrk(&served));
    });
    let (counted, stored, dropped) = served.end().await;
    println!("{} requests, {dropped} of them dropped", total(&counted));
    assert!(dropped > 0, "the queue was too large for this test");
    assert_eq!(total(&stored) + dropped, total(&counted));
    assert!(stored.iter().all(|(key, hits)| hits <= &counted[key]));
}

fn h2load(served: &Served, requests: u64) -> Command {
    let urls = ["/items", "/items/7", "/stream", "/fail", "/nope", "/slow"].map(|path| format!("http://{}{path}", served.address));
    let mut h2load = Command::new("h2load");
    h2load.args(["-n", &requests.to_string(), "-c", "8", "-m", "16"]).args(urls).stdout(Stdio::null());
    h2load
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs h2load, which nghttp2-client brings"]
async fn under_http2_load_every_request_is_stored() {
    const SENT: u64 = 30_000;
    let served = serve(512 << 20).await;
    assert!(tokio::task::block_in_place(|| h2load(&served, SENT).status()).unwrap().success());
    let (counted, stored, dropped) = served.end().await;
    assert_eq!((total(&stored), dropped), (SENT, 0));
    assert_eq!(stored, counted);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs h2load, which nghttp2-client brings"]
async fn under_http2_load_with_cut_clients_every_request_is_stored() {
    let served = serve(512 << 20).await;
    for _ in 0..3 {
        tokio::task::block_in_place(|| kill_after(&served, 5_000, h2load(&served, 10_000_000).spawn().unwrap()));
    }
    let (counted, stored, dropped) = served.end().await;
    let cut: u64 = stored.iter().filter(|((_, status), _)| *status == 499).map(|(_, hits)| hits).sum();
    println!("{} requests, {cut} of them cut before their head", total(&counted));
    assert!(cut > 0, "nobody was cut");
    assert_eq!((stored, dropped), (counted, 0));
}
