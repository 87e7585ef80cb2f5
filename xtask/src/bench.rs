//! `cargo xtask bench`: builds the server and `xtask/bench` as they are shipped, starts a durable PostgreSQL, and measures.

use std::process::ExitCode;

use crate::postgres::{Durable, Postgres};
use crate::{Command, FAILED, run, server, unknown_argument};

pub(crate) const COMMAND: Command = Command {
    name: "bench",
    usage: "bench [--seconds N] [--callers N] [--users N] [--only NAME] [--database sqlite|both]",
    about: "Server CPU an answer and answers a second of the hot paths, beside a bare server of the same framework,\n\
            raw Argon2id and raw signatures, on SQLite and PostgreSQL; start to ready; memory; binary size.\n\
            The load generator shares the cores, so compare ratios within one run on an idle machine.",
    hidden: false,
    run: bench,
};

const OPTIONS: &[&str] = &["--seconds", "--callers", "--users", "--only", "--database"];

fn bench(args: &[String]) -> ExitCode {
    let mut passed = Vec::new();
    let mut both = true;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let Some(value) = args.next().filter(|_| OPTIONS.contains(&arg.as_str())) else {
            return unknown_argument("bench", arg, OPTIONS);
        };
        match (arg.as_str(), value.as_str()) {
            ("--database", "sqlite") => both = false,
            ("--database", "both") => both = true,
            ("--database", other) => return unknown_argument("bench --database", other, &["sqlite", "both"]),
            _ => passed.extend([arg.clone(), value.clone()]),
        }
    }
    match measure(&passed, both) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(FAILED)
        }
    }
}

fn measure(passed: &[String], both: bool) -> Result<(), String> {
    let binary = server::build_release()?;
    let build = ["build", "--locked", "--release", "--package", "latchstring-bench"];
    if !run::shown_run(run::cargo().args(build)) {
        return Err("the bench does not build: see above".to_owned());
    }
    // Durable: what is measured is what an operator gets.
    let postgres = if both { Some(Postgres::start(Durable::Yes)?) } else { None };
    let mut bench = std::process::Command::new(run::target()?.join("release/latchstring-bench"));
    bench.arg("--binary").arg(binary).args(passed);
    if let Some(postgres) = &postgres {
        bench.args(["--postgres", postgres.url()]);
    }
    if run::shown_run(&mut bench) { Ok(()) } else { Err("the bench failed: see above".to_owned()) }
}
