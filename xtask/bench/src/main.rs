//! `cargo xtask bench`: what an answer costs the server, beside the barest answer of the same framework, raw Argon2id and
//! raw signatures, in one run on one machine. Ratios, not promises: the load generator shares the cores.

mod load;
mod prepare;
mod process;
mod raw;

use load::{Load, Measured};
use prepare::World;
use process::Server;
use std::{path::PathBuf, time::Duration};

/// Everything that can be asked for.
struct Options {
    binary: PathBuf,
    folder: PathBuf,
    postgres: Option<String>,
    seconds: u64,
    callers: usize,
    users: u64,
    only: Option<String>,
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.first().map(String::as_str) {
        Some("hello") => process::hello(args.get(1).map(String::as_str).unwrap_or("127.0.0.1:0")).await,
        _ => match options(&args) {
            Ok(options) => run(options).await,
            Err(e) => Err(e),
        },
    };
    if let Err(why) = outcome {
        say(&format!("bench: {why}"));
        std::process::exit(1);
    }
}

#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut o = Options {
        binary: PathBuf::from("target/release/latchstring"),
        folder: std::env::temp_dir().join(format!("latchstring-bench-{}", std::process::id())),
        postgres: std::env::var("LATCHSTRING_BENCH_POSTGRES").ok(),
        seconds: 5,
        callers: 64,
        users: 1_000,
        only: None,
    };
    let mut args = args.iter();
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{name} needs a number"));
        match name.as_str() {
            "--binary" => o.binary = value.into(),
            "--folder" => o.folder = value.into(),
            "--postgres" => o.postgres = Some(value.clone()),
            "--seconds" => o.seconds = number()?,
            "--callers" => o.callers = number()? as usize,
            "--users" => o.users = number()?,
            "--only" => o.only = Some(value.clone()),
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(o)
}

async fn run(o: Options) -> Result<(), String> {
    std::fs::create_dir_all(&o.folder).map_err(|e| e.to_string())?;
    let size = std::fs::metadata(&o.binary).map_err(|e| format!("{}: {e}", o.binary.display()))?.len();
    say(&format!("binary               {:.1} MB", size as f64 / 1e6));
    raw::signatures();
    let argon = raw::argon2();
    let hello = process::Hello::start().await?;
    say(&format!("hello ready          {:.1} ms after exec", hello.ready.as_secs_f64() * 1e3));
    let sqlite = format!("sqlite:{}", o.folder.join("bench.db").display());
    let mut urls = vec![("SQLite", sqlite)];
    urls.extend(o.postgres.clone().map(|url| ("PostgreSQL", url)));
    for (name, url) in urls {
        say(&format!("\n== {name}, {} users, {} callers, {} s each ==", o.users, o.callers, o.seconds));
        database(&o, &hello, &url, argon).await?;
    }
    let _ = std::fs::remove_dir_all(&o.folder);
    Ok(())
}

async fn database(o: &Options, hello: &process::Hello, url: &str, argon: f64) -> Result<(), String> {
    let port = process::free_port()?;
    let world = World::prepare(url, port, o.users).await?;
    // Twice: the first start after the preparation may have a log to fold in.
    Server::start(&o.binary, url, port, &world.secret, &o.folder).await?.stop().await;
    let server = Server::start(&o.binary, url, port, &world.secret, &o.folder).await?;
    let over = server.ready.as_secs_f64() - hello.ready.as_secs_f64();
    say(&format!(
        "ready                {:.1} ms after exec (hello + {:.1} ms)",
        server.ready.as_secs_f64() * 1e3,
        over * 1e3
    ));
    say(&format!("resident, idle       {:.1} MB", server.resident()));
    let time = Duration::from_secs(o.seconds);
    say(&format!(
        "{:<30}{:>11}{:>9}{:>13}{:>10}{:>10}{:>9}",
        "", "answers/s", "x hello", "us CPU each", "over", "p50 ms", "p99 ms"
    ));
    let bare = load::measure(&Load::hello(hello.addr), hello.pid, time, o.callers).await?;
    row("bare hello", &bare, &bare);
    let sid = server.addr;
    for (name, load) in [
        ("session check, cookie", Load::session_check(sid, &world)),
        ("forward-auth, cookie", Load::forward_auth(sid, &world)),
        ("session check, access token", Load::token_check(sid, &world)),
        ("JWKS", Load::jwks(sid)),
        ("refresh", Load::refresh(sid, &world)),
        ("account", Load::account(sid, &world)),
    ] {
        if o.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let measured = load::measure(&load, server.pid, time, o.callers).await?;
        row(name, &measured, &bare);
    }
    let supabase = Load::supabase_sign_in(sid, &world);
    let tokens = load::sign_in(&supabase, 200).await?;
    for (name, load) in [
        ("supabase refresh", Load::supabase_refresh(sid, &tokens)),
        ("supabase user", Load::supabase_user(sid, &tokens)),
        ("supabase password sign-in", supabase),
    ] {
        if o.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let measured = load::measure(&load, server.pid, time, o.callers).await?;
        row(name, &measured, &bare);
    }
    say(&format!("resident, after that {:.1} MB", server.resident()));
    if o.only.as_ref().is_none_or(|only| "password sign-in".contains(only.as_str())) {
        let sign_ins = load::measure(&Load::sign_in(sid, &world), server.pid, time, o.callers).await?;
        row("password sign-in", &sign_ins, &bare);
        say(&format!("  raw Argon2id {argon:.1}/s on all cores: {:.2} of it", sign_ins.rate / argon));
        let storm = load::storm(&world, sid, time, o.callers).await?;
        say(&format!(
            "  session checks at 2,000/s beside {} callers signing in: p50 {:.2} ms, p99 {:.2} ms ({:.0}/s reached, {:.0} sign-ins/s)",
            o.callers, storm.p50, storm.p99, storm.rate, storm.beside
        ));
        say(&format!("resident, under load {:.1} MB", server.resident()));
    }
    server.stop().await;
    Ok(())
}

fn row(name: &str, m: &Measured, bare: &Measured) {
    say(&format!(
        "{name:<30}{:>11.0}{:>9.2}{:>13.1}{:>10.1}{:>10.2}{:>9.2}",
        m.rate,
        m.rate / bare.rate,
        m.cpu * 1e6,
        (m.cpu - bare.cpu) * 1e6,
        m.p50,
        m.p99
    ));
}
