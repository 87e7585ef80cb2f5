//! The processes that are measured, each with its processor time and memory read from /proc.

use axum::{Router, routing::get};
use latchstring_core::clock::Stopwatch;
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|e| e.to_string())?;
    Ok(listener.local_addr().map_err(|e| e.to_string())?.port())
}

/// Serves the barest answer of the framework until it is killed.
pub(crate) async fn hello(addr: &str) -> Result<(), String> {
    let listener = tokio::net::TcpListener::bind(addr).await.map_err(|e| e.to_string())?;
    let router: Router =
        Router::new().route("/", get(async || "hello")).route("/readyz", get(async || "ready"));
    loop {
        let (stream, _) = listener.accept().await.map_err(|e| e.to_string())?;
        let _ = stream.set_nodelay(true);
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            let builder = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
            let _ = builder.serve_connection(io, service).await;
        });
    }
}

/// The bare server, in a process of its own.
pub(crate) struct Hello {
    child: Child,
    pub(crate) addr: SocketAddr,
    pub(crate) pid: u32,
    pub(crate) ready: Duration,
}

impl Hello {
    pub(crate) async fn start() -> Result<Self, String> {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let own = std::env::current_exe().map_err(|e| e.to_string())?;
        let watch = Stopwatch::start();
        let child =
            Command::new(own).arg("hello").arg(addr.to_string()).spawn().map_err(|e| e.to_string())?;
        let pid = child.id();
        wait(addr).await?;
        Ok(Self { child, addr, pid, ready: watch.elapsed() })
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
    pub(crate) pid: u32,
    pub(crate) ready: Duration,
}

impl Server {
    pub(crate) async fn start(
        binary: &Path,
        url: &str,
        port: u16,
        secret: &str,
        folder: &Path,
    ) -> Result<Self, String> {
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        let log = std::fs::File::create(folder.join("server.log")).map_err(|e| e.to_string())?;
        let watch = Stopwatch::start();
        let child = Command::new(std::path::absolute(binary).map_err(|e| e.to_string())?)
            .arg("dev")
            .current_dir(folder)
            .env("LATCHSTRING_LISTEN", addr.to_string())
            .env("LATCHSTRING_DATABASE", url)
            .env("LATCHSTRING_SECRET", secret)
            .env("LATCHSTRING_LOG", "warn")
            .stdout(log.try_clone().map_err(|e| e.to_string())?)
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .map_err(|e| format!("{}: {e}", binary.display()))?;
        let pid = child.id();
        let server = Self { child, addr, pid, ready: Duration::ZERO };
        wait(addr).await?;
        Ok(Self { ready: watch.elapsed(), ..server })
    }

    /// Megabytes of resident memory.
    pub(crate) fn resident(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or("0");
        line.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    }

    pub(crate) async fn stop(mut self) {
        let _ = Command::new("kill").arg(self.pid.to_string()).status();
        for _ in 0..200 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of processor time of a process so far.
pub(crate) fn cpu(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; the numbers come after it.
    let after = text.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
    // utime and stime, in hundredths of a second on every Linux we know.
    (ticks(11) + ticks(12)) / 100.0
}

async fn wait(addr: SocketAddr) -> Result<(), String> {
    let watch = Stopwatch::start();
    while watch.elapsed() < Duration::from_secs(20) {
        if let Ok(mut stream) = TcpStream::connect(addr).await {
            let request = format!("GET /readyz HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
            let mut answer = Vec::new();
            if stream.write_all(request.as_bytes()).await.is_ok()
                && stream.read_to_end(&mut answer).await.is_ok()
                && answer.starts_with(b"HTTP/1.1 200")
            {
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    Err(format!("nothing answers at {addr}; see server.log in the bench folder"))
}
