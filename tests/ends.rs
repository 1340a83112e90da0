//! Every way a request can end, over real sockets: one row each, read from the file itself.

use std::{convert::Infallible, io, path::Path, time::Duration};

use axum::{
    Extension, Json, Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, Response, StatusCode, header},
    response::IntoResponse,
    routing::{any_service, get},
};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tower_analytics::{Analytics, Clock, ErrorNote, Skip, User};

/// Endpoint, status, outcome (0 completed, 1 failed, 2 aborted), bytes, as they lie on disk.
type Row = (String, u16, u8, u64);

fn chunks(count: usize) -> Body {
    let frames = (0..count).map(|_| Ok::<_, Infallible>(Bytes::from_static(&[b'.'; 1000])));
    Body::from_stream(futures_util::stream::iter(frames))
}

/// Sends two chunks, and then nothing for ever.
fn endless() -> Body {
    use futures_util::StreamExt;
    let frames = futures_util::stream::iter((0..2).map(|_| Ok::<_, Infallible>(Bytes::from_static(&[b'.'; 1000]))));
    Body::from_stream(frames.chain(futures_util::stream::pending()))
}

fn failing() -> Body {
    let frames = [Ok(Bytes::from_static(b"half")), Err(io::Error::other("the disk is gone"))];
    Body::from_stream(futures_util::stream::iter(frames))
}

fn with_trailers() -> Body {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "13".parse().unwrap());
    let frames = [Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"data"))), Ok(Frame::trailers(trailers))];
    Body::new(StreamBody::new(futures_util::stream::iter(frames)))
}

fn app() -> Router {
    Router::new()
        .route("/text", get(|| async { "hello" }))
        .route("/json/{id}", get(|| async { Json([1, 2]) }))
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .route("/unchanged", get(|| async { StatusCode::NOT_MODIFIED }))
        .route("/stream", get(|| async { chunks(3) }))
        .route("/sized", get(|| async { ([(header::CONTENT_LENGTH, "3000")], chunks(3)) }))
        .route("/endless", get(|| async { endless() }))
        .route("/never", get(never))
        .route("/failing", get(|| async { failing() }))
        .route("/trailers", get(|| async { with_trailers() }))
        .route("/panic", get(panics))
        .route("/skip", get(|| async { (Extension(Skip), "nobody saw this") }))
        .route("/note", get(note))
        .nest("/a/{x}", Router::new().route("/b/{y}", get(|| async { "b" })))
        .nest_service("/inner", any_service(tower::service_fn(|_| async { Ok::<_, Infallible>(Response::new(Body::from("i"))) })))
}

/// Says when the handler has begun, so that the client leaves after it.
static BEGUN: tokio::sync::Notify = tokio::sync::Notify::const_new();

async fn never() {
    BEGUN.notify_one();
    std::future::pending::<()>().await;
}

async fn panics() -> &'static str {
    panic!("as asked")
}

async fn note() -> impl IntoResponse {
    let note = ErrorNote::new("warehouse", "shelf 4711 is \"empty\"");
    (StatusCode::INTERNAL_SERVER_ERROR, Extension(note), Extension(User::new("ann")), "no")
}

struct Served {
    address: std::net::SocketAddr,
    directory: tempfile::TempDir,
    analytics: Analytics,
    stop: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<io::Result<()>>,
}

async fn serve() -> Served {
    let directory = tempfile::tempdir().unwrap();
    let start = std::time::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let analytics = Analytics::builder(directory.path()).clock(Clock::manual(start)).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let app = app().layer(analytics.layer());
    let server = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) });
    Served { address, directory, analytics, stop, server: tokio::spawn(async { server.await }) }
}

