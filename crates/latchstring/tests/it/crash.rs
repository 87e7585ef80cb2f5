//! The end of a server, not asked for: what it had acknowledged is there afterwards.

use crate::{
    child::{Server, dev},
    home::Home,
};
use serde_json::json;
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex},
    thread::sleep,
    time::Duration,
};

const ROUNDS: u32 = 5;
const WRITERS: u32 = 4;

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let home = Home::new();
    let acknowledged: Arc<Mutex<Vec<(String, bool)>>> = Arc::default();
    let mut key = String::new();
    for round in 0..=ROUNDS {
        let server = Server::ready(dev(&home));
        if key.is_empty() {
            key = server.admin().headers[0].1.trim_start_matches("Bearer ").to_owned();
        }
        let admin = server.client().bearer(&key);
        let facts = std::mem::take(&mut *acknowledged.lock().expect("no panic"));
        for (id, there) in &facts {
            let status = admin.get(&format!("/api/v1/users/{id}")).expect("answered").status;
            assert_eq!(
                status == 200,
                *there,
                "round {round}: user {id}, there: {there}; the answer is {status}"
            );
        }
        if round == ROUNDS {
            server.stop();
            return;
        }
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (admin, acknowledged) = (admin.clone(), acknowledged.clone());
                std::thread::spawn(move || {
                    // Until the connection breaks with the server.
                    for n in 0.. {
                        let body = json!({ "email": format!("user-{round}-{writer}-{n}@example.com") });
                        let Ok(made) = admin.post("/api/v1/users", &body) else { return };
                        assert_eq!(made.status, 201, "{made:?}");
                        let id = made.text("id");
                        if n % 3 != 0 {
                            acknowledged.lock().expect("no panic").push((id, true));
                            continue;
                        }
                        // Without an answer nobody knows: such a user is no fact.
                        let Ok(gone) = admin.send("DELETE", &format!("/api/v1/users/{id}"), "") else {
                            return;
                        };
                        assert_eq!(gone.status / 100, 2, "{gone:?}");
                        acknowledged.lock().expect("no panic").push((id, false));
                    }
                })
            })
            .collect();
        let random = RandomState::new().hash_one(round);
        sleep(Duration::from_millis(150 + random % 400));
        server.kill();
        writers.into_iter().for_each(|writer| writer.join().expect("only good answers"));
        assert!(!acknowledged.lock().expect("no panic").is_empty(), "a round without answers tests nothing");
    }
}
