//! `cargo xtask tidy`: the rules of the house that neither the compiler nor clippy knows.
//!
//! Each check is a function from the tree to a list of problems, and each has a test with a bad sample. A problem's
//! text says what to do next, because its reader has never seen this file.

mod floors;
mod layers;
mod lex;
mod packages;
mod secrets;
mod sql;
mod text;
mod toml;
mod tree;

use std::process::ExitCode;

use crate::{Command, FAILED, unknown_argument};
use tree::{Problem, Tree};

pub(crate) const COMMAND: Command = Command {
    name: "tidy",
    usage: "tidy",
    about: "Checks the rules of the house: which crate may know which, the floors inside core, where SQL may stand,\n\
            banned crates and licences, and the form of files. Prints `path:line: what to do`.",
    hidden: false,
    run: tidy,
};

/// A check's name and what it does.
type Check = (&'static str, fn(&Tree) -> Vec<Problem>);

const CHECKS: &[Check] = &[
    ("crates know only what they may", layers::crates),
    ("drivers only in db", layers::drivers),
    ("floors inside core", floors::floors),
    ("SQL text only in stores", sql::sql),
    ("secrets without Debug", secrets::secrets),
    ("banned crates", packages::bans),
    ("licences", packages::licences),
    ("sources", packages::sources),
    ("each Rust file says what it is", text::header),
    ("files of readable length", text::length),
    ("nothing left unfinished", text::unfinished),
    ("exceptions to lints have a reason", text::reasons),
    ("no paths of one machine", text::machine_paths),
    ("white space", text::white_space),
    ("no large files", text::large),
    ("lock files name no registry", text::lock_files),
];

fn tidy(args: &[String]) -> ExitCode {
    if let Some(arg) = args.first() {
        return unknown_argument("tidy", arg, &[]);
    }
    match check() {
        Ok(checks) => {
            println!("tidy: {checks} checks passed");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(FAILED)
        }
    }
}

/// How many checks passed, or all problems, one a line.
pub(crate) fn check() -> Result<usize, String> {
    let tree = Tree::of_workspace()?;
    let mut said = String::new();
    for (name, check) in CHECKS {
        let problems = check(&tree);
        if !problems.is_empty() {
            said.push_str(&format!("tidy: {name}:\n"));
            for problem in problems {
                said.push_str(&format!("  {problem}\n"));
            }
        }
    }
    if said.is_empty() { Ok(CHECKS.len()) } else { Err(said.trim_end().to_owned()) }
}
