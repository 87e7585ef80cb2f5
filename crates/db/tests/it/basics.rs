//! Statements, values, verdicts.

use latchstring_db::{Db, Error, Param, Row};
use uuid::Uuid;

use crate::{Refusal, fresh, ids, insert, put};

async fn one(db: &Db, sql: &'static str, args: &[&dyn Param]) -> Result<Row, Error> {
    db.read(async |tx| -> Result<_, Error> { Ok(tx.one(sql, args).await?.expect("a row")) }).await
}

#[tokio::test]
async fn ok_commits_an_error_rolls_back_a_kept_one_commits() {
    let test = fresh().await;
    let db = &test.db;
    assert_eq!(put(db, 1).await.unwrap(), 1);
    let result = db
        .write(async |tx| -> Result<(), Refusal> {
            insert(tx, 2).await?;
            Err(Refusal::No)
        })
        .await;
    assert!(matches!(result, Err(Refusal::No)));
    let result = db
        .write(async |tx| -> Result<(), Refusal> {
            insert(tx, 3).await?;
            Err(Refusal::Kept)
        })
        .await;
    assert!(matches!(result, Err(Refusal::Kept)));
    assert_eq!(ids(db).await, [1, 3]);
}

#[tokio::test]
async fn a_swallowed_error_cannot_commit() {
    let test = fresh().await;
    let db = &test.db;
    put(db, 1).await.unwrap();
    for kept in [false, true] {
        let result = db
            .write(async move |tx| -> Result<(), Refusal> {
                insert(tx, 2).await?;
                assert!(matches!(insert(tx, 1).await, Err(Error::Sql { .. })));
                assert!(matches!(insert(tx, 3).await, Err(Error::Aborted)), "nothing works after an error");
                if kept { Err(Refusal::Kept) } else { Ok(()) }
            })
            .await;
        assert!(matches!(result, Err(Refusal::Fault(Error::Aborted))), "{result:?}");
    }
    assert_eq!(ids(db).await, [1]);
    let result = db
        .read(async |tx| -> Result<(), Error> {
            let _ = tx.one("SELECT nonsense FROM sample", &[]).await;
            Ok(())
        })
        .await;
    assert!(matches!(result, Err(Error::Aborted)), "{result:?}");
}

#[tokio::test]
async fn on_conflict_and_returning() {
    let test = fresh().await;
    let taken = async |id: i64, word: &'static str| {
        test.db
            .write(async move |tx| -> Result<bool, Error> {
                let sql = "INSERT INTO sample (id, word) VALUES ($1, $2) ON CONFLICT (word) DO NOTHING RETURNING id";
                Ok(tx.one(sql, &[&id, &word]).await?.is_none())
            })
            .await
            .unwrap()
    };
    assert!(!taken(1, "ada").await);
    assert!(taken(2, "ada").await);
    assert!(!taken(3, "bob").await);
    let changed = test
        .db
        .write(async |tx| -> Result<_, Error> {
            let changed = tx.exec("UPDATE sample SET yes = $1 RETURNING id", &[&true]).await?;
            let none = tx.exec("UPDATE sample SET yes = $1 WHERE id > $2", &[&true, &100]).await?;
            Ok((changed, none))
        })
        .await
        .unwrap();
    assert_eq!(changed, (2, 0));
}

#[tokio::test]
async fn parameters_go_by_number() {
    let test = fresh().await;
    let row = one(&test.db, "SELECT $2, CAST($1 AS TEXT), $2", &[&"first", &"second"]).await.unwrap();
    let words: Vec<String> = (0..3).map(|index| row.get(index).unwrap()).collect();
    assert_eq!(words, ["second", "first", "second"]);
}

