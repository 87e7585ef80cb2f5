//! `cargo xtask supabase-suite`: the test suite of the vendor's own client library, against our server in place of theirs.
//!
//! It takes a checkout of their repository that is somewhere on this machine. Nothing of it is part of ours, it is run in a
//! copy below `target/`, and what it needs comes from the registry. So it is a tool for whoever works on the dialect, and
//! no step of `cargo xtask test`. Which of its tests fail, and why, is in docs/dialects/supabase.md.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitCode};

use crate::server::{self, Server};
use crate::{Command, FAILED, USAGE, run, unknown_argument};

pub(crate) const COMMAND: Command = Command {
    name: "supabase-suite",
    usage: "supabase-suite --source CHECKOUT [--server BINARY] [TEST...]",
    about: "Runs the tests of the vendor's client library (packages/core/auth-js in a checkout of supabase-js) against\n\
            the built server, set up by `latchstring dialect supabase init` from the suite's own settings and signing\n\
            key, and prints what passed and what failed. A TEST is a part of a file's name; without one, all.\n\
            Takes port 54321, where the suite looks. Needs Node, npm and the registry.",
    hidden: false,
    run: suite,
};

const PACKAGE: &str = "packages/core/auth-js";
/// Where the suite looks for its server.
const PORT: u16 = 54321;
/// What its settings take from the environment: of other products, or of what is not there yet.
const ENVIRONMENT: &[&str] = &[
    "SUPABASE_AUTH_EXTERNAL_GOOGLE_SECRET",
    "SUPABASE_AUTH_SMS_TWILIO_AUTH_TOKEN",
    "S3_HOST",
    "S3_REGION",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
];
/// Everybody in the suite comes from one address, and means no harm.
const LIMITS: &[&str] = &[
    "attempts_by_address",
    "passwords_by_address",
    "codes_by_address",
    "codes_by_identifier",
    "sends_by_target",
    "sends_by_target_daily",
    "sends_by_address",
    "sign_ups_by_address",
    "tokens_by_address",
    "keys_by_address",
];

fn suite(args: &[String]) -> ExitCode {
    let (mut source, mut binary, mut tests) = (None, None, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--source" => source = args.next().map(PathBuf::from),
            "--server" => binary = args.next().map(PathBuf::from),
            flag if flag.starts_with('-') => {
                return unknown_argument("supabase-suite", flag, &["--source", "--server"]);
            }
            test => tests.push(test.to_owned()),
        }
    }
    let Some(source) = source else {
        eprintln!("cargo xtask supabase-suite: --source names a checkout of supabase-js.");
        return ExitCode::from(USAGE);
    };
    match ran(&source, binary, &tests) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::from(FAILED)
        }
    }
}

fn ran(source: &Path, binary: Option<PathBuf>, tests: &[String]) -> Result<(), String> {
    let binary = match binary {
        Some(binary) => binary,
        None => server::build()?,
    };
    let binary = std::path::absolute(&binary).map_err(|e| format!("{}: {e}", binary.display()))?;
    let target = std::path::absolute(run::target()?).map_err(|e| e.to_string())?;
    let folder = target.join("supabase-suite");
    let script = folder.join("suite.mjs");
    let package = copied(source, &folder)?;
    std::fs::write(&script, include_str!("supabase_suite.mjs")).map_err(|e| e.to_string())?;
    let node = |arguments: &[&Path]| {
        let mut node = Process::new("node");
        node.args(arguments);
        node
    };

    did(node(&[&script, Path::new("prepare"), &package, &folder.join("pnpm-workspace.yaml")]))?;
    let mut npm = Process::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    did_in(npm, &package)?;
    did(node(&[&package.join("test/generate-signing-keys.js")]))?;
    let mut private = Process::new("chmod");
    private.arg("600").arg(package.join("test/supabase/signing_keys.json"));
    did(private)?;

    let scratch = run::scratch("suite")?;
    let database = format!("sqlite:{}", scratch.join("latchstring.db").display());
    let server =
        Server::start_at(SocketAddr::from(([127, 0, 0, 1], PORT)), &binary, &database, &scratch, true)?;
    set_up(&server, &binary, &database, &scratch, &package)?;

    let out = folder.join("results.json");
    let _ = std::fs::remove_file(&out);
    let mut jest = Process::new("npx");
    jest.args(["--no-install", "jest", "--config", "jest.config.cli.js", "--runInBand", "--coverage=false"]);
    jest.args(["--testTimeout=20000", "--json"]).arg("--outputFile").arg(&out).args(tests);
    println!("$ jest, which takes a minute");
    // It fails when a test does; what counts is the file.
    let said = jest.current_dir(&package).output().map_err(|e| format!("jest did not start: {e}"))?;
    if !out.exists() {
        return Err(format!("jest ran no test: {}", String::from_utf8_lossy(&said.stderr)));
    }
    did(node(&[&script, Path::new("report"), &out]))
}

