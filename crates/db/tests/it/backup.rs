//! A copy of a database in use.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use latchstring_db::{Db, Engine, Error, Options};
use uuid::Uuid;

use crate::{count, counter, fresh, is};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_while_writing_is_consistent() {
    if !is(Engine::Sqlite) {
        return;
    }
    let test = fresh().await;
    let db = &test.db;
    let accounts = [Uuid::from_u128(1), Uuid::from_u128(2)];
    for id in accounts {
        counter(db, id, 1_000_000).await;
    }
    // Some megabytes, so that the copy takes several steps.
    db.write(async |tx| -> Result<_, Error> {
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            INSERT INTO sample (id, bytes) SELECT i, randomblob(1000) FROM n";
        tx.exec(sql, &[]).await
    })
    .await
    .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let (db, stop) = (db.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut moved = 0;
            while !stop.load(Ordering::SeqCst) {
                db.write(async move |tx| -> Result<_, Error> {
                    tx.exec("UPDATE counter SET n = n - 1 WHERE id = $1", &[&accounts[0]]).await?;
                    tx.exec("UPDATE counter SET n = n + 1 WHERE id = $1", &[&accounts[1]]).await
                })
                .await
                .unwrap();
                moved += 1;
            }
            moved
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("copy.db");
    let steps = Arc::new(AtomicU64::new(0));
    for _ in 0..3 {
        let steps = Arc::clone(&steps);
        db.backup_to(&target, move |done, total| {
            assert!(done <= total);
            steps.fetch_add(1, Ordering::SeqCst);
        })
        .await
        .unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    assert!(writing.await.unwrap() > 0);
    assert!(steps.load(Ordering::SeqCst) >= 6);
    assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(folder.path().read_dir().unwrap().count(), 1, "no partial file is left");

    let copy = Db::open(&format!("sqlite:{}", target.display()), Options::default()).await.unwrap();
    assert_eq!(count(&copy, accounts[0]).await + count(&copy, accounts[1]).await, 2_000_000);
    let check = copy.read(async |tx| tx.one("PRAGMA integrity_check", &[]).await).await.unwrap().unwrap();
    assert_eq!(check.get::<String>(0).unwrap(), "ok");
    copy.migrate(crate::MIGRATIONS).await.unwrap();
}

#[tokio::test]
async fn a_backup_that_cannot_be_written_leaves_nothing() {
    if !is(Engine::Sqlite) {
        return;
    }
    let test = fresh().await;
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/copy.db");
    assert!(test.db.backup_to(&missing, |_, _| ()).await.unwrap_err().is_unavailable());
    // A folder is in the way: found out at the last step.
    let taken = folder.path().join("taken");
    std::fs::create_dir(&taken).unwrap();
    assert!(test.db.backup_to(&taken, |_, _| ()).await.is_err());
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}
