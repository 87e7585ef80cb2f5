//! `latchstring backup PATH`: a consistent copy of an SQLite database while servers write to it.

use super::dev;
use crate::{cli, config::Config, failure::Failure, open, say};
use latchstring_db::Engine;

/// Runs it.
pub(crate) async fn run(config: Config, args: cli::Backup) -> Result<(), Failure> {
    let shown = args.path.display().to_string();
    if args.path.is_dir() {
        return Err(Failure::usage(format!(
            "{shown} is a folder: name the file to write, such as {shown}/backup.db"
        )));
    }
    if args.path.exists() && !args.force {
        return Err(Failure::usage(format!("{shown} is there already: choose another name, or add --force")));
    }
    let source = config.database_file().and_then(|file| file.canonicalize().ok());
    if source.is_some() && args.path.canonicalize().ok() == source {
        return Err(Failure::usage(format!("{shown} is the database itself: choose another name")));
    }
    let db = open::database(&config).await?;
    if db.engine() == Engine::Sqlite {
        db.backup_to(&args.path, |done, all| say::progress("copying", done, all)).await
    } else {
        // Says what to use instead.
        db.backup_to(&args.path, |_, _| {}).await
    }
    .map_err(|e| match e {
        latchstring_db::Error::Unsupported(instead) => Failure::usage(instead),
        e => Failure::failed(format!(
            "{}. Is there room at {shown}, and may this user write there?",
            crate::failure::chain(&e)
        )),
    })?;
    db.close().await;
    let secret = sealed_under(&config);
    let bytes = std::fs::metadata(&args.path).map_or(0, |meta| meta.len());
    if args.json {
        say::json(&serde_json::json!({ "path": shown, "bytes": bytes, "sealed_under": secret }));
        return Ok(());
    }
    say::out(format_args!("{shown} holds a copy of {bytes} bytes, readable by you alone."));
    say::out(format_args!("It is sealed under {secret}, which is not in it: keep a copy of that apart."));
    Ok(())
}

/// Where the secret stands without which the copy is of no use.
fn sealed_under(config: &Config) -> String {
    let of_dev = dev::secret_path(config);
    if config.secret.is_none() && of_dev.is_file() {
        return of_dev.display().to_string();
    }
    "LATCHSTRING_SECRET".into()
}
