//! Many callers at once, and callers that give up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use latchstring_db::{Engine, Error};
use uuid::Uuid;

use crate::{count, counter, fresh, ids, insert, is, put};

const ID: Uuid = Uuid::from_u128(1);

#[tokio::test(flavor = "multi_thread")]
async fn increments_are_exact() {
    let test = fresh().await;
    counter(&test.db, ID, 0).await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let db = test.db.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..10 {
                    let n: i64 = db
                        .write(async |tx| -> Result<_, Error> {
                            let sql = "UPDATE counter SET n = n + 1 WHERE id = $1 RETURNING n";
                            tx.one(sql, &[&ID]).await?.expect("the counter is there").get(0)
                        })
                        .await
                        .unwrap();
                    seen.push(n);
                }
                seen
            })
        })
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.extend(task.await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=640).collect::<Vec<i64>>());
    assert_eq!(count(&test.db, ID).await, 640);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_database() {
    let test = fresh().await;
    counter(&test.db, ID, 0).await;
    let other = test.reopen().await;
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let db = if task % 2 == 0 { test.db.clone() } else { other.clone() };
            tokio::spawn(async move {
                for _ in 0..20 {
                    db.write(async |tx| -> Result<_, Error> {
                        tx.exec("UPDATE counter SET n = n + 1 WHERE id = $1", &[&ID]).await
                    })
                    .await
                    .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(count(&other, ID).await, 320);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_use_is_used_once() {
    let test = fresh().await;
    counter(&test.db, ID, 0).await;
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let db = test.db.clone();
            tokio::spawn(async move {
                db.write(async |tx| -> Result<_, Error> {
                    let sql = "UPDATE counter SET n = 1 WHERE id = $1 AND n = 0 RETURNING n";
                    Ok(tx.one(sql, &[&ID]).await?.is_some())
                })
                .await
                .unwrap()
            })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += u64::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_tried_again() {
    if !is(Engine::Postgres) {
        return;
    }
    let test = fresh().await;
    let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
    for id in ids {
        counter(&test.db, id, 0).await;
    }
    let meet = Arc::new(tokio::sync::Barrier::new(2));
    let tasks: Vec<_> = [[0, 1], [1, 0]]
        .map(|order| {
            let (db, meet) = (test.db.clone(), Arc::clone(&meet));
            let first = AtomicBool::new(true);
            tokio::spawn(async move {
                db.write(async move |tx| -> Result<_, Error> {
                    let sql = "UPDATE counter SET n = n + 1 WHERE id = $1";
                    tx.exec(sql, &[&ids[order[0]]]).await?;
                    if first.swap(false, Ordering::SeqCst) {
                        meet.wait().await;
                    }
                    tx.exec(sql, &[&ids[order[1]]]).await
                })
                .await
            })
        })
        .into();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), 1);
    }
    assert_eq!((count(&test.db, ids[0]).await, count(&test.db, ids[1]).await), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_gives_up_leaves_nothing_half_done() {
    let test = fresh().await;
    let db = &test.db;
    // More than the pool has connections.
    for round in 0..30_i64 {
        let write = db.write(async move |tx| -> Result<_, Error> {
            for step in 0..50 {
                insert(tx, round * 100 + step).await?;
            }
            if tx.engine() == Engine::Postgres {
                tx.one("SELECT 1 FROM pg_sleep(10)", &[]).await?;
            }
            Ok(())
        });
        let _ = tokio::time::timeout(Duration::from_micros(300 * round as u64), write).await;
    }
    // On SQLite a job that has begun is finished, with nobody to answer.
    put(db, -1).await.unwrap();
    let ids = ids(db).await;
    assert_eq!(ids[0], -1);
    assert_eq!(ids[1..].len() % 50, 0, "whole transactions only");
    assert!(is(Engine::Sqlite) || ids.len() == 1);
    for id in 10_000..10_050 {
        put(db, id).await.unwrap();
    }
}

#[tokio::test]
async fn a_statement_that_was_dropped_half_way_cannot_commit() {
    if !is(Engine::Postgres) {
        return;
    }
    let test = fresh().await;
    let result = test
        .db
        .write(async |tx| -> Result<(), Error> {
            insert(tx, 1).await?;
            let slow = tx.one("SELECT 1 FROM pg_sleep(1)", &[]);
            assert!(tokio::time::timeout(Duration::from_millis(20), slow).await.is_err());
            Ok(())
        })
        .await;
    assert!(matches!(result, Err(Error::Aborted)), "{result:?}");
    assert!(ids(&test.db).await.is_empty());
}

/// An inline read never waits, and must let others run all the same.
#[tokio::test]
async fn reads_in_a_loop_let_others_run() {
    let test = fresh().await;
    let db = test.db.clone();
    let reading = tokio::spawn(async move {
        loop {
            ids(&db).await;
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
}
