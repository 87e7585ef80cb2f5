//! The listener over real sockets, with a router of its own.

use super::*;
use crate::{Config, edge::Peer};
use axum::{
    Router,
    routing::{get, post},
};
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Served {
    addr: SocketAddr,
    phase: watch::Sender<Phase>,
    over: tokio::task::JoinHandle<()>,
}

const SHORT: Limits = Limits {
    connections: 100,
    first: Duration::from_millis(300),
    idle: Duration::from_millis(900),
    request: Duration::from_millis(600),
};

async fn served(limits: Limits) -> Served {
    let router = Router::new()
        .route("/", get(async || "hello"))
        .route(
            "/who",
            get(async |request: axum::extract::Request| {
                request.extensions().get::<Peer>().map(|p| p.0.to_string()).unwrap_or_default()
            }),
        )
        .route("/panic", get(async || -> &'static str { panic!("the secret is hunter2") }))
        .route("/slow", get(async || sleep(Duration::from_millis(400)).await))
        .route("/never", get(async || sleep(Duration::from_secs(60)).await))
        .route(
            LASTING,
            // Begins at once or late, and is then silent for longer than a connection may be idle.
            get(async |request: axum::extract::Request| {
                if request.uri().query() == Some("late") {
                    sleep(Duration::from_millis(700)).await;
                }
                let events = futures_util::stream::iter([0, 1_200]).then(|millis| async move {
                    sleep(Duration::from_millis(millis)).await;
                    Ok::<_, Infallible>(format!("after {millis}\n"))
                });
                Body::from_stream(events)
            }),
        )
        .route("/body", post(async |body: String| body.len().to_string()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    let app = App::new(Config::new("http://localhost:1", true, vec![]), None);
    let (phase, receiver) = watch::channel(Phase::Open);
    let over = tokio::spawn(serve(listener, Service::new(app, router), None, limits, receiver));
    Served { addr, phase, over }
}

/// Sends `text` and reads until the server closes.
async fn talk(addr: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.expect("connects");
    // The server may close before all has been sent.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get_(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn a_request_is_answered_and_knows_its_peer() {
    let served = served(Limits::default()).await;
    assert!(talk(served.addr, &get_("/")).await.ends_with("hello"));
    assert!(talk(served.addr, &get_("/who")).await.contains("127.0.0.1:"));
}

#[tokio::test]
async fn http_2_is_spoken_to_whoever_begins_with_it() {
    use http_body_util::{BodyExt, Empty};
    let served = served(SHORT).await;
    let stream = TcpStream::connect(served.addr).await.expect("connects");
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    let over = tokio::spawn(connection);
    let ask = |path: &str, cookie: usize| {
        let request = Request::get(format!("http://x{path}")).header("cookie", "x".repeat(cookie));
        request.body(Empty::<axum::body::Bytes>::new()).expect("a request")
    };
    let answer = client.send_request(ask("/", 0)).await.expect("answered");
    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
    assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), "hello");
    let large = client.send_request(ask("/", HEAD)).await;
    assert!(large.is_err() || large.is_ok_and(|a| a.status() == 431), "attack_a158");
    let answer = client.send_request(ask("/panic", 0)).await.expect("answered");
    assert_eq!(answer.status(), 500);
    // A stop finishes what is under way.
    let slow = tokio::spawn(client.send_request(ask("/slow", 0)));
    sleep(Duration::from_millis(100)).await;
    served.phase.send_replace(Phase::Closing);
    assert_eq!(slow.await.expect("no panic").expect("answered").status(), 200);
    drop(client);
    tokio::time::timeout(Duration::from_secs(3), served.over).await.expect("over").expect("no panic");
    let _ = over.await;
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing_and_the_next_request_is_served() {
    let served = served(Limits::default()).await;
    let answer = talk(served.addr, &get_("/panic")).await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("application/problem+json"), "{answer}");
    assert!(!answer.contains("hunter2"), "{answer}");
    assert!(answer.contains("x-request-id: ") && answer.contains("nosniff"), "{answer}");
    assert!(talk(served.addr, &get_("/")).await.ends_with("hello"));
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up_but_for_the_lasting_one() {
    let served = served(SHORT).await;
    let answer = talk(served.addr, &get_("/never")).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 2"), "{answer}");
    for query in ["", "?late"] {
        let watch = Stopwatch::start();
        let answer = talk(served.addr, &format!("GET {LASTING}{query} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("after 1200"), "{answer}");
        // And when it is over, the connection is as idle as any other.
        assert!(watch.elapsed() < Duration::from_secs(5), "kept open");
    }
}

#[tokio::test]
async fn attack_a158_big_heads_and_slow_clients_end() {
    let served = served(SHORT).await;
    let cookie = "x".repeat(1_000_000);
    let answer = talk(served.addr, &format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n")).await;
    // A server that closes while a megabyte is still on its way may reset the connection under its own answer.
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let mut stream = TcpStream::connect(served.addr).await.expect("connects");
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {}", "x".repeat(HEAD));
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    assert!(
        talk(served.addr, &format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n"))
            .await
            .starts_with("HTTP/1.1 431")
    );

    for begin in
        ["", "G", "GET / HTTP/1.1\r\nHost: x\r\n", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let watch = Stopwatch::start();
        let answer = talk(served.addr, begin).await;
        assert!(watch.elapsed() < Duration::from_secs(5), "{begin:?} was kept open");
        assert!(!answer.contains("200 OK"), "{begin:?}: {answer}");
    }
    // A body that does not come.
    let answer = talk(served.addr, "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    // One that has been served may be idle for longer, and not for ever.
    let watch = Stopwatch::start();
    assert!(talk(served.addr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.ends_with("hello"));
    assert!(watch.elapsed() >= SHORT.idle && watch.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let served = served(Limits { connections: 2, first: Duration::from_secs(60), ..Limits::default() }).await;
    let held = (
        TcpStream::connect(served.addr).await.expect("one"),
        TcpStream::connect(served.addr).await.expect("two"),
    );
    sleep(Duration::from_millis(100)).await;
    let mut third = tokio::spawn({
        let addr = served.addr;
        async move { talk(addr, &get_("/")).await }
    });
    assert!(
        tokio::time::timeout(Duration::from_millis(300), &mut third).await.is_err(),
        "the third was served"
    );
    drop(held);
    assert!(third.await.expect("ended").ends_with("hello"));
}

#[tokio::test]
async fn the_stop_loses_no_request() {
    let served = served(Limits::default()).await;
    let slow = tokio::spawn({
        let addr = served.addr;
        async move { talk(addr, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await }
    });
    // Connected, and about to send.
    let mut connected = TcpStream::connect(served.addr).await.expect("connects");
    let mut idle = TcpStream::connect(served.addr).await.expect("connects");
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    sleep(Duration::from_millis(100)).await;

    served.phase.send_replace(Phase::Draining);
    sleep(Duration::from_millis(50)).await;
    let answer = talk(served.addr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.contains("connection: close"), "new requests are served and sent elsewhere: {answer}");

    served.phase.send_replace(Phase::Closing);
    sleep(Duration::from_millis(100)).await;
    connected.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut answer = String::new();
    connected.read_to_string(&mut answer).await.expect("answered");
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(slow.await.expect("ended").starts_with("HTTP/1.1 200"), "a request under way is finished");
    let mut rest = String::new();
    idle.read_to_string(&mut rest).await.expect("an idle connection is closed");
    assert!(rest.ends_with("hello"), "{rest}");
    tokio::time::timeout(Duration::from_secs(3), served.over)
        .await
        .expect("all connections are over")
        .expect("no panic");
    assert!(TcpStream::connect(served.addr).await.is_err(), "nobody listens any more");
}