#[tokio::test]
async fn nulls_have_a_type() {
    let test = fresh().await;
    let sql = "SELECT $1 IS NULL, $2 IS NULL, $3 IS NULL, $4 IS NULL, coalesce($1, 5), $3";
    let none: [&dyn Param; 4] = [&None::<i64>, &None::<bool>, &None::<&str>, &None::<Uuid>];
    let row = one(&test.db, sql, &none).await.unwrap();
    assert!((0..4).all(|index| row.get::<bool>(index).unwrap()));
    assert_eq!(row.get::<i64>(4).unwrap(), 5);
    assert_eq!(row.get::<Option<String>>(5).unwrap(), None);
    assert!(matches!(row.get::<String>(5), Err(Error::Decode { index: 5, .. })));
    let some: [&dyn Param; 4] = [&Some(1), &Some(false), &Some("x"), &Some(Uuid::nil())];
    let row = one(&test.db, sql, &some).await.unwrap();
    assert!(!(0..4).any(|index| row.get::<bool>(index).unwrap()));
    assert_eq!(row.get::<Option<String>>(5).unwrap().as_deref(), Some("x"));
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    let test = fresh().await;
    let id = i64::MIN;
    let word = "Ünï' $1 \u{1F511}".to_owned();
    let key = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
    let text = word.clone();
    test.db
        .write(async move |tx| -> Result<_, Error> {
            let sql = "INSERT INTO sample (id, word, yes, bytes) VALUES ($1, $2, $3, $4)";
            tx.exec(sql, &[&id, &text, &Some(true), &key]).await?;
            tx.exec(sql, &[&2, &None::<&str>, &false, &[7u8; 32]]).await?;
            tx.exec(sql, &[&3, &Some("x"), &None::<bool>, &vec![1u8, 0, 255]]).await?;
            tx.exec(sql, &[&4, &"", &None::<bool>, &b"".as_slice()]).await
        })
        .await
        .unwrap();
    let rows = test
        .db
        .read(async |tx| -> Result<_, Error> {
            tx.all("SELECT id, word, yes, bytes FROM sample ORDER BY id", &[]).await
        })
        .await
        .unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0].get::<i64>(0).unwrap(), id);
    assert_eq!(rows[0].get::<String>(1).unwrap(), word);
    assert!(rows[0].get::<bool>(2).unwrap());
    assert_eq!(rows[0].get::<Uuid>(3).unwrap(), key);
    assert_eq!(rows[1].get::<Option<bool>>(2).unwrap(), Some(false));
    assert_eq!(rows[1].get::<[u8; 32]>(3).unwrap(), [7; 32]);
    assert_eq!(rows[2].get::<Vec<u8>>(3).unwrap(), [1, 0, 255]);
    assert_eq!(rows[2].get::<Option<bool>>(2).unwrap(), None);
    assert_eq!(rows[3].get::<String>(1).unwrap(), "");
    assert_eq!(rows[3].get::<Vec<u8>>(3).unwrap(), b"");
    for wrong in [rows[0].get::<[u8; 32]>(3).err(), rows[0].get::<i64>(1).err(), rows[0].get::<i64>(9).err()]
    {
        assert!(matches!(wrong, Some(Error::Decode { .. })), "{wrong:?}");
    }
}

#[tokio::test]
async fn misuse_is_an_error_on_both() {
    let test = fresh().await;
    let db = &test.db;
    let sql = "SELECT id FROM sample WHERE id = $1";
    for args in [&[][..], &[&1_i64 as &dyn Param, &2_i64]] {
        let result = one(db, sql, args).await;
        assert!(matches!(result, Err(Error::Sql { .. })), "{result:?}");
    }
    let result = one(db, "SELECT $1", &[&"a\0b"]).await;
    assert!(matches!(result, Err(Error::Sql { .. })), "{result:?}");
    put(db, 1).await.unwrap();
    put(db, 2).await.unwrap();
    let result = one(db, "SELECT id FROM sample", &[]).await;
    assert!(matches!(result, Err(Error::Sql { .. })), "{result:?}");
    // Neither kind of read can write.
    let result = db.read(async |tx| insert(tx, 3).await).await;
    assert!(matches!(result, Err(Error::Sql { .. })), "{result:?}");
    let result = db.read_slow(async |tx| insert(tx, 3).await).await;
    assert!(matches!(result, Err(Error::Sql { .. })), "{result:?}");
    assert_eq!(ids(db).await, [1, 2]);
    // A duplicate names its statement, but not the value.
    let error = put(db, 1).await.unwrap_err();
    assert!(error.to_string().contains("INSERT INTO sample"), "{error}");
    assert!(!error.is_unavailable());
}

