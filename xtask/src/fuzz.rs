//! `cargo xtask fuzz`: libFuzzer on the parsers that read bytes from outside, with the stable toolchain.
//!
//! The properties stand in `fuzz/checks`, and the tests replay the seeds against them; this is the search for inputs
//! that nobody thought of. Only our own side is instrumented: there is no sanitizer, which stable Rust lacks, and the C
//! below is other people's to fuzz.

use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitCode};

use crate::{Command, FAILED, USAGE, run, unknown_argument};

pub(crate) const COMMAND: Command = Command {
    name: "fuzz",
    usage: "fuzz [--seconds N] [TARGET...]",
    about: "Throws made-up inputs at the parsers that read bytes from outside, N seconds (30) each, and fails when a\n\
            property of fuzz/checks does not hold. Without a target all of them; each is a file in fuzz/src/bin.\n\
            What broke is kept in fuzz/crashes. Needs a C++ compiler, for libFuzzer alone.",
    hidden: false,
    run: fuzz,
};

const MANIFEST: &str = "fuzz/Cargo.toml";
const CRASHES: &str = "fuzz/crashes";
/// A single input that takes longer is a find, like a crash: it is how a stranger would stall a sign-in.
const SLOW_SECONDS: u32 = 5;
/// Longer than every limit but those of bodies and tokens, and short enough for thousands of inputs a second.
const LONGEST: u32 = 4096;

/// What `cargo fuzz` passes too, without a sanitizer: libFuzzer reads these counters and comparisons. `fuzzing` is the
/// name that crates know; none of ours asks.
const INSTRUMENTED: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing";

fn fuzz(args: &[String]) -> ExitCode {
    let known = match targets() {
        Ok(known) => known,
        Err(why) => return failed(&why),
    };
    let (mut seconds, mut chosen) = (30_u32, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            match args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0) {
                Some(n) => seconds = n,
                None => {
                    eprintln!("cargo xtask fuzz: --seconds needs a number of seconds, from 1 up.");
                    return ExitCode::from(USAGE);
                }
            }
        } else if known.contains(arg) {
            chosen.push(arg.clone());
        } else {
            let words: Vec<&str> = known.iter().map(String::as_str).chain(["--seconds"]).collect();
            return unknown_argument("fuzz", arg, &words);
        }
    }
    let chosen = if chosen.is_empty() { known } else { chosen };
    match all(&chosen, seconds) {
        Ok(()) => {
            println!("\nfuzz: {} of {} targets held", chosen.len(), chosen.len());
            ExitCode::SUCCESS
        }
        Err(why) => failed(&why),
    }
}

fn failed(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(FAILED)
}

/// Each is a file; a test of `fuzz/checks` holds its own list to the same names.
fn targets() -> Result<Vec<String>, String> {
    let folder = "fuzz/src/bin";
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{folder}: {e}"))?;
    let name = |path: PathBuf| Some(path.file_name()?.to_str()?.strip_suffix(".rs")?.to_owned());
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| name(entry.path())).collect();
    names.sort();
    Ok(names)
}

fn all(targets: &[String], seconds: u32) -> Result<(), String> {
    let folder = run::target()?.join("fuzz");
    let programs = build(targets, &folder)?;
    let mut broken = Vec::new();
    for target in targets {
        println!("\n==== {target}: {seconds} s");
        if !search(target, &programs.join(target), &folder, seconds)? {
            broken.push(target.as_str());
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(format!("\nfuzz: did not hold: {}", broken.join(" "))) }
}

/// Builds them in a target folder of their own, since every crate is built differently; the folder of the programs.
fn build(targets: &[String], folder: &Path) -> Result<PathBuf, String> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    // The variable may hold a whole path, or arguments behind the name.
    let program = compiler.split_whitespace().next().unwrap_or_default();
    if !run::is_program(Path::new(program)) && run::which(program).is_none() {
        return Err(format!(
            "no C++ compiler `{program}`, which libFuzzer needs. On Debian or Ubuntu: `sudo apt-get install g++`. \
             The seeds run without it: `cargo test -p latchstring-fuzz`."
        ));
    }
    // With a target named, the flags do not reach build scripts and macros, which run in the compiler.
    let host = host()?;
    let mut cargo = run::cargo();
    cargo.args(["build", "--locked", "--release", "--manifest-path", MANIFEST, "--target", &host]);
    for target in targets {
        cargo.args(["--bin", target]);
    }
    cargo.arg("--target-dir").arg(folder).env("RUSTFLAGS", INSTRUMENTED);
    cargo.env_remove("CARGO_ENCODED_RUSTFLAGS");
    println!("Everything is built once more, instrumented; the first time takes minutes.");
    if run::shown_run(&mut cargo) {
        Ok(folder.join(host).join("release"))
    } else {
        Err("the targets did not build: see above".to_owned())
    }
}

fn host() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = run::output(Process::new(rustc).arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "`rustc -vV` names no host".to_owned())
}

/// Runs one target. What it finds interesting grows a corpus in the target folder, from which the next run goes on; the
/// committed seeds are only read.
fn search(target: &str, program: &Path, folder: &Path, seconds: u32) -> Result<bool, String> {
    let corpus = folder.join("corpus").join(target);
    let crashes = Path::new(CRASHES).join(target);
    for folder in [&corpus, &crashes] {
        std::fs::create_dir_all(folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    }
    let before = files(&crashes);
    let mut fuzzer = Process::new(program);
    fuzzer.arg(format!("-max_total_time={seconds}"));
    fuzzer.args([format!("-timeout={SLOW_SECONDS}"), format!("-max_len={LONGEST}")]);
    fuzzer.args(["-use_value_profile=1", "-print_final_stats=1"]);
    // The slash makes it a folder.
    fuzzer.arg(format!("-artifact_prefix={}/", crashes.display()));
    fuzzer.arg(&corpus).arg(Path::new("fuzz/seeds").join(target));
    if run::shown_run(&mut fuzzer) {
        return Ok(true);
    }
    let found: Vec<PathBuf> = files(&crashes).into_iter().filter(|file| !before.contains(file)).collect();
    for file in &found {
        let (file, program) = (file.display(), program.display());
        println!("\nFound: {file}");
        println!("Again: {program} {file}");
        println!(
            "As a test, which then keeps it: cp {file} fuzz/seeds/{target}/WHAT-IT-IS && cargo test -p latchstring-fuzz"
        );
    }
    if found.is_empty() {
        println!("{target} ended without a crash to keep: see above");
    }
    Ok(false)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}
