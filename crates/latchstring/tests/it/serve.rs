//! `latchstring serve`, in good order.

use crate::{
    child::{HOST, Server, serve},
    home::Home,
    http::Client,
};
use serde_json::json;

#[test]
fn it_answers_for_its_own_name_and_prints_the_token_once() {
    let home = Home::new();
    let mut command = serve(&home, 25);
    command.env("LATCHSTRING_METRICS_LISTEN", "127.0.0.1:0").env("LATCHSTRING_LOG_FORMAT", "json");
    let server = Server::start(command);
    let mut server = server;
    server.host = HOST.into();
    server.until_ready();
    let admin = server.admin();
    let made = admin
        .post("/api/v1/users", &json!({ "email": "ada@example.com", "email_asserted": true }))
        .expect("answered");
    assert_eq!(made.status, 201, "{made:?}");
    assert!(made.head.to_ascii_lowercase().contains("strict-transport-security"), "{}", made.head);

    let mut wrong = server.client();
    wrong.host = server.addr.to_string();
    assert_eq!(wrong.get("/api/v1/users").expect("answered").status, 404);
    assert_eq!(wrong.get("/healthz").expect("answered").status, 200, "load balancers ask by address");
    assert_eq!(server.client().get("/metrics").expect("answered").status, 404);

    for line in server.log().lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    }
    let key = admin.headers[0].1.trim_start_matches("Bearer ").to_owned();
    assert!(!server.log().contains(&key) && !server.log().contains("ada@example.com"), "{}", server.log());
    server.stop();
}

#[test]
fn metrics_have_a_listener_of_their_own() {
    let home = Home::sqlite();
    let mut command = serve(&home, 25);
    command.env("LATCHSTRING_METRICS_LISTEN", "127.0.0.1:0");
    // The line stands before the one that `start` waits for.
    let reserved = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let metrics = reserved.local_addr().expect("an address");
    drop(reserved);
    command.env("LATCHSTRING_METRICS_LISTEN", metrics.to_string());
    let server = Server::ready(command);
    let answer = Client::new(metrics, "anything").get("/metrics").expect("answered");
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.contains("latchstring_requests_total{route=\"/readyz\",status=\"200\"}"),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("latchstring_mail_waiting 0\n"), "{}", answer.body);
    assert_eq!(Client::new(metrics, "anything").get("/").expect("answered").status, 404);
    server.stop();
}

#[test]
fn clients_are_told_apart_by_what_trusted_proxies_say() {
    let home = Home::sqlite();
    let server = Server::ready(serve(&home, 25));
    let admin = server.admin();
    let ask = |client: &str| {
        let client = server.client().with("X-Forwarded-For", client).bearer("lsk_wrong");
        client.get("/api/v1/users").expect("answered").status
    };
    // Twenty wrong keys a minute, per address.
    while ask("203.0.113.9") != 429 {}
    assert_eq!(ask("203.0.113.10"), 401);
    assert_eq!(admin.get("/api/v1/users").expect("answered").status, 200);
    server.stop();
}
