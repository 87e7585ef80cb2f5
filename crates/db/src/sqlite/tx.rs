//! Statements on one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use crate::sql::known;
use crate::{Error, Param, Row, param};

/// A transaction, or a reader, on a connection that it owns: `&Connection` is not `Send`.
pub(crate) struct SqliteTx {
    connection: Connection,
    count: Arc<AtomicU64>,
    failed: bool,
}

impl SqliteTx {
    pub(crate) fn new(connection: Connection, count: Arc<AtomicU64>) -> Self {
        Self { connection, count, failed: false }
    }

    /// The connection, and whether a statement failed.
    pub(crate) fn end(self) -> (Connection, bool) {
        (self.connection, self.failed)
    }

    /// Runs a statement to its end. Returns the number of changed rows.
    pub(crate) fn run(
        &mut self,
        sql: &'static str,
        args: &[&dyn Param],
        rows: &mut Vec<Row>,
    ) -> Result<u64, Error> {
        if self.failed {
            // PostgreSQL refuses too: nothing works after an error but the end of the transaction.
            return Err(Error::Aborted);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        let result = step(&self.connection, sql, args, rows);
        self.failed = result.is_err();
        result
    }

    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }
}

fn step(
    connection: &Connection,
    sql: &'static str,
    args: &[&dyn Param],
    rows: &mut Vec<Row>,
) -> Result<u64, Error> {
    let wrap = |error| Error::sqlite(error, sql);
    let known = known(sql);
    param::check(sql, known.parameters, args)?;
    let mut statement = connection.prepare_cached(known.for_sqlite).map_err(wrap)?;
    for (index, arg) in args.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, arg.value()).map_err(wrap)?;
    }
    let reads_only = statement.readonly();
    let mut found = statement.raw_query();
    // To the end, even for one row: a statement that is not finished holds its transaction open.
    while let Some(row) = found.next().map_err(wrap)? {
        // Asked here, since a statement that is older than a migration is compiled anew by its first step.
        let columns = row.as_ref().column_count();
        let values = (0..columns).map(|index| row.get(index)).collect::<rusqlite::Result<_>>();
        rows.push(Row::sqlite(values.map_err(wrap)?));
    }
    drop(found);
    Ok(if reads_only { 0 } else { connection.changes() })
}
