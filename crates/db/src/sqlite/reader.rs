//! Reads: on the task that asks for them, since a point read costs less than handing it over.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{SqliteTx, open};
use crate::tx::Work;
use crate::{Error, Tx};

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

    /// A reader for a few statements, each of which sees what is committed then.
    pub(super) fn begin(&self) -> Result<Tx, Error> {
        Ok(self.0.reader(self.0.take()?))
    }

    /// Takes a reader back and says whether a statement of it failed. `finished`: its closure awaited nothing else.
    pub(super) fn end(&self, tx: Tx, finished: bool) -> bool {
        let (connection, failed) = tx.into_sqlite().end();
        self.0.put_back(connection, finished);
        failed
    }

    pub(super) async fn read_slow(&self, mut work: Box<dyn Work>) -> Result<Box<dyn Work>, Error> {
        // `close` closes it: who waits then learns that the database is shut.
        let _turn = self.0.scans.acquire().await.map_err(|_| closed())?;
        let shared = Arc::clone(&self.0);
        let run = move || shared.snapshot(&mut *work).map(|()| work);
        match tokio::task::spawn_blocking(run).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => Err(Error::unavailable(error)),
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
    fn reader(&self, connection: Connection) -> Tx {
        Tx::sqlite(SqliteTx::new(connection, Arc::clone(&self.count)))
    }

    /// Runs a closure whose statements all see one state.
    fn snapshot(&self, work: &mut dyn Work) -> Result<(), Error> {
        let connection = self.take()?;
        connection.execute_batch("BEGIN").map_err(|error| Error::sqlite(error, "BEGIN"))?;
        let mut tx = self.reader(connection);
        let succeeded = work.run(&mut tx);
        let (connection, failed) = tx.into_sqlite().end();
        // On failure the check that follows drops the connection.
        let _ = connection.execute_batch("ROLLBACK");
        self.put_back(connection, succeeded.is_some());
        // A closure that swallowed an error does not know what it read.
        if succeeded.is_none_or(|succeeded| succeeded && failed) { Err(Error::Aborted) } else { Ok(()) }
    }

    fn put_back(&self, connection: Connection, finished: bool) {
        if connection.is_autocommit() {
            self.put(connection);
        }
        if !finished {
            tracing::error!("a database read awaited something other than its transaction");
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
