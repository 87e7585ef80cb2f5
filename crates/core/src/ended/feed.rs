//! What all readers of the revocation feed in one process share: the database is asked once for all of them, and not at
//! all while nobody reads.

use super::{Published, store};
use crate::{clock::Stopwatch, refusal::Result};
use latchstring_db::Db;
use std::{collections::VecDeque, time::Duration};
use tokio::sync::Mutex;

/// The database is asked no more often than this.
const LOOK: Duration = Duration::from_millis(80);
/// After so long without a reader, memory begins anew instead of catching up.
const ASLEEP: Duration = Duration::from_secs(5);
/// Endings that one look brings, and that one answer holds, at most.
const MOST: i64 = 1_000;
/// Endings that are remembered for readers who are a little behind. Those who are further behind ask the database.
const REMEMBERED: usize = 8_000;

/// The newest endings of the feed.
pub struct Feed {
    watch: Stopwatch,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the database was asked last.
    looked: Option<Duration>,
    /// Everything after this position is in `recent`, as of that look.
    base: i64,
    recent: VecDeque<Published>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { watch: Stopwatch::start(), state: Mutex::default() }
    }
}

impl Feed {
    /// What the feed has after `position`, oldest first, no more than some. A reader who asks again and again from the
    /// last position that it was given misses nothing.
    pub async fn after(&self, db: &Db, position: i64) -> Result<Vec<Published>> {
        {
            let mut state = self.state.lock().await;
            let now = self.watch.elapsed();
            match state.looked {
                Some(looked) if now.saturating_sub(looked) < LOOK => {}
                Some(looked) if now.saturating_sub(looked) < ASLEEP => state.look(db, now).await?,
                _ => {
                    state.recent.clear();
                    state.base = super::position(db).await?;
                    state.looked = Some(now);
                }
            }
            if position >= state.base {
                let seen = state.recent.partition_point(|e| e.position <= position);
                return Ok(state.recent.range(seen..).take(MOST as usize).cloned().collect());
            }
        }
        super::after(db, position, MOST).await
    }
}

impl State {
    async fn look(&mut self, db: &Db, now: Duration) -> Result<()> {
        let newest = self.recent.back().map_or(self.base, |e| e.position);
        let list = db.read(async |tx| store::after(tx, newest, MOST).await).await?;
        self.recent.extend(list);
        while self.recent.len() > REMEMBERED {
            self.base = self.recent.pop_front().map_or(self.base, |e| e.position);
        }
        self.looked = Some(now);
        Ok(())
    }
}
