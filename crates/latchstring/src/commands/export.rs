//! `latchstring export`: users for elsewhere. What is written holds password hashes.

use crate::{
    cli,
    config::Config,
    failure::{Failure, chain},
    files, open, say,
};
use latchstring_core::realm::Realm;
use latchstring_supabase::export::{self, Exported, Failed};
use std::{
    io::{BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

/// Runs it.
pub(crate) async fn run(config: Config, what: cli::Export) -> Result<(), Failure> {
    let cli::Export::Supabase(args) = what;
    match &args.to {
        Some(path) if path.is_dir() => {
            return Err(Failure::usage(format!(
                "--to: {} is a folder: name the file to write",
                path.display()
            )));
        }
        Some(path) if path.exists() && !args.force => {
            let shown = path.display();
            return Err(Failure::usage(format!(
                "--to: {shown} is there already: choose another name, or add --force"
            )));
        }
        None if std::io::stdout().is_terminal() => {
            return Err(Failure::usage(
                "this holds password hashes, and standard output is a terminal: name a file with --to, or a pipe",
            ));
        }
        _ => {}
    }
    let realm = open::realm(&config).await?;
    let done = match &args.to {
        Some(path) => to_file(&realm, path).await,
        None => write(&realm, &mut std::io::stdout()).await,
    };
    realm.db().shutdown().await;
    let done = done?;
    if args.json {
        say::json(&serde_json::to_value(&done).unwrap_or_default());
        return Ok(());
    }
    tell(&done, args.to.as_deref());
    Ok(())
}

/// Into a file beside the target, which then takes its name: half an export never looks like a whole one.
async fn to_file(realm: &Realm, path: &Path) -> Result<Exported, Failure> {
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let wrong = |e: std::io::Error| {
        Failure::failed(format!(
            "--to: {e}. Is there room at {}, and may this user write there?",
            path.display()
        ))
    };
    let file = files::open_private(&part).map_err(wrong)?;
    let mut out = BufWriter::new(file);
    let done = write(realm, &mut out).await;
    let whole = done.and_then(|done| {
        out.flush()
            .and_then(|()| out.get_ref().sync_all())
            .and_then(|()| std::fs::rename(&part, path))
            .map_err(wrong)?;
        Ok(done)
    });
    if whole.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    whole
}

async fn write(realm: &Realm, out: &mut (dyn Write + Send)) -> Result<Exported, Failure> {
    let done = export::run(realm, &mut |text| out.write_all(text.as_bytes()), &mut |users| {
        say::counting("users:", users);
    })
    .await;
    say::counted();
    let done = done.map_err(|error| match error {
        Failed::Out(e) => Failure::failed(format!("it can't be written: {e}")),
        Failed::Core(e) => Failure::failed(chain(&e)),
    })?;
    out.flush().map_err(|e| Failure::failed(format!("it can't be written: {e}")))?;
    Ok(done)
}

/// What was written and what was not. Standard output may be the export itself.
fn tell(done: &Exported, path: Option<&Path>) {
    let mut rows = vec![
        vec![done.users.to_string(), "users written".to_owned()],
        vec![done.identities.to_string(), "identities written".to_owned()],
    ];
    rows.extend(done.left.iter().map(|(what, count)| vec![count.to_string(), export::says(what).to_owned()]));
    say::err(say::table(&rows));
    let place = path.map_or_else(|| "What was written".to_owned(), |path| path.display().to_string());
    say::err(format_args!("{place} holds password hashes: keep it secret, and delete it when it was read."));
}
