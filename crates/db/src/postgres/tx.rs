//! Statements on a connection.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object};
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use tokio_postgres::Statement;

use super::connect::Connector;
use super::convert::{self, Fault};
use super::pool::Readers;
use crate::param::Value;
use crate::sql::known;
use crate::{Error, Param, Row, param};

/// How long an abandoned statement may run on before it is cancelled.
const PATIENCE: Duration = Duration::from_millis(100);
/// Statements of `many` on their way at once.
const CHUNK: usize = 256;

// The level is said, since an administrator may have set another default.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const SNAPSHOT: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '120s'";

/// A transaction on a connection that it owns, or a reader.
pub(crate) struct PgTx {
    on: On,
    /// BEGIN was sent and neither COMMIT nor ROLLBACK was answered.
    open: bool,
    writes: bool,
    fault: Option<Fault>,
    count: Arc<AtomicU64>,
    connector: Arc<Connector>,
}

enum On {
    Own(Box<Object>),
    Shared(Arc<Readers>),
    /// The connection is left to the end of its transaction.
    Nothing,
}

impl PgTx {
    /// A transaction, which begins with its first statement.
    pub(super) fn transaction(client: Object, connector: &Arc<Connector>, count: &Arc<AtomicU64>) -> Self {
        Self {
            on: On::Own(Box::new(client)),
            open: false,
            writes: true,
            fault: None,
            count: Arc::clone(count),
            connector: Arc::clone(connector),
        }
    }

    /// Each statement for itself.
    pub(super) fn reader(readers: Arc<Readers>, connector: &Arc<Connector>, count: &Arc<AtomicU64>) -> Self {
        Self {
            on: On::Shared(readers),
            open: false,
            writes: false,
            fault: None,
            count: Arc::clone(count),
            connector: Arc::clone(connector),
        }
    }

