//! The schema, step by step: numbered, checksummed, forward only.
//!
//! One script serves both databases. It is written for PostgreSQL with BIGINT, BOOLEAN, BYTEA and TEXT;
//! for SQLite the types are respelled and tables made STRICT. Comments steer the rest:
//! `-- only: postgres` or `-- only: sqlite` above a statement, `-- without rowid` behind the `)` of a table.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use deadpool_postgres::ClientWrapper;

use crate::error::{Cause, Said};
use crate::postgres::Postgres;
use crate::sql::{Piece, pieces, respell};
use crate::sqlite::Sqlite;
use crate::{Engine, Error, MigrateError};

/// One step. Never edited once it was released.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Ascending.
    pub number: i64,
    /// For people.
    pub name: &'static str,
    /// Statements, separated by `;`.
    pub sql: &'static str,
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    number BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    checksum BYTEA NOT NULL,
    applied_at BIGINT NOT NULL
)";
const STATE: &str = "SELECT number, name, checksum FROM migrations ORDER BY number";
const RECORD: &str = "INSERT INTO migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";
/// Any fixed number: it keeps two migrating processes apart.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7021784465632081)";

struct Applied {
    number: i64,
    name: String,
    checksum: Vec<u8>,
}

impl Migration {
    /// Of the text without regard to line ends, which a checkout may change.
    pub(crate) fn checksum(&self) -> Vec<u8> {
        let text = self.sql.replace("\r\n", "\n");
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.trim().as_bytes()).as_ref().to_vec()
    }
}

/// Compares what is there with what is known; the next one to apply.
fn next<'a>(known: &'a [Migration], applied: &[Applied]) -> Result<Option<&'a Migration>, MigrateError> {
    if let Some(pair) = known.windows(2).find(|pair| pair[0].number >= pair[1].number) {
        return Err(MigrateError::OutOfOrder { number: pair[1].number, name: pair[1].name.to_owned() });
    }
    let newest = known.last().map_or(0, |migration| migration.number);
    let highest = applied.last().map_or(0, |applied| applied.number);
    if highest > newest {
        return Err(MigrateError::NewerThanBinary { found: highest, known: newest });
    }
    for found in applied {
        let same = known.iter().find(|migration| migration.number == found.number);
        if same.is_none_or(|migration| migration.checksum() != found.checksum) {
            return Err(MigrateError::Changed { number: found.number, name: found.name.clone() });
        }
    }
    let next = known.iter().find(|migration| applied.iter().all(|found| found.number != migration.number));
    match next {
        Some(late) if late.number < highest => {
            Err(MigrateError::OutOfOrder { number: late.number, name: late.name.to_owned() })
        }
        next => Ok(next),
    }
}

#[expect(clippy::disallowed_methods, reason = "a note for people; no rule reads it")]
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_micros() as i64)
}

fn failed(migration: &Migration, code: String, source: impl Into<Cause>, statement: &str) -> Error {
    let at = format!("migration {} ({}), at: {}", migration.number, migration.name, statement.trim());
    // The statement is not static; it goes into the chain, where the log shows it.
    #[derive(Debug, thiserror::Error)]
    #[error("{at}")]
    struct At {
        at: String,
        source: Cause,
    }
    Error::Sql { code: code.into(), sql: "migration", source: Box::new(At { at, source: source.into() }) }
}

pub(crate) async fn sqlite(path: PathBuf, migrations: &[Migration]) -> Result<(), MigrateError> {
    let migrations = migrations.to_vec();
    tokio::task::spawn_blocking(move || sqlite_now(&path, &migrations)).await.map_err(Error::unavailable)?
}

fn sqlite_now(path: &std::path::Path, migrations: &[Migration]) -> Result<(), MigrateError> {
    let wrap = |error| Error::sqlite(error, "migration");
    let connection = Sqlite::extra_connection(path)?;
    // Another process may be at it, for long.
    connection.busy_timeout(std::time::Duration::from_secs(300)).map_err(wrap)?;
    // As SQLite advises for rebuilding tables: dropping one would otherwise delete what refers to it.
    // Checked below, and impossible to switch inside the transaction.
    connection.execute_batch("PRAGMA foreign_keys = OFF").map_err(wrap)?;
    loop {
        // A look without the lock first: a start with nothing to do disturbs nobody.
        let known = connection.prepare("SELECT 1 FROM migrations").is_ok();
        if known && next(migrations, &sqlite_state(&connection)?)?.is_none() {
            return Ok(());
        }
        connection.execute_batch("BEGIN IMMEDIATE").map_err(wrap)?;
        // Dropping the connection on an error rolls back.
        connection.execute_batch(&for_engine(TABLE, Engine::Sqlite)).map_err(wrap)?;
        let Some(migration) = next(migrations, &sqlite_state(&connection)?)? else {
            connection.execute_batch("COMMIT").map_err(wrap)?;
            return Ok(());
        };
        let fail = |error: rusqlite::Error, at: &str| {
            let code = error.sqlite_error().map_or(0, |error| error.extended_code);
            failed(migration, code.to_string(), error, at)
        };
        for statement in statements(migration.sql, Engine::Sqlite) {
            connection.execute_batch(&statement).map_err(|error| fail(error, &statement))?;
        }
        connection
            .execute(&respell(RECORD), (migration.number, migration.name, migration.checksum(), now()))
            .map_err(wrap)?;
        let check = "PRAGMA foreign_key_check";
        let dangling = connection.prepare(check).and_then(|mut statement| statement.exists([]));
        if dangling.map_err(|error| fail(error, check))? {
            let why = "a row refers to one that is gone";
            return Err(failed(migration, "foreign key".into(), why, check).into());
        }
        connection.execute_batch("COMMIT").map_err(|error| fail(error, "COMMIT"))?;
        tracing::info!(number = migration.number, name = migration.name, "migration applied");
    }
}

