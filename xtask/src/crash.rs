//! `cargo xtask crash`: kills the server in the middle of its work, again and again, and looks whether everything that
//! it had confirmed is there afterwards. A confirmed deletion must stay a deletion too: that is what revoking means.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command as Process, ExitCode};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::http::{Connection, json_string};
use crate::postgres::{Durable, Postgres};
use crate::server::{self, Server};
use crate::{Command, FAILED, clock, run, unknown_argument};

pub(crate) const COMMAND: Command = Command {
    name: "crash",
    usage: "crash [--rounds N] [--database sqlite|postgres]",
    about: "Kills the server while it works, N times (20), and checks that what it had confirmed survived.",
    hidden: false,
    run: crash,
};

const WRITERS: usize = 8;
/// How long a round waits for its first confirmed answer.
const PATIENCE: Duration = Duration::from_secs(10);

fn crash(args: &[String]) -> ExitCode {
    let (mut rounds, mut database) = (20_u32, "sqlite");
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let value = args.next().map(String::as_str);
        match (arg.as_str(), value, value.and_then(|n| n.parse().ok())) {
            ("--rounds", _, Some(n)) => rounds = n,
            ("--database", Some("sqlite"), _) => database = "sqlite",
            ("--database", Some("postgres"), _) => database = "postgres",
            _ => return unknown_argument("crash", arg, &["--rounds N", "--database sqlite|postgres"]),
        }
    }
    match all_rounds(rounds, database) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(FAILED)
        }
    }
}

fn all_rounds(rounds: u32, database: &str) -> Result<(), String> {
    let binary = server::build()?;
    let folder = run::scratch("crash")?;
    let postgres = if database == "postgres" { Some(Postgres::start(Durable::Yes)?) } else { None };
    let url = postgres.as_ref().map_or_else(
        || format!("sqlite:{}", folder.join("latchstring.db").display()),
        |p| p.url().to_owned(),
    );

    let ledger = Arc::new(Ledger::default());
    let mut key = String::new();
    let (mut checked, mut lost) = (0, Vec::new());
    for round in 1..=rounds {
        let server = Server::start_on(&binary, &url, &folder, false)?;
        if key.is_empty() {
            // The set-up token works once; the key lives on in the database.
            key = server.admin_key()?;
        }
        let (facts, wrong) = check(&server, &key, &ledger)?;
        (checked, lost) = (checked + facts, [lost, wrong].concat());
        let confirmed = work_until_killed(&server, &key, &ledger, round)?;
        drop(server);
        if database == "sqlite" {
            integrity(&folder.join("latchstring.db"))?;
        }
        println!("round {round}: {confirmed} answers were confirmed before the kill");
    }
    let server = Server::start_on(&binary, &url, &folder, false)?;
    let (facts, wrong) = check(&server, &key, &ledger)?;
    (checked, lost) = (checked + facts, [lost, wrong].concat());
    drop(server);
    println!("{rounds} rounds, {checked} confirmed facts looked up again, {} lost", lost.len());
    if lost.is_empty() {
        return std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()));
    }
    Err(format!("LOST:\n  {}\nThe database and the logs are kept in {}", lost.join("\n  "), folder.display()))
}

/// What the server has confirmed. A request without an answer proves nothing either way, so it leaves the ledger.
#[derive(Default)]
struct Ledger {
    facts: Mutex<Vec<Fact>>,
    next: AtomicU64,
}

#[derive(Clone, Debug, PartialEq)]
struct Fact {
    user: String,
    there: bool,
}

impl Fact {
    fn holds(&self, status: u16) -> bool {
        if self.there { status == 200 } else { status == 404 }
    }
}

