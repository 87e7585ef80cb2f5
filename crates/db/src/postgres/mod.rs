//! PostgreSQL: a pool for transactions, a few shared connections for reads.

mod connect;
mod convert;
mod listen;
mod pool;
mod tx;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

pub(crate) use connect::Connector;
use convert::Fault;
use deadpool_postgres::Pool;
pub(crate) use listen::Listener;
pub(crate) use tx::PgTx;

use crate::tx::judge;
use crate::{Error, OpenError, Options, Tx, Verdict, unique};

/// Tries of a transaction that collides with others.
const CONFLICTS: u32 = 8;
/// Further tries after a lost connection. A restarted server leaves a pool of dead ones;
/// most are noticed before use, so that two are enough.
const LOSSES: u32 = 2;

/// A PostgreSQL database.
pub(crate) struct Postgres {
    connector: Arc<Connector>,
    pool: Pool,
    readers: Arc<pool::Readers>,
    count: Arc<AtomicU64>,
}

impl Postgres {
    /// Connects to nothing yet.
    pub(crate) fn new(url: &str, options: &Options, count: &Arc<AtomicU64>) -> Result<Self, OpenError> {
        let connector = Arc::new(Connector::new(url, options)?);
        let pool = pool::pool(&connector, options)?;
        let readers = Arc::new(pool::Readers::new(&connector, options.readers));
        Ok(Self { connector, pool, readers, count: Arc::clone(count) })
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// One of the shared connections for reads.
    pub(crate) async fn reader(&self) -> Result<Arc<deadpool_postgres::ClientWrapper>, Error> {
        self.readers.get().await
    }

    pub(crate) async fn write<F, T, E>(&self, f: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Verdict + Send + 'static,
    {
        let (mut conflicts, mut losses) = (0, 0);
        loop {
            let client = self.pool.get().await.map_err(convert::pool)?;
            let mut tx = Tx::postgres(PgTx::transaction(client, &self.connector, &self.count));
            let result = f(&mut tx).await;
            let mut tx = tx.into_postgres();
            let (result, commits) = judge(result, tx.fault().is_some());
            let fault = match tx.fault() {
                None if commits => match tx.commit().await {
                    Ok(()) => return result,
                    // COMMIT said that nothing was committed.
                    Err((Fault::Conflict, _)) => Some(Fault::Conflict),
                    Err((_, error)) => return Err(error.into()),
                },
                fault => {
                    tx.rollback().await;
                    fault
                }
            };
            // Nothing of this try is left: it was rolled back, or died uncommitted with its connection.
            match fault {
                Some(Fault::Conflict) => {
                    conflicts += 1;
                    if conflicts == CONFLICTS {
                        return Err(Error::Conflict.into());
                    }
                    tokio::time::sleep(pause(conflicts)).await;
                }
                Some(Fault::Lost | Fault::Stale) if losses < LOSSES => losses += 1,
                _ => return result,
            }
        }
    }

    pub(crate) async fn read<F, T, E>(&self, f: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T, E>,
        E: From<Error>,
    {
        let mut tx = Tx::postgres(PgTx::reader(Arc::clone(&self.readers), &self.connector, &self.count));
        let result = f(&mut tx).await;
        match result {
            Ok(_) if tx.into_postgres().fault().is_some() => Err(Error::Aborted.into()),
            result => result,
        }
    }

    pub(crate) async fn read_slow<F, T, E>(&self, f: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T, E>,
        E: From<Error>,
    {
        let mut losses = 0;
        let tx = loop {
            let client = self.pool.get().await.map_err(convert::pool)?;
            match PgTx::snapshot(client, &self.connector, &self.count).await {
                Ok(tx) => break tx,
                Err((Fault::Lost, _)) if losses < LOSSES => losses += 1,
                Err((_, error)) => return Err(error.into()),
            }
        };
        let mut tx = Tx::postgres(tx);
        let result = f(&mut tx).await;
        let mut tx = tx.into_postgres();
        let failed = tx.fault().is_some();
        tx.rollback().await;
        match result {
            Ok(_) if failed => Err(Error::Aborted.into()),
            result => result,
        }
    }

    pub(crate) fn listen(&self, channel: &'static str) -> Listener {
        Listener::start(&self.connector, channel)
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.readers.ping().await
    }

    pub(crate) fn shutdown(&self) {
        self.pool.close();
        self.readers.close();
    }
}

/// Grows, and differs between those who collided.
fn pause(round: u32) -> Duration {
    let most = 2_000 << round.min(6);
    Duration::from_micros(most / 2 + unique() % most)
}
