//! The binary as a child process that dies with its test.

use crate::{
    home::{Home, SECRET},
    http::{Client, PATIENCE},
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, channel},
    },
    thread::sleep,
    time::Duration,
};

/// A command in a home, with an environment of ours alone.
pub(crate) fn command(home: &Home, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchstring"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LATCHSTRING_") {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(home.path()).env("LATCHSTRING_DATABASE", &home.database);
    command
}

/// What `dev` needs for a test.
pub(crate) fn dev(home: &Home) -> Command {
    let mut command = command(home, &["dev"]);
    command.env("LATCHSTRING_LISTEN", "127.0.0.1:0");
    command
}

/// The host name of servers that `serve` runs in tests.
pub(crate) const HOST: &str = "auth.example.test";

/// What `serve` needs, with a mail server on this port.
pub(crate) fn serve(home: &Home, smtp: u16) -> Command {
    let mut command = command(home, &["serve"]);
    fit(&mut command, smtp);
    command
}

/// Settings that are fit for production.
pub(crate) fn fit(command: &mut Command, smtp: u16) {
    command
        .env("LATCHSTRING_URL", format!("https://{HOST}"))
        .env("LATCHSTRING_LISTEN", "127.0.0.1:0")
        .env("LATCHSTRING_TRUSTED_PROXIES", "127.0.0.1")
        .env("LATCHSTRING_SECRET", SECRET)
        .env("LATCHSTRING_SMTP_URL", format!("smtp+plain://127.0.0.1:{smtp}"))
        .env("LATCHSTRING_MAIL_FROM", "auth@example.test");
}

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
    pub(crate) host: String,
    lines: Receiver<String>,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts it, and waits until it serves.
    pub(crate) fn start(command: Command) -> Self {
        let mut server = Self::spawn(command, SocketAddr::from(([127, 0, 0, 1], 0)));
        server.addr = server.line("listening on ").parse().expect("an address");
        server.host = server.addr.to_string();
        server
    }

    /// Starts it at this address, and waits until it says that its database is not open yet.
    pub(crate) fn opening(command: Command, addr: SocketAddr) -> Self {
        let server = Self::spawn(command, addr);
        server.line("opening the database…");
        server
    }

    /// Starts it, and waits for nothing.
    pub(crate) fn spawned(command: Command) -> Self {
        Self::spawn(command, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    fn spawn(mut command: Command, addr: SocketAddr) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (sender, lines) = channel();
        let stdout = child.stdout.take().expect("piped");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let log = Arc::new(Mutex::new(String::new()));
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn({
            let log = log.clone();
            move || {
                let mut line = String::new();
                while stderr.read_line(&mut line).is_ok_and(|n| n > 0) {
                    log.lock().expect("no panic").push_str(&line);
                    line.clear();
                }
            }
        });
        Self { child, addr, host: addr.to_string(), lines, log }
    }

    /// Starts it, and waits until it is ready.
    pub(crate) fn ready(command: Command) -> Self {
        let serve = command.get_args().any(|arg| arg == "serve");
        let mut server = Self::start(command);
        if serve {
            server.host = HOST.to_owned();
        }
        server.until_ready();
        server
    }

    pub(crate) fn until_ready(&self) {
        until("ready", || self.client().get("/readyz").is_ok_and(|a| a.status == 200));
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.addr, &self.host)
    }

    /// The rest of the next line on standard output that begins so.
    pub(crate) fn line(&self, begin: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(begin) {
                        return rest.to_owned();
                    }
                }
                Err(_) => panic!("no line `{begin}…`. The log:\n{}", self.log()),
            }
        }
    }

    /// Spends the set-up token for an API key, and gives a client with it.
    pub(crate) fn admin(&self) -> Client {
        let token = self.line("set-up token: ");
        let answer =
            self.client().post("/api/v1/setup", &serde_json::json!({ "token": token })).expect("answered");
        assert_eq!(answer.status, 201, "{answer:?}");
        self.client().bearer(&answer.text("key"))
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        until("the end of the server", || {
            status = self.child.try_wait().expect("waited");
            status.is_some()
        });
        status.expect("ended")
    }

    /// Stops it as an operator would.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 20 {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("waited in vain for: {what}");
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    run_with(command, "")
}

/// Runs a command to its end, with a text on standard input.
pub(crate) fn run_with(command: &mut Command, input: &str) -> Ended {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    // It may not read.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let pid = child.id();
    let late = Arc::new(AtomicUsize::new(0));
    let over = late.clone();
    let watch = std::thread::spawn(move || {
        for _ in 0..PATIENCE.as_millis() / 20 {
            if over.load(Ordering::Relaxed) > 0 {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        // A command that hangs fails its test by what it did not print.
        let _ = Command::new("kill").arg(pid.to_string()).status();
    });
    let output = child.wait_with_output().expect("ended");
    late.store(1, Ordering::Relaxed);
    watch.join().expect("no panic");
    Ended::of(&output)
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| {
            let mut text = String::new();
            let mut bytes = bytes;
            bytes.read_to_string(&mut text).expect("UTF-8");
            text
        };
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// That it ended with this code, and said all of this on standard error.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is missing in:\n{}", self.err);
        }
    }

    /// That it did what it was asked for; its standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}
