//! The handle that a closure gets.

use std::any::Any;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::postgres::PgTx;
use crate::sqlite::SqliteTx;
use crate::{Engine, Error, Param, Row};

/// Whether an error commits what was done before it. The default is to roll back.
pub trait Verdict {
    /// `true` for a refusal that must leave its trace: a replay that revokes, a wrong password that counts.
    fn commits(&self) -> bool {
        false
    }
}

impl Verdict for Error {}

/// A closure and the place for its answer, of one type for all: what the engines do around a closure is compiled once,
/// not again for each of them.
pub(crate) trait Work: Any + Send {
    /// Runs the closure and keeps its answer. Says whether that answer means a commit, or `None` when the closure
    /// waited for something other than `tx`.
    fn run(&mut self, tx: &mut Tx) -> Option<bool>;
}

/// A closure of [`Db::write`](crate::Db::write).
pub(crate) struct Write<F, T, E> {
    f: F,
    answer: Option<Result<T, E>>,
}

impl<F, T, E> Write<F, T, E>
where
    F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Verdict + Send + 'static,
{
    pub(crate) fn new(f: F) -> Box<Self> {
        Box::new(Self { f, answer: None })
    }

    pub(crate) fn answer(done: Result<Box<dyn Work>, Error>) -> Result<T, E> {
        unpack::<Self>(done?).and_then(|work| work.answer).unwrap_or_else(|| Err(Error::Aborted.into()))
    }
}

impl<F, T, E> Work for Write<F, T, E>
where
    F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Verdict + Send + 'static,
{
    fn run(&mut self, tx: &mut Tx) -> Option<bool> {
        self.answer = None;
        self.answer = Some(poll_once((self.f)(tx))?);
        self.answer.as_ref().map(commits)
    }
}

/// A closure of [`Db::read_slow`](crate::Db::read_slow).
pub(crate) struct Read<F, T, E> {
    f: Option<F>,
    answer: Option<Result<T, E>>,
}

impl<F, T, E> Read<F, T, E>
where
    F: AsyncFnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    pub(crate) fn new(f: F) -> Box<Self> {
        Box::new(Self { f: Some(f), answer: None })
    }

    pub(crate) fn answer(done: Result<Box<dyn Work>, Error>) -> Result<T, E> {
        unpack::<Self>(done?).and_then(|work| work.answer).unwrap_or_else(|| Err(Error::Aborted.into()))
    }
}

impl<F, T, E> Work for Read<F, T, E>
where
    F: AsyncFnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    fn run(&mut self, tx: &mut Tx) -> Option<bool> {
        let f = self.f.take()?;
        self.answer = Some(poll_once(f(tx))?);
        self.answer.as_ref().map(Result::is_ok)
    }
}

fn unpack<W: Work>(work: Box<dyn Work>) -> Option<Box<W>> {
    (work as Box<dyn Any>).downcast().ok()
}

/// Whether an answer asks for a commit.
pub(crate) fn commits<T, E: Verdict>(answer: &Result<T, E>) -> bool {
    answer.as_ref().map_or_else(Verdict::commits, |_| true)
}

/// Polls a future that has nothing to wait for.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A transaction, or a reader. It owns its connection and has no lifetime, so that closures over it are `Send`.
pub struct Tx(Link);

// One per transaction, on the stack of its caller: no use in boxing the larger one.
enum Link {
    Sqlite(SqliteTx),
    Postgres(PgTx),
}

impl Tx {
    pub(crate) fn sqlite(tx: SqliteTx) -> Self {
        Self(Link::Sqlite(tx))
    }

    pub(crate) fn postgres(tx: PgTx) -> Self {
        Self(Link::Postgres(tx))
    }

    pub(crate) fn into_sqlite(self) -> SqliteTx {
        match self.0 {
            Link::Sqlite(tx) => tx,
            Link::Postgres(_) => unreachable!("SQLite made it"),
        }
    }

    pub(crate) fn into_postgres(self) -> PgTx {
        match self.0 {
            Link::Postgres(tx) => tx,
            Link::Sqlite(_) => unreachable!("PostgreSQL made it"),
        }
    }

    /// Which database it is, for the few statements that must differ.
    pub fn engine(&self) -> Engine {
        match self.0 {
            Link::Sqlite(_) => Engine::Sqlite,
            Link::Postgres(_) => Engine::Postgres,
        }
    }

    /// The only row, or none. Two rows are an error: a statement with more to say needs a `LIMIT 1`.
    pub async fn one(&mut self, sql: &'static str, args: &[&dyn Param]) -> Result<Option<Row>, Error> {
        let mut rows = Vec::new();
        self.run(sql, args, &mut rows).await?;
        if rows.len() > 1 {
            match &mut self.0 {
                Link::Sqlite(tx) => tx.fail(),
                Link::Postgres(tx) => tx.fail(),
            }
            return Err(Error::misuse(sql, format!("one row was expected, {} were found", rows.len())));
        }
        Ok(rows.pop())
    }

    /// All rows. The statement bounds their number.
    pub async fn all(&mut self, sql: &'static str, args: &[&dyn Param]) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        self.run(sql, args, &mut rows).await?;
        Ok(rows)
    }

    /// The number of rows that were changed.
    pub async fn exec(&mut self, sql: &'static str, args: &[&dyn Param]) -> Result<u64, Error> {
        self.run(sql, args, &mut Vec::new()).await
    }

    /// The statement once for each list of parameters, in one go on PostgreSQL. The number of changed rows in all.
    pub async fn many(&mut self, sql: &'static str, rows: &[&[&dyn Param]]) -> Result<u64, Error> {
        match &mut self.0 {
            Link::Sqlite(tx) => {
                let mut changed = 0;
                let mut answer = Vec::new();
                for args in rows {
                    changed += tx.run(sql, args, &mut answer)?;
                    answer.clear();
                }
                Ok(changed)
            }
            Link::Postgres(tx) => Box::pin(tx.many(sql, rows)).await,
        }
    }

    async fn run(
        &mut self,
        sql: &'static str,
        args: &[&dyn Param],
        rows: &mut Vec<Row>,
    ) -> Result<u64, Error> {
        match &mut self.0 {
            Link::Sqlite(tx) => tx.run(sql, args, rows),
            // Boxed, because the driver's futures are large and would swell every closure on SQLite too.
            Link::Postgres(tx) => Box::pin(tx.run(sql, args, rows)).await,
        }
    }
}
