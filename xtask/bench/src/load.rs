//! The load generator: so many callers, each with a connection of its own, one request after another.

use crate::{
    prepare::{PASSWORD, World},
    process::cpu,
};
use latchstring_core::clock::Stopwatch;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What is asked, and how the next question follows from an answer.
pub(crate) struct Load {
    addr: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    /// Where the tokens in `requests` are refreshed.
    refresh: Option<&'static str>,
}

fn request(addr: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let body = match (method, body) {
        ("GET", _) => "\r\n".to_owned(),
        (_, "") => "Content-Length: 0\r\n\r\n".to_owned(),
        (_, body) => {
            format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        }
    };
    format!("{method} {path} HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: bench\r\nAccept: */*\r\n{headers}{body}")
        .into_bytes()
}

impl Load {
    fn new(addr: SocketAddr, requests: Vec<Vec<u8>>) -> Self {
        Self { addr, requests: Arc::new(requests), refresh: None }
    }

    pub(crate) fn hello(addr: SocketAddr) -> Self {
        Self::new(addr, vec![request(addr, "GET", "/", "", "")])
    }

    pub(crate) fn jwks(addr: SocketAddr) -> Self {
        Self::new(addr, vec![request(addr, "GET", "/.well-known/jwks.json", "", "")])
    }

    pub(crate) fn session_check(addr: SocketAddr, world: &World) -> Self {
        let ask = |c: &String| {
            let cookie = format!("Cookie: {}={c}\r\n", world.cookie_name);
            request(addr, "POST", "/api/v1/session/check", &cookie, "")
        };
        Self::new(addr, world.cookies.iter().map(ask).collect())
    }

    pub(crate) fn forward_auth(addr: SocketAddr, world: &World) -> Self {
        let ask = |c: &String| {
            let cookie = format!("Cookie: {}={c}\r\n", world.cookie_name);
            request(addr, "GET", "/api/v1/forward-auth", &cookie, "")
        };
        Self::new(addr, world.cookies.iter().map(ask).collect())
    }

    pub(crate) fn token_check(addr: SocketAddr, world: &World) -> Self {
        let ask = |t: &String| {
            request(addr, "POST", "/api/v1/session/check", &format!("Authorization: Bearer {t}\r\n"), "")
        };
        Self::new(addr, world.access.iter().map(ask).collect())
    }

    pub(crate) fn sign_in(addr: SocketAddr, world: &World) -> Self {
        let ask = |e: &String| {
            let body = format!("{{\"kind\":\"sign_in\",\"identifier\":\"{e}\",\"password\":\"{PASSWORD}\"}}");
            request(addr, "POST", "/api/v1/attempts", "", &body)
        };
        Self::new(addr, world.emails.iter().map(ask).collect())
    }

    pub(crate) fn refresh(addr: SocketAddr, world: &World) -> Self {
        let requests = world.refresh.iter().map(|t| t.clone().into_bytes()).collect();
        Self { addr, requests: Arc::new(requests), refresh: Some("/api/v1/refresh") }
    }

    pub(crate) fn account(addr: SocketAddr, world: &World) -> Self {
        let ask = |t: &String| {
            request(addr, "GET", "/api/v1/account", &format!("Authorization: Bearer {t}\r\n"), "")
        };
        Self::new(addr, world.access.iter().map(ask).collect())
    }

    pub(crate) fn supabase_sign_in(addr: SocketAddr, world: &World) -> Self {
        let ask = |e: &String| {
            let body = format!("{{\"email\":\"{e}\",\"password\":\"{PASSWORD}\"}}");
            request(addr, "POST", "/auth/v1/token?grant_type=password", "", &body)
        };
        Self::new(addr, world.emails.iter().map(ask).collect())
    }

    pub(crate) fn supabase_refresh(addr: SocketAddr, tokens: &[Tokens]) -> Self {
        let requests = tokens.iter().map(|t| t.refresh.clone().into_bytes()).collect();
        Self { addr, requests: Arc::new(requests), refresh: Some("/auth/v1/token?grant_type=refresh_token") }
    }

    pub(crate) fn supabase_user(addr: SocketAddr, tokens: &[Tokens]) -> Self {
        let ask = |t: &Tokens| {
            request(addr, "GET", "/auth/v1/user", &format!("Authorization: Bearer {}\r\n", t.access), "")
        };
        Self::new(addr, tokens.iter().map(ask).collect())
    }
}

