//! Connections that are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use parking_lot::RwLock;

use super::connect::{CREATE, Connector, Dial};
use super::convert;
use crate::{Error, OpenError, Options};

/// How long a caller waits for a connection.
const WAIT: Duration = Duration::from_secs(3);

pub(super) fn pool(connector: &Arc<Connector>, options: &Options) -> Result<Pool, OpenError> {
    // Fast: no query before use. What is broken is noticed by the first statement, and that is tried again.
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_connect(tokio_postgres::Config::new(), Dial(Arc::clone(connector)), config);
    Pool::builder(manager)
        .max_size(options.pool.max(1))
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(CREATE))
        .recycle_timeout(Some(CREATE))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| OpenError::Db(Error::unavailable(error)))
}

/// A connection was lost. Whatever took it may have taken the others that wait here, and which of them nobody has noticed
/// yet: the next try gets a new one.
pub(super) fn doubt(pool: &Pool) {
    let _ = pool.retain(|_, _| false);
}

/// Connections that all tasks share: statements are pipelined, so that one does the work of many.
/// Fit for statements that stand alone and are short, since an answer waits for those before it.
pub(super) struct Readers {
    connector: Arc<Connector>,
    slots: Box<[Slot]>,
    next: AtomicUsize,
    closed: AtomicBool,
}

/// Statements that go to the same connection before it is the next one's turn. So many, that the few of a start need
/// one connection: each costs the server a process.
const IN_A_ROW: usize = 16;

#[derive(Default)]
struct Slot {
    client: RwLock<Option<Arc<ClientWrapper>>>,
    /// Held while connecting, so that a hundred tasks don't connect a hundred times.
    connecting: tokio::sync::Mutex<()>,
}

impl Slot {
    fn live(&self) -> Option<Arc<ClientWrapper>> {
        self.client.read().as_ref().filter(|client| !client.is_closed()).cloned()
    }
}

impl Readers {
    pub(super) fn new(connector: &Arc<Connector>, count: usize) -> Self {
        Self {
            connector: Arc::clone(connector),
            slots: (0..count.max(1)).map(|_| Slot::default()).collect(),
            next: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        }
    }

    pub(super) async fn get(&self) -> Result<Arc<ClientWrapper>, Error> {
        let slot = &self.slots[self.next.fetch_add(1, Ordering::Relaxed) / IN_A_ROW % self.slots.len()];
        if let Some(client) = slot.live() {
            return Ok(client);
        }
        tokio::time::timeout(WAIT, self.connect(slot))
            .await
            .map_err(|_| Error::unavailable("no connection to PostgreSQL could be made in time"))?
    }

    async fn connect(&self, slot: &Slot) -> Result<Arc<ClientWrapper>, Error> {
        let _turn = slot.connecting.lock().await;
        if let Some(client) = slot.live() {
            return Ok(client);
        }
        if self.closed.load(Ordering::SeqCst) {
            return Err(convert::pool(deadpool_postgres::PoolError::Closed));
        }
        let client = Arc::new(self.connector.reader().await?);
        *slot.client.write() = Some(Arc::clone(&client));
        Ok(client)
    }

    /// Takes a connection out of use that turned out to be useless.
    pub(super) fn discard(&self, client: &Arc<ClientWrapper>) {
        for slot in &self.slots {
            let mut held = slot.client.write();
            if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, client)) {
                *held = None;
            }
        }
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        let client = self.get().await?;
        match tokio::time::timeout(WAIT, client.batch_execute("SELECT 1")).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                self.discard(&client);
                Err(convert::connecting(error))
            }
            Err(_) => Err(Error::unavailable("the PostgreSQL server did not answer in time")),
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        for slot in &self.slots {
            *slot.client.write() = None;
        }
    }
}