impl Served {
    /// Sends a request as it is written and reads as many bytes of the answer, or all of them.
    async fn raw(&self, request: &str, bytes: Option<usize>) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(format!("{request}\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
        match bytes {
            Some(bytes) => drop(stream.read_exact(&mut vec![0; bytes]).await),
            None => drop(stream.read_to_end(&mut Vec::new()).await),
        }
    }

    async fn h2(&self, method: &str, path: &str) {
        let stream = hyper_util::rt::TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let (mut client, connection) = hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::builder().method(method).uri(format!("http://localhost{path}")).body(Body::empty()).unwrap();
        if let Ok(response) = client.send_request(request).await {
            drop(response.into_body().collect().await);
        }
        drop(client);
        drop(connection.await);
    }

    /// Ends the server, and so every connection, and reads the rows in order of endpoint.
    async fn rows(self) -> Vec<Row> {
        drop(self.stop);
        self.server.await.unwrap().unwrap();
        tokio::task::spawn_blocking(move || {
            self.analytics.shutdown(Duration::from_secs(10)).unwrap();
            read(self.directory.path())
        })
        .await
        .unwrap()
    }
}

fn read(directory: &Path) -> Vec<Row> {
    let main = rusqlite::Connection::open(directory.join("analytics.db")).unwrap();
    main.execute("attach ? as part", [directory.join("analytics-202601.db").to_str().unwrap()]).unwrap();
    let sql = "select trim(e.method || ' ' || e.route), a.outcome & 1023, a.outcome >> 10 & 3, a.bytes_out
               from part.session_actions_202601 a join endpoints e on e.number = a.endpoint order by 1, 2, 3, 4";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, i64>(3)? as u64));
    main.prepare(sql).unwrap().query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn expected(rows: &[(&str, u16, u8, u64)]) -> Vec<Row> {
    let mut rows: Vec<Row> =
        rows.iter().map(|(endpoint, status, outcome, bytes)| ((*endpoint).to_owned(), *status, *outcome, *bytes)).collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_that_is_read_to_its_end_is_one_completed_hit() {
    let served = serve().await;
    for path in ["/text", "/json/7", "/empty", "/unchanged", "/stream", "/sized", "/a/1/b/2", "/inner/x", "/nope", "/skip"] {
        served.raw(&format!("GET {path} HTTP/1.1"), None).await;
    }
    for request in ["HEAD /text HTTP/1.1", "HEAD /stream HTTP/1.1", "HEAD /sized HTTP/1.1", "POST /text HTTP/1.1"] {
        served.raw(request, None).await;
    }
    let rows = expected(&[
        ("GET /text", 200, 0, 5),
        ("GET /json/{id}", 200, 0, 5),
        ("GET /empty", 204, 0, 0),
        ("GET /unchanged", 304, 0, 0),
        ("GET /stream", 200, 0, 3000),
        ("GET /sized", 200, 0, 3000),
        ("GET /a/{x}/b/{y}", 200, 0, 1),
        ("(unmatched)", 200, 0, 1),
        ("(unmatched)", 404, 0, 0),
        ("HEAD /text", 200, 0, 0),
        ("HEAD /stream", 200, 0, 0),
        ("HEAD /sized", 200, 0, 0),
        ("POST /text", 405, 0, 0),
    ]);
    assert_eq!(served.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2_it_is_the_same() {
    let served = serve().await;
    for path in ["/text", "/empty", "/stream", "/sized", "/nope", "/trailers", "/failing", "/panic"] {
        served.h2("GET", path).await;
    }
    served.h2("HEAD", "/sized").await;
    let rows = expected(&[
        ("GET /text", 200, 0, 5),
        ("GET /empty", 204, 0, 0),
        ("GET /stream", 200, 0, 3000),
        ("GET /sized", 200, 0, 3000),
        ("(unmatched)", 404, 0, 0),
        ("GET /trailers", 200, 0, 4),
        ("GET /failing", 200, 1, 4),
        ("GET /panic", 500, 1, 0),
        ("HEAD /sized", 200, 0, 0),
    ]);
    assert_eq!(served.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_and_clients_that_leave_are_told_apart() {
    let served = serve().await;
    served.raw("GET /failing HTTP/1.1", None).await;
    served.raw("GET /panic HTTP/1.1", None).await;
    served.raw("GET /endless HTTP/1.1", Some(1500)).await;
    let mut leaver = TcpStream::connect(served.address).await.unwrap();
    leaver.write_all(b"GET /never HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    BEGUN.notified().await;
    drop(leaver);
    let rows =
        expected(&[("GET /failing", 200, 1, 4), ("GET /panic", 500, 1, 0), ("GET /endless", 200, 2, 2000), ("GET /never", 499, 2, 0)]);
    assert_eq!(served.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_apps_own_words_are_kept_once_with_what_differs_masked() {
    let served = serve().await;
    for _ in 0..3 {
        served.raw("GET /note HTTP/1.1", None).await;
    }
    served.raw("GET /trailers HTTP/1.1", None).await;
    let main = served.directory.path().join("analytics.db");
    let part = served.directory.path().join("analytics-202601.db");
    drop(served.stop);
    served.server.await.unwrap().unwrap();
    tokio::task::spawn_blocking(move || served.analytics.flush().unwrap()).await.unwrap();
    let main = rusqlite::Connection::open(main).unwrap();
    let error: (String, String, String) = main
        .query_row("select kind, message, sample from errors where number > 1", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!(error, ("warehouse".to_owned(), "shelf # is \"…\"".to_owned(), "shelf 4711 is \"empty\"".to_owned()));
    assert_eq!(main.query_row("select group_concat(id) from users", [], |row| row.get::<_, String>(0)).unwrap(), "ann");
    let part = rusqlite::Connection::open(part).unwrap();
    let with_error: i64 = part.query_row("select count(*) from session_actions_202601 where error > 1", [], |row| row.get(0)).unwrap();
    let grpc: i64 = part.query_row("select max(outcome >> 15 & 31) from session_actions_202601", [], |row| row.get(0)).unwrap();
    assert_eq!((with_error, grpc), (3, 14), "three notes, and the trailers' status 13");
}
