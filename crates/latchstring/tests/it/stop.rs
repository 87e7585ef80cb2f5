//! The end of a server, asked for.

use crate::{
    child::{Server, dev, serve},
    home::Home,
    http::read,
};
use serde_json::json;
use std::{
    io::{Read, Write},
    thread::sleep,
    time::Duration,
};

#[test]
fn a_request_under_way_is_finished_and_new_ones_are_told_to_leave() {
    let home = Home::new();
    let mut server = Server::ready(serve(&home, 25));
    let admin = server.admin();
    let body = json!({ "email": "ada@example.com", "email_asserted": true }).to_string();
    let mut slow = admin.connect().expect("connects");
    let (first, second) = body.split_at(10);
    slow.write_all((admin.head("POST", "/api/v1/users", body.len()) + first).as_bytes()).expect("sent");
    sleep(Duration::from_millis(200));

    server.signal("TERM");
    sleep(Duration::from_millis(300));
    // The second of drain: it still serves, and says that it will not for long.
    let ready = server.client().get("/readyz").expect("answered");
    assert_eq!((ready.status, ready.body.as_str()), (503, "stopping\n"));
    let alive = server.client().get("/healthz").expect("answered");
    assert_eq!(alive.status, 200);
    sleep(Duration::from_millis(1_500));
    assert!(server.client().get("/healthz").is_err(), "it takes no more connections");

    slow.write_all(second.as_bytes()).expect("sent");
    let answer = read(&mut slow).expect("the request under way is answered");
    assert_eq!(answer.status, 201, "{answer:?}");
    let status = server.wait();
    assert!(status.success(), "{status}: {}", server.log());

    let server = Server::ready(serve(&home, 25));
    let id = answer.text("id");
    let key = admin.headers[0].1.trim_start_matches("Bearer ");
    let found = server.client().bearer(key).get(&format!("/api/v1/users/{id}")).expect("answered");
    assert_eq!(found.status, 200);
    server.stop();
}

#[test]
fn a_reader_of_events_does_not_hold_it_up() {
    let home = Home::sqlite();
    let mut server = Server::ready(dev(&home));
    let admin = server.admin();
    let mut events = admin.connect().expect("connects");
    events.write_all(admin.head("GET", "/api/v1/revocations/events", 0).as_bytes()).expect("sent");
    let mut begin = [0; 15];
    events.read_exact(&mut begin).expect("it begins");
    assert_eq!(&begin, b"HTTP/1.1 200 OK");
    server.signal("INT");
    let mut rest = String::new();
    events.read_to_string(&mut rest).expect("it ends in good order");
    let status = server.wait();
    assert!(status.success(), "{status}");
    if let Some(file) = Some(home.file()) {
        let wal = file.with_extension("db-wal");
        assert!(file.exists() && !wal.exists(), "a clean end leaves one file");
    }
}

/// Clients that ask again and again: none of their requests is lost by a stop that gives them a moment to leave.
#[test]
fn nothing_is_lost_under_load() {
    let home = Home::new();
    let mut server = Server::ready(serve(&home, 25));
    let admin = server.admin();
    let workers: Vec<_> = (0..6)
        .map(|worker| {
            let admin = admin.clone();
            std::thread::spawn(move || {
                let mut made = Vec::new();
                for n in 0.. {
                    let body = json!({ "username": format!("user-{worker}-{n}") }).to_string();
                    // A connection that is refused was never ours to answer.
                    let Ok(mut stream) = admin.connect() else { break };
                    let sent = stream
                        .write_all((admin.head("POST", "/api/v1/users", body.len()) + &body).as_bytes());
                    let answer = match sent.and_then(|()| read(&mut stream)) {
                        Ok(answer) => answer,
                        // Between the server's last look into the kernel's queue and the end of that, one may come.
                        Err(_) if admin.connect().is_err() => return (made, 1),
                        Err(e) => panic!("a request that was taken is answered: {e}"),
                    };
                    assert_eq!(answer.status, 201, "{answer:?}");
                    made.push(answer.text("id"));
                }
                (made, 0)
            })
        })
        .collect();
    sleep(Duration::from_millis(500));
    server.signal("TERM");
    let status = server.wait();
    assert!(status.success(), "{status}: {}", server.log());
    let ended: Vec<(Vec<String>, u32)> =
        workers.into_iter().map(|w| w.join().expect("no request was lost")).collect();
    let late: u32 = ended.iter().map(|(_, late)| late).sum();
    assert!(late <= 1, "{late} connections were dropped at the end");
    let made: Vec<String> = ended.into_iter().flat_map(|(made, _)| made).collect();
    assert!(made.len() > 10, "{} were made", made.len());

    let server = Server::ready(serve(&home, 25));
    let key = admin.headers[0].1.trim_start_matches("Bearer ");
    let admin = server.client().bearer(key);
    for id in made {
        assert_eq!(admin.get(&format!("/api/v1/users/{id}")).expect("answered").status, 200, "{id} is gone");
    }
    server.stop();
}
