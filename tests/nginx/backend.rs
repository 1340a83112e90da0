//! What is guarded: it answers with what reached it.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use axum::{Router, body::Body, extract::Request};
use tokio::runtime::Runtime;

/// A router that is served until this is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    _runtime: Arc<Runtime>,
}

pub(crate) fn serve(router: Router) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let runtime = Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
    });
    Served { address, _runtime: runtime }
}

pub(crate) fn echo() -> Served {
    serve(Router::new().fallback(|request: Request<Body>| async {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let headers = parts.headers.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
        format!("{} {}\n{}\n{}", parts.method, parts.uri, headers.collect::<String>(), std::str::from_utf8(&body).unwrap())
    }))
}
