//! The hosted pages in a real browser: `tests/browser`, run by Node's own test runner. It starts the servers itself, with
//! the settings that its tests want; we build the binary and install what it needs.

use std::path::Path;
use std::process::{Command as Process, ExitCode};

use super::count::{self, Counts};
use super::tools::{Tool, Tools};
use super::{Outcome, Stage};
use crate::{Command, FAILED, run, server};

const FOLDER: &str = "tests/browser";
const EXAMPLE: &str = "examples/supabase-react";

pub(crate) const PICTURES: Command = Command {
    name: "pictures",
    usage: "pictures [--lang LANGUAGE] [--to FOLDER]",
    about: "Takes the pictures of README and docs anew, into docs/pictures: the pages of the built server, as Chromium\n\
            shows them. In English, unless --lang names another language.",
    hidden: false,
    run: pictures,
};

pub(super) fn run(stage: &mut Stage) -> Outcome {
    counted(stage, FOLDER, "suite.mjs")
}

/// The example that is an app of its own: built, served, and walked through.
pub(super) fn example(stage: &mut Stage) -> Outcome {
    counted(stage, EXAMPLE, "test.mjs")
}

fn counted(stage: &mut Stage, folder: &str, file: &str) -> Outcome {
    let binary = stage.server.get_or_insert_with(server::build).clone();
    let prepared = binary.and_then(|binary| node(folder, &binary));
    match prepared {
        Ok(mut node) => Outcome::Ran(count::node(node.args(["--test", "--test-reporter=spec", file]))),
        Err(why) => {
            println!("{why}");
            Outcome::Ran(Counts::one(false))
        }
    }
}

/// Node in a folder, with its packages, a browser and a server to start.
fn node(folder: &str, binary: &Path) -> Result<Process, String> {
    let folder = Path::new(folder);
    super::npm_ci(folder)?;
    let mut node = Process::new(Tool::Node.find().ok_or("no Node")?);
    let binary = std::path::absolute(binary).map_err(|e| format!("{}: {e}", binary.display()))?;
    node.current_dir(folder).env("LATCHSTRING_BINARY", binary);
    if let Some(chromium) = Tool::Chromium.find() {
        node.env("CHROMIUM", chromium);
    }
    Ok(node)
}

fn pictures(args: &[String]) -> ExitCode {
    let tools = [Tool::Node, Tool::Npm, Tool::Chromium];
    let ready = match Tools::look(&tools, false).missing(&tools) {
        Some(why) => Err(why),
        None => server::build().and_then(|binary| node(FOLDER, &binary)),
    };
    let taken = ready.map(|mut node| run::shown_run(node.arg("pictures.mjs").args(args)));
    match taken {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(why) => {
            println!("{why}");
            ExitCode::from(FAILED)
        }
    }
}
