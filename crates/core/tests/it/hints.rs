//! A revocation on another node is known sooner than the next poll, where the database can tell.

use latchstring_core::{
    jobs,
    testing::{PASSWORD, TestRealm},
};
use latchstring_db::Engine;
use std::time::Duration;
use tokio::{sync::watch, time::sleep};

#[tokio::test(flavor = "multi_thread")]
async fn another_node_hears_of_an_ending_before_its_next_poll() {
    let test = TestRealm::new().await;
    if test.realm.db().engine() != Engine::Postgres {
        return;
    }
    let node = test.node().await;
    let (stop, stopping) = watch::channel(false);
    // So long that the poll itself can't be what is seen.
    let hour = Duration::from_secs(3_600);
    let loops = tokio::spawn(jobs::run_at(hour, node.clone(), test.mailbox.clone(), stopping));
    test.sign_up("ada@northwind.example", PASSWORD).await;
    // The first may be seen by the look at the start, the later ones by being told alone.
    for _ in 0..3 {
        let ada = test.sign_in("ada@northwind.example", PASSWORD).await;
        let session = ada.completed().session;
        ada.sign_out().await;
        let mut tries = 0;
        while !node.ended().session_ended(session) {
            tries += 1;
            assert!(tries < 500, "it was not heard in ten seconds");
            sleep(Duration::from_millis(20)).await;
        }
    }
    stop.send(true).expect("the loops run");
    loops.await.expect("they end");
}
