//! One suite for both engines: `LATCHSTRING_TEST_DATABASE=postgres` chooses the other one.

mod basics;

use latchstring_db::testing::TestDb;
use latchstring_db::{Error, Migration, Verdict};

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "counters",
        sql: "
CREATE TABLE counter (
    id BYTEA PRIMARY KEY,
    n BIGINT NOT NULL,
    note TEXT
); -- without rowid
",
    },
    Migration {
        number: 2,
        name: "values",
        sql: "
CREATE TABLE sample (
    id BIGINT PRIMARY KEY,
    word TEXT COLLATE \"C\" UNIQUE,
    yes BOOLEAN,
    bytes BYTEA,
    parent BIGINT REFERENCES sample (id)
);
-- only: sqlite
CREATE TABLE only_sqlite (id BIGINT PRIMARY KEY);
-- only: postgres
CREATE TABLE only_postgres (id BIGINT PRIMARY KEY);
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