/// What signing in at a dialect gave.
pub(crate) struct Tokens {
    access: String,
    refresh: String,
}

/// Signs `most` people in, one after another.
pub(crate) async fn sign_in(load: &Load, most: usize) -> Result<Vec<Tokens>, String> {
    let mut stream = TcpStream::connect(load.addr).await.map_err(|e| e.to_string())?;
    let mut buffer = Vec::new();
    let mut tokens = Vec::new();
    for request in load.requests.iter().take(most) {
        stream.write_all(request).await.map_err(|e| e.to_string())?;
        let body = answer(&mut stream, &mut buffer).await?;
        let member = |name: &str| {
            let start =
                find(&buffer[body..], format!("\"{name}\":\"").as_bytes()).ok_or("no token in the answer")?;
            let rest = &buffer[body + start + name.len() + 4..];
            let end = rest.iter().position(|b| *b == b'"').ok_or("no end of a token")?;
            Ok::<_, String>(String::from_utf8_lossy(&rest[..end]).into_owned())
        };
        tokens.push(Tokens { access: member("access_token")?, refresh: member("refresh_token")? });
    }
    Ok(tokens)
}

/// What was measured.
pub(crate) struct Measured {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Seconds of the server's processor time for one.
    pub(crate) cpu: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    /// Milliseconds.
    pub(crate) p99: f64,
}

/// Asks for `time` with `callers`, after a short warm-up.
pub(crate) async fn measure(
    load: &Load,
    pid: u32,
    time: Duration,
    callers: usize,
) -> Result<Measured, String> {
    let counting = Arc::new(AtomicBool::new(false));
    let over = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for caller in 0..callers {
        tasks.push(tokio::spawn(ask(
            load.addr,
            load.requests.clone(),
            load.refresh.map(|path| (path, caller, callers)),
            next.clone(),
            counting.clone(),
            over.clone(),
        )));
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    let before = cpu(pid);
    let watch = Stopwatch::start();
    counting.store(true, Ordering::Relaxed);
    tokio::time::sleep(time).await;
    counting.store(false, Ordering::Relaxed);
    let seconds = watch.elapsed().as_secs_f64();
    let used = cpu(pid) - before;
    over.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.map_err(|e| e.to_string())??);
    }
    Ok(summary(all, seconds, used))
}

fn summary(mut micros: Vec<u32>, seconds: f64, used: f64) -> Measured {
    micros.sort_unstable();
    let at = |q: f64| micros.get((micros.len() as f64 * q) as usize).copied().unwrap_or(0);
    let n = micros.len().max(1) as f64;
    Measured {
        rate: n / seconds,
        cpu: used / n,
        p50: f64::from(at(0.5)) / 1e3,
        p99: f64::from(at(0.99)) / 1e3,
    }
}

