//! Proofs that are being evaluated in this process, by the key under which their failures count. A try counts as failed
//! until it is known to be right, so somebody who signs in several times at once would throttle themselves: whoever
//! comes too early beside others waits for what becomes of one of them, and is counted again. A guesser gains nothing
//! by that, since the count decides each time.

use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::watch;

/// How often somebody is counted again at most.
pub(crate) const ROUNDS: usize = 4;

struct Under {
    /// Being counted or evaluated.
    now: usize,
    /// Since there was last none.
    begun: usize,
    /// Being evaluated.
    evaluated: usize,
    /// Moves when an evaluation is over; goes with the last of all.
    over: watch::Sender<()>,
}

type All = Arc<Mutex<HashMap<[u8; 32], Under>>>;

/// What is under evaluation: in memory for as long as it lasts, so no more than there are requests to answer.
#[derive(Default)]
pub struct Proving(All);

/// One try. It is over when this is dropped, which is after its outcome was written.
pub struct Evaluation {
    all: All,
    key: [u8; 32],
    counted: bool,
}

/// The tries beside one that came too early.
pub struct Others(Option<watch::Receiver<()>>);

impl Proving {
    /// A try begins: before it is counted, or another could find it counted and nothing to wait for.
    pub fn begin(&self, key: [u8; 32]) -> Evaluation {
        let mut all = self.0.lock();
        let under = all.entry(key).or_insert_with(|| Under {
            now: 0,
            begun: 0,
            evaluated: 0,
            over: watch::channel(()).0,
        });
        under.now += 1;
        under.begun += 1;
        Evaluation { all: self.0.clone(), key, counted: false }
    }
}

impl Evaluation {
    /// It has been counted, and is evaluated from here on.
    #[must_use]
    pub fn counted(mut self) -> Self {
        if let Some(under) = self.all.lock().get_mut(&self.key) {
            under.evaluated += 1;
            self.counted = true;
        }
        self
    }

    /// It comes too early. Gives the others, if there were any meanwhile.
    pub fn too_early(self) -> Option<Others> {
        let all = self.all.lock();
        let under = all.get(&self.key).filter(|under| under.begun > 1)?;
        Some(Others((under.evaluated > 0).then(|| under.over.subscribe())))
    }
}

impl Others {
    /// Waits until the next evaluation is over, if there is one: never for those that are only being counted, which in
    /// a flood are always some.
    pub async fn wait(self) {
        if let Some(mut over) = self.0 {
            // An error says that the last one has gone.
            let _ = over.changed().await;
        }
    }
}

impl Drop for Evaluation {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(under) = all.get_mut(&self.key) {
            under.now -= 1;
            if self.counted {
                under.evaluated -= 1;
                under.over.send_replace(());
            }
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
        let counting = proving.begin(key);
        proving.begin(key).too_early().expect("the first").wait().await;
        let first = counting.counted();
        let second = proving.begin(key).counted();
        let waiting = tokio::spawn(proving.begin(key).too_early().expect("two").wait());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.expect("told of one");
        let waiting = tokio::spawn(proving.begin(key).too_early().expect("one").wait());
        tokio::task::yield_now().await;
        drop(second);
        waiting.await.expect("told of the last");
        assert!(proving.0.lock().is_empty());
        assert!(proving.begin(key).too_early().is_none(), "those of before are forgotten");
    }
}
