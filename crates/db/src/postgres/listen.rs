//! Hints between processes, by LISTEN and NOTIFY.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, Connection};

use super::connect::Connector;

/// Between two tries to connect.
const AGAIN: Duration = Duration::from_secs(1);

/// A connection of its own that listens, made again when it is lost, until this is dropped.
pub(crate) struct Listener {
    heard: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(super) fn start(connector: &Arc<Connector>, channel: &'static str) -> Self {
        let heard = Arc::new(Notify::new());
        let task = tokio::spawn({
            let (connector, heard) = (Arc::clone(connector), Arc::clone(&heard));
            async move {
                loop {
                    if let Err(error) = connector.listen(channel, &heard).await {
                        // Nothing is missing but haste. Statements tell of a server that is away.
                        tracing::debug!(error = %error, channel, "not listening; trying again");
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
        });
        Self { heard, task }
    }

    pub(crate) async fn heard(&self) {
        self.heard.notified().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens on a connection until it ends.
pub(super) async fn on<S, T>(
    (client, mut connection): (Client, Connection<S, T>),
    channel: &str,
    heard: &Notify,
) -> Result<(), tokio_postgres::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let ask = async {
        client.batch_execute(&format!("LISTEN {channel}")).await?;
        // What was said before is not told again.
        heard.notify_one();
        pending().await
    };
    let listen = async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message? {
                heard.notify_one();
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = ask => ended,
        ended = listen => ended,
    }
}
