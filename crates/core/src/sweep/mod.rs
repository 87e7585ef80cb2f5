//! The sweeper: deletes what expired, in small steps, so that nothing grows without bound and no step holds the
//! writer for long.

pub mod store;

use crate::{
    clock::{DAY, HOUR, MINUTE, Micros},
    realm::Realm,
    refusal::Result,
};

/// What was handed out without any end counts as forgotten when it has not been used for so long. It is the longest
/// that any setting lets something live: shorter would end what a vendor's clients take to be good for ever.
const FORGOTTEN: Micros = 400 * DAY;
/// Families that one round looks at.
const BATCH: i64 = 1_000;

/// Sweeps once, a bounded number of rows a table. Gives how many went.
pub async fn once(realm: &Realm) -> Result<u64> {
    let now = realm.now();
    let mut gone = 0;
    let days = realm.settings().1.audit.keep_days;
    let audits = (days > 0).then(|| store::Step::Audits(now - days * DAY));
    let steps = [
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
    ];
    for step in steps.into_iter().chain(audits) {
        gone += realm.db().write(async move |tx| -> Result<u64> { store::run(tx, step).await }).await?;
    }
    gone += realm
        .db()
        .write(async move |tx| -> Result<u64> {
            store::end_unused_families(tx, now, now - FORGOTTEN, BATCH).await
        })
        .await?;
    Ok(gone)
}
