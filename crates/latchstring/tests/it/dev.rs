//! `latchstring dev`, as somebody meets it first.

use crate::{
    child::{Server, command, dev, run, serve, until},
    home::Home,
    sink::Sink,
};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

#[test]
fn it_starts_without_settings_and_its_token_works_once() {
    let home = Home::new();
    let server = Server::ready(dev(&home));
    let client = server.client();
    let alive = client.get("/healthz").expect("answered");
    assert_eq!((alive.status, alive.body.as_str()), (200, "ok\n"));
    let start = server.line("  start here    ");
    assert_eq!(start, format!("http://localhost:{}/", server.addr.port()));

    let token = server.line("set-up token: ");
    let first = client.post("/api/v1/setup", &json!({ "token": token })).expect("answered");
    assert_eq!(first.status, 201, "{first:?}");
    let admin = client.clone().bearer(&first.text("key"));
    let again = client.post("/api/v1/setup", &json!({ "token": token })).expect("answered");
    assert_eq!((again.status, again.text("code").as_str()), (410, "unusable_setup_token"));
    assert_eq!(admin.get("/api/v1/users").expect("answered").status, 200);

    // Both names of this machine are its own, and no other is.
    for (host, status) in [("localhost", 200), ("127.0.0.1", 200), ("evil.test", 404)] {
        let mut client = server.client();
        client.host = format!("{host}:{}", server.addr.port());
        assert_eq!(client.get("/metrics").expect("answered").status, status, "{host}");
    }
    let metrics = client.get("/metrics").expect("answered");
    assert!(metrics.body.contains("latchstring_requests_total"), "{}", metrics.body);
    server.stop();

    // The secret is the same, and there is a key: no other token.
    let server = Server::ready(dev(&home));
    server.line("Ctrl-C stops it.");
    let key = admin.headers[0].1.trim_start_matches("Bearer ");
    assert_eq!(server.client().bearer(key).get("/api/v1/users").expect("answered").status, 200);
    server.stop();
}

#[test]
fn the_folder_of_the_default_database_is_made() {
    let home = Home::sqlite();
    std::fs::remove_dir(home.path().join("data")).expect("removed");
    let mut command = dev(&home);
    command.env_remove("LATCHSTRING_DATABASE");
    Server::ready(command).stop();
    assert!(home.file().exists());
    let mode = std::fs::metadata(home.path().join("data")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn no_command_is_dev_and_mail_is_caught() {
    let home = Home::new();
    let mut command = command(&home, &[]);
    command.env("LATCHSTRING_LISTEN", "127.0.0.1:0").env("LATCHSTRING_METRICS_LISTEN", "127.0.0.1:0");
    let server = Server::start(command);
    server.until_ready();
    let body = json!({ "kind": "sign_up", "identifier": "ada@example.com" });
    let begun = server.client().post("/api/v1/attempts", &body).expect("answered");
    assert_eq!(begun.status, 201, "{begun:?}");
    assert_eq!(
        server.client().get("/metrics").expect("answered").status,
        404,
        "metrics have their own listener"
    );
    server.stop();
}

/// An end-to-end test of somebody's app, without a mailbox; and the same against production.
#[test]
fn test_addresses_have_a_code_that_is_known_before_here_and_nowhere_else() {
    fn signs_up(server: &Server) -> u16 {
        let body = json!({ "kind": "sign_up", "identifier": "ada@test.example" });
        let begun = server.client().post("/api/v1/attempts", &body).expect("answered");
        assert_eq!(begun.status, 201, "{begun:?}");
        let mine = server.client().with("Latchstring-Attempt", &begun.text("handle"));
        let path = format!("/api/v1/attempts/{}/code", begun.text("id"));
        assert_eq!(mine.send("POST", &format!("{path}/send"), "").expect("answered").status, 202);
        mine.post(&path, &json!({ "code": "424242" })).expect("answered").status
    }
    let home = Home::new();
    let server = Server::ready(dev(&home));
    server.line("  test code     424242");
    assert_eq!(signs_up(&server), 200);
    until("the mail is shown all the same", || {
        let mails = server.client().get("/dev/mail.json?to=ada@test.example").expect("answered");
        mails.body.contains("\"code\":\"424242\"")
    });
    server.stop();

    let sink = Sink::start();
    let home = Home::new();
    let server = Server::ready(serve(&home, sink.port));
    assert_eq!(signs_up(&server), 403);
    assert_ne!(sink.wait_for("ada@test.example").code(), "424242");
    server.stop();
}

#[test]
fn a_taken_port_is_told_with_another() {
    let home = Home::sqlite();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let mut command = dev(&home);
    command.env("LATCHSTRING_LISTEN", format!("127.0.0.1:{port}"));
    let ended = run(&mut command);
    ended.expect(1, &[&format!("127.0.0.1:{port} is taken"), "LATCHSTRING_LISTEN=127.0.0.1:"]);
}
