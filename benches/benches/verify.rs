//! The route that proxies ask, over HTTP/1.1 with connections that are kept, beside a bare route that answers 200: one server thread, one
//! client thread, in turns of one run. Both read the same requests.

mod common;

use std::{
    fs,
    io::{Error, ErrorKind},
    net::SocketAddr,
    path::PathBuf,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use axum::{Router, http::StatusCode, routing::get};
use common::{SECRET, claims, issuer};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
};
use tower_analytics::{
    Auth, Verify,
    auth::{Secret, TokenCache},
};

const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(700);

struct Row {
    name: &'static str,
    request: Vec<u8>,
    status: &'static [u8],
    /// Requests a second, of each round.
    rates: Vec<f64>,
    /// What the server's thread spent on one, in microseconds of processor time.
    costs: Vec<f64>,
    latencies: Vec<Duration>,
}

struct Server {
    address: SocketAddr,
    /// Where Linux says what its thread has spent.
    spent: PathBuf,
}

impl Server {
    fn start(app: Router) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                let thread = fs::read_link("/proc/thread-self").expect("Linux");
                let address = listener.local_addr().expect("an address");
                sender.send(Self { address, spent: PathBuf::from("/proc").join(thread).join("schedstat") }).expect("somebody listens");
                axum::serve(listener, app).await
            })
        });
        receiver.recv().expect("a server")
    }

    fn spent_us(&self) -> f64 {
        let line = fs::read_to_string(&self.spent).expect("a running thread");
        line.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).expect("a number") / 1000.0
    }
}

fn auth(cache: TokenCache) -> Auth {
    let mut issuer = issuer();
    issuer.algorithms = vec!["HS256".to_owned()];
    issuer.keys.hmac = Some(Secret::new(SECRET));
    Auth::builder().issuer(issuer).cache(cache).build().expect("good settings")
}

/// As NGINX asks.
fn request(path: &str, token: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: app.example.com\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\nX-Original-URI: /app/x\r\n\
         X-Original-Method: GET\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

/// Asks again and again, one request at a time, until the time is over.
async fn ask(address: SocketAddr, request: &[u8], status: &[u8], until: Instant) -> Result<Vec<Duration>, Error> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut buffer, mut latencies) = (vec![0; 8192], Vec::new());
    while Instant::now() < until {
        let start = Instant::now();
        stream.write_all(request).await?;
        let mut filled = 0;
        // No answer has a body.
        while !buffer[..filled].ends_with(b"\r\n\r\n") {
            match stream.read(&mut buffer[filled..]).await? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                more => filled += more,
            }
        }
        assert_eq!(&buffer[9..12], status, "{}", String::from_utf8_lossy(&buffer[..filled]));
        latencies.push(start.elapsed());
    }
    Ok(latencies)
}

fn main() {
    let app = Router::new()
        .route("/bare", get(|| async { StatusCode::OK }))
        .merge(Verify::new(auth(TokenCache::Off)).base_path("/fresh"))
        .merge(Verify::new(auth(TokenCache::All)).base_path("/kept"));
    let server = Server::start(app);
    let token = encode(&Header::new(Algorithm::HS256), &claims(), &EncodingKey::from_secret(SECRET.as_bytes())).expect("a token");
    let forged = format!("{}{}", &token[..token.len() - 8], "AAAAAAAA");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!("a token of {} bytes, HS256; {ROUNDS} rounds of {} ms each\n", token.len(), ROUND.as_millis());
    for connections in [1, 16] {
        let row = |name, path, token: &str, status| {
            let request = request(path, token);
            Row { name, request, status, rates: Vec::new(), costs: Vec::new(), latencies: Vec::new() }
        };
        let mut rows = [
            row("bare", "/bare", &token, b"200"),
            row("verify", "/fresh/auth/verify/any", &token, b"200"),
            row("verify, kept", "/kept/auth/verify/any", &token, b"200"),
            row("verify, forged", "/fresh/auth/verify/any", &forged, b"401"),
        ];
        // The first round warms up.
        for round in 0..=ROUNDS {
            for row in &mut rows {
                let (before, start) = (server.spent_us(), Instant::now());
                let latencies = runtime.block_on(async {
                    let asking: Vec<_> = (0..connections)
                        .map(|_| {
                            let (address, request, status) = (server.address, row.request.clone(), row.status);
                            tokio::spawn(async move { ask(address, &request, status, start + ROUND).await })
                        })
                        .collect();
                    let mut all = Vec::new();
                    for one in asking {
                        all.extend(one.await.expect("no panic").expect("an answer"));
                    }
                    all
                });
                if round > 0 {
                    row.rates.push(latencies.len() as f64 / start.elapsed().as_secs_f64());
                    row.costs.push((server.spent_us() - before) / latencies.len() as f64);
                    row.latencies.extend(latencies);
                }
            }
        }
        let title = format!("connections: {connections}");
        println!("{title:<18}   requests/s   p50 us   p99 us   server us/request     one core serves");
        for mut row in rows {
            row.latencies.sort_unstable();
            let at = |share: f64| row.latencies[(row.latencies.len() as f64 * share) as usize].as_nanos() as f64 / 1000.0;
            let cost = median(row.costs);
            println!(
                "{:<18} {:>12.0} {:>8.0} {:>8.0} {cost:>19.1} {:>20.0}",
                row.name,
                median(row.rates),
                at(0.5),
                at(0.99),
                1_000_000.0 / cost
            );
        }
        println!();
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
