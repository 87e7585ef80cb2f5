//! LISTEN and NOTIFY.

use std::time::Duration;

use latchstring_db::{Db, Engine, Error, Hints};
use tokio::time::timeout;

use crate::{fresh, is, lost::KILL_OTHERS};

async fn run(db: &Db, sql: &'static str) {
    db.write(async move |tx| -> Result<_, Error> { tx.exec(sql, &[]).await }).await.unwrap();
}

async fn hears(hints: &Hints) -> bool {
    timeout(Duration::from_secs(5), hints.heard()).await.is_ok()
}

/// Nothing is heard for a moment. By then what was said before has come.
async fn is_quiet(hints: &Hints) -> bool {
    timeout(Duration::from_millis(200), hints.heard()).await.is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_says_is_heard_when_it_is_committed_and_again_after_a_loss() {
    if !is(Engine::Postgres) {
        return;
    }
    let test = fresh().await;
    let other = test.reopen().await;
    let hints = test.db.listen("a_channel");
    assert!(hears(&hints).await, "now it listens, and something may have been said before");
    assert!(is_quiet(&hints).await);
    run(&other, "NOTIFY another_channel").await;
    assert!(is_quiet(&hints).await);
    for _ in 0..3 {
        run(&other, "NOTIFY a_channel").await;
        assert!(hears(&hints).await);
    }
    let given_up = other
        .write(async |tx| -> Result<(), Error> {
            tx.exec("NOTIFY a_channel", &[]).await?;
            Err(Error::Conflict)
        })
        .await;
    assert!(given_up.is_err() && is_quiet(&hints).await, "what was rolled back was never said");

    other.write(async |tx| -> Result<_, Error> { tx.one(KILL_OTHERS, &[]).await }).await.unwrap();
    assert!(hears(&hints).await, "it listens again, and something may have been said meanwhile");
    assert!(is_quiet(&hints).await);
    run(&other, "NOTIFY a_channel").await;
    assert!(hears(&hints).await);
}

#[tokio::test]
async fn sqlite_says_nothing() {
    if !is(Engine::Sqlite) {
        return;
    }
    let test = fresh().await;
    assert!(is_quiet(&test.db.listen("a_channel")).await);
}
