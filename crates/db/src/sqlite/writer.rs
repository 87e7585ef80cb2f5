//! The one thread that writes, and commits together what waits together.
//!
//! Nothing waits on purpose for a larger group: while one group is being synced to the disk, the next one gathers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::SqliteTx;
use super::open::Opened;
use crate::tx::Work;
use crate::{Error, Tx};

/// Transactions in one commit. More would make the first of them wait long for its answer.
const GROUP: usize = 256;

/// The handle. Dropping it ends the thread.
pub(super) struct Writer {
    queue: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
    stopping: AtomicBool,
}

enum Message {
    /// In a box, since the queue allocates its places in advance.
    Run(Box<Job>),
    Stop(oneshot::Sender<()>),
}

/// How a job ended.
enum End {
    /// What it wrote is on the disk.
    Committed,
    /// It refused, or failed by itself; it was rolled back alone.
    RolledBack,
    /// Something around it failed.
    Failed(Error),
}

impl Writer {
    pub(super) fn start(opened: Opened, queue: usize, count: Arc<AtomicU64>) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(queue.max(1));
        let thread = std::thread::Builder::new().name("db-writer".into()).spawn(move || {
            // The lock is dropped after the connection: whoever gets it finds the file at rest.
            let Opened { connection, lock } = opened;
            let mut desk = Desk { connection: Some(connection), count };
            let asked = desk.work(&receiver);
            // Later writers see a closed queue, and jobs that are still in it are answered as such.
            drop(receiver);
            desk.close();
            drop(lock);
            if let Some(asked) = asked {
                let _ = asked.send(());
            }
        })?;
        Ok(Self { queue: Some(sender), thread: Some(thread), stopping: AtomicBool::new(false) })
    }

    pub(super) async fn write(&self, work: Box<dyn Work>) -> Result<Box<dyn Work>, Error> {
        if self.stopping.load(Ordering::SeqCst) {
            return Err(ended());
        }
        let (caller, answer) = oneshot::channel();
        let job = Job { work, caller, aborted: false, span: tracing::Span::current() };
        match self.queue.as_ref().map(|queue| queue.try_send(Message::Run(Box::new(job)))) {
            // The thread drops what it cannot run any more.
            Some(Ok(())) => answer.await.unwrap_or_else(|_| Err(ended())),
            Some(Err(TrySendError::Full(_))) => Err(Error::Busy),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(ended()),
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Runs what is queued, then closes the connection.
    pub(super) async fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let (asked, stopped) = oneshot::channel();
        let mut message = Message::Stop(asked);
        while let Some(queue) = &self.queue {
            match queue.try_send(message) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) => message = back,
                Err(TrySendError::Disconnected(_)) => return,
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let _ = stopped.await;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // A closed queue ends the thread. No caller is left, so that it has nothing to run.
        self.queue = None;
        if let Some(thread) = self.thread.take()
            // A closure may have held the last handle: the thread cannot wait for itself.
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

pub(super) fn ended() -> Error {
    Error::unavailable("the database was shut down")
}

/// What the thread works with.
struct Desk {
    /// Lent to the job that runs.
    connection: Option<Connection>,
    count: Arc<AtomicU64>,
}

impl Desk {
    fn work(&mut self, queue: &Receiver<Message>) -> Option<oneshot::Sender<()>> {
        let mut group = Vec::with_capacity(GROUP);
        while let Ok(first) = queue.recv() {
            let mut stop = None;
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    // A caller that has gone would not learn the outcome: better not to do it.
                    Message::Run(job) if job.is_wanted() => group.push(*job),
                    Message::Run(_) => {}
                    Message::Stop(asked) => {
                        stop = Some(asked);
                        break;
                    }
                }
                if group.len() < GROUP {
                    next = queue.try_recv().ok();
                }
            }
            match group.len() {
                0 => {}
                1 => group.drain(..).for_each(|job| self.alone(job)),
                _ => self.together(&mut group),
            }
            if stop.is_some() {
                return stop;
            }
        }
        None
    }

    /// One commit for all of them, each behind a savepoint.
    fn together(&mut self, group: &mut Vec<Job>) {
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            return fail_all(group, &error);
        }
        let mut verdicts = Vec::with_capacity(group.len());
        for (index, job) in group.iter_mut().enumerate() {
            let kept = self.execute("SAVEPOINT job").and_then(|()| {
                let commits = self.run(job);
                if !self.connection().is_autocommit() {
                    if !commits {
                        self.execute("ROLLBACK TO job")?;
                    }
                    self.execute("RELEASE job")?;
                }
                Ok(commits)
            });
            match kept {
                // Full disk, I/O error, no memory: SQLite has rolled back the whole group. Or the job
                // ended the transaction itself. It is answered; the others did nothing wrong.
                Ok(commits) if self.connection().is_autocommit() => {
                    let culprit = group.remove(index);
                    culprit.answer(if commits { End::Failed(Error::Aborted) } else { End::RolledBack });
                    return self.one_by_one(group);
                }
                Ok(commits) => verdicts.push(commits),
                Err(error) => {
                    tracing::warn!(error = %error, "a savepoint failed, the group runs again one by one");
                    self.roll_back();
                    return self.one_by_one(group);
                }
            }
        }
        match self.execute("COMMIT") {
            Ok(()) => {
                for (job, committed) in group.drain(..).zip(verdicts) {
                    job.answer(if committed { End::Committed } else { End::RolledBack });
                }
            }
            // A deferred constraint of one job must not fail its neighbours.
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
                self.roll_back();
                self.one_by_one(group);
            }
            // Refusals fail too: they may rest on what a neighbour wrote, and that is gone.
            Err(error) => {
                self.roll_back();
                fail_all(group, &error);
            }
        }
    }

    fn one_by_one(&mut self, group: &mut Vec<Job>) {
        for job in group.drain(..) {
            self.alone(job);
        }
    }

    /// A transaction of its own.
    fn alone(&mut self, mut job: Job) {
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            return job.answer(End::Failed(Error::sqlite(error, "BEGIN IMMEDIATE")));
        }
        let commits = self.run(&mut job);
        let ended = self.connection().is_autocommit();
        let end = match commits {
            true if ended => End::Failed(Error::Aborted),
            true => match self.execute("COMMIT") {
                Ok(()) => End::Committed,
                Err(error) => End::Failed(Error::sqlite(error, "COMMIT")),
            },
            false => End::RolledBack,
        };
        self.roll_back();
        job.answer(end);
    }

    fn run(&mut self, job: &mut Job) -> bool {
        let connection = self.connection.take().expect("no job runs while another one does");
        let (connection, commits) = job.run(connection, &self.count);
        self.connection = Some(connection);
        commits
    }

    fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("it was put back after the job")
    }

    fn execute(&self, sql: &'static str) -> rusqlite::Result<()> {
        self.connection().prepare_cached(sql)?.execute([]).map(|_| ())
    }

    fn roll_back(&self) {
        if !self.connection().is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(error = %error, "a rollback failed");
        }
    }

    /// Leaves one file: no WAL to copy or to forget.
    fn close(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let tidy = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
        if let Err(error) = tidy {
            tracing::warn!(error = %error, "the last checkpoint failed; the WAL is read at the next start");
        }
    }
}

