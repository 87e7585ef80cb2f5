//! SQLite: one thread writes, everybody else reads.

mod backup;
mod open;
mod reader;
mod tx;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub(crate) use tx::SqliteTx;

use crate::tx::Work;
use crate::{Error, OpenError, Options, Tx};

/// An opened SQLite file.
pub(crate) struct Sqlite {
    path: PathBuf,
    readers: reader::Readers,
    writer: writer::Writer,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, options: &Options, count: &Arc<AtomicU64>) -> Result<Self, OpenError> {
        let opened = open::open(path, options.lock)?;
        let readers = reader::Readers::new(path, count);
        let writer = writer::Writer::start(opened, options.queue, Arc::clone(count)).map_err(|error| {
            Error::unavailable(format!("the writer thread could not be started: {error}"))
        })?;
        Ok(Self { path: path.to_owned(), readers, writer })
    }

    /// Whether a database can lie there. Touches nothing.
    pub(crate) fn place(path: &Path) -> Result<(), OpenError> {
        open::place(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) async fn write(&self, work: Box<dyn Work>) -> Result<Box<dyn Work>, Error> {
        self.writer.write(work).await
    }

    pub(crate) async fn reader(&self) -> Result<Tx, Error> {
        // An inline read never waits, so a task that loops over reads would never yield and
        // would keep its worker, and with it the timers, for good.
        tokio::task::coop::consume_budget().await;
        self.readers.begin()
    }

    pub(crate) fn end_read(&self, tx: Tx, finished: bool) -> bool {
        self.readers.end(tx, finished)
    }

    pub(crate) async fn read_slow(&self, work: Box<dyn Work>) -> Result<Box<dyn Work>, Error> {
        self.readers.read_slow(work).await
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        if !self.writer.is_alive() {
            return Err(writer::ended());
        }
        self.readers.ping()
    }

    pub(crate) async fn backup_to(
        &self,
        target: &Path,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<(), Error> {
        let (source, target) = (self.path.clone(), target.to_owned());
        tokio::task::spawn_blocking(move || backup::backup(&source, &target, progress))
            .await
            .map_err(Error::unavailable)?
    }

    pub(crate) async fn shutdown(&self) {
        // The last connection to close removes the WAL, and that shall be the writer's.
        self.readers.close();
        self.writer.stop().await;
    }

    /// A connection for the migrations, which may take long and must not wait in the writer's queue.
    pub(crate) fn extra_connection(path: &Path) -> Result<rusqlite::Connection, Error> {
        open::connect(path).map_err(|error| Error::sqlite(error, "open"))
    }
}