fn sqlite_state(connection: &rusqlite::Connection) -> Result<Vec<Applied>, Error> {
    let rows = connection.prepare(STATE).and_then(|mut statement| {
        statement
            .query_map([], |row| {
                Ok(Applied { number: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? })
            })?
            .collect()
    });
    rows.map_err(|error| Error::sqlite(error, STATE))
}

pub(crate) async fn sqlite_schema(path: PathBuf) -> Result<Option<i64>, Error> {
    let look = move || -> Result<Option<i64>, Error> {
        let connection = Sqlite::extra_connection(&path)?;
        if connection.prepare("SELECT 1 FROM migrations").is_err() {
            return Ok(None);
        }
        Ok(newest(&sqlite_state(&connection)?))
    };
    tokio::task::spawn_blocking(look).await.map_err(Error::unavailable)?
}

pub(crate) async fn postgres_schema(postgres: &Postgres) -> Result<Option<i64>, Error> {
    let client = postgres.reader().await?;
    Ok(if postgres_known(&client).await? { newest(&postgres_state(&client).await?) } else { None })
}

fn newest(applied: &[Applied]) -> Option<i64> {
    applied.last().map(|applied| applied.number)
}

pub(crate) async fn postgres(postgres: &Postgres, migrations: &[Migration]) -> Result<(), MigrateError> {
    // The usual start finds all of them applied: a look over a connection that is needed anyway.
    let client = postgres.reader().await?;
    if postgres_known(&client).await? && next(migrations, &postgres_state(&client).await?)?.is_none() {
        return Ok(());
    }
    let client = postgres.connector().migrator().await?;
    loop {
        run(&client, "BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        // Dropping the connection on an error rolls back.
        run(&client, LOCK).await?;
        run(&client, TABLE).await?;
        let Some(migration) = next(migrations, &postgres_state(&client).await?)? else {
            run(&client, "COMMIT").await?;
            return Ok(());
        };
        let fail = |error: tokio_postgres::Error, at: &str| match error.as_db_error() {
            Some(db) => failed(migration, db.code().code().to_owned(), Said::new(db), at),
            None => Error::unavailable(error),
        };
        for statement in statements(migration.sql, Engine::Postgres) {
            client.batch_execute(&statement).await.map_err(|error| fail(error, &statement))?;
        }
        let checksum = migration.checksum();
        client
            .execute(RECORD, &[&migration.number, &migration.name, &checksum, &now()])
            .await
            .map_err(|error| fail(error, RECORD))?;
        client.batch_execute("COMMIT").await.map_err(|error| fail(error, "COMMIT"))?;
        tracing::info!(number = migration.number, name = migration.name, "migration applied");
    }
}

async fn run(client: &ClientWrapper, sql: &'static str) -> Result<(), Error> {
    client.batch_execute(sql).await.map_err(|error| trouble(error, sql))
}

fn trouble(error: tokio_postgres::Error, sql: &'static str) -> Error {
    match error.as_db_error() {
        Some(db) => Error::Sql { code: db.code().code().into(), sql, source: Box::new(Said::new(db)) },
        None => Error::unavailable(error),
    }
}

/// Whether there is a table of migrations.
async fn postgres_known(client: &ClientWrapper) -> Result<bool, Error> {
    client
        .query_one("SELECT to_regclass('migrations') IS NOT NULL", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| trouble(error, "migration"))
}

async fn postgres_state(client: &ClientWrapper) -> Result<Vec<Applied>, Error> {
    let rows = client.query(STATE, &[]).await.map_err(|error| trouble(error, STATE))?;
    rows.iter()
        .map(|row| Ok(Applied { number: row.try_get(0)?, name: row.try_get(1)?, checksum: row.try_get(2)? }))
        .collect::<Result<_, _>>()
        .map_err(|error| trouble(error, STATE))
}

/// The statements of a script, as one engine wants them.
fn statements(script: &str, engine: Engine) -> Vec<String> {
    let (own, other) = match engine {
        Engine::Sqlite => ("sqlite", "postgres"),
        Engine::Postgres => ("postgres", "sqlite"),
    };
    split(script)
        .into_iter()
        .filter(|statement| {
            let only = |name: &str| {
                pieces(statement).iter().any(|(piece, text)| {
                    *piece == Piece::Comment && is_note(text, "only:") && text.trim_end().ends_with(name)
                })
            };
            only(own) || !only(other)
        })
        .map(|statement| for_engine(&statement, engine))
        .collect()
}

fn is_note(comment: &str, note: &str) -> bool {
    comment.strip_prefix("--").is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with(note))
}

