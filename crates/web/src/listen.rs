//! The accept loop and what stands around each request: bounds on connections, headers and time, panics, and a stop
//! that loses no request. It knows the service, and nothing of what stands in it.
//!
//! Three ends of a connection are kept apart. A *new* one must bring its first request within [`Limits::first`], which
//! covers slow headers too. One that is *idle* between requests may stay for [`Limits::idle`], longer than the proxies in
//! front keep theirs, since a connection closed by us just when they send on it is a request that they have to report as
//! failed. And at the *stop* each connection finishes the request that it has begun.

use crate::{
    App, Service,
    edge::{self, RequestId},
    problem,
};
use axum::body::Body;
use futures_util::FutureExt;
use http::{HeaderValue, Request, Response, Version, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use latchstring_core::clock::Stopwatch;
use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};
use stream::{HANDSHAKE, Stream};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;

mod stream;

/// How much one listener takes on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once. More wait in the kernel's queue.
    pub connections: usize,
    /// Until a new connection has brought its first request.
    pub first: Duration,
    /// Between two requests of one connection.
    pub idle: Duration,
    /// For the answer to a request.
    pub request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            first: Duration::from_secs(10),
            // nginx keeps idle connections to us for 60 s, and so do the load balancers of the large clouds.
            idle: Duration::from_secs(75),
            request: Duration::from_secs(30),
        }
    }
}

/// Most bytes of the head of a request; a longer one gets 431.
const HEAD: usize = 32 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 100;
/// Answers that last: events are sent for as long as the reader listens.
const LASTING: &str = "/api/v1/revocations/events";
/// How long connections that have not brought a request yet may still bring one after the stop.
const LATE: Duration = Duration::from_secs(1);

/// How far the process is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Serving.
    Open,
    /// Serving, and asking clients to come back on another connection: to another node, perhaps.
    Draining,
    /// Finishing what has begun.
    Closing,
}

/// A listener's TLS.
#[derive(Clone)]
pub struct Tls {
    /// Makes a connection secure. Its configuration finds the certificate anew for each.
    pub acceptor: TlsAcceptor,
    /// What answers whoever comes without.
    pub in_clear: Service,
}

/// What the requests of one listener go to.
struct Front {
    service: Service,
    tls: Option<Tls>,
    limits: Limits,
    leaving: AtomicBool,
    /// Runs for as long as the listener; times of connections are read off it.
    watch: Stopwatch,
}

/// Serves until the phase is [`Phase::Closing`], then until every connection is over.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    tls: Option<Tls>,
    limits: Limits,
    phase: watch::Receiver<Phase>,
) {
    let (leaving, watch) = (AtomicBool::new(false), Stopwatch::start());
    let front = Arc::new(Front { service, tls, limits, leaving, watch });
    let most = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    let slots = Arc::new(Semaphore::new(most as usize));
    let connections = Arc::new(builder(&limits));
    let begin = |stream: TcpStream, peer: SocketAddr, slot: OwnedSemaphorePermit| {
        let (front, connections, phase) = (front.clone(), connections.clone(), phase.clone());
        tokio::spawn(async move {
            connection(&connections, stream, peer, front, phase).await;
            drop(slot);
        });
    };
    let (mut draining, mut closing) = (phase.clone(), phase.clone());
    loop {
        let leaving = front.leaving.load(Ordering::Relaxed);
        let next = async { (slots.clone().acquire_owned().await, listener.accept().await) };
        tokio::select! {
            biased;
            () = until(&mut closing, Phase::Closing) => break,
            () = until(&mut draining, Phase::Draining), if !leaving => front.leaving.store(true, Ordering::Relaxed),
            next = next => match next {
                (Ok(slot), Ok((stream, peer))) => begin(stream, peer, slot),
                (_, Err(error)) => unaccepted(&error).await,
                // The semaphore is never closed.
                (Err(_), Ok(_)) => {}
            },
        }
    }
    front.leaving.store(true, Ordering::Relaxed);
    // What the kernel has taken for us by now is ours to answer. Asked directly: the runtime may not have heard of it yet.
    if let Ok(listener) = listener.into_std() {
        while let Ok((stream, peer)) = listener.accept() {
            let Ok(slot) = slots.clone().try_acquire_owned() else { break };
            if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                begin(stream, peer, slot);
            }
        }
    }
    let _all_over = slots.acquire_many(most).await;
}

/// Returns at this phase or a later one; also when nobody is left who could announce it.
async fn until(phase: &mut watch::Receiver<Phase>, at_least: Phase) {
    let _ = phase.wait_for(|now| *now >= at_least).await;
}

/// A connection that could not be accepted. Most errors are the client's (it went away); when we are out of files, a
/// pause lets some be closed.
async fn unaccepted(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
        tracing::error!(%error, "a connection could not be accepted");
        sleep(Duration::from_millis(100)).await;
    }
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // No `header_read_timeout`: it makes and drops a timer for each request. `Use` has one for each connection.
    builder.http1().header_read_timeout(None).max_buf_size(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD as u32)
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

/// How a connection is used. Written by its requests, read by its alarm.
#[derive(Default)]
struct Use {
    /// Whether a first request has come.
    begun: AtomicBool,
    /// Requests that are being answered.
    open: AtomicU32,
    /// When the last one was, in milliseconds by the listener's watch.
    last: AtomicU64,
}