/// The package and what its configuration leans on, in a folder whose installed packages are kept for the next time.
fn copied(source: &Path, folder: &Path) -> Result<PathBuf, String> {
    let package = folder.join(PACKAGE);
    if !source.join(PACKAGE).join("test").is_dir() {
        return Err(format!("{} has no {PACKAGE}: is it a checkout of supabase-js?", source.display()));
    }
    std::fs::create_dir_all(&package).map_err(|e| format!("{}: {e}", package.display()))?;
    for file in ["pnpm-workspace.yaml", "tsconfig.base.json"] {
        std::fs::copy(source.join(file), folder.join(file))
            .map_err(|e| format!("{}: {e}", source.join(file).display()))?;
    }
    for entry in std::fs::read_dir(source.join(PACKAGE)).map_err(|e| e.to_string())? {
        let entry = entry.map_err(|e| e.to_string())?;
        if matches!(entry.file_name().to_str(), Some("node_modules" | "package-lock.json" | "example")) {
            continue;
        }
        let mut copy = Process::new("cp");
        copy.arg("-RT").arg(entry.path()).arg(package.join(entry.file_name()));
        run::output(&mut copy)?;
    }
    Ok(package)
}

/// The mount as the suite's own settings want it, and limits that one address does not meet.
fn set_up(
    server: &Server,
    binary: &Path,
    database: &str,
    scratch: &Path,
    package: &Path,
) -> Result<(), String> {
    // The set-up token is over with the first key, and `init` makes some.
    let key = server.admin_key()?;
    let theirs = package.join("test/supabase");
    let mut init = Process::new(binary);
    init.args(["dialect", "supabase", "init", "--admit-signed-admins"]);
    init.arg("--from").arg(theirs.join("config.toml"));
    init.arg("--signing-keys").arg(theirs.join("signing_keys.json"));
    init.current_dir(scratch).env("LATCHSTRING_DATABASE", database);
    init.env("LATCHSTRING_LISTEN", server.addr().to_string());
    init.envs(ENVIRONMENT.iter().map(|name| (name, "unused")));
    // Its account holds keys, which are of no use to anybody but the suite.
    run::output(&mut init)?;
    let limits: Vec<String> =
        LIMITS.iter().map(|name| format!("\"{name}\":{{\"burst\":100000,\"per_seconds\":1}}")).collect();
    let body = format!("{{\"limits\":{{{}}}}}", limits.join(","));
    let answer = server.send("PATCH", "/api/v1/settings", &key, &body)?;
    match answer.status {
        200 => Ok(()),
        status => Err(format!("PATCH /api/v1/settings: {status} {}", answer.body)),
    }
}

fn did(mut command: Process) -> Result<(), String> {
    if run::shown_run(&mut command) { Ok(()) } else { Err("that failed: see above".to_owned()) }
}

fn did_in(mut command: Process, folder: &Path) -> Result<(), String> {
    command.current_dir(folder);
    did(command)
}
