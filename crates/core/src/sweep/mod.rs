//! The sweeper: deletes what expired, in small steps, so that nothing grows without bound and no step holds the
//! writer for long.

pub mod store;

use crate::{
    account,
    audit::{self, Actor, Entry},
    clock::{DAY, HOUR, MINUTE, Micros},
    credential,
    id::UserId,
    lease,
    realm::Realm,
    refusal::Result,
    user,
};
use store::Step;
use uuid::Uuid;

/// What was handed out without any end counts as forgotten when it has not been used for so long. It is the longest
/// that any setting lets something live: shorter would end what a vendor's clients take to be good for ever.
const FORGOTTEN: Micros = 400 * DAY;
/// For so long an operator sees what became of an invitation or a key that is over; then the audit trail tells.
const HISTORY: Micros = 30 * DAY;
/// A sign-up whose address nobody has proven waits for so long; its owner may ask for the mail again until then.
const UNPROVEN: Micros = 30 * DAY;
/// Families that one step of their round looks at.
const BATCH: i64 = 1_000;
/// Steps that a table gets in one round at most: enough to keep up with thousands of rows a second.
const STEPS: usize = 50;
/// Accounts that one step deletes.
const ACCOUNTS: usize = 20;
/// A node that sweeps goes on doing so; another takes over when it has not been heard of for so long. A round that
/// takes longer is no harm: two nodes at once find each other's rows gone, no more.
const LEASE: Micros = MINUTE;

/// Sweeps, unless another node does. `holder`: this process. Gives how many rows went.
pub async fn round(realm: &Realm, holder: Uuid) -> Result<u64> {
    let now = realm.now();
    let ours = realm
        .db()
        .write(async move |tx| -> Result<bool> {
            lease::store::take(tx, "sweep", holder, now, now + LEASE).await
        })
        .await?;
    if ours { once(realm).await } else { Ok(0) }
}

/// Sweeps every table once: step after step while they are full, a bounded number of them. Gives how many rows went.
pub async fn once(realm: &Realm) -> Result<u64> {
    let now = realm.now();
    let mut gone = 0;
    let days = realm.settings().1.audit.keep_days;
    let audits = (days > 0).then(|| Step::Audits(now - days * DAY));
    let steps = [
        Step::Challenges(now - HOUR),
        Step::Attempts(now),
        Step::Browsers(now),
        Step::ExpireSessions(now),
        Step::ExpireFamilies(now),
        Step::Families(now - 7 * DAY),
        Step::Ended(now - MINUTE),
        Step::Tickets(now - DAY),
        Step::Limits(now - MINUTE),
        Step::Throttles(now - 7 * DAY),
        Step::Jobs(now - 7 * DAY),
        Step::FailedJobs(now - 7 * DAY),
        Step::Keys(now),
        Step::Invitations(now - HISTORY),
        Step::ApiKeys(now - HISTORY),
    ];
    for step in steps.into_iter().chain(audits) {
        gone += repeat(realm, Work::Table(step), now).await?;
    }
    gone += repeat(realm, Work::Sessions, now).await?;
    gone += repeat(realm, Work::UnusedFamilies, now).await?;
    gone += accounts(realm, now).await?;
    gone += claims(realm, now).await?;
    Ok(gone)
}

#[derive(Clone, Copy)]
enum Work {
    Table(Step),
    Sessions,
    UnusedFamilies,
}

/// Repeats a step while it is full, a bounded number of times. Others get their turn in between.
async fn repeat(realm: &Realm, work: Work, now: Micros) -> Result<u64> {
    let mut gone = 0;
    for _ in 0..STEPS {
        let (n, full) = match work {
            Work::Table(step) => (table(realm, step).await?, store::FULL),
            Work::Sessions => (sessions(realm, now).await?, store::FULL),
            // These are looked at in turn, over or not: another step where this one found some.
            Work::UnusedFamilies => (unused_families(realm, now).await?, 1),
        };
        gone += n;
        if n < full {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(gone)
}

async fn table(realm: &Realm, step: Step) -> Result<u64> {
    realm.db().write(async move |tx| -> Result<u64> { store::run(tx, step).await }).await
}

/// Accounts whose owners have not kept them, a bounded number of them. A transaction each: much may hang off one. One
/// that can't be deleted holds up no other; it is tried again in the next round.
async fn accounts(realm: &Realm, now: Micros) -> Result<u64> {
    let mut gone = 0;
    let mut after = (Micros::MIN, UserId(Uuid::nil()));
    for _ in 0..STEPS {
        let due = realm
            .db()
            .read(async |tx| user::store::due_for_deletion(tx, now, after, ACCOUNTS as i64).await)
            .await?;
        for (at, user) in &due {
            after = (*at, *user);
            match account::finish(realm, *user).await {
                Ok(deleted) => gone += u64::from(deleted),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(%user, error, "an account that is due can't be deleted");
                }
            }
        }
        if due.len() < ACCOUNTS {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(gone)
}

/// Accounts of sign-ups that nobody has confirmed.
async fn claims(realm: &Realm, now: Micros) -> Result<u64> {
    let mut gone = 0;
    let mut after = (Micros::MIN, UserId(Uuid::nil()));
    for _ in 0..STEPS {
        let due = realm
            .db()
            .read(async |tx| {
                credential::store::old_claims(tx, now - UNPROVEN, after, ACCOUNTS as i64, now).await
            })
            .await?;
        for (at, user) in &due {
            after = (*at, *user);
            gone += u64::from(claim(realm, *user, now).await?);
        }
        if due.len() < ACCOUNTS {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(gone)
}

async fn claim(realm: &Realm, user: UserId, now: Micros) -> Result<bool> {
    let entry = Entry::new(realm.ground().audit_id(), now, "user.deleted", Actor::Server)
        .on("user", user.0)
        .detail(serde_json::json!({ "unproven_sign_up": true }));
    realm
        .db()
        .write(async move |tx| -> Result<bool> {
            // Whoever proves the address takes the row too, and then it is a claim no more; so does who bans its owner.
            user::store::lock(tx, user, now).await?;
            let banned = user::store::find(tx, user).await?.is_none_or(|user| user.is_banned(now));
            if banned || !credential::store::is_claim(tx, user).await? {
                return Ok(false);
            }
            user::store::delete(tx, user).await?;
            audit::write(tx, entry.clone()).await?;
            Ok(true)
        })
        .await
}

async fn unused_families(realm: &Realm, now: Micros) -> Result<u64> {
    let forgotten = now - FORGOTTEN;
    realm
        .db()
        .write(async move |tx| -> Result<u64> { store::end_unused_families(tx, now, forgotten, BATCH).await })
        .await
}

/// Sessions that ended a week ago. A guest goes with the last one: nobody can ever be that guest again.
async fn sessions(realm: &Realm, now: Micros) -> Result<u64> {
    let ground = realm.ground().clone();
    realm
        .db()
        .write(async move |tx| -> Result<u64> {
            let users = store::sessions(tx, now - 7 * DAY).await?;
            for guest in store::lost_guests(tx, &users).await? {
                user::store::delete(tx, guest).await?;
                let entry = Entry::new(ground.audit_id(), now, "user.deleted", Actor::Server)
                    .on("user", guest.0)
                    .detail(serde_json::json!({ "unused_guest": true }));
                audit::write(tx, entry).await?;
            }
            Ok(users.len() as u64)
        })
        .await
}
