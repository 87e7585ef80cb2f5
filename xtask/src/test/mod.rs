//! `cargo xtask test`: everything that has to pass, on a fresh machine, in one command.
//!
//! It keeps going after a failure, so that one run tells all, and ends with `N passed, N failed` alone on the last
//! line. A step that cannot run here is a skip: it is said loudly, and with `CI=true` it counts as a failure.

pub(crate) mod browser;
mod count;
mod examples;
mod report;
mod supabase;
mod tools;

use std::path::Path;
use std::process::{Command as Process, ExitCode};

use crate::postgres::{Durable, Postgres};
use crate::{Command, run, tidy, unknown_argument};
use count::Counts;
use report::Report;
use tools::{Tool, Tools};

pub(crate) const COMMAND: Command = Command {
    name: "test",
    usage: "test [--no-install] [STEP...]",
    about: "All tests: the house rules, formatting, lints, every crate on SQLite and again on PostgreSQL, the\n\
            pages in a browser, the Supabase SDK and the examples, against the built server. Brings its own PostgreSQL.\n\
            Missing tools are installed where that needs no question (root on Debian), unless --no-install is given.\n\
            Steps: tidy fmt clippy sqlite postgres browser supabase fastapi snippets forward-auth supabase-react;\n\
            without a name all of them.",
    hidden: false,
    run: test,
};

/// What a step works with.
struct Stage {
    tools: Tools,
    /// The server's binary, once it has been built. `None`: not tried yet.
    server: Option<Result<std::path::PathBuf, String>>,
}

/// What became of a step.
enum Outcome {
    Ran(Counts),
    /// It could not run here, and this is what would have to change.
    Skipped(String),
}

struct Step {
    name: &'static str,
    about: &'static str,
    needs: &'static [Tool],
    run: fn(&mut Stage) -> Outcome,
}

const STEPS: &[Step] = &[
    Step { name: "tidy", about: "the rules of the house", needs: &[], run: tidy_step },
    Step { name: "fmt", about: "cargo fmt --check", needs: &[], run: fmt },
    Step { name: "clippy", about: "cargo clippy, warnings are errors", needs: &[], run: clippy },
    Step { name: "sqlite", about: "every crate's tests, on SQLite", needs: &[], run: sqlite },
    Step {
        name: "postgres",
        about: "the tests that use a database, on PostgreSQL",
        needs: &[Tool::Postgres],
        run: postgres_step,
    },
    Step {
        name: "browser",
        about: "the hosted pages of the built server, and apps with official clients, in a browser",
        needs: &[Tool::Node, Tool::Npm, Tool::Chromium],
        run: browser::run,
    },
    Step {
        name: "supabase",
        about: "the Supabase SDK against the built server, on SQLite, and its newest version on PostgreSQL",
        needs: &[Tool::Node, Tool::Npm, Tool::Postgres],
        run: supabase::run,
    },
    Step {
        name: "fastapi",
        about: "examples/fastapi against the built server, in a browser too",
        needs: &[Tool::Python, Tool::Node, Tool::Npm, Tool::Chromium],
        run: |stage| examples::run(stage, "fastapi"),
    },
    Step {
        name: "snippets",
        about: "the start page's blocks for FastAPI, Express and nginx, run as they are pasted",
        needs: &[Tool::Python, Tool::Node, Tool::Npm, Tool::Nginx],
        run: |stage| examples::run(stage, "snippets"),
    },
    Step {
        name: "forward-auth",
        about: "examples/forward-auth behind nginx against the built server",
        needs: &[Tool::Python, Tool::Nginx],
        run: |stage| examples::run(stage, "forward-auth"),
    },
    Step {
        name: "supabase-react",
        about: "examples/supabase-react, built, against the built server in a browser",
        needs: &[Tool::Node, Tool::Npm, Tool::Chromium],
        run: browser::example,
    },
];