#[tokio::test]
async fn many_rows_at_once() {
    let test = fresh().await;
    let before = test.db.statements();
    let changed = test
        .db
        .write(async |tx| -> Result<_, Error> {
            let ids: Vec<i64> = (0..1000).collect();
            let words: Vec<Option<String>> =
                ids.iter().map(|id| (id % 3 == 0).then(|| id.to_string())).collect();
            let rows: Vec<[&dyn Param; 2]> =
                ids.iter().zip(&words).map(|(id, word)| [id as &dyn Param, word as &dyn Param]).collect();
            let rows: Vec<&[&dyn Param]> = rows.iter().map(|row| row.as_slice()).collect();
            tx.many("INSERT INTO sample (id, word) VALUES ($1, $2)", &rows).await
        })
        .await
        .unwrap();
    assert_eq!(changed, 1000);
    assert_eq!(test.db.statements() - before, 1000);
    let row = one(&test.db, "SELECT count(*), count(word) FROM sample", &[]).await.unwrap();
    assert_eq!((row.get::<i64>(0).unwrap(), row.get::<i64>(1).unwrap()), (1000, 334));
    let result = test
        .db
        .write(async |tx| -> Result<_, Error> {
            tx.many("INSERT INTO sample (id) VALUES ($1)", &[&[&2000], &[&5], &[&2001]]).await
        })
        .await;
    assert!(matches!(result, Err(Error::Sql { .. })), "{result:?}");
    assert_eq!(ids(&test.db).await.len(), 1000);
}

#[tokio::test]
async fn statements_are_counted() {
    let test = fresh().await;
    let before = test.db.statements();
    put(&test.db, 1).await.unwrap();
    assert_eq!(ids(&test.db).await, [1]);
    assert_eq!(test.db.statements() - before, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_may_spawn_box_and_borrow() {
    let test = fresh().await;
    let db = test.db.clone();
    let name = String::from("ada");
    tokio::spawn(async move {
        let write = db.write(async move |tx| -> Result<_, Refusal> {
            tx.exec("INSERT INTO sample (id, word) VALUES ($1, $2)", &[&1, &name]).await?;
            Ok(name.len())
        });
        let write: std::pin::Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(write);
        assert_eq!(write.await.unwrap(), 3);
        let wanted = String::from("ada");
        let found = db
            .read(async |tx| -> Result<_, Refusal> {
                Ok(tx.one("SELECT id FROM sample WHERE word = $1", &[&wanted]).await?)
            })
            .await
            .unwrap();
        assert_eq!(found.unwrap().get::<i64>(0).unwrap(), 1);
        // A plain function can be passed too.
        async fn all(tx: &mut latchstring_db::Tx) -> Result<u64, Error> {
            tx.exec("UPDATE sample SET yes = $1", &[&true]).await
        }
        assert_eq!(db.write(all).await.unwrap(), 1);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_read_sees_one_state() {
    let test = fresh().await;
    put(&test.db, 1).await.unwrap();
    let other = test.reopen().await;
    let (began, wait) = std::sync::mpsc::channel();
    let (changed, go_on) = std::sync::mpsc::channel::<()>();
    let reading = tokio::spawn(async move {
        other
            .read_slow(async move |tx| -> Result<_, Error> {
                let count = "SELECT count(*) FROM sample";
                let before: i64 = tx.one(count, &[]).await?.unwrap().get(0)?;
                began.send(()).unwrap();
                tokio::task::block_in_place(|| go_on.recv()).unwrap();
                let after: i64 = tx.one(count, &[]).await?.unwrap().get(0)?;
                Ok((before, after))
            })
            .await
            .unwrap()
    });
    tokio::task::spawn_blocking(move || wait.recv()).await.unwrap().unwrap();
    put(&test.db, 2).await.unwrap();
    changed.send(()).unwrap();
    assert_eq!(reading.await.unwrap(), (1, 1));
    assert_eq!(ids(&test.db).await, [1, 2]);
}
