//! How many one-statement transactions a second: `cargo run --release -p latchstring-db --example throughput [url]`.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark measures and prints")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use latchstring_db::{Db, Error, Migration, Options};
use uuid::Uuid;

const SCHEMA: &[Migration] = &[Migration {
    number: 1,
    name: "family",
    sql: "CREATE TABLE family (
        id BYTEA PRIMARY KEY,
        counter BIGINT NOT NULL,
        rotated_at BIGINT NOT NULL,
        secret BYTEA NOT NULL
    ); -- without rowid",
}];

const FAMILIES: u64 = 100_000;
const SECONDS: u64 = 4;

/// Time-ordered, as a UUIDv7 is: milliseconds in front, noise behind.
fn id(n: u64) -> Uuid {
    let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Uuid::from_u64_pair((1_700_000_000_000 + n) << 16 | 0x7000, 1 << 63 | noise >> 2)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("latchstring_throughput_{}", std::process::id()));
    let own = format!("sqlite:{}", folder.join("bench.db").display());
    let url = std::env::args().nth(1).unwrap_or(own);
    let db = Db::open(&url, Options::default()).await?;
    db.migrate(SCHEMA).await?;
    fill(&db).await?;
    for tasks in [1, 16, 64, 256] {
        run(&db, tasks).await?;
    }
    reads(&db).await?;
    db.close().await;
    let _ = std::fs::remove_dir_all(folder);
    Ok(())
}

async fn fill(db: &Db) -> Result<(), Error> {
    let sql =
        "INSERT INTO family (id, counter, rotated_at, secret) VALUES ($1, 0, 0, $2) ON CONFLICT DO NOTHING";
    for start in (0..FAMILIES).step_by(5_000) {
        db.write(async move |tx| -> Result<(), Error> {
            for n in start..start + 5_000 {
                tx.many(sql, &[&[&id(n), &[7u8; 32]]]).await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

async fn run(db: &Db, tasks: u64) -> Result<(), Error> {
    let stop = Arc::new(AtomicBool::new(false));
    let seed = Arc::new(AtomicU64::new(1));
    let mut handles = Vec::new();
    let start = Instant::now();
    for task in 0..tasks {
        let (db, stop, seed) = (db.clone(), Arc::clone(&stop), Arc::clone(&seed));
        handles.push(tokio::spawn(async move {
            let mut waits = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let n = seed.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
                let (id, now) = (id(n % FAMILIES), task as i64);
                let began = Instant::now();
                let counter = db
                    .write(async move |tx| -> Result<i64, Error> {
                        let sql = "UPDATE family SET counter = counter + 1, rotated_at = $2 WHERE id = $1 RETURNING counter";
                        tx.one(sql, &[&id, &now]).await?.ok_or(Error::Aborted)?.get(0)
                    })
                    .await?;
                assert!(counter > 0);
                waits.push(began.elapsed());
            }
            Ok::<_, Error>(waits)
        }));
    }
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    stop.store(true, Ordering::Relaxed);
    let mut waits = Vec::new();
    for handle in handles {
        waits.extend(handle.await.map_err(|_| Error::Aborted)??);
    }
    let rate = waits.len() as f64 / start.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{tasks:4} tasks: {rate:8.0} transactions/s, p50 {:.2} ms, p99 {:.2} ms", at(0.5), at(0.99));
    Ok(())
}

async fn reads(db: &Db) -> Result<(), Error> {
    let start = Instant::now();
    let mut handles = Vec::new();
    for task in 0..64 {
        let db = db.clone();
        handles.push(tokio::spawn(async move {
            let mut done = 0;
            let mut n = task;
            while start.elapsed() < Duration::from_secs(SECONDS) {
                n = (n * 31 + 7) % FAMILIES;
                let id = id(n);
                let sql = "SELECT counter, rotated_at, secret FROM family WHERE id = $1";
                let row = db.read(async |tx| -> Result<_, Error> { tx.one(sql, &[&id]).await }).await?;
                assert!(row.is_some());
                done += 1;
            }
            Ok::<u64, Error>(done)
        }));
    }
    let mut done = 0;
    for handle in handles {
        done += handle.await.map_err(|_| Error::Aborted)??;
    }
    println!("  64 tasks: {:8.0} point reads/s", done as f64 / start.elapsed().as_secs_f64());
    Ok(())
}
