//! The background loops of a server: the pace of the steps is set here. They run side by side: a mail
//! server that takes its time must not delay the news of what has ended by a single tick.

use crate::{ended, jobs, mail::Mailer, realm::Realm, refusal, sweep};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Interval, MissedTickBehavior, interval, sleep, timeout},
};

/// How often a node catches up with the others, and looks for jobs.
const TICK: Duration = Duration::from_millis(200);
/// How often uses of sessions are written down.
const USES: Duration = Duration::from_secs(5);
/// How often what has expired is swept, in small steps, by one node at a time.
const SWEEP: Duration = Duration::from_secs(10);
/// Jobs that may wait for somebody else at the same time.
const WORKERS: usize = 4;
/// How long a job that has begun may go on after the stop. Later it is done again, when its lease is over.
const FINISH: Duration = Duration::from_secs(3);

/// After a hint that something has ended, others may follow: one look for all of them.
const GATHER: Duration = Duration::from_millis(10);

/// Runs all loops until `stop` says so, then does what was gathered and returns.
pub async fn run(realm: Realm, mailer: Arc<dyn Mailer>, stop: watch::Receiver<bool>) {
    run_at(TICK, realm, mailer, stop).await;
}

/// [`run`] at another pace than five times a second: for tests of what happens between two looks.
pub async fn run_at(tick: Duration, realm: Realm, mailer: Arc<dyn Mailer>, stop: watch::Receiver<bool>) {
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        workers.spawn(work(realm.clone(), mailer.clone(), Pace::new(tick, &stop)));
    }
    tokio::join!(
        follow(&realm, Pace::new(tick, &stop)),
        uses(&realm, Pace::new(USES, &stop)),
        sweep_up(&realm, Pace::new(SWEEP, &stop)),
    );
    note("note uses", jobs::flush_uses(&realm).await);
    // What the last requests have ended; else the next start tells it.
    note("publish endings", ended::publish(realm.db()).await.map(drop));
    if timeout(FINISH, async { while workers.join_next().await.is_some() {} }).await.is_err() {
        tracing::warn!("a job took too long and was cut off; it is done again later");
    }
}

async fn follow(realm: &Realm, mut pace: Pace) {
    // The poll is what counts; hints only hasten it.
    let hints = realm.db().listen(ended::CHANNEL);
    while pace.next_or(hints.heard()).await {
        note("catch up", realm.follow().await);
        note("publish endings", ended::publish(realm.db()).await.map(drop));
    }
}

async fn work(realm: Realm, mailer: Arc<dyn Mailer>, mut pace: Pace) {
    let holder = realm.ground().audit_id().0;
    while pace.next().await {
        note("do jobs", jobs::work(&realm, &*mailer, holder).await.map(drop));
    }
}

async fn uses(realm: &Realm, mut pace: Pace) {
    while pace.next().await {
        note("note uses", jobs::flush_uses(realm).await);
    }
}

async fn sweep_up(realm: &Realm, mut pace: Pace) {
    let holder = realm.ground().audit_id().0;
    while pace.next().await {
        note("sweep", sweep::round(realm, holder).await.map(drop));
        realm.ended().forget(realm.now());
        realm.cache().forget(realm.now());
    }
}

/// Ticks until the stop.
struct Pace {
    tick: Interval,
    stop: watch::Receiver<bool>,
}

impl Pace {
    fn new(pace: Duration, stop: &watch::Receiver<bool>) -> Self {
        let mut tick = interval(pace);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self { tick, stop: stop.clone() }
    }

    /// Waits for the next tick; no more of them at the stop.
    async fn next(&mut self) -> bool {
        self.next_or(std::future::pending()).await
    }

    /// [`Pace::next`], or a moment after `hint`, whichever is first.
    async fn next_or(&mut self, hint: impl Future<Output = ()>) -> bool {
        let hint = async {
            hint.await;
            sleep(GATHER).await;
        };
        tokio::select! {
            biased;
            // An error says that nobody is left who could tell us.
            _ = self.stop.wait_for(|stop| *stop) => false,
            _ = self.tick.tick() => true,
            () = hint => true,
        }
    }
}

/// A step that fails (the database is away) is tried again at the next tick, and says so.
fn note(what: &'static str, result: refusal::Result<()>) {
    match result {
        Ok(()) => {}
        Err(crate::Error::Refused(refusal)) => {
            tracing::warn!(what, why = refusal.kind.code(), "a background step waits");
        }
        Err(crate::Error::Fault(fault)) => {
            tracing::error!(what, error = &fault as &dyn std::error::Error, "a background step failed");
        }
    }
}
