//! PostgreSQL comes and goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use latchstring_db::{Db, Engine, Error, MigrateError, Options};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::{fresh, ids, insert, is, put};

pub(crate) const KILL_OTHERS: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn killed_connections_are_replaced() {
    if !is(Engine::Postgres) {
        return;
    }
    let test = fresh().await;
    let other = test.reopen().await;
    for round in 0..20 {
        // Several connections in the pool.
        let warm: Vec<_> = (0..4)
            .map(|n| {
                let db = test.db.clone();
                tokio::spawn(async move { put(&db, round * 10 + n).await })
            })
            .collect();
        for task in warm {
            task.await.unwrap().unwrap();
        }
        other.write(async |tx| -> Result<_, Error> { tx.one(KILL_OTHERS, &[]).await }).await.unwrap();
        // At once, with and without a moment in which the loss could be noticed.
        if round % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        put(&test.db, round * 10 + 9).await.unwrap();
        assert_eq!(ids(&test.db).await.len() as i64, (round + 1) * 5);
    }
}

#[tokio::test]
async fn a_connection_lost_in_the_middle_means_a_second_try() {
    if !is(Engine::Postgres) {
        return;
    }
    let test = fresh().await;
    let tries = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&tries);
    test.db
        .write(async move |tx| -> Result<_, Error> {
            insert(tx, 1).await?;
            if seen.fetch_add(1, Ordering::SeqCst) == 0 {
                tx.one("SELECT pg_terminate_backend(pg_backend_pid())", &[]).await?;
            }
            insert(tx, 2).await
        })
        .await
        .unwrap();
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    assert_eq!(ids(&test.db).await, [1, 2]);
    // Not for ever.
    let result = test
        .db
        .write(async |tx| -> Result<_, Error> {
            tx.one("SELECT pg_terminate_backend(pg_backend_pid())", &[]).await
        })
        .await;
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped() {
    if !is(Engine::Postgres) {
        return;
    }
    let test = fresh().await;
    let options = Options { statement_timeout: Duration::from_millis(50), ..Options::default() };
    let db = Db::open(&test.url, options).await.unwrap();
    let result = db.write(async |tx| tx.one("SELECT 1 FROM pg_sleep(5)", &[]).await).await;
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
    put(&db, 1).await.unwrap();
}

/// Stands between us and the server, and can be taken away.
struct Proxy(JoinSet<()>);

impl Proxy {
    async fn new(port: u16, server: String) -> (Self, u16) {
        let listener = loop {
            match TcpListener::bind(("127.0.0.1", port)).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((mut ours, _)) = listener.accept().await {
                let server = server.clone();
                open.spawn(async move {
                    if let Ok(mut theirs) = TcpStream::connect(server).await {
                        let _ = tokio::io::copy_bidirectional(&mut ours, &mut theirs).await;
                    }
                });
            }
        });
        (Self(tasks), port)
    }

    async fn stop(mut self) {
        self.0.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "the timeout of a real socket is measured")]
async fn a_server_that_returns_is_used_again() {
    if !is(Engine::Postgres) {
        return;
    }
    let test = fresh().await;
    let at = test.url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
    let (proxy, port) = Proxy::new(0, at.clone()).await;
    let db =
        Db::open(&test.url.replace(&at, &format!("127.0.0.1:{port}")), Options::default()).await.unwrap();
    put(&db, 1).await.unwrap();
    assert_eq!(ids(&db).await, [1]);
    for round in 2..5 {
        proxy_away(&db, round).await;
    }
    proxy.stop().await;
    let start = Instant::now();
    assert!(put(&db, 9).await.unwrap_err().is_unavailable());
    assert!(db.ping().await.unwrap_err().is_unavailable());
    let read = db.read(async |tx| tx.one("SELECT 1", &[]).await).await;
    assert!(read.unwrap_err().is_unavailable());
    assert!(start.elapsed() < Duration::from_secs(6), "refused at once, or after the connect timeout");
    let (proxy, _) = Proxy::new(port, at).await;
    put(&db, 10).await.unwrap();
    db.ping().await.unwrap();
    assert_eq!(ids(&db).await, [1, 2, 3, 4, 10]);
    proxy.stop().await;
}

/// All connections end, as when the server is restarted.
async fn proxy_away(db: &Db, id: i64) {
    let _ = db.write(async |tx| -> Result<_, Error> { tx.one(KILL_OTHERS, &[]).await }).await;
    put(db, id).await.unwrap();
}

/// A URL with this in place of what stands before the host, and with this database.
fn as_other(url: &str, user: &str, database: &str) -> String {
    let (_, rest) = url.split_once('@').unwrap();
    let host = rest.split('/').next().unwrap();
    format!("postgres://{user}@{host}/{database}")
}

#[tokio::test]
async fn a_role_or_database_that_is_not_there_is_told_from_a_server_that_is_away() {
    if !is(Engine::Postgres) {
        return;
    }
    let test = fresh().await;
    let name = test.url.rsplit('/').next().unwrap();
    for url in [as_other(&test.url, "no_such_role", name), test.url.replace(name, "no_such_database")] {
        let db = Db::open(&url, Options::default()).await.unwrap();
        for error in [db.ping().await.unwrap_err(), put(&db, 1).await.unwrap_err()] {
            assert!(matches!(error, Error::TurnedAway(_)), "{url}: {error:?}");
            assert!(error.is_unavailable(), "while a program runs, it may pass");
        }
        let MigrateError::Db(error) = db.migrate(&[]).await.unwrap_err() else { panic!("it can't connect") };
        let said = std::error::Error::source(&error).unwrap().to_string();
        assert!(said.contains("no_such"), "{said}");
    }
}

/// Answers each connection as a PostgreSQL server would that says this.
async fn server_that_says(answer: Vec<u8>) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut startup = [0; 1024];
            let _ = stream.read(&mut startup).await;
            if !answer.is_empty() {
                let _ = stream.write_all(&answer).await;
                // Until the other side hangs up.
                let _ = stream.read(&mut startup).await;
            }
        }
    });
    format!("postgres://someone@127.0.0.1:{port}/x?sslmode=disable")
}

/// An ErrorResponse of the protocol.
fn refusal(code: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0Msome words in some language\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    [b"E", &length[..], fields.as_bytes()].concat()
}

#[tokio::test]
async fn the_code_decides_what_a_refused_connection_means() {
    let asks_for_a_password = b"R\0\0\0\x08\0\0\0\x03".to_vec();
    for (answer, turned_away) in [
        (asks_for_a_password, true),
        (refusal("28000"), true),
        (refusal("28P01"), true),
        (refusal("3D000"), true),
        // CONNECT was not granted.
        (refusal("42501"), true),
        // Starting up; too many clients; not accepting connections.
        (refusal("57P03"), false),
        (refusal("53300"), false),
        (refusal("55000"), false),
        // It hangs up.
        (Vec::new(), false),
    ] {
        let said = String::from_utf8_lossy(&answer).into_owned();
        let url = server_that_says(answer).await;
        let db = Db::open(&url, Options::default()).await.unwrap();
        let error = db.ping().await.unwrap_err();
        assert_eq!(matches!(error, Error::TurnedAway(_)), turned_away, "{said}: {error:?}");
        assert_eq!(matches!(error, Error::Unavailable(_)), !turned_away, "{said}: {error:?}");
    }
}
