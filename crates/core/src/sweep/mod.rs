//! The sweeper: deletes what expired, in small steps, so that nothing grows without bound and no step holds the
//! writer for long.

pub mod store;

use crate::{
    clock::{DAY, HOUR, MINUTE},
    realm::Realm,
    refusal::Result,
};

/// Sweeps once, a bounded number of rows a table. Gives how many went.
pub async fn once(realm: &Realm) -> Result<u64> {
    let now = realm.now();
    let mut gone = 0;
    for step in [
        store::Step::Challenges(now - HOUR),
        store::Step::Attempts(now),
        store::Step::Browsers(now),
        store::Step::ExpireSessions(now),
        store::Step::ExpireFamilies(now),
        store::Step::Sessions(now - 7 * DAY),
        store::Step::Families(now - 7 * DAY),
        store::Step::Ended(now - MINUTE),
        store::Step::Tickets(now - DAY),
        store::Step::Limits(now - MINUTE),
        store::Step::Throttles(now - 7 * DAY),
        store::Step::Jobs(now - 7 * DAY),
        store::Step::FailedJobs(now - 7 * DAY),
        store::Step::Keys(now),
    ] {
        gone += realm.db().write(async move |tx| -> Result<u64> { store::run(tx, step).await }).await?;
    }
    Ok(gone)
}
