//! Programs that some steps need. Root on Debian gets what is missing by apt-get; everyone else is told the command.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{postgres, run};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Tool {
    Postgres,
    Nginx,
    Node,
    Npm,
    Python,
    Chromium,
}

impl Tool {
    fn package(self) -> &'static str {
        match self {
            Tool::Postgres => "postgresql",
            Tool::Nginx => "nginx",
            Tool::Node => "nodejs",
            Tool::Npm => "npm",
            Tool::Python => "python3-venv",
            Tool::Chromium => "chromium",
        }
    }

    /// Its program, or for PostgreSQL the folder of its programs.
    pub(super) fn find(self) -> Option<PathBuf> {
        match self {
            Tool::Postgres => postgres::bin(),
            Tool::Nginx => run::which("nginx"),
            Tool::Node => run::which("node"),
            Tool::Npm => run::which("npm"),
            // Debian ships venv without the part that puts pip into one.
            Tool::Python => run::which("python3").filter(|python| {
                run::output(Command::new(python).args(["-c", "import venv, ensurepip"])).is_ok()
            }),
            Tool::Chromium => {
                ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| run::which(name))
            }
        }
    }
}

pub(super) struct Tools {
    missing: Vec<Tool>,
}

impl Tools {
    /// Finds out what is missing, and installs it if it may.
    pub(super) fn look(needed: &[Tool], install: bool) -> Tools {
        let missing = lacking(needed);
        if missing.is_empty() {
            return Tools { missing };
        }
        let packages = packages(&missing);
        println!("\nMissing for some steps: {}", packages.join(" "));
        let debian = Path::new("/etc/debian_version").exists() && run::which("apt-get").is_some();
        if !(install && debian && run::is_root()) {
            return Tools { missing };
        }
        match apt_get(&packages) {
            Ok(()) => println!("installed."),
            Err(why) => println!("{why}"),
        }
        Tools { missing: lacking(&missing) }
    }

    /// Why a step that needs these cannot run, if so.
    pub(super) fn missing(&self, needed: &[Tool]) -> Option<String> {
        let missing: Vec<Tool> = needed.iter().copied().filter(|tool| self.missing.contains(tool)).collect();
        (!missing.is_empty()).then(|| {
            let packages = packages(&missing).join(" ");
            format!("not installed: {packages}. On Debian or Ubuntu: `sudo apt-get update && sudo apt-get install {packages}`")
        })
    }
}

fn lacking(tools: &[Tool]) -> Vec<Tool> {
    let mut missing: Vec<Tool> = Vec::new();
    for tool in tools {
        if !missing.contains(tool) && tool.find().is_none() {
            missing.push(*tool);
        }
    }
    missing
}

fn packages(tools: &[Tool]) -> Vec<&'static str> {
    tools.iter().map(|tool| tool.package()).collect()
}

fn apt_get(packages: &[&str]) -> Result<(), String> {
    let _quiet = Quiet::new();
    let apt = |args: &[&str]| {
        run::shown_run(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // An old list of packages still serves if this fails, so only the next step decides.
    apt(&["update", "-qq"]);
    let mut args = vec!["install", "-qq", "-o=Dpkg::Use-Pty=0", "--yes", "--no-install-recommends"];
    args.extend(packages);
    if apt(&args) { Ok(()) } else { Err("apt-get could not install them: see above".to_owned()) }
}

/// While it lives, installing a server neither starts it nor makes a database cluster: we want only the programs.
/// Each file is put there only if nobody else has one, and taken away again.
struct Quiet(Vec<PathBuf>);

impl Quiet {
    fn new() -> Quiet {
        let files = [
            ("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n"),
            (
                "/etc/postgresql-common/createcluster.d/latchstring-tests.conf",
                "create_main_cluster = false\n",
            ),
        ];
        let mut ours = Vec::new();
        for (path, text) in files {
            let path = Path::new(path);
            if let Some(parent) = path.parent() {
                let _ = std::fs::create_dir_all(parent);
            }
            if place(path, text).is_ok() {
                ours.push(path.to_path_buf());
            }
        }
        Quiet(ours)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn place(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_without_its_tools_says_how_to_get_them() {
        let tools = Tools { missing: vec![Tool::Nginx, Tool::Npm] };
        let why = tools.missing(&[Tool::Python, Tool::Npm]).unwrap();
        assert!(why.contains("`sudo apt-get update && sudo apt-get install npm`"), "{why}");
        assert_eq!(tools.missing(&[Tool::Python]), None);
    }
}
