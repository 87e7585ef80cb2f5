//! A disk that is full when COMMIT writes: everybody in the group must hear of it, and what was confirmed must be there.
//!
//! The test runs itself in a process that may not write large files.

use latchstring_db::{Db, Engine, Error, Options};

use crate::{MIGRATIONS, is};

const CHILD: &str = "LATCHSTRING_TEST_SMALL_FILES";

#[test]
fn a_failed_commit_fails_all_of_its_group() {
    if !is(Engine::Sqlite) {
        return;
    }
    if std::env::var_os(CHILD).is_some() {
        return child();
    }
    let me = std::env::current_exe().unwrap();
    let me = me.to_str().unwrap();
    // Without the trap the signal would end the process before write() can fail.
    let script = format!(
        "trap '' XFSZ; ulimit -f 1000; exec '{me}' --exact disk_full::a_failed_commit_fails_all_of_its_group --nocapture"
    );
    let status = std::process::Command::new("sh").args(["-c", &script]).env(CHILD, "1").status().unwrap();
    assert!(status.success(), "see above");
}

#[tokio::main(flavor = "current_thread")]
async fn child() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("data.db").display());
    let db = Db::open(&url, Options::default()).await.unwrap();
    db.migrate(MIGRATIONS).await.unwrap();
    let (mut confirmed, mut failed) = (Vec::new(), Vec::new());
    for round in 0..40_i64 {
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let (db, id) = (db.clone(), round * 8 + task);
                tokio::spawn(async move {
                    let result = db
                        .write(async move |tx| -> Result<_, Error> {
                            let sql = "INSERT INTO sample (id, bytes) VALUES ($1, $2)";
                            tx.exec(sql, &[&id, &vec![7u8; 4000]]).await
                        })
                        .await;
                    (id, result)
                })
            })
            .collect();
        for task in tasks {
            match task.await.unwrap() {
                (id, Ok(_)) => confirmed.push(id),
                (id, Err(error)) => {
                    assert!(error.is_unavailable(), "{error:?}");
                    failed.push(id);
                }
            }
        }
    }
    assert!(!confirmed.is_empty() && failed.len() > 8, "{} and {}", confirmed.len(), failed.len());
    assert_eq!(crate::ids(&db).await, confirmed);
    db.close().await;
    let again = Db::open(&url, Options::default()).await.unwrap();
    assert_eq!(crate::ids(&again).await, confirmed);
}
