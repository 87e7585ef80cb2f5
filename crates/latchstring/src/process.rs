//! A server's life: listen, open the realm, serve, stop. The same for `dev` and `serve`, which differ in their [`Plan`].

use crate::{
    breached,
    config::{Config, host_of},
    dialects::DIALECTS,
    failure::{Failure, chain},
    listeners::Listeners,
    open, places, say,
    tls::{
        self, Certificates,
        acme::Acme,
        files::{Files, Loaded},
    },
};
use axum::{Router, extract::State, middleware, routing::get};
use latchstring_core::{
    admin::setup,
    clock::{Stopwatch, SystemClock},
    ground::Ground,
    hash::HashPool,
    mail::{Mailbox, Mailer, smtp},
    random::SystemRandom,
    realm::{Breached, OpenError, Opening, Places, Realm},
    seal::Keys,
};
use latchstring_db::Db;
use latchstring_web::{
    App, Service, edge,
    listen::{self, Limits, Phase},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{net::SocketAddr, path::PathBuf, pin::pin, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use zeroize::Zeroizing;

/// Prints what a person wants to know once it serves; gets the set-up token while there is no API key.
pub(crate) type Greeting = Box<dyn FnOnce(Option<&str>) + Send>;

/// What distinguishes one server from another.
pub(crate) struct Plan {
    pub(crate) config: Config,
    pub(crate) dev: bool,
    /// Whether a changed issuer is taken.
    pub(crate) accept_new_url: bool,
    /// Whether the database was put back from a backup, which knows no ending that came after it.
    pub(crate) restored: bool,
    /// The public origin.
    pub(crate) origin: String,
    /// What the public listener does TLS with, if it does.
    pub(crate) certificate: Option<Certificate>,
    pub(crate) keys: Arc<Keys>,
    /// The file of the secret, if it was made now: of no use beside a database that is not ours.
    pub(crate) new_secret: Option<PathBuf>,
    /// Between being told to stop and taking no more connections: load balancers need a moment to see it.
    pub(crate) drain: Duration,
}

/// Where the certificate comes from.
pub(crate) enum Certificate {
    /// From files, which are followed.
    Files(Loaded, Files),
    /// It stays as it is.
    Fixed(Loaded),
    /// From an authority, once the realm is open.
    Acme(Acme),
}

/// Longest time for requests that are under way at the stop.
const FINISH: Duration = Duration::from_secs(20);
/// Longest time for the background loops to end.
const LOOPS: Duration = Duration::from_secs(5);
/// A database that opens within this time is not worth a word.
const AT_ONCE: Duration = Duration::from_millis(300);
/// Between two tries to open a database that is away.
const AGAIN: Duration = Duration::from_secs(1);
/// Passwords that may wait, for each thread that hashes: about two seconds' work.
const QUEUE: usize = 128;
/// Connections at once to the listener that only leads to https.
const CLEAR: usize = 500;
/// Files that are not connections: the database, the log, the listeners.
const OTHER_FILES: u64 = 128;

/// Runs a server until it is told to stop.
pub(crate) async fn run(mut plan: Plan, listeners: Listeners, greet: Greeting) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let mut signals = Signals::new()?;
    let base = Base::new(&plan.config).await?;
    let mailbox = plan.dev.then(|| Arc::new(Mailbox::default()));
    let web = latchstring_web::Config::new(&plan.origin, plan.dev, plan.config.trusted_proxies.clone());
    let app = App::new(web, mailbox.clone());
    let (tls, acme) = match plan.certificate.take() {
        Some(certificate) => {
            let (tls, acme) = secure(&app, certificate, &plan.origin)?;
            (Some(tls), acme)
        }
        None => (None, None),
    };
    let listening = Listening::start(&app, listeners, tls, plan.dev)?;
    let realm = tokio::select! {
        realm = open(&plan, &base) => realm?,
        () = signals.stop() => {
            // Nothing has been served but 503.
            base.db.shutdown().await;
            return Ok(());
        }
    };
    let mailer: Arc<dyn Mailer> = match mailbox {
        Some(mailbox) => mailbox,
        None => Arc::new(smtp(&plan.config)?),
    };
    if plan.restored {
        // Before anything is answered.
        end_all(&realm).await?;
    }
    app.open(realm.clone());
    if let Some((acme, certificates)) = acme {
        tokio::spawn(tls::acme::keep(acme, realm.clone(), app.clone(), certificates));
    }
    say::out(format_args!("listening on {}", listening.address));
    let (stop_loops, stopping) = watch::channel(false);
    let mut background = tokio::spawn(latchstring_core::jobs::run(realm.clone(), mailer, stopping));
    let token = setup_token(&realm).await;
    tracing::info!(millis = watch.elapsed().as_millis() as u64, "ready");
    greet(token.as_ref().map(|token| token.as_str()));

    tokio::select! {
        () = signals.stop() => {}
        ended = &mut background => {
            tracing::error!(?ended, "the background loops ended: stopping");
        }
    }
    tokio::spawn(async move {
        // Who asks twice does not want to wait.
        signals.stop().await;
        std::process::exit(i32::from(crate::failure::FAILED));
    });
    listening.stop(&app, plan.drain).await;
    let _ = stop_loops.send(true);
    if !background.is_finished() && timeout(LOOPS, &mut background).await.is_err() {
        background.abort();
        tracing::warn!("a background step took too long and was cut off");
    }
    realm.db().shutdown().await;
    tracing::info!("stopped");
    Ok(())
}

/// What a realm stands on, made from the configuration alone.
struct Base {
    random: Arc<SystemRandom>,
    hash: Arc<HashPool>,
    breached: Option<Arc<dyn Breached>>,
    places: Option<Arc<dyn Places>>,
    db: Db,
}

impl Base {
    async fn new(config: &Config) -> Result<Self, Failure> {
        let random = Arc::new(SystemRandom::default());
        let threads = config.hash_threads.unwrap_or_else(cores);
        let queue = config.hash_queue.unwrap_or(QUEUE * threads);
        let hash = HashPool::new(threads, queue, random.clone())
            .map_err(|e| Failure::failed(format!("the threads that hash passwords can't be started: {e}")))?;
        let breached = config.breached_file.as_deref().map(breached::open).transpose()?;
        let places = config.places.as_deref().map(places::open).transpose()?;
        let db = Db::open(config.database(), open::options(config, true)).await?;
        Ok(Self { random, hash: Arc::new(hash), breached, places, db })
    }
}

/// What gets a certificate, and where it is put.
type Keeper = (Acme, Arc<Certificates>);

/// The listener's TLS, and what gets its certificate, if that is for us to do.
fn secure(
    app: &App,
    certificate: Certificate,
    origin: &str,
) -> Result<(listen::Tls, Option<Keeper>), Failure> {
    let host = host_of(origin).to_owned();
    let in_use = |loaded: Loaded| {
        app.metrics().certificate_ends(loaded.until.to);
        Certificates::new(loaded.certified)
    };
    let (certificates, acme) = match certificate {
        Certificate::Fixed(loaded) => (in_use(loaded), None),
        Certificate::Files(loaded, files) => {
            let seen = loaded.seen();
            let certificates = in_use(loaded);
            tokio::spawn(tls::files::follow(files, seen, certificates.clone(), app.clone(), host));
            (certificates, None)
        }
        Certificate::Acme(acme) => {
            let first = tls::acme::placeholder(&host).map_err(Failure::failed)?;
            let certificates = Certificates::new(first);
            (certificates.clone(), Some((acme, certificates)))
        }
    };
    let tls = tls::of(app, certificates).map_err(|e| Failure::failed(format!("TLS can't be set up: {e}")))?;
    Ok((tls, acme))
}

/// Listeners at work. They answer 503 until the realm is open.
struct Listening {
    address: SocketAddr,
    phase: watch::Sender<Phase>,
    serving: JoinHandle<()>,
}

impl Listening {
    fn start(app: &App, listeners: Listeners, tls: Option<listen::Tls>, dev: bool) -> Result<Self, Failure> {
        let (phase, seen) = watch::channel(Phase::Open);
        let limits = Limits { connections: connections(), ..Limits::default() };
        let address = listeners.public.local_addr().map_err(|e| Failure::failed(e.to_string()))?;
        let mut service = latchstring_server::service(app.clone()).dialects(DIALECTS);
        if dev && listeners.metrics.is_none() {
            // Behind the edge, which refuses the names that another site may have pointed at this machine.
            let guarded = metrics(app).layer(middleware::from_fn_with_state(app.clone(), edge::edge));
            service = service.merge(guarded);
        }
        if let (Some(listener), Some(tls)) = (listeners.clear, &tls) {
            if let Ok(address) = listener.local_addr() {
                say::out(format_args!("leading http to https on {address}"));
            }
            let limits = Limits { connections: limits.connections.min(CLEAR), ..limits };
            tokio::spawn(listen::serve(listener, tls.in_clear.clone(), None, limits, seen.clone()));
        }
        let serving = tokio::spawn(listen::serve(listeners.public, service, tls, limits, seen.clone()));
        if let Some(listener) = listeners.metrics {
            if let Ok(address) = listener.local_addr() {
                say::out(format_args!("metrics on {address}"));
            }
            let limits = Limits { connections: 32, ..Limits::default() };
            let service = Service::new(app.clone(), metrics(app));
            tokio::spawn(listen::serve(listener, service, None, limits, seen));
        }
        Ok(Self { address, phase, serving })
    }

    /// Takes leave of clients: says so at /readyz, then takes no more connections, then finishes what has begun.
    async fn stop(self, app: &App, drain: Duration) {
        tracing::info!("stopping");
        app.stop();
        self.phase.send_replace(Phase::Draining);
        sleep(drain).await;
        self.phase.send_replace(Phase::Closing);
        if timeout(FINISH, self.serving).await.is_err() {
            tracing::warn!("some requests took too long and were cut off");
        }
    }
}

/// Opens the realm; says so to whoever looks on, if it takes a while.
async fn open(plan: &Plan, base: &Base) -> Result<Realm, Failure> {
    let opening = || Opening {
        db: base.db.clone(),
        ground: Ground::new(Arc::new(SystemClock), base.random.clone(), plan.keys.clone()),
        hash: base.hash.clone(),
        issuer: plan.origin.clone(),
        dev: plan.dev,
        accept_new_url: plan.accept_new_url,
        breached: base.breached.clone(),
        places: base.places.clone(),
    };
    let mut opened = pin!(until_open(&base.db, opening));
    let opened = match timeout(AT_ONCE, &mut opened).await {
        Ok(opened) => opened,
        Err(_) => {
            say::out("opening the database…");
            opened.await
        }
    };
    opened?.map_err(|e| {
        if let (OpenError::ServeDatabase, Some(file)) = (&e, &plan.new_secret) {
            let _ = std::fs::remove_file(file);
        }
        explain(e, &plan.config, plan.dev)
    })
}

/// Ends every session and token of a database that was put back from a backup.
async fn end_all(realm: &Realm) -> Result<(), Failure> {
    latchstring_core::admin::restored::end_all(realm).await?;
    tracing::warn!(
        "--restored: every sign-in from before has ended. Passwords, bans and API keys are as in the backup: look at \
         `latchstring api-key list`"
    );
    Ok(())
}

/// The token for the first API key, while there is none.
async fn setup_token(realm: &Realm) -> Option<Zeroizing<String>> {
    setup::token(realm).await.unwrap_or_else(|e| {
        tracing::error!(
            error = Failure::from(e).text,
            "the set-up token could not be made; a restart tries again"
        );
        None
    })
}

/// Opens the realm; waits for a database that is away. Refuses to start where the clocks of this machine and the database
/// server are apart: nodes would not agree on what has ended.
async fn until_open(db: &Db, opening: impl Fn() -> Opening) -> Result<Result<Realm, OpenError>, Failure> {
    let mut tries: u32 = 0;
    loop {
        if let Ok(Some(ahead)) = open::skew(db).await {
            return Err(Failure::failed(format!(
                "{}: a sign-out could be known too late, or a sign-in be taken for one from before. {}",
                open::says_skew(ahead),
                open::MEND_CLOCKS
            )));
        }
        match Realm::open(opening()).await {
            Err(error) if error.is_unavailable() => {
                // Each second a line for ten seconds, then one a minute.
                if tries < 10 || tries.is_multiple_of(60) {
                    tracing::warn!(why = chain(&error), "the database is away; trying again each second");
                }
                tries += 1;
                sleep(AGAIN).await;
            }
            opened => return Ok(opened),
        }
    }
}

fn explain(error: OpenError, config: &Config, dev: bool) -> Failure {
    // Of a database that `dev` made: the mark is looked at before the secret.
    let other_secret = matches!(error, OpenError::OtherSecret);
    let mut failure = Failure::from(error);
    if let Some(file) = config.database_file().filter(|_| dev && other_secret) {
        failure.text.push_str(&format!(
            ". In development you can also begin anew: delete {}, with its -wal and -shm",
            file.display()
        ));
    }
    failure
}

/// The mail server of the configuration.
pub(crate) fn smtp(config: &Config) -> Result<smtp::Smtp, Failure> {
    let (Some(server), Some(from)) = (&config.smtp, &config.mail_from) else {
        return Err(Failure::usage("set LATCHSTRING_SMTP_URL and LATCHSTRING_MAIL_FROM"));
    };
    smtp::Smtp::new(smtp::Config {
        host: server.host.clone(),
        port: server.port,
        security: server.security,
        credentials: server.credentials.as_ref().map(|(user, password)| (user.clone(), password.to_string())),
        from: from.clone(),
        from_name: config.mail_from_name.clone(),
    })
    .map_err(|e| Failure::usage(format!("mail: {e}")))
}

/// `GET /metrics`, and nothing else.
fn metrics(app: &App) -> Router {
    const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = async |State(app): State<App>| {
        ([(http::header::CONTENT_TYPE, FORMAT)], app.metrics().text(app.realm()).await)
    };
    Router::new().route("/metrics", get(text)).with_state(app.clone())
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Connections that we can hold at once: as many as we take on, or as we may have files open.
fn connections() -> usize {
    let now = getrlimit(Resource::Nofile);
    // The soft limit is a courtesy to programs that use select(2); the hard one is meant.
    let raised = Rlimit { current: now.maximum, maximum: now.maximum };
    let files = if setrlimit(Resource::Nofile, raised).is_ok() { now.maximum } else { now.current };
    let most = Limits::default().connections;
    // None: without a limit.
    let Some(files) = files else { return most };
    let room = usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(most).max(16);
    if room < most {
        tracing::warn!(
            connections = room,
            "the limit of open files allows few connections: raise it (LimitNOFILE)"
        );
    }
    room.min(most)
}

/// What tells us to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|e| Failure::failed(format!("signals can't be heard: {e}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
