//! `cargo xtask acme`: certificates by ACME, from the ACME project's own test server. Pebble is a program of Go, which neither the
//! product nor `cargo xtask test` needs: so this is a tool for whoever works on TLS.

use std::process::ExitCode;

use crate::postgres::{Durable, Postgres};
use crate::{Command, FAILED, run, unknown_argument};

pub(crate) const COMMAND: Command = Command {
    name: "acme",
    usage: "acme [--database sqlite|both]",
    about: "Gets certificates from Pebble, the ACME project's test server: by http and by TLS, kept, shared by nodes,\n\
            renewed, refused. Fetches Pebble with Go, which has to be there, into target/.",
    hidden: false,
    run: acme,
};

/// The programs, at a version that is known to do.
const PROGRAMS: [&str; 2] = [
    "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.8.0",
    "github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv@v2.8.0",
];
const OPTIONS: &[&str] = &["--database"];

fn acme(args: &[String]) -> ExitCode {
    let both = match args {
        [] => true,
        [name, value] if name == "--database" => match value.as_str() {
            "sqlite" => false,
            "both" => true,
            other => return unknown_argument("acme --database", other, &["sqlite", "both"]),
        },
        [other, ..] => return unknown_argument("acme", other, OPTIONS),
    };
    match proven(both) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(FAILED)
        }
    }
}

fn proven(both: bool) -> Result<(), String> {
    let go = run::which("go").ok_or("Go is not installed, and Pebble is a program of it")?;
    let folder = run::target()?.join("pebble");
    for program in PROGRAMS {
        let mut install = std::process::Command::new(&go);
        install.args(["install", program]).env("GOBIN", &folder).env("GOFLAGS", "-mod=mod");
        if !run::shown_run(&mut install) {
            return Err(format!("{program} can't be fetched or built: see above"));
        }
    }
    let test = || {
        let mut test = run::cargo();
        test.args([
            "test",
            "--locked",
            "--package",
            "latchstring",
            "--features",
            "pebble",
            "--test",
            "it",
            "acme::",
        ]);
        test.env("LATCHSTRING_TEST_PEBBLE", &folder);
        test
    };
    let failed = || "a certificate was not got: see above".to_owned();
    println!("on SQLite");
    if !run::shown_run(&mut test()) {
        return Err(failed());
    }
    if both {
        let postgres = Postgres::start(Durable::No)?;
        println!("on PostgreSQL {}", postgres.version());
        let mut test = test();
        test.env("LATCHSTRING_TEST_DATABASE", "postgres").env("LATCHSTRING_TEST_POSTGRES", postgres.url());
        if !run::shown_run(&mut test) {
            return Err(failed());
        }
    }
    Ok(())
}
