//! PostgreSQL: a pool for transactions, a few shared connections for reads.

mod connect;
mod convert;
mod listen;
mod pool;
mod tx;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

pub(crate) use connect::Connector;
use convert::Fault;
use deadpool_postgres::Pool;
pub(crate) use listen::Listener;
pub(crate) use tx::PgTx;

use crate::{Error, OpenError, Options, Tx, unique};

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

    /// The tries of one transaction.
    pub(crate) fn tries(&self) -> Tries<'_> {
        Tries { postgres: self, conflicts: 0, losses: 0 }
    }

    /// A reader: each statement sees what is committed then.
    pub(crate) fn reading(&self) -> Tx {
        Tx::postgres(PgTx::reader(Arc::clone(&self.readers), &self.connector, &self.count))
    }

    /// A reader whose statements all see one state.
    pub(crate) fn snapshot(&self) -> Boxed<'_, Tx> {
        Box::pin(async {
            let mut losses = 0;
            loop {
                let client = self.pool.get().await.map_err(convert::pool)?;
                match PgTx::snapshot(client, &self.connector, &self.count).await {
                    Ok(tx) => return Ok(Tx::postgres(tx)),
                    Err((Fault::Lost, _)) if losses < LOSSES => {
                        losses += 1;
                        pool::doubt(&self.pool);
                    }
                    Err((_, error)) => return Err(error),
                }
            }
        })
    }

    /// An error if a statement had failed.
    pub(crate) fn end_snapshot(&self, tx: Tx) -> Boxed<'_, ()> {
        Box::pin(async {
            let mut tx = tx.into_postgres();
            let failed = tx.failed();
            tx.rollback().await;
            if failed { Err(Error::Aborted) } else { Ok(()) }
        })
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

/// What surrounds a closure, in a box: its own future then holds a pointer instead of the driver's large futures.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// One transaction, tried again as long as that helps.
pub(crate) struct Tries<'a> {
    postgres: &'a Postgres,
    conflicts: u32,
    losses: u32,
}

impl Tries<'_> {
    pub(crate) fn begin(&self) -> Boxed<'_, Tx> {
        let Postgres { connector, pool, count, .. } = self.postgres;
        Box::pin(async move {
            let client = pool.get().await.map_err(convert::pool)?;
            Ok(Tx::postgres(PgTx::transaction(client, connector, count)))
        })
    }

    /// Ends a try whose closure asked for a commit, or did not. `true`: what it answered stands; `false`: once more.
    pub(crate) fn end(&mut self, tx: Tx, commits: bool) -> Boxed<'_, bool> {
        Box::pin(async move {
            let mut tx = tx.into_postgres();
            // The closure swallowed an error: what it believes to have written is not there.
            let aborted = commits && tx.failed();
            let fault = match tx.fault() {
                None if commits => match tx.commit().await {
                    Ok(()) => return Ok(true),
                    // COMMIT said that nothing was committed.
                    Err((Fault::Conflict, _)) => Some(Fault::Conflict),
                    Err((_, error)) => return Err(error),
                },
                fault => {
                    tx.rollback().await;
                    fault
                }
            };
            // Nothing of this try is left: it was rolled back, or died uncommitted with its connection.
            match fault {
                Some(Fault::Conflict) => {
                    self.conflicts += 1;
                    if self.conflicts == CONFLICTS {
                        return Err(Error::Conflict);
                    }
                    // Others may have the connection meanwhile.
                    drop(tx);
                    tokio::time::sleep(pause(self.conflicts)).await;
                    Ok(false)
                }
                Some(Fault::Lost | Fault::Stale) if self.losses < LOSSES => {
                    self.losses += 1;
                    drop(tx);
                    pool::doubt(&self.postgres.pool);
                    Ok(false)
                }
                _ if aborted => Err(Error::Aborted),
                _ => Ok(true),
            }
        })
    }
}

/// Grows, and differs between those who collided.
fn pause(round: u32) -> Duration {
    let most = 2_000 << round.min(6);
    Duration::from_micros(most / 2 + unique() % most)
}
