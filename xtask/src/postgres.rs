//! A throw-away PostgreSQL of our own, from the installed binaries: never a cluster that is already there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::keep::{Kept, Plan};
use crate::run;

/// Whether what was committed has to survive a crash.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Durable {
    Yes,
    No,
}

pub(crate) struct Postgres {
    url: String,
    version: String,
    _server: Kept,
}

impl Postgres {
    pub(crate) fn start(durable: Durable) -> Result<Postgres, String> {
        let bin = bin().ok_or("no PostgreSQL server binaries (initdb and postgres) were found")?;
        let user = User::who_may_run_it()?;
        let folder = run::scratch("postgres")?;
        let started = Postgres::start_in(&bin, &user, &folder, durable);
        if started.is_err() {
            // No keeper may have taken the folder over yet.
            let _ = std::fs::remove_dir_all(&folder);
        }
        started
    }

    fn start_in(bin: &Path, user: &User, folder: &Path, durable: Durable) -> Result<Postgres, String> {
        user.give(folder)?;
        let data = folder.join("data");
        let mut initdb = user.command(&bin.join("initdb"));
        initdb.args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]);
        run::output(initdb.arg("-D").arg(&data).current_dir(folder))?;

        let port = run::free_port()?;
        let mut server = user.command(&bin.join("postgres"));
        server.arg("-D").arg(&data).current_dir(folder);
        let mut set = |key: &str, value: &str| {
            server.arg("-c").arg(format!("{key}={value}"));
        };
        set("listen_addresses", "127.0.0.1");
        set("port", &port.to_string());
        set("unix_socket_directories", &folder.to_string_lossy());
        set("max_connections", "200");
        if durable == Durable::No {
            for effort in ["fsync", "synchronous_commit", "full_page_writes"] {
                set(effort, "off");
            }
        }
        // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
        let plan = Plan { command: server, stop: "INT", log: folder.join("log"), folder: Some(folder) };
        let server = Kept::start(plan)?;
        server.wait_for("PostgreSQL", Duration::from_secs(60), |kept| {
            kept.log().contains("ready to accept connections").then_some(())
        })?;
        let version = run::output(Command::new(bin.join("postgres")).arg("--version")).unwrap_or_default();
        let version = version.rsplit_once(") ").map_or(version.as_str(), |(_, rest)| rest);
        let version = version.split_whitespace().next().unwrap_or("of unknown version").to_owned();
        Ok(Postgres {
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            version,
            _server: server,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }
}

/// The folder of the newest server binaries. Packages keep them off the path, because several versions live side by side.
pub(crate) fn bin() -> Option<PathBuf> {
    let complete =
        |dir: &PathBuf| run::is_program(&dir.join("initdb")) && run::is_program(&dir.join("postgres"));
    let mut versions: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, prefix) in
        [("/usr/lib/postgresql", ""), ("/usr", "pgsql-"), ("/opt/homebrew/opt", "postgresql@")]
    {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let version =
                name.to_string_lossy().strip_prefix(prefix).and_then(|version| version.parse().ok());
            versions.extend(version.map(|version| (version, entry.path().join("bin"))));
        }
    }
    versions.sort();
    let installed = versions.into_iter().rev().map(|(_, dir)| dir).find(complete);
    installed
        .or_else(|| {
            let dir = run::output(Command::new("pg_config").arg("--bindir")).ok()?;
            Some(PathBuf::from(dir.trim())).filter(complete)
        })
        .or_else(|| {
            run::which("initdb").and_then(|file| file.parent().map(Path::to_path_buf)).filter(complete)
        })
}

/// PostgreSQL refuses to run as root, so root hands it to a system user.
struct User {
    /// User id and group id; none when we are no root ourselves.
    other: Option<(u32, u32)>,
}

impl User {
    fn who_may_run_it() -> Result<User, String> {
        if !run::is_root() {
            return Ok(User { other: None });
        }
        let id = |flag: &str, name: &str| {
            run::output(Command::new("id").arg(flag).arg(name))
                .ok()
                .and_then(|id| id.trim().parse::<u32>().ok())
        };
        let ids = ["postgres", "nobody"].iter().find_map(|name| Some((id("-u", name)?, id("-g", name)?)));
        let ids =
            ids.ok_or("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")?;
        if run::which("setpriv").is_none() {
            return Err("PostgreSQL refuses to run as root, and `setpriv` (util-linux) is missing".to_owned());
        }
        Ok(User { other: Some(ids) })
    }

    fn give(&self, folder: &Path) -> Result<(), String> {
        let Some((user, group)) = self.other else { return Ok(()) };
        std::os::unix::fs::chown(folder, Some(user), Some(group))
            .map_err(|e| format!("cannot give {} to user {user}: {e}", folder.display()))
    }

    fn command(&self, program: &Path) -> Command {
        let Some((user, group)) = self.other else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
        command.arg(program);
        command
    }
}
