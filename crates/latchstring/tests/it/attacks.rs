//! Attacks that need the wire: what is said between requests, and what stands beside the API.

use crate::{
    child::{Server, serve},
    home::Home,
    http::Client,
};
use serde_json::{Value, json};
use std::io::{Read, Write};

/// All that comes back for these bytes, until the server closes or has nothing more to say.
fn talk(client: &Client, text: &str) -> String {
    let mut stream = client.connect().expect("connects");
    stream.write_all(text.as_bytes()).expect("written");
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn attack_a151_a_request_that_proxies_read_otherwise_is_refused_and_ends_the_connection() {
    let home = Home::sqlite();
    let server = Server::ready(serve(&home, 25));
    let client = server.client();
    let host = &client.host;
    // What a front end took for a body, and this server must not take for a request.
    let smuggled = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let post =
        format!("POST /api/v1/attempts HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n");
    let length = smuggled.len();
    for (what, request) in [
        (
            "both lengths",
            format!(
                "{post}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
            ),
        ),
        ("two lengths", format!("{post}Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{smuggled}")),
        ("a list of lengths", format!("{post}Content-Length: 0, {length}\r\n\r\n{smuggled}")),
        ("a signed length", format!("{post}Content-Length: +{length}\r\n\r\n{smuggled}")),
        ("a negative length", format!("{post}Content-Length: -1\r\n\r\n{smuggled}")),
        (
            "chunked, but not last",
            format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{smuggled}"),
        ),
        ("an unknown coding", format!("{post}Transfer-Encoding: xchunked\r\n\r\n{smuggled}")),
        ("a chunk that is no number", format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{smuggled}")),
        ("a space before the colon", format!("{post}Content-Length : {length}\r\n\r\n{smuggled}")),
        ("a folded line", format!("{post}X-A: 1\r\n Content-Length: {length}\r\n\r\n{smuggled}")),
        ("a bare return", format!("{post}X-A: 1\rContent-Length: {length}\r\n\r\n{smuggled}")),
        ("a NUL", format!("{post}X-A: \0\r\n\r\n{smuggled}")),
        ("two hosts", format!("GET /api/v1/session HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n")),
        (
            "another host in the line",
            format!("GET http://evil.example/api/v1/session HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        ),
        ("no host", "GET /api/v1/session HTTP/1.1\r\n\r\n".to_owned()),
    ] {
        let answer = talk(&client, &request);
        assert!(!answer.contains("HTTP/1.1 200") && !answer.contains("HTTP/1.1 201"), "{what}: {answer}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{what}: {answer}");
        let hosts = ["two hosts", "another host in the line", "no host"];
        assert!(hosts.contains(&what) || answer.matches("HTTP/1.1 ").count() <= 1, "{what}: {answer}");
    }
    assert_eq!(client.get("/healthz").expect("answered").status, 200, "and all others are served");
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.stop();
}

#[test]
fn attack_a163_nothing_of_the_inside_is_told_to_strangers() {
    let home = Home::sqlite();
    let server = Server::ready(serve(&home, 25));
    for agent in ["curl/8", "kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Prometheus/2.53"] {
        let client = server.client().with("User-Agent", agent);
        for path in [
            "/metrics",
            "/metrics/",
            "/debug",
            "/debug/pprof/",
            "/debug/vars",
            "/actuator",
            "/status",
            "/server-status",
            "/.env",
            "/dev/mail",
            "/dev/mail.json",
            "/console",
            "/healthz/",
            "/readyz/verbose",
            "/healthz?verbose=1&full",
        ] {
            let answer = client.get(path).expect("answered");
            assert!(matches!(answer.status, 200 | 404), "{agent} {path}: {}", answer.status);
            assert_eq!(answer.status == 200, path.starts_with("/healthz?"), "{agent} {path}");
            assert!(!answer.body.contains("latchstring_"), "{agent} {path}: {}", answer.body);
            assert!(answer.status == 404 || answer.body.len() < 100, "{agent} {path}: {}", answer.body);
        }
        for path in ["/api/v1/users", "/api/v1/settings", "/api/v1/audit", "/api/v1/revocations"] {
            assert_eq!(client.get(path).expect("answered").status, 401, "{agent} {path}");
        }
    }
    server.stop();
}

#[test]
fn attack_a162_a_start_after_a_restore_ends_what_the_backup_remembers() {
    let home = Home::new();
    let server = Server::ready(serve(&home, 25));
    let admin = server.admin();
    let password = "copper kettle seven lanterns";
    let user = json!({ "email": "ada@example.com", "email_asserted": true, "password": password });
    assert_eq!(admin.post("/api/v1/users", &user).expect("answered").status, 201);
    let sign_in = |server: &Server| -> Value {
        let body = json!({ "kind": "sign_in", "identifier": "ada@example.com", "password": password });
        let answer = server.client().post("/api/v1/attempts", &body).expect("answered");
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["result"].clone()
    };
    let held = sign_in(&server);
    let bearer = |server: &Server| server.client().bearer(held["access_token"].as_str().expect("a token"));
    assert_eq!(bearer(&server).get("/api/v1/account").expect("answered").status, 200);
    server.stop();
    // A restart alone ends nothing.
    let server = Server::ready(serve(&home, 25));
    assert_eq!(bearer(&server).get("/api/v1/account").expect("answered").status, 200);
    server.stop();
    let mut command = serve(&home, 25);
    command.arg("--restored");
    // A token's time has whole seconds.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let server = Server::ready(command);
    assert_eq!(bearer(&server).get("/api/v1/account").expect("answered").status, 401);
    let refresh = json!({ "refresh_token": held["refresh_token"] });
    assert_eq!(server.client().post("/api/v1/refresh", &refresh).expect("answered").status, 400);
    sign_in(&server);
    assert!(server.log().contains("--restored"), "{}", server.log());
    server.stop();
}
