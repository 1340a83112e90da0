//! Between the call and the end of the body the layer takes nothing from the heap.

use std::{
    convert::Infallible,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{Router, body::Body, extract::Path, response::Response, routing::get};
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, service_fn, util::MapResponseLayer};
use tower_analytics::{AnalyticsLayer, Batch, Error, Recorder, Sink, User, recorder::Settings};

const REQUESTS: u64 = 500;

struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _: &Batch<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// The writer takes hits only when told to, so that the test says when the queue's buffers change places.
fn recorder() -> Recorder {
    let mut settings = Settings::default();
    settings.batch_age = Duration::from_secs(3600);
    let recorder = Recorder::start_with(Nowhere, settings).unwrap();
    recorder.flush().unwrap();
    recorder
}

fn layer(recorder: &Recorder) -> AnalyticsLayer {
    AnalyticsLayer::new(recorder.clone()).user(|head| head.header("x-user-id").map(User::new))
}

fn requests<B: Default>() -> Vec<Request<B>> {
    let request = |number| {
        Request::get(format!("/items/{number}"))
            .header("host", "shop.example.com")
            .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36")
            .header("x-user-id", format!("u-{number}"))
            .header("x-app-version", "2.4.1")
            .header("x-session-id", format!("4f9c2d1e-8a7b-4c3d-9e2f-{number:012}"))
            .body(B::default())
            .unwrap()
    };
    (0..REQUESTS).map(request).collect()
}

/// The allocations of this thread, from each call to the drop of its body.
fn allocations<S, A, B>(service: &mut S) -> u64
where
    S: Service<Request<A>, Response = Response<B>, Error = Infallible>,
    A: Default,
    B: http_body::Body,
{
    let requests = requests();
    let counted = allocation_counter::measure(|| {
        for request in requests {
            let response = match ready(service.call(request)) {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let mut body = pin!(response.into_body());
            while let Some(frame) = ready(body.frame()) {
                assert!(frame.is_ok());
            }
        }
    });
    counted.count_total
}

fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("these services never wait"),
    }
}

/// As [`allocations`], once the queue's two sets of buffers have grown.
fn allocations_when_warm<S, A, B>(service: &mut S, recorder: &Recorder) -> u64
where
    S: Service<Request<A>, Response = Response<B>, Error = Infallible>,
    A: Default,
    B: http_body::Body,
{
    let before = recorder.counters().written;
    for _ in 0..3 {
        allocations(service);
        recorder.flush().unwrap();
    }
    let counted = allocations(service);
    recorder.flush().unwrap();
    assert_eq!(recorder.counters().written - before, 4 * REQUESTS);
    counted
}

#[test]
fn around_a_service_the_layer_allocates_nothing() {
    let mut service = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(Full::new(&b"an item"[..]))));
    let bare = allocations(&mut service);
    let recorder = recorder();
    let with_layer = allocations_when_warm(&mut layer(&recorder).layer(service), &recorder);
    assert_eq!(with_layer, bare);
}

#[test]
fn in_a_router_the_layer_allocates_no_more_than_axum_does_for_any_layer() {
    let router = || Router::new().route("/items/{id}", get(|Path(id): Path<u64>| async move { format!("item {id}") }));
    // Wraps the body and carries a pointer, both of which axum boxes for every request, and does nothing else.
    let pointer = Arc::new(());
    let nothing = MapResponseLayer::new(move |response: Response| {
        let _carried = &pointer;
        response.map(|body| body.map_err(|error| error))
    });
    let any_layer = allocations::<_, Body, _>(&mut router().layer(nothing));
    let recorder = recorder();
    let with_layer = allocations_when_warm::<_, Body, _>(&mut router().layer(layer(&recorder)), &recorder);
    assert_eq!(with_layer, any_layer);
}
