//! Keeps a server running for exactly as long as we do.
//!
//! The program is started by a small shell script that waits for its standard input to end. We hold the other end
//! of that pipe, so the program is stopped and its folder removed whenever we go: at the end, after a panic, on
//! Ctrl-C, and even when we are killed outright. It needs no signal handler, and so no dependency.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::clock;

/// The arguments are: signal that stops it, log file, folder to remove (or nothing), and the command.
/// Ctrl-C reaches the whole group of processes; the trap lets the script outlive it long enough to clean up.
const SCRIPT: &str = r#"
trap : INT TERM HUP
signal=$1 log=$2 folder=$3
shift 3
"$@" >"$log" 2>&1 </dev/null &
pid=$!
echo "$pid"
exec 2>/dev/null
cat >/dev/null
kill -"$signal" "$pid" 2>/dev/null
while kill -0 "$pid" 2>/dev/null; do wait "$pid"; done
[ -z "$folder" ] || rm -rf -- "$folder"
"#;

/// How long a server may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Kept {
    pid: String,
    keeper: Child,
    pipe: Option<ChildStdin>,
    log: PathBuf,
}

/// What to keep: `folder` is removed when it ends.
pub(crate) struct Plan<'a> {
    pub(crate) command: Command,
    pub(crate) stop: &'a str,
    pub(crate) log: PathBuf,
    pub(crate) folder: Option<&'a Path>,
}

impl Kept {
    pub(crate) fn start(plan: Plan<'_>) -> Result<Kept, String> {
        let Plan { command, stop, log, folder } = plan;
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "keeper", stop]).arg(&log);
        shell.arg(folder.map_or(OsStr::new(""), Path::as_os_str));
        shell.arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(key, value),
                None => shell.env_remove(key),
            };
        }
        if let Some(dir) = command.get_current_dir() {
            shell.current_dir(dir);
        }
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = shell.spawn().map_err(|e| format!("`sh` did not start: {e}"))?;
        let pipe = keeper.stdin.take();
        let mut pid = String::new();
        if let Some(out) = keeper.stdout.take() {
            BufReader::new(out).read_line(&mut pid).map_err(|e| format!("the keeper says nothing: {e}"))?;
        }
        Ok(Kept { pid: pid.trim().to_owned(), keeper, pipe, log })
    }

    /// Whether it still runs. A program that ended but was not waited for (state Z) does not.
    pub(crate) fn alive(&self) -> bool {
        match std::fs::read_to_string(format!("/proc/{}/stat", self.pid)) {
            Ok(stat) => !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')),
            Err(_) if Path::new("/proc/self").exists() => false,
            Err(_) => signal("0", &self.pid),
        }
    }

    /// Ends it without a chance to tidy up, as a power failure would.
    pub(crate) fn kill(&self) {
        signal("KILL", &self.pid);
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Waits until `ready` finds what it looks for; an error carries the end of the program's log.
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        limit: Duration,
        mut ready: impl FnMut(&Kept) -> Option<T>,
    ) -> Result<T, String> {
        let start = clock::now();
        loop {
            // In this order: what it said or did before it ended still counts.
            let dead = !self.alive();
            if let Some(found) = ready(self) {
                return Ok(found);
            }
            if dead || start.elapsed() > limit {
                let why = if dead { "ended early" } else { "is not ready in time" };
                let log = self.log();
                let tail: Vec<&str> = log.lines().rev().take(30).collect();
                let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n    ");
                return Err(format!("{what} {why}; the end of its log:\n    {tail}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let start = clock::now();
        while let Ok(None) = self.keeper.try_wait() {
            if start.elapsed() > PATIENCE {
                eprintln!("process {} did not stop when asked, so it is killed", self.pid);
                self.kill();
                let _ = self.keeper.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn signal(name: &str, pid: &str) -> bool {
    // An empty or strange number must never reach `kill`, where 0 and -1 mean everybody.
    if pid.parse::<u32>().is_ok_and(|pid| pid > 1) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(pid).stderr(Stdio::null()).status();
        return kill.is_ok_and(|status| status.success());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(script: &str) -> (Kept, PathBuf) {
        let folder = crate::run::scratch("keep").unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let log = folder.join("log");
        (Kept::start(Plan { command, stop: "TERM", log, folder: Some(&folder) }).unwrap(), folder)
    }

    #[test]
    fn what_is_kept_ends_with_its_keeper_and_its_folder_too() {
        let (kept, folder) = keep("echo ready; exec sleep 600");
        kept.wait_for("sleep", PATIENCE, |kept| kept.log().contains("ready").then_some(())).unwrap();
        assert!(kept.alive());
        let pid = kept.pid.to_owned();
        drop(kept);
        assert!(!signal("0", &pid), "{pid} still runs");
        assert!(!folder.exists());
    }

    #[test]
    fn an_early_end_is_told_with_the_log() {
        let (kept, _folder) = keep("echo no port; exit 3");
        let why = kept.wait_for("the server", PATIENCE, |_| None::<()>).unwrap_err();
        assert!(why.contains("the server ended early") && why.contains("no port"), "{why}");
    }

    #[test]
    fn a_killed_program_is_noticed() {
        let (kept, _folder) = keep("exec sleep 600");
        kept.kill();
        assert!(kept.wait_for("sleep", PATIENCE, |kept| (!kept.alive()).then_some(())).is_ok());
        drop(kept);
    }

    #[test]
    fn no_signal_goes_to_everybody() {
        for pid in ["", "0", "1", "-1", "x"] {
            assert!(!signal("0", pid), "{pid}");
        }
    }
}
