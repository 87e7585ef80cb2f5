//! One `Db` over SQLite and PostgreSQL, and one closure for a transaction on either.
//!
//! It knows statements, rows and transactions. It does not know what they are about, nor the time.
//!
//! - `write` runs a closure that may run twice: draw ids, times and secrets before it, and await nothing but the `Tx`.
//! - An error rolls back, unless it says otherwise through [`Verdict`].
//! - A failed statement ends the transaction on both databases, whatever the closure makes of it:
//!   use `ON CONFLICT` and guarded updates, never catch and continue.
//! - Statements are `&'static str` with `$1`, `$2`, …; they run unchanged on both.
//! - READ COMMITTED: two statements of one `read` may see different states. `read_slow` sees one.

mod error;
mod migrate;
mod param;
mod postgres;
mod row;
mod sql;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
mod tx;

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

pub use error::{Cause, Error, MigrateError, OpenError};
pub use migrate::Migration;
pub use param::{Kind, Param, Value};
pub use row::{Cell, Column, Mismatch, Row};
use tx::{Read, Write, commits};
pub use tx::{Tx, Verdict};

/// A database. Clones are handles to the same one.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    backend: Backend,
    count: Arc<AtomicU64>,
}

enum Backend {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// What [`Db::listen`] hears, until this is dropped.
pub struct Hints(Option<postgres::Listener>);

impl Hints {
    /// Waits until something was said since the last time, or may have been while nobody listened.
    pub async fn heard(&self) {
        match &self.0 {
            Some(listener) => listener.heard().await,
            None => std::future::pending().await,
        }
    }
}

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// An SQLite file.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// How to open a database. Start from `Options::default()`.
#[derive(Clone, Debug)]
pub struct Options {
    /// SQLite: keep other servers out by a lock on `<file>.lock`. Off by default, so that a command
    /// can work on the file of a running server.
    pub lock: bool,
    /// PostgreSQL: connections for transactions.
    pub pool: usize,
    /// PostgreSQL: connections for reads, which all tasks share.
    pub readers: usize,
    /// SQLite: transactions that may wait for the writer; more are refused with [`Error::Busy`].
    pub queue: usize,
    /// PostgreSQL: longest time for one statement, unless the URL sets `statement_timeout` itself.
    pub statement_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { lock: false, pool: 16, readers: 2, queue: 4096, statement_timeout: Duration::from_secs(15) }
    }
}

impl Db {
    /// Whether a database can lie where a URL says, as far as that shows without touching anything: on SQLite that the
    /// folder is there.
    pub fn place(url: &str) -> Result<(), OpenError> {
        match sqlite_path(url)? {
            Some(path) => sqlite::Sqlite::place(&path),
            None => Ok(()),
        }
    }

