//! One suite for both engines: `LATCHSTRING_TEST_DATABASE=postgres` chooses the other one.

mod backup;
mod basics;
mod disk_full;
mod hints;
mod lost;
mod migrations;
mod opening;
mod races;
mod writer;

use latchstring_db::testing::TestDb;
use latchstring_db::{Db, Engine, Error, Migration, Tx, Verdict};
use uuid::Uuid;

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "counter",
        sql: "
CREATE TABLE counter (
    id BYTEA PRIMARY KEY,
    n BIGINT NOT NULL
); -- without rowid
",
    },
    Migration {
        number: 2,
        name: "sample",
        sql: "
CREATE TABLE sample (
    id BIGINT PRIMARY KEY,
    word TEXT COLLATE \"C\" UNIQUE,
    yes BOOLEAN,
    bytes BYTEA,
    parent BIGINT REFERENCES sample (id) DEFERRABLE INITIALLY DEFERRED
);
",
    },
];

#[derive(Debug)]
enum Refusal {
    No,
    Kept,
    Fault(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

impl Verdict for Refusal {
    fn commits(&self) -> bool {
        matches!(self, Self::Kept)
    }
}

async fn fresh() -> TestDb {
    TestDb::new(MIGRATIONS).await
}

/// For tests of what only one engine has.
fn is(engine: Engine) -> bool {
    latchstring_db::testing::engine() == engine
}

async fn put(db: &Db, id: i64) -> Result<u64, Error> {
    db.write(async move |tx| insert(tx, id).await).await
}

async fn insert(tx: &mut Tx, id: i64) -> Result<u64, Error> {
    tx.exec("INSERT INTO sample (id) VALUES ($1)", &[&id]).await
}

/// The ids in `sample`, in order.
async fn ids(db: &Db) -> Vec<i64> {
    db.read(async |tx| -> Result<_, Error> {
        let rows = tx.all("SELECT id FROM sample ORDER BY id", &[]).await?;
        rows.iter().map(|row| row.get(0)).collect()
    })
    .await
    .unwrap()
}

async fn counter(db: &Db, id: Uuid, n: i64) {
    db.write(async move |tx| -> Result<_, Error> {
        tx.exec("INSERT INTO counter (id, n) VALUES ($1, $2)", &[&id, &n]).await
    })
    .await
    .unwrap();
}

async fn count(db: &Db, id: Uuid) -> i64 {
    db.read(async |tx| -> Result<_, Error> {
        tx.one("SELECT n FROM counter WHERE id = $1", &[&id]).await?.expect("the counter is there").get(0)
    })
    .await
    .unwrap()
}
