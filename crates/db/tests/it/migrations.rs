//! The schema moves forward, once.

use latchstring_db::testing::TestDb;
use latchstring_db::{Engine, Error, MigrateError, Migration};

use crate::{MIGRATIONS, fresh, ids, is, put};

const THIRD: Migration = Migration {
    number: 3,
    name: "more",
    sql: "ALTER TABLE sample ADD COLUMN more BOOLEAN NOT NULL DEFAULT FALSE;\n",
};

fn with(third: Migration) -> Vec<Migration> {
    let mut all = MIGRATIONS.to_vec();
    all.push(third);
    all
}

#[tokio::test]
async fn forward_and_again() {
    let test = fresh().await;
    let db = &test.db;
    put(db, 1).await.unwrap();
    db.migrate(MIGRATIONS).await.unwrap();
    db.migrate(&with(THIRD)).await.unwrap();
    db.migrate(&with(THIRD)).await.unwrap();
    assert_eq!(ids(db).await, [1]);
    let row = db
        .read(async |tx| -> Result<_, Error> {
            tx.one("SELECT more FROM sample WHERE more = $1", &[&false]).await
        })
        .await
        .unwrap();
    assert!(!row.unwrap().get::<bool>(0).unwrap());
    let error = db.migrate(MIGRATIONS).await.unwrap_err();
    assert!(matches!(error, MigrateError::NewerThanBinary { found: 3, known: 2 }), "{error:?}");
}

#[tokio::test]
async fn what_was_applied_never_changes() {
    let test = fresh().await;
    let mut changed = MIGRATIONS.to_vec();
    changed[0].sql = "CREATE TABLE other (id BIGINT PRIMARY KEY);\n";
    let error = test.db.migrate(&changed).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Changed { number: 1, name } if name == "counter"), "{error:?}");
    // Line ends are not a change.
    let text = MIGRATIONS[0].sql.replace('\n', "\r\n");
    changed[0].sql = text.leak();
    test.db.migrate(&changed).await.unwrap();
}

#[tokio::test]
async fn order_matters() {
    let test = TestDb::new(&[]).await;
    let backwards = [MIGRATIONS[1], MIGRATIONS[0]];
    let error = test.db.migrate(&backwards).await.unwrap_err();
    assert!(matches!(error, MigrateError::OutOfOrder { number: 1, .. }), "{error:?}");
    test.db.migrate(&MIGRATIONS[1..]).await.unwrap();
    let error = test.db.migrate(MIGRATIONS).await.unwrap_err();
    assert!(matches!(error, MigrateError::OutOfOrder { number: 1, .. }), "{error:?}");
}

#[tokio::test]
async fn a_failed_one_leaves_nothing() {
    let test = fresh().await;
    let broken = Migration {
        number: 3,
        name: "broken",
        sql: "CREATE TABLE half (id BIGINT PRIMARY KEY);\nINSERT INTO nowhere VALUES (1);\n",
    };
    let error = test.db.migrate(&with(broken)).await.unwrap_err();
    let cause = std::error::Error::source(&error).and_then(std::error::Error::source).unwrap().to_string();
    assert!(cause.contains("migration 3 (broken), at: INSERT INTO nowhere"), "{cause}");
    let half = Migration { number: 3, name: "half", sql: "CREATE TABLE half (id BIGINT PRIMARY KEY);\n" };
    test.db.migrate(&with(half)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_at_once() {
    let test = TestDb::new(&[]).await;
    let mut tasks = Vec::new();
    for _ in 0..6 {
        let db = test.reopen().await;
        tasks.push(tokio::spawn(async move { db.migrate(&with(THIRD)).await }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    put(&test.db, 1).await.unwrap();
}

#[tokio::test]
async fn sqlite_rebuilds_a_table_that_others_refer_to() {
    if !is(Engine::Sqlite) {
        return;
    }
    let test = fresh().await;
    test.db
        .write(async |tx| -> Result<_, Error> {
            tx.exec("INSERT INTO sample (id, parent) VALUES (1, NULL), (2, 1)", &[]).await
        })
        .await
        .unwrap();
    let rebuild = "
CREATE TABLE fresh (id BIGINT PRIMARY KEY, word TEXT, yes BOOLEAN, bytes BYTEA, parent BIGINT REFERENCES sample (id));
INSERT INTO fresh SELECT id, word, yes, bytes, parent FROM sample;
DROP TABLE sample;
ALTER TABLE fresh RENAME TO sample;
";
    test.db.migrate(&with(Migration { number: 3, name: "rebuild", sql: rebuild })).await.unwrap();
    assert_eq!(ids(&test.db).await, [1, 2]);
    let dangling = Migration { number: 4, name: "dangling", sql: "DELETE FROM sample WHERE id = 1;" };
    let mut all = with(Migration { number: 3, name: "rebuild", sql: rebuild });
    all.push(dangling);
    let error = test.db.migrate(&all).await.unwrap_err();
    assert!(matches!(error, MigrateError::Db(_)), "{error:?}");
    assert_eq!(ids(&test.db).await, [1, 2]);
}

/// A prepared statement outlives a migration of another process.
#[tokio::test]
async fn statements_go_on_after_a_migration() {
    let test = fresh().await;
    put(&test.db, 1).await.unwrap();
    let all = async || {
        test.db.read(async |tx| -> Result<_, Error> { tx.one("SELECT * FROM sample", &[]).await }).await
    };
    let touch = async || {
        test.db
            .write(async |tx| -> Result<_, Error> {
                tx.one("UPDATE sample SET yes = $1 RETURNING *", &[&true]).await
            })
            .await
    };
    let before = (all().await.unwrap().unwrap().len(), touch().await.unwrap().unwrap().len());
    test.reopen().await.migrate(&with(THIRD)).await.unwrap();
    let after = (all().await.unwrap().unwrap().len(), touch().await.unwrap().unwrap().len());
    assert_eq!((before, after), ((5, 5), (6, 6)));
}

#[tokio::test]
async fn looking_at_the_schema_changes_nothing() {
    let test = fresh().await;
    assert_eq!(test.db.schema().await.unwrap(), Some(2));
    test.db.migrate(&with(THIRD)).await.unwrap();
    assert_eq!(test.db.schema().await.unwrap(), Some(3), "also what this program does not know");
    let bare = TestDb::new(&[]).await;
    assert_eq!(bare.db.schema().await.unwrap(), None);
    let statement = async |sql: &'static str| {
        bare.db.write(async move |tx| -> Result<u64, Error> { tx.exec(sql, &[]).await }).await
    };
    statement("DROP TABLE migrations").await.unwrap();
    assert_eq!(bare.db.schema().await.unwrap(), None);
    statement("DELETE FROM migrations").await.expect_err("no table was made");
}
