//! `cargo xtask bench`: how much processor time an answer costs the server, beside the cheapest answer of the same
//! framework in the same run. Time on a wall clock is printed too, but on a busy machine it says little.
//!
//! Hidden from the menu until the server that it measures exists.

use std::net::SocketAddr;
use std::process::{Command as Process, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::http::Connection;
use crate::server::{self, Server};
use crate::{Command, FAILED, clock, run, unknown_argument};

pub(crate) const COMMAND: Command = Command {
    name: "bench",
    usage: "bench [--seconds N] [--connections N]",
    about: "Server CPU per answer and answers per second of the hot paths, beside a bare answer of the same framework.",
    hidden: true,
    run: bench,
};

/// A request that is sent again and again. Its answers must all have this status.
struct Load {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    status: u16,
    with_key: bool,
}

const LOADS: &[Load] = &[
    // The measure for all others: nothing but the framework and one constant.
    Load { name: "bare answer", method: "GET", path: "/healthz", status: 200, with_key: false },
    Load {
        name: "discovery",
        method: "GET",
        path: "/.well-known/openid-configuration",
        status: 200,
        with_key: false,
    },
    Load { name: "JWKS", method: "GET", path: "/.well-known/jwks.json", status: 200, with_key: false },
    Load {
        name: "session check, no session",
        method: "POST",
        path: "/api/v1/session/check",
        status: 401,
        with_key: false,
    },
    Load {
        name: "admin key, list of users",
        method: "GET",
        path: "/api/v1/users",
        status: 200,
        with_key: true,
    },
];

fn bench(args: &[String]) -> ExitCode {
    let (mut seconds, mut connections) = (5, 64);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match (arg.as_str(), args.next().and_then(|n| n.parse::<u64>().ok())) {
            ("--seconds", Some(n)) => seconds = n,
            ("--connections", Some(n)) => connections = n,
            _ => return unknown_argument("bench", arg, &["--seconds N", "--connections N"]),
        }
    }
    match all_loads(Duration::from_secs(seconds), connections) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(FAILED)
        }
    }
}

fn all_loads(time: Duration, connections: u64) -> Result<(), String> {
    let binary = server::build_release()?;
    let server = Server::start(&binary)?;
    let key = server.admin_key()?;
    println!("{:<28}{:>12}{:>14}{:>12}", "", "answers/s", "us CPU each", "x bare");
    let mut bare = None;
    for load in LOADS {
        let measured = measure(&server, load, &key, time, connections)?;
        let bare = *bare.get_or_insert(measured.cpu);
        println!(
            "{:<28}{:>12.0}{:>14.1}{:>12.2}",
            load.name,
            measured.rate,
            measured.cpu * 1e6,
            measured.cpu / bare
        );
    }
    Ok(())
}

struct Measured {
    rate: f64,
    /// Seconds of the server's processor time for one answer.
    cpu: f64,
}

fn measure(
    server: &Server,
    load: &'static Load,
    key: &str,
    time: Duration,
    connections: u64,
) -> Result<Measured, String> {
    let over = Arc::new(AtomicBool::new(false));
    let (start, cpu) = (clock::now(), cpu_seconds(server.pid())?);
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (addr, key, over) = (server.addr(), key.to_owned(), Arc::clone(&over));
            std::thread::spawn(move || ask_until(&over, addr, load, &key))
        })
        .collect();
    std::thread::sleep(time);
    over.store(true, Ordering::Relaxed);
    let mut answers = 0;
    for client in clients {
        answers += client.join().map_err(|_| "a client panicked".to_owned())??;
    }
    let (elapsed, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds(server.pid())? - cpu);
    Ok(Measured { rate: answers as f64 / elapsed, cpu: cpu / answers.max(1) as f64 })
}

fn ask_until(over: &AtomicBool, addr: SocketAddr, load: &Load, key: &str) -> Result<u64, String> {
    let mut connection = Connection::open(addr)?;
    let bearer = format!("Bearer {key}");
    let headers: &[(&str, &str)] = if load.with_key { &[("Authorization", bearer.as_str())] } else { &[] };
    let mut answers = 0;
    while !over.load(Ordering::Relaxed) {
        let answer = connection.send(load.method, load.path, headers, "")?;
        if answer.status != load.status {
            return Err(format!(
                "{}: {} instead of {}: {}",
                load.name, answer.status, load.status, answer.body
            ));
        }
        answers += 1;
    }
    Ok(answers)
}

/// Processor time of a process so far, user and system, from `/proc`.
fn cpu_seconds(pid: &str) -> Result<f64, String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .map_err(|e| format!("no /proc of the server: {e}"))?;
    let ticks = ticks(&stat).ok_or("an unknown form of /proc/…/stat")?;
    let per_second = run::output(Process::new("getconf").arg("CLK_TCK"))?;
    Ok(ticks as f64 / per_second.trim().parse::<f64>().map_err(|e| e.to_string())?)
}

/// The 14th and 15th fields; the second, the program's name, may hold blanks and parentheses.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn processor_time_is_read() {
        assert_eq!(super::ticks("7 (a (b) c) S 1 7 7 0 -1 4194304 100 0 0 0 31 11 0 0 20 0 1 0"), Some(42));
        assert!(super::cpu_seconds(&std::process::id().to_string()).unwrap() >= 0.0);
    }
}
