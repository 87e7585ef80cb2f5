//! The password pool: a few niced threads that hash and verify, behind a bounded queue. Argon2's memory blocks are
//! reused and given back when idle; a job whose caller has gone is dropped; a full queue is refused at once.

use crate::{
    random::{Random, bytes},
    refusal::{Fault, Kind, Refusal, Result},
    secret::Password,
};
use latchstring_proto::password::{self, Params, PasswordHash, Scratch};
use parking_lot::{Condvar, Mutex};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;

enum Work {
    Hash { password: Password, params: Params, salt: [u8; 16] },
    Verify { password: Password, phc: String, params: Params, salt: [u8; 16] },
}

/// What a verification found.
#[derive(Debug)]
pub struct Verified {
    /// Whether the password is right.
    pub matches: bool,
    /// A hash at today's cost, when the password is right and the stored hash is weaker.
    pub upgraded: Option<String>,
}

enum Done {
    Hashed(String),
    Verified(Verified),
    Unusable,
}

struct Job {
    work: Work,
    answer: oneshot::Sender<Done>,
}

struct Shared {
    queue: Mutex<VecDeque<Job>>,
    wake: Condvar,
    closed: AtomicBool,
    most: usize,
    done: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
}

/// The pool. Its threads end when it is dropped.
pub struct HashPool {
    shared: Arc<Shared>,
    random: Arc<dyn Random>,
    /// Stands in for the hash of an account that does not exist, so that both cost the same.
    decoy: Mutex<Option<(Params, String)>>,
}

/// Figures for metrics and tests.
#[derive(Debug, Clone, Copy)]
pub struct HashFigures {
    /// Jobs waiting.
    pub waiting: usize,
    /// Hashes computed since the start.
    pub done: u64,
    /// Jobs dropped because their caller had gone.
    pub dropped: u64,
    /// Jobs refused because the queue was full.
    pub refused: u64,
}

impl HashPool {
    /// A pool of `threads` with room for `most` waiting jobs.
    pub fn new(threads: usize, most: usize, random: Arc<dyn Random>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(VecDeque::with_capacity(most.min(1_024))),
            wake: Condvar::new(),
            closed: AtomicBool::new(false),
            most,
            done: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        });
        for n in 0..threads.max(1) {
            let shared = shared.clone();
            std::thread::Builder::new().name(format!("hash-{n}")).spawn(move || {
                // Nice 10: session checks keep their latency in a storm of sign-ins, and a flood of session checks
                // does not starve sign-ins (measured; SCHED_IDLE halves them). On Linux this is per thread.
                let _ = rustix::process::nice(10);
                run(&shared);
            })?;
        }
        Ok(Self { shared, random, decoy: Mutex::new(None) })
    }

    /// Hashes a new password with Argon2id.
    pub async fn hash(&self, password: Password, params: Params) -> Result<String> {
        let salt = bytes(&*self.random);
        match self.ask(Work::Hash { password, params, salt }).await? {
            Done::Hashed(phc) => Ok(phc),
            _ => Err(Fault::bug("a password could not be hashed").into()),
        }
    }

    /// Verifies `password` against `phc`. Without one it verifies against a decoy of the same cost and says no.
    pub async fn verify(&self, password: Password, phc: Option<String>, params: Params) -> Result<Verified> {
        let known = phc.is_some();
        let phc = match phc {
            Some(phc) => phc,
            None => self.decoy(params).await?,
        };
        let salt = bytes(&*self.random);
        match self.ask(Work::Verify { password, phc, params, salt }).await? {
            Done::Verified(v) if known => Ok(v),
            Done::Verified(_) => Ok(Verified { matches: false, upgraded: None }),
            _ => Err(Fault::bug("a stored password hash can't be read").into()),
        }
    }

    /// Figures for metrics and tests.
    pub fn figures(&self) -> HashFigures {
        HashFigures {
            waiting: self.shared.queue.lock().len(),
            done: self.shared.done.load(Ordering::Relaxed),
            dropped: self.shared.dropped.load(Ordering::Relaxed),
            refused: self.shared.refused.load(Ordering::Relaxed),
        }
    }

    async fn decoy(&self, params: Params) -> Result<String> {
        if let Some((p, phc)) = &*self.decoy.lock()
            && *p == params
        {
            return Ok(phc.clone());
        }
        // Made once per cost: the first unknown address after a change pays twice.
        let secret: [u8; 16] = bytes(&*self.random);
        let phc = self.hash(Password::new(format!("{secret:?}")), params).await?;
        *self.decoy.lock() = Some((params, phc.clone()));
        Ok(phc)
    }

    async fn ask(&self, work: Work) -> Result<Done> {
        let (answer, wait) = oneshot::channel();
        {
            let mut queue = self.shared.queue.lock();
            if queue.len() >= self.shared.most {
                self.shared.refused.fetch_add(1, Ordering::Relaxed);
                return Err(Refusal::new(Kind::HashQueueFull).retry_after_micros(2_000_000).into());
            }
            queue.push_back(Job { work, answer });
        }
        self.shared.wake.notify_one();
        wait.await.map_err(|_| Fault::bug("the password pool stopped").into())
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.wake.notify_all();
    }
}

/// How long a thread keeps its 19 MiB after the last job.
const KEEP_BLOCKS: Duration = Duration::from_secs(5);

fn run(shared: &Shared) {
    let mut scratch = Scratch::default();
    loop {
        let job = {
            let mut queue = shared.queue.lock();
            loop {
                if let Some(job) = queue.pop_front() {
                    break job;
                }
                if shared.closed.load(Ordering::Acquire) {
                    return;
                }
                if shared.wake.wait_for(&mut queue, KEEP_BLOCKS).timed_out() {
                    scratch.release();
                }
            }
        };
        if job.answer.is_closed() {
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let done = match job.work {
            Work::Hash { password, params, salt } => {
                shared.done.fetch_add(1, Ordering::Relaxed);
                match password::argon2id(&params, password.expose().as_bytes(), &salt, &mut scratch) {
                    Ok(phc) => Done::Hashed(phc),
                    Err(_) => Done::Unusable,
                }
            }
            Work::Verify { password, phc, params, salt } => match PasswordHash::parse(&phc) {
                Ok(hash) => {
                    shared.done.fetch_add(1, Ordering::Relaxed);
                    let matches = hash.verify(password.expose().as_bytes(), &mut scratch);
                    // An upgrade that fails leaves the old hash, which was right.
                    let upgraded = (matches && hash.needs_upgrade(&params))
                        .then(|| {
                            password::argon2id(&params, password.expose().as_bytes(), &salt, &mut scratch)
                                .ok()
                        })
                        .flatten();
                    Done::Verified(Verified { matches, upgraded })
                }
                Err(_) => Done::Unusable,
            },
        };
        // The caller may have gone meanwhile; nothing is lost.
        let _ = job.answer.send(done);
    }
}
