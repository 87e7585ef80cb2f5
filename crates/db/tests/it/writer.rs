//! The writer thread of SQLite: groups, and jobs that misbehave in them. What holds for both runs on both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use latchstring_db::{Db, Engine, Error, Options};
use tokio::task::JoinHandle;

use crate::{Refusal, fresh, ids, insert, is, put};

/// Keeps the writer busy until `release`, so that what comes meanwhile forms one group.
struct Hold {
    gate: Arc<Barrier>,
    job: JoinHandle<()>,
}

impl Hold {
    async fn new(db: &Db) -> Self {
        let gate = Arc::new(Barrier::new(2));
        let (db, inside, entered) = (db.clone(), Arc::clone(&gate), Arc::clone(&gate));
        let job = tokio::spawn(async move {
            db.write(async move |_| -> Result<(), Error> {
                inside.wait();
                inside.wait();
                Ok(())
            })
            .await
            .unwrap();
        });
        tokio::task::spawn_blocking(move || entered.wait()).await.unwrap();
        Self { gate, job }
    }

    async fn release(self) {
        let gate = self.gate;
        tokio::task::spawn_blocking(move || gate.wait()).await.unwrap();
        self.job.await.unwrap();
    }
}

/// Lets spawned tasks run until they wait for an answer.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_bad_job_in_a_group_fails_alone() {
    if !is(Engine::Sqlite) {
        return;
    }
    let test = fresh().await;
    let db = &test.db;
    put(db, 0).await.unwrap();
    let hold = Hold::new(db).await;
    let spawn = |id: i64| {
        let db = db.clone();
        tokio::spawn(async move { put(&db, id).await })
    };
    let first = spawn(1);
    let panicking = {
        let db = db.clone();
        tokio::spawn(async move {
            db.write(async |tx| -> Result<(), Error> {
                insert(tx, 100).await?;
                panic!("on purpose");
            })
            .await
        })
    };
    let second = spawn(2);
    let failing = spawn(0);
    let pending = {
        let db = db.clone();
        tokio::spawn(async move {
            db.write(async |tx| -> Result<(), Error> {
                insert(tx, 101).await?;
                std::future::pending::<()>().await;
                Ok(())
            })
            .await
        })
    };
    let sleeping = {
        let db = db.clone();
        tokio::spawn(async move {
            db.write(async |tx| -> Result<(), Error> {
                insert(tx, 102).await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
                Ok(())
            })
            .await
        })
    };
    let refusing = {
        let db = db.clone();
        tokio::spawn(async move {
            db.write(async |tx| -> Result<(), Refusal> {
                insert(tx, 103).await?;
                Err(Refusal::No)
            })
            .await
        })
    };
    let last = spawn(3);
    settle().await;
    hold.release().await;
    for good in [first, second, last] {
        assert_eq!(good.await.unwrap().unwrap(), 1);
    }
    assert!(matches!(panicking.await.unwrap(), Err(Error::Aborted)));
    assert!(matches!(failing.await.unwrap(), Err(Error::Sql { .. })));
    assert!(matches!(pending.await.unwrap(), Err(Error::Aborted)));
    assert!(matches!(sleeping.await.unwrap(), Err(Error::Aborted)));
    assert!(matches!(refusing.await.unwrap(), Err(Refusal::No)));
    assert_eq!(ids(db).await, [0, 1, 2, 3]);
    put(db, 4).await.unwrap();
}

#[tokio::test]
async fn a_panic_of_a_single_job_leaves_no_trace() {
    let test = fresh().await;
    let db = test.db.clone();
    let result = tokio::spawn(async move {
        db.write(async |tx| -> Result<(), Error> {
            insert(tx, 1).await?;
            panic!("on purpose");
        })
        .await
    })
    .await;
    // On SQLite the writer thread catches it, on PostgreSQL it goes through the caller's own task.
    assert!(matches!(result, Err(_) | Ok(Err(Error::Aborted))));
    put(&test.db, 2).await.unwrap();
    assert_eq!(ids(&test.db).await, [2]);
}

#[tokio::test]
async fn a_job_whose_caller_has_gone_is_not_run() {
    if !is(Engine::Sqlite) {
        return;
    }
    let test = fresh().await;
    let hold = Hold::new(&test.db).await;
    let ran = Arc::new(AtomicU64::new(0));
    let gone = {
        let (db, ran) = (test.db.clone(), Arc::clone(&ran));
        tokio::spawn(async move {
            db.write(async move |tx| -> Result<_, Error> {
                ran.fetch_add(1, Ordering::SeqCst);
                insert(tx, 1).await
            })
            .await
        })
    };
    settle().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    hold.release().await;
    put(&test.db, 2).await.unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    assert_eq!(ids(&test.db).await, [2]);
}

