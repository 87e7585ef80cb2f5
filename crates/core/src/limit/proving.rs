//! Proofs that are being evaluated in this process, by the key under which their failures count. A try counts as failed
//! until it is known to be right, so somebody who signs in several times at once would throttle themselves: whoever
//! comes too early beside others waits for what becomes of them. A guesser gains nothing by waiting, since the count
//! decides again.

use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::watch;

/// Most times that anybody waits: each lets through as many as there are free tries.
pub(crate) const ROUNDS: usize = 4;

struct Under {
    now: usize,
    /// Since there was last none.
    begun: usize,
    over: watch::Sender<()>,
}

type All = Arc<Mutex<HashMap<[u8; 32], Under>>>;

/// What is under evaluation: in memory for as long as it lasts, so no more than there are requests to answer.
#[derive(Default)]
pub struct Proving(All);

/// One evaluation. It is over when this is dropped, which is after its outcome was written.
pub struct Evaluation {
    all: All,
    key: [u8; 32],
}

/// The evaluations beside one that came too early.
pub struct Others(watch::Receiver<()>);

impl Proving {
    /// An evaluation begins: before it is counted, or another could find it counted and nothing to wait for.
    pub fn begin(&self, key: [u8; 32]) -> Evaluation {
        let mut all = self.0.lock();
        let under = all.entry(key).or_insert_with(|| Under { now: 0, begun: 0, over: watch::channel(()).0 });
        under.now += 1;
        under.begun += 1;
        Evaluation { all: self.0.clone(), key }
    }
}

impl Evaluation {
    /// It comes too early. Gives the others, if there were any meanwhile.
    pub fn too_early(self) -> Option<Others> {
        let all = self.all.lock();
        all.get(&self.key).filter(|under| under.begun > 1).map(|under| Others(under.over.subscribe()))
    }
}

impl Others {
    /// Waits until none is left.
    pub async fn wait(mut self) {
        // Nothing is ever sent: the sender goes with the last of them.
        while self.0.changed().await.is_ok() {}
    }
}

impl Drop for Evaluation {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(under) = all.get_mut(&self.key) {
            under.now -= 1;
            if under.now == 0 {
                all.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn alone_there_is_nobody_to_wait_for() {
        let proving = Proving::default();
        let key = [7; 32];
        assert!(proving.begin(key).too_early().is_none());
        let first = proving.begin(key);
        let others = proving.begin(key).too_early().expect("the first");
        let waiting = tokio::spawn(others.wait());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.expect("told");
        assert!(proving.0.lock().is_empty());
        assert!(proving.begin(key).too_early().is_none(), "those of before are forgotten");
    }
}