    /// Opens `sqlite:path/to/file.db`, which is created when it is missing (its folder is not), or `postgres://…`.
    ///
    /// A PostgreSQL server that is away is no error here: calls answer [`Error::Unavailable`] until it comes, and
    /// [`Error::TurnedAway`] while it does not let us in.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let count = Arc::new(AtomicU64::new(0));
        let backend = if let Some(path) = sqlite_path(url)? {
            let count = Arc::clone(&count);
            let opened =
                tokio::task::spawn_blocking(move || sqlite::Sqlite::open(&path, &options, &count)).await;
            Backend::Sqlite(opened.map_err(Error::unavailable)??)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Backend::Postgres(postgres::Postgres::new(url, &options, &count)?)
        } else {
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(OpenError::BadUrl(format!("{scheme:?} is no known scheme")));
        };
        Ok(Self(Arc::new(Inner { backend, count })))
    }

    /// Which database it is.
    pub fn engine(&self) -> Engine {
        match self.0.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Applies the migrations that are missing, one transaction each, under a lock: several processes may try at once.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<(), MigrateError> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => migrate::sqlite(sqlite.path().to_owned(), migrations).await,
            Backend::Postgres(postgres) => migrate::postgres(postgres, migrations).await,
        }
    }

    /// The database server's clock, in microseconds since 1970; `None` where it is this machine's.
    pub async fn clock(&self) -> Result<Option<i64>, Error> {
        if self.engine() == Engine::Sqlite {
            return Ok(None);
        }
        let row = self
            .read(async |tx| {
                let sql = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";
                tx.one(sql, &[]).await
            })
            .await?;
        row.map(|row| row.get(0)).transpose()
    }

    /// The number of the newest migration that was applied; `None`: there is none yet. Only looks.
    pub async fn schema(&self) -> Result<Option<i64>, Error> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => migrate::sqlite_schema(sqlite.path().to_owned()).await,
            Backend::Postgres(postgres) => migrate::postgres_schema(postgres).await,
        }
    }

    /// Runs a closure as one transaction: `Ok` commits, an error rolls back unless its [`Verdict`] says otherwise.
    /// The closure may run several times. When this returns `Ok`, the data is on the disk.
    pub async fn write<F, T, E>(&self, f: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Verdict + Send + 'static,
    {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => Write::<F, T, E>::answer(sqlite.write(Write::new(f)).await),
            // Not as `Work`: that the closure's future may move between threads shows only where its type is known.
            Backend::Postgres(postgres) => {
                let mut tries = postgres.tries();
                loop {
                    let mut tx = tries.begin().await?;
                    let answer = f(&mut tx).await;
                    if tries.end(tx, commits(&answer)).await? {
                        return answer;
                    }
                }
            }
        }
    }

    /// Runs a closure that only reads, a few rows by key. It may borrow. Each statement sees what is committed then.
    pub async fn read<F, T, E>(&self, f: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T, E>,
        E: From<Error>,
    {
        let mut tx = self.0.reader().await?;
        // Nothing waits inside on SQLite, and nobody waits for one of its connections.
        let inline = tx.engine() == Engine::Sqlite;
        let answer = {
            let mut future = pin!(f(&mut tx));
            poll_fn(|context| match future.as_mut().poll(context) {
                Poll::Pending if inline => Poll::Ready(None),
                polled => polled.map(Some),
            })
            .await
        };
        let failed = self.0.end_read(tx, answer.is_some());
        match answer {
            Some(Err(error)) => Err(error),
            Some(answer) if !failed => answer,
            _ => Err(Error::Aborted.into()),
        }
    }

    /// Runs a closure that reads much: off the workers on SQLite, on a connection of its own on PostgreSQL,
    /// and all of its statements see the same state. Few run at once.
    pub async fn read_slow<F, T, E>(&self, f: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => Read::<F, T, E>::answer(sqlite.read_slow(Read::new(f)).await),
            Backend::Postgres(postgres) => {
                let mut tx = postgres.snapshot().await?;
                let answer = f(&mut tx).await;
                match postgres.end_snapshot(tx).await {
                    Err(error) if answer.is_ok() => Err(error.into()),
                    _ => answer,
                }
            }
        }
    }

    /// Listens for what is said on a channel with PostgreSQL's NOTIFY, over a connection of its own. Only a hint to
    /// look sooner: it may come late, twice or not at all, and never comes on SQLite.
    pub fn listen(&self, channel: &'static str) -> Hints {
        match &self.0.backend {
            Backend::Sqlite(_) => Hints(None),
            Backend::Postgres(postgres) => Hints(Some(postgres.listen(channel))),
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.ping().await,
            Backend::Postgres(postgres) => postgres.ping().await,
        }
    }

    /// Writes a consistent copy of an SQLite database while it is in use: into a file beside the target,
    /// which then takes its name. `progress` hears of pages done and pages in all.
    pub async fn backup_to(
        &self,
        path: &Path,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<(), Error> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.backup_to(path, progress).await,
            Backend::Postgres(_) => Err(Error::Unsupported(
                "the data lies in PostgreSQL: back it up with pg_dump --format=custom, restore it with pg_restore",
            )),
        }
    }

    /// Runs what is queued, writes everything into the one file, releases the lock.
    /// Other handles then get [`Error::Unavailable`].
    pub async fn shutdown(&self) {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.shutdown().await,
            Backend::Postgres(postgres) => postgres.shutdown(),
        }
    }

    /// [`Db::shutdown`], giving up this handle.
    pub async fn close(self) {
        self.shutdown().await;
    }

    /// How many statements closures have executed so far, repetitions included, BEGIN and COMMIT excluded.
    pub fn statements(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }
}

impl Inner {
    async fn reader(&self) -> Result<Tx, Error> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.reader().await,
            Backend::Postgres(postgres) => Ok(postgres.reading()),
        }
    }

    /// Takes a reader back and says whether a statement of it failed. `finished`: its closure awaited nothing else.
    fn end_read(&self, tx: Tx, finished: bool) -> bool {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.end_read(tx, finished),
            Backend::Postgres(_) => tx.into_postgres().failed(),
        }
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No URL: it may hold a password.
        f.debug_tuple("Db").field(&self.engine()).finish()
    }
}

fn sqlite_path(url: &str) -> Result<Option<PathBuf>, OpenError> {
    let Some(path) = url.strip_prefix("sqlite:") else { return Ok(None) };
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.ends_with('/') {
        return Err(OpenError::BadUrl("it names no file".into()));
    }
    if path == ":memory:" || path.contains(['?', '#']) {
        // A second connection would see another memory; and a question mark is hardly meant as part of a name.
        return Err(OpenError::BadUrl("SQLite is given as a plain path, without options".into()));
    }
    Ok(Some(path.into()))
}

/// A number for names and pauses that nobody else has. It need not be secret.
fn unique() -> u64 {
    // Each `RandomState` has keys of its own.
    std::hash::RandomState::new().build_hasher().finish()
}