#[tokio::test]
async fn a_full_disk_fails_only_who_needs_it() {
    if !is(Engine::Sqlite) {
        return;
    }
    let test = fresh().await;
    let db = &test.db;
    db.write(async |tx| -> Result<_, Error> {
        tx.exec("CREATE TABLE big (id BIGINT PRIMARY KEY, data BYTEA)", &[]).await?;
        let pages: i64 = tx.one("PRAGMA page_count", &[]).await?.unwrap().get(0)?;
        assert!(pages < 20, "{pages}");
        tx.one("PRAGMA max_page_count = 30", &[]).await
    })
    .await
    .unwrap();
    for round in 0..3_i64 {
        let hold = Hold::new(db).await;
        let spawn = |id: i64| {
            let db = db.clone();
            tokio::spawn(async move { put(&db, id).await })
        };
        let before = spawn(10 * round + 1);
        // Which of the two SQLite rolls back, the statement or the whole transaction, depends on the statement.
        let large = {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(async move |tx| -> Result<_, Error> {
                    insert(tx, 10 * round + 2).await?;
                    match round {
                        0 => tx.exec("INSERT INTO big VALUES (1, zeroblob(1000000))", &[]).await,
                        1 => {
                            let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
                                INSERT INTO big SELECT i, zeroblob(1000) FROM n";
                            tx.exec(sql, &[]).await
                        }
                        // Ends the transaction under the feet of the group.
                        _ => tx.exec("ROLLBACK", &[]).await,
                    }
                })
                .await
            })
        };
        let after = spawn(10 * round + 3);
        settle().await;
        hold.release().await;
        assert_eq!(before.await.unwrap().unwrap(), 1);
        assert_eq!(after.await.unwrap().unwrap(), 1);
        let error = large.await.unwrap().unwrap_err();
        assert!(
            if round < 2 { error.is_unavailable() } else { matches!(error, Error::Aborted) },
            "{error:?}"
        );
    }
    assert_eq!(ids(db).await, [1, 3, 11, 13, 21, 23]);
}

#[tokio::test]
async fn a_deferred_constraint_fails_only_its_job() {
    let test = fresh().await;
    let db = &test.db;
    let hold = if is(Engine::Sqlite) { Some(Hold::new(db).await) } else { None };
    let good = {
        let db = db.clone();
        tokio::spawn(async move { put(&db, 1).await })
    };
    let orphan = {
        let db = db.clone();
        tokio::spawn(async move {
            db.write(async |tx| -> Result<_, Error> {
                tx.exec("INSERT INTO sample (id, parent) VALUES (2, 99)", &[]).await
            })
            .await
        })
    };
    settle().await;
    if let Some(hold) = hold {
        hold.release().await;
    }
    assert_eq!(good.await.unwrap().unwrap(), 1);
    let orphan = orphan.await.unwrap();
    assert!(matches!(&orphan, Err(error) if !error.is_unavailable()), "{orphan:?}");
    assert_eq!(ids(db).await, [1]);
}

#[tokio::test]
async fn a_full_queue_refuses() {
    if !is(Engine::Sqlite) {
        return;
    }
    let test = fresh().await;
    let db = Db::open(&test.url, Options { queue: 2, ..Options::default() }).await.unwrap();
    let hold = Hold::new(&db).await;
    let waiting: Vec<_> = (1..=2)
        .map(|id| {
            let db = db.clone();
            tokio::spawn(async move { put(&db, id).await })
        })
        .collect();
    settle().await;
    let refused = put(&db, 3).await.unwrap_err();
    assert!(matches!(refused, Error::Busy) && refused.is_unavailable());
    hold.release().await;
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    put(&db, 4).await.unwrap();
    assert_eq!(ids(&db).await, [1, 2, 4]);
}

#[tokio::test]
async fn shutdown_finishes_what_is_queued() {
    let test = fresh().await;
    let db = &test.db;
    let hold = if is(Engine::Sqlite) { Some(Hold::new(db).await) } else { None };
    let queued = {
        let db = db.clone();
        tokio::spawn(async move { put(&db, 1).await })
    };
    if let Some(hold) = hold {
        settle().await;
        let ending = {
            let db = db.clone();
            tokio::spawn(async move { db.shutdown().await })
        };
        settle().await;
        hold.release().await;
        ending.await.unwrap();
        queued.await.unwrap().unwrap();
        let wal = test.path().unwrap().with_extension("db-wal");
        assert!(!wal.exists(), "everything is in the one file");
    } else {
        queued.await.unwrap().unwrap();
        db.shutdown().await;
    }
    let late = put(db, 2).await.unwrap_err();
    assert!(matches!(late, Error::Unavailable(_)), "{late:?}");
    assert!(db.ping().await.is_err());
    db.shutdown().await;
    let again = test.reopen().await;
    assert_eq!(ids(&again).await, [1]);
}

#[tokio::test]
async fn a_closure_may_hold_the_last_handle() {
    let test = fresh().await;
    let db = test.reopen().await;
    let inner = db.clone();
    let write = async move {
        db.write(async move |tx| -> Result<_, Error> {
            let _keep = &inner;
            insert(tx, 1).await
        })
        .await
    };
    write.await.unwrap();
    assert_eq!(ids(&test.db).await, [1]);
}
