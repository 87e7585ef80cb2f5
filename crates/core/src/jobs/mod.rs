//! The worker of the outbox, and the loops that keep a node up to date. The binary starts them by [`run`]; tests call
//! their steps by hand.

mod loops;

pub use loops::{run, run_at};

use crate::{
    clock::{DAY, MINUTE, Micros, SECOND},
    mail, outbox,
    realm::Realm,
    refusal::Result,
    session,
};
use uuid::Uuid;

/// A mail is given up after so long.
const GIVE_UP: Micros = 2 * DAY;
/// Five mails of twenty seconds each, the longest that one may take, fit into it.
const LEASE: Micros = 2 * MINUTE;

/// Does the jobs that are due; gives how many.
pub async fn work(realm: &Realm, mailer: &dyn mail::Mailer, holder: Uuid) -> Result<usize> {
    let jobs = outbox::take(realm.db(), realm.ground(), holder, LEASE, 5).await?;
    let n = jobs.len();
    for job in jobs {
        let outcome = match job.kind.as_str() {
            mail::JOB => match serde_json::from_slice::<mail::Letter>(&job.payload) {
                Ok(letter) => mail::send(mailer, &realm.settings().1.name, &letter.render(realm)).await,
                // A newer node may have written it, and will send it.
                Err(_) => Err(mail::MailError::Later("the payload can't be read".into())),
            },
            "nothing" => Ok(()),
            _ => Err(mail::MailError::Later("this binary does not know such a job".into())),
        };
        let now = realm.now();
        match outcome {
            Ok(()) => outbox::done(realm.db(), job.id, holder, now).await?,
            Err(mail::MailError::Later(why)) if job.tries < 200 => {
                // 10 s, 20 s, 40 s, … up to 15 minutes.
                let wait = ((10 * SECOND) << (job.tries - 1).clamp(0, 7)).min(15 * MINUTE);
                let age = now - made_at(job.id.0);
                if age > GIVE_UP {
                    tracing::error!(job = %job.id, why, "a mail could not be sent for two days and is given up");
                    outbox::fail(realm.db(), job.id, holder, now, &why).await?;
                } else {
                    tracing::warn!(job = %job.id, why, tries = job.tries, "a mail could not be sent and is tried again");
                    outbox::again(realm.db(), job.id, holder, now + wait, &why).await?;
                }
            }
            Err(mail::MailError::Later(why) | mail::MailError::Never(why)) => {
                tracing::error!(job = %job.id, kind = job.kind, why, "a job is given up");
                outbox::fail(realm.db(), job.id, holder, now, &why).await?;
            }
        }
    }
    Ok(n)
}

/// When an id was made, by its own word.
fn made_at(id: Uuid) -> Micros {
    id.get_timestamp().map_or(0, |t| {
        let (seconds, nanos) = t.to_unix();
        i64::try_from(seconds).unwrap_or(0) * SECOND + i64::from(nanos) / 1_000
    })
}

/// Writes the last uses of sessions that were gathered.
pub async fn flush_uses(realm: &Realm) -> Result<()> {
    let mut uses = realm.take_touched();
    // All nodes take the rows in one order, or two of them could each wait for a row that the other holds.
    uses.sort_unstable_by_key(|(id, _)| id.0);
    for chunk in uses.chunks(500) {
        let chunk = chunk.to_vec();
        realm.db().write(async move |tx| -> Result<()> { session::store::touch(tx, &chunk).await }).await?;
    }
    Ok(())
}
