//! Statements, values, verdicts.

use latchstring_db::{Db, Engine, Error, Kind, Param, Row};
use uuid::Uuid;

use crate::{Refusal, fresh};

async fn put(db: &Db, id: i64) -> Result<u64, Error> {
    db.write(async move |tx| -> Result<_, Error> {
        tx.exec("INSERT INTO sample (id) VALUES ($1)", &[&id]).await
    })
    .await
}

async fn has(db: &Db, id: i64) -> bool {
    db.read(async |tx| -> Result<_, Error> {
        Ok(tx.one("SELECT 1 FROM sample WHERE id = $1", &[&id]).await?.is_some())
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn ok_commits_an_error_rolls_back_a_kept_one_commits() {
    let test = fresh().await;
    let db = &test.db;
    assert_eq!(put(db, 1).await.unwrap(), 1);
    assert!(has(db, 1).await);
    let result = db
        .write(async |tx| -> Result<(), Refusal> {
            tx.exec("INSERT INTO sample (id) VALUES ($1)", &[&2]).await?;
            Err(Refusal::No)
        })
        .await;
    assert!(matches!(result, Err(Refusal::No)));
    assert!(!has(db, 2).await);
    let result = db
        .write(async |tx| -> Result<(), Refusal> {
            tx.exec("INSERT INTO sample (id) VALUES ($1)", &[&3]).await?;
            Err(Refusal::Kept)
        })
        .await;
    assert!(matches!(result, Err(Refusal::Kept)));
    assert!(has(db, 3).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_may_spawn() {
    let test = fresh().await;
    let db = test.db.clone();
    let name = String::from("ada");
    tokio::spawn(async move {
        db.write(async move |tx| -> Result<_, Refusal> {
            tx.exec("INSERT INTO sample (id, word) VALUES ($1, $2)", &[&1, &name]).await?;
            Ok(())
        })
        .await
        .unwrap();
        let word: Option<Row> = db
            .read(async |tx| -> Result<_, Refusal> { Ok(tx.one("SELECT word FROM sample", &[]).await?) })
            .await
            .unwrap();
        assert_eq!(word.unwrap().get::<String>(0).unwrap(), "ada");
        let count = db
            .read_slow(async move |tx| -> Result<i64, Error> {
                tx.one("SELECT count(*) FROM sample", &[]).await?.unwrap().get(0)
            })
            .await
            .unwrap();
        assert_eq!(count, 1);
    })
    .await
    .unwrap();
}