/// One caller. For refreshes it owns every `callers`-th family and always shows the newest token.
async fn ask(
    addr: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    own: Option<(&'static str, usize, usize)>,
    next: Arc<AtomicUsize>,
    counting: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
) -> Result<Vec<u32>, String> {
    let mut stream = TcpStream::connect(addr).await.map_err(|e| e.to_string())?;
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::with_capacity(16 * 1024);
    let mut micros = Vec::with_capacity(200_000);
    let mut tokens: Vec<Vec<u8>> = match own {
        Some((_, caller, callers)) => requests.iter().skip(caller).step_by(callers).cloned().collect(),
        None => Vec::new(),
    };
    // A walk in large steps: neighbours in the list are not asked after one another.
    let mut at = 0usize;
    while !over.load(Ordering::Relaxed) {
        let text;
        let bytes: &[u8] = if let Some((path, ..)) = own {
            at = (at + 7) % tokens.len();
            let body = format!("{{\"refresh_token\":\"{}\"}}", String::from_utf8_lossy(&tokens[at]));
            text = request(addr, "POST", path, "", &body);
            &text
        } else {
            let n = next.fetch_add(1, Ordering::Relaxed).wrapping_mul(7_919);
            &requests[n % requests.len()]
        };
        let watch = Stopwatch::start();
        stream.write_all(bytes).await.map_err(|e| e.to_string())?;
        let body = answer(&mut stream, &mut buffer).await?;
        if counting.load(Ordering::Relaxed) {
            micros.push(u32::try_from(watch.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        if own.is_some() {
            let start =
                find(&buffer[body..], b"\"refresh_token\":\"").ok_or("no refresh token in the answer")?;
            let rest = &buffer[body + start + 17..];
            let end = rest.iter().position(|b| *b == b'"').ok_or("no end of the refresh token")?;
            tokens[at] = rest[..end].to_vec();
        }
    }
    Ok(micros)
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|w| w == needle)
}

/// Reads one answer with a Content-Length into `buffer`; gives where its body begins. Anything but 2xx ends the run:
/// a bench of refusals measures nothing.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<usize, String> {
    buffer.clear();
    loop {
        let n = stream.read_buf(buffer).await.map_err(|e| e.to_string())?;
        if n == 0 {
            return Err("the server closed the connection".into());
        }
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        let head = match response.parse(buffer).map_err(|e| e.to_string())? {
            httparse::Status::Complete(head) => head,
            httparse::Status::Partial => continue,
        };
        if !response.code.is_some_and(|code| (200..300).contains(&code)) {
            return Err(format!("an answer was refused: {}", String::from_utf8_lossy(buffer)));
        }
        let length = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
        let length = length.and_then(|h| str::from_utf8(h.value).ok()?.parse::<usize>().ok()).unwrap_or(0);
        if buffer.len() >= head + length {
            return Ok(head);
        }
    }
}

/// Session checks at a steady rate beside a storm of sign-ins.
pub(crate) struct Storm {
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) beside: f64,
}

const STEADY: usize = 2_000;

/// Measures session checks at 2,000 a second while `callers` sign in.
pub(crate) async fn storm(
    world: &World,
    addr: SocketAddr,
    time: Duration,
    callers: usize,
) -> Result<Storm, String> {
    let sign_in = Load::sign_in(addr, world);
    let counting = Arc::new(AtomicBool::new(true));
    let over = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicUsize::new(0));
    let mut sign_ins = Vec::new();
    for _ in 0..callers {
        let (requests, next) = (sign_in.requests.clone(), next.clone());
        sign_ins.push(tokio::spawn(ask(addr, requests, None, next, counting.clone(), over.clone())));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let checks = Load::session_check(addr, world);
    let watch = Stopwatch::start();
    let mut steady = Vec::new();
    for lane in 0..20 {
        steady.push(tokio::spawn(lane_of(addr, checks.requests.clone(), lane, time)));
    }
    let mut micros = Vec::new();
    for lane in steady {
        micros.extend(lane.await.map_err(|e| e.to_string())??);
    }
    let seconds = watch.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    let mut beside = 0;
    for task in sign_ins {
        beside += task.await.map_err(|e| e.to_string())??.len();
    }
    let m = summary(micros, seconds, 0.0);
    Ok(Storm { rate: m.rate, p50: m.p50, p99: m.p99, beside: beside as f64 / (seconds + 1.0) })
}

/// A twentieth of the steady rate on one connection. Latency counts from when the request was due, so that waiting
/// for a late answer is not forgotten.
async fn lane_of(
    addr: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    lane: usize,
    time: Duration,
) -> Result<Vec<u32>, String> {
    let mut stream = TcpStream::connect(addr).await.map_err(|e| e.to_string())?;
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::new();
    let mut micros = Vec::new();
    let step = Duration::from_secs(1) * 20 / STEADY as u32;
    let watch = Stopwatch::start();
    let mut due = step / 20 * lane as u32;
    let mut n = lane;
    while due < time {
        if let Some(wait) = due.checked_sub(watch.elapsed()) {
            tokio::time::sleep(wait).await;
        }
        // The timer wakes on whole milliseconds: what it is late by is not the server's.
        let sent = watch.elapsed();
        let late = sent.saturating_sub(due).saturating_sub(Duration::from_millis(2));
        n += 20;
        stream
            .write_all(&requests[n.wrapping_mul(7_919) % requests.len()])
            .await
            .map_err(|e| e.to_string())?;
        answer(&mut stream, &mut buffer).await?;
        let took = watch.elapsed() - sent + late;
        micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        due += step;
    }
    Ok(micros)
}