/// Cuts behind each `;`, but not inside of quotes, nor in the body of a trigger.
fn split(script: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut current = String::new();
    let mut done = false;
    for (piece, text) in pieces(script) {
        let parts: Vec<_> =
            if piece == Piece::Code { text.split_inclusive(';').collect() } else { vec![text] };
        for part in parts {
            // A comment behind the `;`, on the same line, still belongs to its statement.
            if done && piece != Piece::Comment && !part.trim_matches([' ', '\t']).is_empty() {
                out.push(std::mem::take(&mut current));
                done = false;
            }
            current.push_str(part);
            done |= piece == Piece::Code && part.ends_with(';') && !is_inside_trigger(&current);
        }
    }
    out.push(current);
    out.retain(|statement| !code(statement).trim_matches([';', ' ', '\t', '\r', '\n']).is_empty());
    out
}

fn code(statement: &str) -> String {
    pieces(statement)
        .into_iter()
        .filter(|(piece, _)| *piece != Piece::Comment)
        .map(|(_, text)| text)
        .collect()
}

fn words(statement: &str) -> Vec<String> {
    code(statement).split_whitespace().map(str::to_ascii_uppercase).collect()
}

fn is_inside_trigger(statement: &str) -> bool {
    let words = words(statement);
    let trigger = words.first().is_some_and(|word| word == "CREATE")
        && words.iter().take(3).any(|word| word == "TRIGGER")
        && words.iter().any(|word| word == "BEGIN");
    trigger && words.last().is_some_and(|word| word != "END;")
}

fn for_engine(statement: &str, engine: Engine) -> String {
    if engine == Engine::Postgres {
        return statement.to_owned();
    }
    let words = words(statement);
    let is_table = words.first().is_some_and(|word| word == "CREATE")
        && words.iter().take(3).any(|word| word == "TABLE" || word.starts_with("TABLE("))
        && !words.iter().any(|word| word == "AS" && words.contains(&"SELECT".to_owned()));
    let spelled = respell(statement);
    if !is_table {
        return spelled;
    }
    let rowless = pieces(statement)
        .iter()
        .any(|(piece, text)| *piece == Piece::Comment && is_note(text, "without rowid"));
    let body = code(&spelled);
    let body = body.trim_end().trim_end_matches(';').trim_end();
    format!("{body} STRICT{}", if rowless { ", WITHOUT ROWID" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "
-- Users; and more
CREATE TABLE a (
    id BYTEA PRIMARY KEY, -- the id;
    ok BOOLEAN NOT NULL DEFAULT FALSE,
    name TEXT COLLATE \"C\" DEFAULT ';
x'
); -- without rowid
CREATE TABLE b (n BIGINT); CREATE INDEX c ON b (n);
-- only: postgres
CREATE FUNCTION f() RETURNS BIGINT AS $$
  SELECT 1;
$$ LANGUAGE sql;
-- only: sqlite
CREATE TRIGGER t AFTER INSERT ON b BEGIN
  SELECT 1;
  SELECT 2;
END;
INSERT INTO b (n) VALUES (1)";

    #[test]
    fn for_sqlite() {
        let statements = statements(SCRIPT, Engine::Sqlite);
        assert_eq!(statements.len(), 5, "{statements:#?}");
        assert!(statements[0].ends_with("\n) STRICT, WITHOUT ROWID"), "{}", statements[0]);
        assert!(statements[0].contains("id BLOB PRIMARY KEY"));
        assert!(statements[0].contains("ok INTEGER NOT NULL"));
        assert!(statements[0].contains("name TEXT DEFAULT ';\nx'"));
        assert_eq!(statements[1].trim(), "CREATE TABLE b (n INTEGER) STRICT");
        assert!(statements[3].trim_end().ends_with("END;"));
        assert!(statements[4].contains("INSERT"));
    }

    #[test]
    fn for_postgres() {
        let statements = statements(SCRIPT, Engine::Postgres);
        assert_eq!(statements.len(), 5, "{statements:#?}");
        assert!(statements[0].contains("id BYTEA PRIMARY KEY"));
        assert!(statements[3].contains("LANGUAGE sql;"));
    }
}
