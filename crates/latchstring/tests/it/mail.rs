//! Mail as it really goes: SMTP over TCP.

use crate::{
    child::{Server, serve, until},
    home::Home,
    http::Client,
    sink::Sink,
};
use latchstring_core::clock::Stopwatch;
use serde_json::json;
use std::{net::TcpListener, time::Duration};

fn begin(client: &Client, address: &str) -> (String, Client) {
    let body = json!({ "kind": "sign_up", "identifier": address });
    let begun = client.post("/api/v1/attempts", &body).expect("answered");
    assert_eq!(begun.status, 201, "{begun:?}");
    let mine = client.clone().with("Latchstring-Attempt", &begun.text("handle"));
    let sent =
        mine.send("POST", &format!("/api/v1/attempts/{}/code/send", begun.text("id")), "").expect("answered");
    assert_eq!(sent.status, 202, "{sent:?}");
    (begun.text("id"), mine)
}

#[test]
fn the_code_that_comes_by_mail_is_the_one_that_works() {
    let sink = Sink::start();
    let home = Home::new();
    let mut command = serve(&home, sink.port);
    command.env("LATCHSTRING_MAIL_FROM_NAME", "Our House");
    let server = Server::ready(command);
    let (id, mine) = begin(&server.client(), "ada@example.com");
    let mail = sink.wait_for("ada@example.com");
    assert_eq!(mail.from, "auth@example.test");
    assert!(mail.data.contains("From: \"Our House\" <auth@example.test>"), "{}", mail.data);
    assert!(mail.data.contains("multipart/alternative"), "{}", mail.data);

    let path = format!("/api/v1/attempts/{id}/code");
    let code = mail.code();
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let refused = mine.post(&path, &json!({ "code": wrong })).expect("answered");
    assert_eq!(refused.text("code"), "wrong_code");
    let proven = mine.post(&path, &json!({ "code": code })).expect("answered");
    assert_eq!(proven.status, 200, "{proven:?}");
    assert!(!server.log().contains(&code) && !server.log().contains("ada@example.com"), "{}", server.log());
    server.stop();
}

#[test]
fn a_connection_serves_many_mails_and_a_new_name_of_the_realm_shows_at_once() {
    let sink = Sink::start();
    let home = Home::new();
    let server = Server::ready(serve(&home, sink.port));
    begin(&server.client(), "ada@example.com");
    let mail = sink.wait_for("ada@example.com");
    assert!(mail.data.contains("From: Latchstring <auth@example.test>"), "{}", mail.data);
    let named =
        server.admin().send("PATCH", "/api/v1/settings", "{\"name\":\"Northwind\"}").expect("answered");
    assert_eq!(named.status, 200, "{named:?}");
    for address in ["bea@example.com", "cy@example.com"] {
        // It hangs up on nobody: a moment later the connection waits for the next.
        std::thread::sleep(Duration::from_millis(100));
        begin(&server.client(), address);
        let mail = sink.wait_for(address);
        assert!(mail.data.contains("From: Northwind <auth@example.test>"), "{}", mail.data);
    }
    assert_eq!(sink.calls(), 1);
    server.stop();
}

#[test]
fn a_mail_server_that_is_down_delays_mail_and_nothing_else() {
    let reserved = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = reserved.local_addr().expect("an address");
    drop(reserved);
    let home = Home::new();
    let server = Server::ready(serve(&home, addr.port()));
    begin(&server.client(), "ada@example.com");
    until("a failed try in the log", || server.log().contains("could not be sent and is tried again"));
    let admin = server.admin();
    assert_eq!(admin.get("/api/v1/users").expect("answered").status, 200);
    let sink = Sink::on(TcpListener::bind(addr).expect("still free"));
    // The next try is ten seconds after the first.
    sink.wait_for("ada@example.com");
    assert_eq!(sink.mails().len(), 1, "once");
    server.stop();
}

/// A server that takes connections and says nothing is worse than one that is down.
#[test]
fn a_mail_server_that_hangs_does_not_hold_up_the_news() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let home = Home::new();
    let server = Server::ready(serve(&home, silent.local_addr().expect("an address").port()));
    let admin = server.admin();
    begin(&server.client(), "ada@example.com");
    silent.set_nonblocking(true).expect("set");
    let mut held = None;
    until("the server calls", || {
        held = silent.accept().ok();
        held.is_some()
    });
    let made = admin.post("/api/v1/users", &json!({ "username": "ada" })).expect("answered");
    let ban = admin.post(&format!("/api/v1/users/{}/ban", made.text("id")), &json!({})).expect("answered");
    assert_eq!(ban.status, 200, "{ban:?}");
    let told = Stopwatch::start();
    until("the ban in the feed", || {
        admin.get("/api/v1/revocations").expect("answered").body.contains(&made.text("id"))
    });
    assert!(told.elapsed() < Duration::from_secs(2), "the news took {:?}", told.elapsed());
    server.stop();
}
