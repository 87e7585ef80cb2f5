//! The server as a person would start it: built, `latchstring dev` on a free port, and an admin key for the tests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::http::{self, Answer};
use crate::keep::{Kept, Plan};
use crate::run;

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    kept: Kept,
    addr: SocketAddr,
}

/// Builds the binary; `--workspace` so that dependencies have the features that the tests have already built.
pub(crate) fn build() -> Result<PathBuf, String> {
    build_with(&["build", "--locked", "--workspace", "--bin", "latchstring"])?;
    run::built("latchstring")
}

/// The binary as it is shipped, for measuring.
pub(crate) fn build_release() -> Result<PathBuf, String> {
    build_with(&["build", "--locked", "--release", "--package", "latchstring"])?;
    Ok(run::target()?.join("release/latchstring"))
}

fn build_with(args: &[&str]) -> Result<(), String> {
    if run::shown_run(run::cargo().args(args)) {
        Ok(())
    } else {
        Err("the server does not build: see above".to_owned())
    }
}

impl Server {
    /// In a folder of its own, which goes with it.
    pub(crate) fn start(binary: &Path) -> Result<Server, String> {
        let folder = run::scratch("server")?;
        let database = format!("sqlite:{}", folder.join("latchstring.db").display());
        Server::start_on(binary, &database, &folder, true)
    }

    /// On a given database; `folder` holds the log, and is removed with the server if `temporary`.
    pub(crate) fn start_on(
        binary: &Path,
        database: &str,
        folder: &Path,
        temporary: bool,
    ) -> Result<Server, String> {
        let addr = SocketAddr::from(([127, 0, 0, 1], run::free_port()?));
        Server::start_at(addr, binary, database, folder, temporary)
    }

    /// At an address that clients know already.
    pub(crate) fn start_at(
        addr: SocketAddr,
        binary: &Path,
        database: &str,
        folder: &Path,
        temporary: bool,
    ) -> Result<Server, String> {
        let mut command = Command::new(binary);
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("LATCHSTRING_") {
                command.env_remove(key);
            }
        }
        command.arg("dev").env("LATCHSTRING_LISTEN", addr.to_string()).env("LATCHSTRING_DATABASE", database);
        // It may write beside the database, its random secret for one.
        command.current_dir(folder);
        let log = folder.join(format!("log-{}", addr.port()));
        let kept = Kept::start(Plan { command, stop: "TERM", log, folder: temporary.then_some(folder) })?;
        let server = Server { kept, addr };
        server.kept.wait_for("the server", PATIENCE, |_| {
            let ready = http::send(addr, "GET", "/readyz", &[], "");
            ready.is_ok_and(|answer| answer.status == 200).then_some(())
        })?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn kill(&self) {
        self.kept.kill();
    }

    pub(crate) fn log_tail(&self) -> String {
        let log = self.kept.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Spends the one-time set-up token that a new development server prints. Works once.
    pub(crate) fn admin_key(&self) -> Result<String, String> {
        let token =
            self.kept.wait_for("the line `set-up token: …`", PATIENCE, |kept| setup_token(&kept.log()))?;
        let answer = self.send("POST", "/api/v1/setup", "", &format!("{{\"token\":\"{token}\"}}"))?;
        http::json_string(&answer.body, "key")
            .ok_or_else(|| format!("POST /api/v1/setup gave no `key`: {} {}", answer.status, answer.body))
    }

    /// A JSON request with a bearer key, or without one if it is empty.
    pub(crate) fn send(&self, method: &str, path: &str, key: &str, body: &str) -> Result<Answer, String> {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("Content-Type", "application/json")];
        if !key.is_empty() {
            headers.push(("Authorization", bearer.as_str()));
        }
        http::send(self.addr, method, path, &headers, body)
    }
}

fn setup_token(log: &str) -> Option<String> {
    let (_, after) = log.split_once("set-up token: ")?;
    // Only a whole line holds a whole token.
    let (line, _) = after.split_once('\n')?;
    line.split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_read_when_its_line_is_whole() {
        assert_eq!(setup_token("hello\nset-up token: lst_abc"), None);
        assert_eq!(setup_token("hello\n  set-up token: lst_abc \nbye"), Some("lst_abc".to_owned()));
    }
}