fn test(args: &[String]) -> ExitCode {
    let mut install = true;
    let mut chosen: Vec<&str> = Vec::new();
    for arg in args {
        match STEPS.iter().find(|step| step.name == arg) {
            Some(step) => chosen.push(step.name),
            None if arg == "--no-install" => install = false,
            None => {
                let known: Vec<&str> = STEPS.iter().map(|step| step.name).chain(["--no-install"]).collect();
                return unknown_argument("test", arg, &known);
            }
        }
    }
    let steps: Vec<&Step> =
        STEPS.iter().filter(|step| chosen.is_empty() || chosen.contains(&step.name)).collect();

    println!("Steps, one after the other; a failed one does not stop the rest:");
    for step in &steps {
        println!("  {:<14} {}", step.name, step.about);
    }
    if steps.len() < STEPS.len() {
        println!("Only what was named. `cargo xtask test` runs everything.");
    }

    let mut report = Report::new(std::env::var("CI").is_ok_and(|ci| ci == "true"));
    let needed: Vec<Tool> = steps.iter().flat_map(|step| step.needs).copied().collect();
    let mut stage = Stage { tools: Tools::look(&needed, install), server: None };
    for step in steps {
        println!("\n==== {}: {}", step.name, step.about);
        let outcome = |stage: &mut Stage| match stage.tools.missing(step.needs) {
            Some(why) => Outcome::Skipped(why),
            None => (step.run)(stage),
        };
        report.step(step.name, || outcome(&mut stage));
    }
    report.end()
}

fn tidy_step(_: &mut Stage) -> Outcome {
    let checked = tidy::check();
    match &checked {
        Ok(checks) => println!("{checks} checks passed"),
        Err(why) => println!("{why}"),
    }
    Outcome::Ran(Counts::one(checked.is_ok()))
}

fn fmt(_: &mut Stage) -> Outcome {
    let ok = run::shown_run(run::cargo().args(["fmt", "--all", "--check"]));
    if !ok {
        println!("`cargo fmt --all` mends it.");
    }
    // A workspace of its own.
    let fuzz = ["fmt", "--manifest-path", "fuzz/Cargo.toml"];
    let fuzz_ok = run::shown_run(run::cargo().args(fuzz).arg("--check"));
    if !fuzz_ok {
        println!("`cargo {}` mends it.", fuzz.join(" "));
    }
    let ok = ok && fuzz_ok;
    Outcome::Ran(Counts::one(ok))
}

fn clippy(_: &mut Stage) -> Outcome {
    let mut clippy = run::cargo();
    clippy.args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    Outcome::Ran(Counts::one(run::shown_run(&mut clippy)))
}

fn sqlite(_: &mut Stage) -> Outcome {
    let mut test = cargo_test();
    test.arg("--workspace").env("LATCHSTRING_TEST_DATABASE", "sqlite");
    Outcome::Ran(count::cargo(&mut test))
}

fn postgres_step(_: &mut Stage) -> Outcome {
    let postgres = match Postgres::start(Durable::No) {
        Ok(postgres) => postgres,
        Err(why) => {
            println!("{why}");
            return Outcome::Ran(Counts::one(false));
        }
    };
    println!("a throw-away PostgreSQL {} runs at {}", postgres.version(), postgres.url());
    let mut test = cargo_test();
    test.args(["--package", "latchstring-db", "--package", "latchstring-core"]);
    test.args(["--package", "latchstring-server", "--package", "latchstring"]);
    for dialect in dialects() {
        test.args(["--package", &format!("latchstring-{dialect}")]);
    }
    // Documentation examples have run already, and use no database.
    test.arg("--tests");
    test.env("LATCHSTRING_TEST_DATABASE", "postgres").env("LATCHSTRING_TEST_POSTGRES", postgres.url());
    Outcome::Ran(count::cargo(&mut test))
}

/// The folders of `dialects`, whose packages are named after them.
fn dialects() -> Vec<String> {
    let folders = std::fs::read_dir("dialects").into_iter().flatten().flatten();
    let mut names: Vec<String> = folders
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// Installs what a folder's lock file lists, and nothing else; no package runs code while it is installed.
fn npm_ci(folder: &Path) -> Result<(), String> {
    let mut npm = Process::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
    if run::shown_run(&mut npm) {
        Ok(())
    } else {
        Err("npm could not install what package-lock.json lists: see above".to_owned())
    }
}

fn cargo_test() -> Process {
    let mut test = run::cargo();
    // Settings of the person who runs us must not reach the tests.
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("LATCHSTRING_") {
            test.env_remove(key);
        }
    }
    test.args(["test", "--locked", "--no-fail-fast"]);
    test
}
