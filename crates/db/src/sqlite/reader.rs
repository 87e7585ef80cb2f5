//! Reads: on the task that asks for them, since a point read costs less than handing it over.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{SqliteTx, open};
use crate::{Error, Tx, poll_once};

/// Scans at the same time; more wait.
const SCANS: usize = 4;

pub(super) struct Readers(Arc<Shared>);

struct Shared {
    path: PathBuf,
    count: Arc<AtomicU64>,
    /// Reads don't wait inside, so there are hardly more connections than workers.
    idle: Mutex<Vec<Connection>>,
    keep: usize,
    closed: AtomicBool,
    scans: Semaphore,
}

impl Readers {
    pub(super) fn new(path: &Path, count: &Arc<AtomicU64>) -> Self {
        let workers = std::thread::available_parallelism().map_or(4, usize::from);
        Self(Arc::new(Shared {
            path: path.to_owned(),
            count: Arc::clone(count),
            idle: Mutex::default(),
            keep: workers + SCANS,
            closed: AtomicBool::new(false),
            scans: Semaphore::new(SCANS),
        }))
    }

    pub(super) fn read<F, T, E>(&self, f: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T, E>,
        E: From<Error>,
    {
        self.0.read(f, false)
    }

    pub(super) async fn read_slow<F, T, E>(&self, f: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        // `close` closes it: who waits then learns that the database is shut.
        let _turn = self.0.scans.acquire().await.map_err(|_| closed())?;
        let shared = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || shared.read(f, true)).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => Err(Error::unavailable(error).into()),
            },
        }
    }

    pub(super) fn ping(&self) -> Result<(), Error> {
        let connection = self.0.take()?;
        let answer = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        self.0.put(connection);
        answer.map_err(|error| Error::sqlite(error, "ping"))
    }

    pub(super) fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.scans.close();
        self.0.idle.lock().clear();
    }
}

impl Shared {
    fn read<F, T, E>(&self, f: F, snapshot: bool) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T, E>,
        E: From<Error>,
    {
        let connection = self.take()?;
        if snapshot {
            connection.execute_batch("BEGIN").map_err(|error| Error::sqlite(error, "BEGIN"))?;
        }
        let mut tx = Tx::sqlite(SqliteTx::new(connection, Arc::clone(&self.count)));
        let result = poll_once(f(&mut tx));
        let (connection, failed) = tx.into_sqlite().end();
        if snapshot {
            // On failure the check below drops the connection.
            let _ = connection.execute_batch("ROLLBACK");
        }
        if connection.is_autocommit() {
            self.put(connection);
        }
        match result {
            Some(Ok(_)) if failed => Err(Error::Aborted.into()),
            Some(result) => result,
            None => {
                tracing::error!("a database read awaited something other than its transaction");
                Err(Error::Aborted.into())
            }
        }
    }

    fn take(&self) -> Result<Connection, Error> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(closed());
        }
        if let Some(connection) = self.idle.lock().pop() {
            return Ok(connection);
        }
        let connection = open::connect(&self.path).and_then(|connection| {
            // Half of the default: each keeps its own, and what is not there is a read from the system's own cache.
            connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -1000")?;
            Ok(connection)
        });
        connection.map_err(|error| Error::sqlite(error, "open"))
    }

    fn put(&self, connection: Connection) {
        let mut idle = self.idle.lock();
        if idle.len() < self.keep && !self.closed.load(Ordering::SeqCst) {
            idle.push(connection);
        }
    }
}

fn closed() -> Error {
    Error::unavailable("the database was shut down")
}