impl Use {
    /// How long it may go on without another request; zero when its time is up.
    fn left(&self, front: &Front) -> Duration {
        if !self.begun.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        if self.open.load(Ordering::Relaxed) > 0 {
            return front.limits.idle;
        }
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        front.limits.idle.saturating_sub(front.watch.elapsed().saturating_sub(last))
    }
}

/// A request under way; over when dropped, since a client that goes away takes the future of its answer with it.
struct Open {
    used: Arc<Use>,
    front: Arc<Front>,
}

impl Open {
    fn begin(used: Arc<Use>, front: Arc<Front>) -> Self {
        used.begun.store(true, Ordering::Relaxed);
        used.open.fetch_add(1, Ordering::Relaxed);
        Self { used, front }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let now = u64::try_from(self.front.watch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.used.last.store(now, Ordering::Relaxed);
        self.used.open.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn connection(
    builder: &auto::Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    front: Arc<Front>,
    mut phase: watch::Receiver<Phase>,
) {
    // An answer is written at once; waiting to fill a segment only delays it. Fails for a connection that is gone.
    let _ = stream.set_nodelay(true);
    // What makes a connection secure counts into the time of its first request.
    let first = Instant::now() + front.limits.first;
    let Some((stream, in_clear)) = secured(&front, stream, first, &mut phase).await else { return };
    let used = Arc::new(Use::default());
    let service = service_fn({
        let (front, used) = (front.clone(), used.clone());
        move |request: Request<Incoming>| answer(front.clone(), used.clone(), in_clear, peer, request)
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    {
        let mut alarm = pin!(sleep_until(first));
        let mut stop = pin!(async {
            until(&mut phase, Phase::Closing).await;
            if !used.begun.load(Ordering::Relaxed) {
                sleep(LATE).await;
            }
        });
        let over = poll_fn(|context| {
            // How a connection ends is the client's affair; what matters of it is in the log of its requests.
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            while alarm.as_mut().poll(context).is_ready() {
                let left = used.left(&front);
                if left.is_zero() {
                    return Poll::Ready(false);
                }
                alarm.as_mut().reset(Instant::now() + left);
            }
            stop.as_mut().poll(context).map(|()| false)
        });
        if over.await {
            return;
        }
    }
    // Closes it now if it is idle, else after the answers that are under way.
    connection.as_mut().graceful_shutdown();
    if used.open.load(Ordering::Relaxed) == 0 {
        // Nothing is under way but half a request, perhaps, and that has had its time.
        let _ = timeout(LATE, connection).await;
    } else {
        let _ = connection.await;
    }
}

/// Makes a new connection secure, where the listener has TLS. Gives also whether it stays in clear all the same: a browser
/// that was told `http` is led on. `None`: it came to nothing.
async fn secured(
    front: &Front,
    stream: TcpStream,
    by: Instant,
    phase: &mut watch::Receiver<Phase>,
) -> Option<(Stream, bool)> {
    let Some(tls) = &front.tls else { return Some((Stream::Plain(stream), false)) };
    let shaken = async {
        let mut begin = [0];
        let peeked = stream.peek(&mut begin).await;
        if !matches!(peeked, Ok(1)) || begin[0] != HANDSHAKE {
            return peeked.is_ok_and(|n| n == 1).then_some((Stream::Plain(stream), true));
        }
        match tls.acceptor.accept(stream).await {
            Ok(stream) => Some((Stream::Tls(Box::new(stream)), false)),
            Err(error) => {
                // Scanners do little else: no line for each in the log of every day.
                front.service.app().metrics().handshake_failed();
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
        }
    };
    tokio::select! {
        shaken = timeout_at(by, shaken) => shaken.ok().flatten(),
        () = async {
            until(phase, Phase::Closing).await;
            sleep(LATE).await;
        } => None,
    }
}

/// Answers a request, whatever happens on the way.
async fn answer(
    front: Arc<Front>,
    used: Arc<Use>,
    in_clear: bool,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let open = Open::begin(used, front.clone());
    let id = RequestId::next();
    let old = request.version() <= Version::HTTP_11;
    let lasting = request.uri().path() == LASTING;
    let service = match &front.tls {
        Some(tls) if in_clear => &tls.in_clear,
        _ => &front.service,
    };
    let mut handled = pin!(AssertUnwindSafe(service.answer(id, peer, request)).catch_unwind());
    // Most answers are there at once, and need no timer.
    let first = poll_fn(|context| Poll::Ready(handled.as_mut().poll(context))).await;
    let handled = match first {
        Poll::Ready(handled) => Some(handled),
        Poll::Pending if lasting => Some(handled.await),
        // Dropping the handler rolls an open transaction back.
        Poll::Pending => timeout(front.limits.request, handled).await.ok(),
    };
    let mut response = match handled {
        Some(Ok(response)) => response,
        Some(Err(_)) => broken(front.service.app(), id),
        None => late(front.service.app(), id),
    };
    if old && front.leaving.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if lasting {
        // Under way until its last event.
        response = response.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _until_then = &open;
                frame
            }))
        });
    }
    Ok(response)
}

/// A handler panicked. The hook has logged the text, which may hold anything; the client learns nothing of it.
fn broken(app: &App, id: RequestId) -> Response<Body> {
    tracing::error!(request_id = %id, "a request ended in a panic");
    edge::own(app, id, &problem::INTERNAL.document())
}

fn late(app: &App, id: RequestId) -> Response<Body> {
    tracing::warn!(request_id = %id, "a request took too long and was given up");
    edge::own(app, id, &problem::TIMEOUT.document())
}

#[cfg(test)]
mod tests;
