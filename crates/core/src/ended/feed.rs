//! What all readers of the revocation feed in one process share: the database is asked once for all of them, and not at
//! all while nobody reads.

use super::{Published, store};
use crate::{
    clock::{SECOND, Stopwatch},
    id::ApiKeyId,
    refusal::{Kind, Refusal, Result},
};
use latchstring_db::Db;
use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Mutex;

/// The database is asked no more often than this.
const LOOK: Duration = Duration::from_millis(80);
/// After so long without a reader, memory begins anew instead of catching up.
const ASLEEP: Duration = Duration::from_secs(5);
/// Endings that one look brings, and that one answer holds, at most.
const MOST: i64 = 1_000;
/// Endings that are remembered for readers who are a little behind. Those who are further behind ask the database.
const REMEMBERED: usize = 8_000;

/// Readers that one API key may have at a process at once. Each costs a connection and ten looks a second.
pub const READERS: usize = 20;

/// The newest endings of the feed.
pub struct Feed {
    watch: Stopwatch,
    state: Mutex<State>,
    readers: Readers,
}

type Readers = Arc<parking_lot::Mutex<HashMap<ApiKeyId, usize>>>;

/// A reader's place, held for as long as it follows.
pub struct Place {
    key: ApiKeyId,
    readers: Readers,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut readers = self.readers.lock();
        if let Entry::Occupied(mut open) = readers.entry(self.key) {
            *open.get_mut() -= 1;
            if *open.get() == 0 {
                open.remove();
            }
        }
    }
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
        Self { watch: Stopwatch::start(), state: Mutex::default(), readers: Readers::default() }
    }
}

impl Feed {
    /// Takes a place for one more reader by this key.
    pub fn place(&self, key: ApiKeyId) -> Result<Place, Refusal> {
        let mut readers = self.readers.lock();
        let open = readers.entry(key).or_default();
        if *open >= READERS {
            return Err(Refusal::new(Kind::RateLimited)
                .says(format!(
                    "This API key has {READERS} feeds open here already. Close one, or use another key."
                ))
                .retry_after_micros(10 * SECOND));
        }
        *open += 1;
        Ok(Place { key, readers: self.readers.clone() })
    }

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