impl Ledger {
    fn with<T>(&self, change: impl FnOnce(&mut Vec<Fact>) -> T) -> T {
        change(&mut self.facts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Looks every fact up, and forgets it: each is checked once, after the crash that threatened it, and every tenth stays.
fn check(server: &Server, key: &str, ledger: &Ledger) -> Result<(usize, Vec<String>), String> {
    let facts = ledger.with(std::mem::take);
    let mut wrong = Vec::new();
    for fact in &facts {
        let answer = server.send("GET", &format!("/api/v1/users/{}", fact.user), key, "")?;
        if !fact.holds(answer.status) {
            wrong.push(format!("{fact:?}: the server answers {}", answer.status));
        }
    }
    ledger.with(|kept| kept.extend(facts.iter().step_by(10).cloned()));
    Ok((facts.len(), wrong))
}

/// Lets the writers write for a random while, then kills the server under them. Answers how much was confirmed; a
/// round that confirmed nothing has tested nothing, and fails with what the writers were told.
fn work_until_killed(server: &Server, key: &str, ledger: &Arc<Ledger>, round: u32) -> Result<usize, String> {
    let before = ledger.with(|facts| facts.len());
    let over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (addr, key, ledger, over) =
                (server.addr(), key.to_owned(), Arc::clone(ledger), Arc::clone(&over));
            std::thread::spawn(move || {
                let mut last = String::new();
                while !over.load(Ordering::Relaxed) {
                    // In the end the connection breaks with the server.
                    if let Err(why) = write(addr, &key, &ledger, round) {
                        last = why;
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
                last
            })
        })
        .collect();
    // On a busy machine the first answer may take longer than the whole random while.
    let begun = clock::now();
    while ledger.with(|facts| facts.len()) == before && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    let random = RandomState::new().hash_one(round);
    std::thread::sleep(Duration::from_millis(50 + random % 1500));
    server.kill();
    over.store(true, Ordering::Relaxed);
    let told: Vec<String> = writers.into_iter().filter_map(|writer| writer.join().ok()).collect();
    match ledger.with(|facts| facts.len()) - before {
        0 => Err(format!("round {round}: nothing was confirmed; the last errors:\n  {}", told.join("\n  "))),
        confirmed => Ok(confirmed),
    }
}

/// Makes users, and deletes every third again.
fn write(addr: SocketAddr, key: &str, ledger: &Ledger, round: u32) -> Result<(), String> {
    let mut connection = Connection::open(addr)?;
    let bearer = format!("Bearer {key}");
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
    loop {
        let n = ledger.next.fetch_add(1, Ordering::Relaxed);
        let body = format!("{{\"email\":\"crash-{round}-{n}@example.com\",\"email_asserted\":true}}");
        let made = connection.send("POST", "/api/v1/users", &headers, &body)?;
        let id = json_string(&made.body, "id").filter(|_| made.status / 100 == 2);
        let id = id.ok_or_else(|| format!("POST /api/v1/users: {} {}", made.status, made.body))?;
        if n.is_multiple_of(3) {
            let path = format!("/api/v1/users/{id}");
            let deleted = connection.send("DELETE", &path, &headers, "")?;
            if deleted.status / 100 != 2 {
                return Err(format!("DELETE {path}: {} {}", deleted.status, deleted.body));
            }
            ledger.with(|facts| facts.push(Fact { user: id, there: false }));
        } else {
            ledger.with(|facts| facts.push(Fact { user: id, there: true }));
        }
    }
}

/// SQLite's own look at the file, by Python, which has SQLite built in.
fn integrity(database: &Path) -> Result<(), String> {
    let script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check').fetchone()[0])";
    let verdict = run::output(Process::new("python3").args(["-c", script]).arg(database))?;
    if verdict.trim() == "ok" { Ok(()) } else { Err(format!("the database is damaged: {verdict}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_user_and_a_risen_one_are_both_wrong() {
        let there = Fact { user: "u".to_owned(), there: true };
        let gone = Fact { there: false, ..there.clone() };
        assert!(there.holds(200) && !there.holds(404) && !there.holds(500));
        assert!(gone.holds(404) && !gone.holds(200) && !gone.holds(500));
    }
}
