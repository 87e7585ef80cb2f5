//! `cargo xtask deny`: the full look at dependencies, by cargo-deny and `deny.toml`, where it is installed.
//! `tidy` checks bans, licences and sources on its own, so that the tests need no extra tool.

use std::process::ExitCode;

use crate::{Command, FAILED, run, unknown_argument};

pub(crate) const COMMAND: Command = Command {
    name: "deny",
    usage: "deny [--advisories]",
    about: "Bans, licences and sources of all dependencies, for all platforms, by cargo-deny.\n\
            With --advisories the RustSec database too (needs the network).",
    hidden: false,
    run: deny,
};

fn deny(args: &[String]) -> ExitCode {
    let mut checks = vec!["bans", "licenses", "sources"];
    for arg in args {
        match arg.as_str() {
            "--advisories" => checks.push("advisories"),
            other => return unknown_argument("deny", other, &["--advisories"]),
        }
    }
    if run::which("cargo-deny").is_none() {
        eprintln!("cargo-deny is not installed: `cargo install --locked cargo-deny`, then again.");
        eprintln!("`cargo xtask tidy` checks the bans, licences and sources of this platform without it.");
        return ExitCode::from(FAILED);
    }
    // The fuzzers have a workspace and a lock file of their own, under the same rules. Both are told, whatever the first.
    let check = |manifest: &str| {
        let deny = ["deny", "--manifest-path", manifest, "--all-features", "check"];
        run::shown_run(run::cargo().args(deny).args(&checks))
    };
    match (check("Cargo.toml"), check("fuzz/Cargo.toml")) {
        (true, true) => ExitCode::SUCCESS,
        _ => ExitCode::from(FAILED),
    }
}
