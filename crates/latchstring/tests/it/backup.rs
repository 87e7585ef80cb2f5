//! A copy of a database in use.

use crate::{
    child::{Server, command, dev, run},
    home::{Home, SECRET},
};
use serde_json::json;
use std::{
    os::unix::fs::MetadataExt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::sleep,
    time::Duration,
};

#[test]
fn a_backup_taken_while_writing_opens_and_holds_what_was_acknowledged_before() {
    let home = Home::sqlite();
    let server = Server::ready(dev(&home));
    let admin = server.admin();
    let over = Arc::new(AtomicBool::new(false));
    let made: Arc<Mutex<Vec<String>>> = Arc::default();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (admin, over, made) = (admin.clone(), over.clone(), made.clone());
            std::thread::spawn(move || {
                for n in 0.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    let body = json!({ "email": format!("user-{writer}-{n}@example.com") });
                    let answer = admin.post("/api/v1/users", &body).expect("answered");
                    assert_eq!(answer.status, 201, "{answer:?}");
                    made.lock().expect("no panic").push(answer.text("id"));
                }
            })
        })
        .collect();
    sleep(Duration::from_millis(400));
    let before = made.lock().expect("no panic").clone();
    let ended = run(&mut command(&home, &["backup", "copy.db", "--json"]));
    let bytes = ended.json()["bytes"].as_u64().unwrap_or(0);
    let secret = home.path().join("data/dev-secret").display().to_string();
    assert_eq!(ended.json()["sealed_under"], secret, "a copy without it is of no use");
    sleep(Duration::from_millis(100));
    over.store(true, Ordering::Relaxed);
    writers.into_iter().for_each(|writer| writer.join().expect("the server served on"));
    assert!(before.len() < made.lock().expect("no panic").len(), "the writers wrote meanwhile");
    server.stop();

    let copy = home.path().join("copy.db");
    let meta = std::fs::metadata(&copy).expect("there");
    assert_eq!((meta.len(), meta.mode() & 0o777), (bytes, 0o600));
    // A backup is a whole database: a server starts on it, with the secret that lies apart.
    let other = Home::sqlite();
    std::fs::copy(&copy, other.file()).expect("copied");
    std::fs::copy(home.path().join("data/dev-secret"), other.path().join("data/dev-secret")).expect("copied");
    let restored = Server::ready(dev(&other));
    let key = admin.headers[0].1.trim_start_matches("Bearer ");
    let admin = restored.client().bearer(key);
    assert!(before.len() > 5, "{} were made", before.len());
    for id in before {
        assert_eq!(
            admin.get(&format!("/api/v1/users/{id}")).expect("answered").status,
            200,
            "{id} is missing"
        );
    }
    restored.stop();
}

#[test]
fn nothing_is_overwritten_by_accident() {
    let home = Home::sqlite();
    run(&mut command(&home, &["backup", "copy.db"]))
        .expect(2, &["there is no database", "Start the server once"]);
    Server::ready(dev(&home)).stop();
    std::fs::write(home.path().join("copy.db"), "mine").expect("written");
    run(&mut command(&home, &["backup", "copy.db"])).expect(2, &["is there already", "--force"]);
    run(&mut command(&home, &["backup", "data/latchstring.db", "--force"]))
        .expect(2, &["the database itself"]);
    run(&mut command(&home, &["backup", "."])).expect(2, &["is a folder"]);
    run(&mut command(&home, &["backup", "none/copy.db"])).expect(1, &["Is there room"]);
    let taken = run(&mut command(&home, &["backup", "copy.db", "--force"]));
    assert!(taken.code == Some(0) && taken.out.contains("data/dev-secret"), "{taken:?}");
    let taken = run(command(&home, &["backup", "copy.db", "--force"]).env("LATCHSTRING_SECRET", SECRET));
    assert!(taken.out.contains("sealed under LATCHSTRING_SECRET"), "{taken:?}");
    assert!(std::fs::metadata(home.path().join("copy.db")).expect("there").len() > 1_000);
}