    /// A transaction that reads one state.
    pub(super) async fn snapshot(
        client: Object,
        connector: &Arc<Connector>,
        count: &Arc<AtomicU64>,
    ) -> Result<Self, (Fault, Error)> {
        let mut tx = Self::transaction(client, connector, count);
        tx.open = true;
        tx.writes = false;
        let On::Own(client) = &tx.on else { unreachable!("it was just put there") };
        let begun = client.batch_execute(SNAPSHOT).await;
        let closed = client.is_closed();
        match begun {
            Ok(()) => Ok(tx),
            Err(error) => {
                let fault = convert::fault(&error, closed, false);
                tx.fault = Some(fault);
                Err((fault, convert::statement(error, fault, "BEGIN")))
            }
        }
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    pub(crate) fn failed(&self) -> bool {
        self.fault.is_some()
    }

    pub(crate) fn fail(&mut self) {
        self.fault = Some(Fault::Statement);
    }

    /// Runs a statement. Returns the number of changed rows.
    pub(crate) async fn run(
        &mut self,
        sql: &'static str,
        args: &[&dyn Param],
        rows: &mut Vec<Row>,
    ) -> Result<u64, Error> {
        if self.fault.is_some() {
            return Err(Error::Aborted);
        }
        let values = values(sql, args).inspect_err(|_| self.fail())?;
        self.count.fetch_add(1, Ordering::Relaxed);
        // A statement whose future is dropped half-way must not be followed by a COMMIT.
        self.fault = Some(Fault::Statement);
        let result = match &self.on {
            On::Own(client) => {
                let began = std::mem::replace(&mut self.open, true);
                own(client, began, sql, &values, rows)
                    .await
                    .map_err(|error| sort(error, client, self.writes, sql))
            }
            On::Shared(readers) => shared(readers, sql, &values, rows).await,
            On::Nothing => Err((Fault::Statement, Error::Aborted)),
        };
        self.settle(result)
    }

    /// The same statement with many lists of values, without waiting in between.
    pub(crate) async fn many(&mut self, sql: &'static str, rows: &[&[&dyn Param]]) -> Result<u64, Error> {
        let Some((first, rest)) = rows.split_first() else { return Ok(0) };
        // The first one prepares the statement and opens the transaction.
        let mut changed = self.run(sql, first, &mut Vec::new()).await?;
        for chunk in rest.chunks(CHUNK) {
            let values = chunk
                .iter()
                .map(|args| values(sql, args))
                .collect::<Result<Vec<_>, _>>()
                .inspect_err(|_| self.fail())?;
            self.count.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            self.fault = Some(Fault::Statement);
            let result = match &self.on {
                On::Own(client) => pipelined(client, sql, &values)
                    .await
                    .map_err(|error| sort(error, client, self.writes, sql)),
                On::Shared(_) | On::Nothing => {
                    Err((Fault::Statement, Error::misuse(sql, "`many` needs a transaction")))
                }
            };
            changed += self.settle(result)?;
        }
        Ok(changed)
    }

    fn settle<T>(&mut self, result: Result<T, (Fault, Error)>) -> Result<T, Error> {
        match result {
            Ok(value) => {
                self.fault = None;
                Ok(value)
            }
            Err((fault, error)) => {
                self.fault = Some(fault);
                Err(error)
            }
        }
    }

    /// Only for a transaction without a fault: COMMIT of a failed one *succeeds*, and rolls back.
    pub(super) async fn commit(&mut self) -> Result<(), (Fault, Error)> {
        let On::Own(client) = &self.on else { return Ok(()) };
        if !self.open {
            return Ok(());
        }
        // Until the answer is here, a cancelled caller leaves a transaction that a ROLLBACK may follow harmlessly.
        let result = client.batch_execute("COMMIT").await;
        let closed = client.is_closed();
        match result {
            Ok(()) => {
                self.open = false;
                Ok(())
            }
            Err(error) => {
                let fault = convert::fault(&error, closed, false);
                // An error that PostgreSQL answered has ended the transaction.
                self.open = false;
                self.fault = Some(fault);
                Err((fault, convert::statement(error, fault, "COMMIT")))
            }
        }
    }

    pub(super) async fn rollback(&mut self) {
        let On::Own(client) = &self.on else { return };
        let useful = match self.fault {
            Some(Fault::Lost | Fault::Stale) => false,
            _ if self.open => client.batch_execute("ROLLBACK").await.is_ok(),
            _ => true,
        };
        self.open = false;
        if !useful {
            self.fault = Some(Fault::Lost);
        }
    }
}

impl Drop for PgTx {
    fn drop(&mut self) {
        let On::Own(client) = std::mem::replace(&mut self.on, On::Nothing) else { return };
        if matches!(self.fault, Some(Fault::Lost | Fault::Stale)) {
            // Not back into the pool.
            drop(Object::take(*client));
            return;
        }
        if !self.open {
            return;
        }
        // The caller was cancelled. The connection goes back to the pool when ROLLBACK is answered, behind
        // whatever still runs on it, so that the next one does not wait for that.
        let mut leaving = Leaving(Some(*client));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let connector = Arc::clone(&self.connector);
        runtime.spawn(async move {
            if let Some(client) = &leaving.0
                && end(client, &connector).await
            {
                drop(leaving.0.take());
            }
        });
    }
}

/// Rolls back what a cancelled caller left, and says whether the connection is fit for others.
async fn end(client: &ClientWrapper, connector: &Connector) -> bool {
    let mut rollback = pin!(client.batch_execute("ROLLBACK"));
    // A statement that waits for a lock, or scans, would keep the connection from others.
    if let Ok(answer) = tokio::time::timeout(PATIENCE, rollback.as_mut()).await {
        return answer.is_ok();
    }
    connector.cancel(client).await;
    matches!(tokio::time::timeout(Duration::from_secs(5), rollback).await, Ok(Ok(())))
}

/// A connection whose transaction is not known to be over: closed, unless it was taken out.
struct Leaving(Option<Object>);

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

fn values<'a>(sql: &'static str, args: &[&'a dyn Param]) -> Result<Vec<Value<'a>>, Error> {
    param::check(sql, known(sql).parameters, args)?;
    Ok(args.iter().map(|arg| arg.value()).collect())
}

/// With the types of the values: PostgreSQL need not guess, and NULL is typed.
async fn prepare(
    client: &ClientWrapper,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<Statement, tokio_postgres::Error> {
    let types: Vec<_> = values.iter().map(|value| value.kind().postgres()).collect();
    client.prepare_typed_cached(sql, &types).await
}

fn sort(
    error: tokio_postgres::Error,
    client: &ClientWrapper,
    writes: bool,
    sql: &'static str,
) -> (Fault, Error) {
    let fault = convert::fault(&error, client.is_closed(), writes);
    (fault, convert::statement(error, fault, sql))
}

async fn execute(
    client: &ClientWrapper,
    statement: &Statement,
    values: &[Value<'_>],
    rows: &mut Vec<Row>,
) -> Result<u64, tokio_postgres::Error> {
    let mut found = pin!(client.query_raw(statement, values.iter().copied()).await?);
    while let Some(row) = found.as_mut().try_next().await? {
        rows.push(Row::postgres(row));
    }
    Ok(found.rows_affected().unwrap_or(0))
}

async fn own(
    client: &ClientWrapper,
    began: bool,
    sql: &'static str,
    values: &[Value<'_>],
    rows: &mut Vec<Row>,
) -> Result<u64, tokio_postgres::Error> {
    let statement = prepare(client, sql, values).await?;
    if began {
        return execute(client, &statement, values, rows).await;
    }
    // In one go: each future sends at its first poll, in this order.
    let (begun, ran) = tokio::join!(
        biased;
        client.batch_execute(BEGIN),
        execute(client, &statement, values, rows),
    );
    begun.and(ran)
}

async fn pipelined(
    client: &ClientWrapper,
    sql: &'static str,
    rows: &[Vec<Value<'_>>],
) -> Result<u64, tokio_postgres::Error> {
    let Some(first) = rows.first() else { return Ok(0) };
    let statement = &prepare(client, sql, first).await?;
    let counts = try_join_all(rows.iter().map(|values| async move {
        let mut answer = Vec::new();
        execute(client, statement, values, &mut answer).await
    }));
    Ok(counts.await?.iter().sum())
}

async fn shared(
    readers: &Readers,
    sql: &'static str,
    values: &[Value<'_>],
    rows: &mut Vec<Row>,
) -> Result<u64, (Fault, Error)> {
    let mut again = true;
    loop {
        let client = readers.get().await.map_err(|error| (Fault::Lost, error))?;
        let ran = match prepare(&client, sql, values).await {
            Ok(statement) => execute(&client, &statement, values, rows).await,
            Err(error) => Err(error),
        };
        match ran.map_err(|error| sort(error, &client, false, sql)) {
            // A statement that only reads, and stands alone, can be asked once more.
            Err((Fault::Lost | Fault::Stale, _)) if again => {
                again = false;
                rows.clear();
                readers.discard(&client);
            }
            other => return other,
        }
    }
}
