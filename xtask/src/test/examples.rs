//! The examples' own tests, against a server that was really built and started.
//!
//! Each example is a folder with a `test.py` for pytest. It finds the server by `LATCHSTRING_URL` and an admin key by
//! `LATCHSTRING_ADMIN_KEY`, so that anyone can run it by hand against a server of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::count::{self, Counts};
use super::tools::Tool;
use super::{Outcome, Stage};
use crate::{run, server};

pub(super) fn run(stage: &mut Stage, example: &str) -> Outcome {
    match prepared(stage, example) {
        Ok(counts) => Outcome::Ran(counts),
        Err(why) => {
            println!("{why}");
            Outcome::Ran(Counts::one(false))
        }
    }
}

fn prepared(stage: &mut Stage, example: &str) -> Result<Counts, String> {
    let folder = PathBuf::from("examples").join(example);
    let binary = stage.server.get_or_insert_with(server::build).clone()?;
    let python = python()?;
    if folder.join("package-lock.json").exists() {
        super::npm_ci(&folder)?;
    }
    let server = server::Server::start(&binary)?;
    let mut pytest = Command::new(python);
    pytest.args(["-m", "pytest", "--color=no", "-v", "test.py"]).current_dir(&folder);
    pytest.env("LATCHSTRING_URL", server.url()).env("LATCHSTRING_ADMIN_KEY", server.admin_key()?);
    for (key, tool) in [("CHROMIUM", Tool::Chromium), ("NGINX", Tool::Nginx)] {
        if let Some(program) = tool.find() {
            pytest.env(key, program);
        }
    }
    let counts = count::pytest(&mut pytest);
    if counts.failed > 0 {
        println!("the end of the server's log:\n{}", server.log_tail());
    }
    Ok(counts)
}

/// The Python of a virtual environment below `target/`, with everything that the examples' lock files name.
fn python() -> Result<PathBuf, String> {
    // A virtual environment is not to be moved, so its path is a full one.
    let venv = std::path::absolute(run::target()?.join("venv")).map_err(|e| e.to_string())?;
    let python = venv.join("bin/python");
    let locks: Vec<&Path> =
        ["examples/requirements-test.txt", "examples/fastapi/requirements.txt"].map(Path::new).into();
    let mut wanted = String::new();
    for lock in &locks {
        wanted += &std::fs::read_to_string(lock).map_err(|e| format!("{}: {e}", lock.display()))?;
    }
    let stamp = venv.join("installed.txt");
    if run::is_program(&python) && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted)
    {
        return Ok(python);
    }
    let system = Tool::Python.find().ok_or("no Python")?;
    if !run::shown_run(Command::new(system).args(["-m", "venv", "--clear"]).arg(&venv)) {
        return Err("Python could not make a virtual environment: see above".to_owned());
    }
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
    for lock in &locks {
        pip.arg("-r").arg(lock);
    }
    if !run::shown_run(&mut pip) {
        return Err("pip could not install what the lock files list: see above".to_owned());
    }
    std::fs::write(&stamp, wanted).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(python)
}