fn fail_all(group: &mut Vec<Job>, error: &rusqlite::Error) {
    for job in group.drain(..) {
        // The error cannot be cloned, its text can.
        job.answer(End::Failed(Error::unavailable(error.to_string())));
    }
}

/// A closure in the queue, and who waits for it.
struct Job {
    work: Box<dyn Work>,
    /// Gets the closure back, with its answer inside.
    caller: oneshot::Sender<Result<Box<dyn Work>, Error>>,
    /// What the closure answered does not count.
    aborted: bool,
    span: tracing::Span,
}

impl Job {
    fn is_wanted(&self) -> bool {
        !self.caller.is_closed()
    }

    /// Runs the closure and says whether to commit. May be called again after a rollback.
    fn run(&mut self, connection: Connection, count: &Arc<AtomicU64>) -> (Connection, bool) {
        let mut tx = Tx::sqlite(SqliteTx::new(connection, Arc::clone(count)));
        // Statements answer at once here, so the future of a well-behaved closure is ready at its first poll.
        // A panic, such as that of a timer without a runtime, must not end the thread.
        let ran = catch_unwind(AssertUnwindSafe(|| self.span.in_scope(|| self.work.run(&mut tx))));
        let (connection, failed) = tx.into_sqlite().end();
        let commits = match ran {
            // A closure that swallowed an error: what it believes to have written is not there.
            Ok(Some(commits)) => (!(commits && failed)).then_some(commits),
            Ok(None) => {
                tracing::error!(parent: &self.span, "a transaction awaited something other than itself");
                None
            }
            Err(_) => {
                tracing::error!(parent: &self.span, "a transaction panicked");
                None
            }
        };
        self.aborted = commits.is_none();
        (connection, commits.unwrap_or(false))
    }

    fn answer(self, end: End) {
        let _ = self.caller.send(match end {
            End::Committed | End::RolledBack if self.aborted => Err(Error::Aborted),
            End::Committed | End::RolledBack => Ok(self.work),
            End::Failed(error) => Err(error),
        });
    }
}
