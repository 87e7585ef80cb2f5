//! `latchstring import`: users from elsewhere.

use crate::{
    cli,
    config::Config,
    failure::{Failure, chain},
    files, open, say,
};
use latchstring_core::{audit::Actor, realm::Realm};
use latchstring_db::{Db, Options};
use latchstring_supabase::{
    import::{self, Failed, Origin, Progress, Summary},
    rows::Left,
};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// Runs it.
pub(crate) async fn run(config: Config, what: cli::Import) -> Result<(), Failure> {
    let cli::Import::Supabase(args) = what;
    let (origin, size) = origin(&args.from).await?;
    let realm = open::realm(&config).await?;
    // Last, so that nothing is made when something else is wrong.
    let mut report = args.report.as_deref().map(Report::new).transpose()?;
    let done = supabase(&realm, &args, origin, size, report.as_mut()).await;
    realm.db().shutdown().await;
    if let Some(report) = report {
        report.end()?;
    }
    let summary = done?;
    if args.json {
        say::json(&serde_json::to_value(&summary).unwrap_or_default());
    } else {
        tell(&summary, args.report.as_deref());
    }
    Ok(())
}

/// What to read, and how large it is, if that can be known.
async fn origin(from: &str) -> Result<(Origin, Option<u64>), Failure> {
    if from == "-" {
        return Ok((Origin::Dump(Box::new(std::io::stdin())), None));
    }
    if from.starts_with("postgres://") || from.starts_with("postgresql://") {
        let options = Options { pool: 1, readers: 1, ..Options::default() };
        let db = Db::open(from, options).await.map_err(|e| Failure::usage(format!("--from: {e}")))?;
        return Ok((Origin::Live(db), None));
    }
    let wrong = |why: String| Failure::usage(format!("--from: {from} can't be read: {why}"));
    let file = File::open(from).map_err(|e| wrong(e.to_string()))?;
    let meta = file.metadata().map_err(|e| wrong(e.to_string()))?;
    if meta.is_dir() {
        return Err(wrong(
            "it is a folder, as pg_dump --format=directory writes it. Leave --format out".into(),
        ));
    }
    Ok((Origin::Dump(Box::new(file)), Some(meta.len())))
}

async fn supabase(
    realm: &Realm,
    args: &cli::ImportSupabase,
    origin: Origin,
    size: Option<u64>,
    mut report: Option<&mut Report>,
) -> Result<Summary, Failure> {
    let progress = Arc::new(Progress::default());
    let mut on_left = |left: &Left| {
        if let Some(report) = &mut report {
            report.line(left);
        }
    };
    let done = {
        let mut work =
            pin!(import::run(realm, Actor::Operator, origin, args.dry_run, &progress, &mut on_left));
        let mut tick = tokio::time::interval(Duration::from_millis(250));
        loop {
            tokio::select! {
                done = &mut work => break done,
                _ = tick.tick() => draw(&progress, size),
            }
        }
    };
    say::counted();
    done.map_err(|error| failure(&error, &args.from))
}

fn draw(progress: &Progress, size: Option<u64>) {
    let count = |of: &std::sync::atomic::AtomicU64| of.load(Ordering::Relaxed);
    let (read, found, done) = (count(&progress.read), count(&progress.found), count(&progress.done));
    match size {
        // The bar must not end its line before the work ends.
        Some(size) if found == 0 => say::progress("reading", read.min(size.saturating_sub(1)), size),
        None if found == 0 && read > 0 => say::counting("reading: bytes", read),
        _ => say::counting("users:", done),
    }
}

fn failure(error: &Failed, from: &str) -> Failure {
    let nothing = "Nothing was changed.";
    // A URL may hold a password.
    let place = if from == "-" { "standard input" } else { from };
    match error {
        Failed::Broken(broken) => Failure::failed(format!("{place}, {broken}. {nothing}")),
        Failed::NoTable if from.contains("://") => Failure::failed(format!(
            "that database has no tables auth.users and auth.identities. Is it the project's own? {nothing}"
        )),
        Failed::NoTable => Failure::failed(format!("{place}: {error}. {nothing}")),
        Failed::Temporary(_) => Failure::failed(chain(error)),
        Failed::Source(_) => Failure::failed(format!(
            "{}. Does its role see the tables of the schema auth, as postgres does? What was taken until then stays; \
             run it again",
            chain(error)
        )),
        Failed::Core(_) | Failed::Stopped => {
            Failure::failed(format!("{}. What was taken until then stays; run it again", chain(error)))
        }
    }
}

/// The report, a line of JSON for each row.
struct Report {
    path: PathBuf,
    file: BufWriter<File>,
    failed: Option<std::io::Error>,
}

impl Report {
    fn new(path: &Path) -> Result<Self, Failure> {
        let file = files::open_private(path).map_err(|e| {
            let shown = path.display();
            match e.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    Failure::usage(format!("--report: {shown} is there already: choose another name"))
                }
                _ => Failure::usage(format!("--report: {shown} can't be written: {e}")),
            }
        })?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), failed: None })
    }

    fn line(&mut self, left: &Left) {
        let written = serde_json::to_writer(&mut self.file, left)
            .map_err(std::io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"));
        // The import goes on: what became of people counts more than the list.
        self.failed = self.failed.take().or(written.err());
    }

    fn end(mut self) -> Result<(), Failure> {
        let ended = self.file.flush();
        match self.failed.or(ended.err()) {
            None => Ok(()),
            Some(e) => {
                let shown = self.path.display();
                Err(Failure::failed(format!(
                    "the report {shown} can't be written: {e}. The import itself is done"
                )))
            }
        }
    }
}

/// The counts, for people.
fn tell(summary: &Summary, report: Option<&Path>) {
    let verb = if summary.dry_run { "would be taken" } else { "taken" };
    let mut rows = vec![
        vec![summary.users.to_string(), format!("users {verb}")],
        vec![summary.passwords.to_string(), "of them with a password".to_owned()],
        vec![summary.identities.to_string(), format!("identities {verb}")],
        vec![summary.already_here.to_string(), "users are here already, and stay as they are".to_owned()],
    ];
    for (why, count) in &summary.left {
        let of_taken =
            if summary.left_of_taken.contains(why) { ", of users who are taken all the same" } else { "" };
        rows.push(vec![count.to_string(), format!("{why}{of_taken}")]);
    }
    for (table, count) in &summary.other_tables {
        rows.push(vec![count.to_string(), format!("rows of auth.{table}, which is not taken")]);
    }
    say::err(say::table(&rows));
    if summary.users == 0 && summary.already_here > 0 {
        say::err("Nothing changed: everybody who can be taken is here already.");
    }
    let whole = if summary.dry_run { "Nothing was written: this was a dry run. " } else { "" };
    let place = match report {
        Some(path) => format!(": {} says which and why", path.display()),
        None if summary.not_taken > 0 => ": --report FILE says which and why".to_owned(),
        None => String::new(),
    };
    let are = if summary.not_taken == 1 { "row is" } else { "rows are" };
    say::err(format_args!("{whole}{} {are} not taken{place}.", summary.not_taken));
}
