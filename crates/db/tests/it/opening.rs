//! Opening: what a person may have got wrong.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use latchstring_db::{Db, Engine, Error, OpenError, Options};

use crate::{MIGRATIONS, is, put};

async fn open(path: &Path, lock: bool) -> Result<Db, OpenError> {
    Db::open(&format!("sqlite:{}", path.display()), Options { lock, ..Options::default() }).await
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_folder_that_is_missing_is_told_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a/b/data.db");
    let error = open(&file, true).await.unwrap_err();
    assert!(matches!(error, OpenError::NoFolder { .. }), "{error:?}");
    let mend = format!("mkdir -p {}", folder.path().join("a/b").display());
    assert!(error.to_string().contains(&mend), "{error}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_in_place_of_the_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(folder.path(), true).await.unwrap_err();
    assert!(matches!(error, OpenError::IsFolder { .. }), "{error:?}");
    assert!(
        error.to_string().contains(&format!("sqlite:{}/latchstring.db", folder.path().display())),
        "{error}"
    );
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "no lock beside it either");
}

#[tokio::test]
async fn the_files_are_made_for_the_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.db");
    let db = open(&file, false).await.unwrap();
    db.migrate(MIGRATIONS).await.unwrap();
    put(&db, 1).await.unwrap();
    for name in ["data.db", "data.db-wal", "data.db-shm"] {
        assert_eq!(mode(&file.with_file_name(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn one_server_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.db");
    let first = open(&file, true).await.unwrap();
    let error = open(&file, true).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains("in use by another process"));
    // A command may work beside it.
    drop(open(&file, false).await.unwrap());
    first.close().await;
    // Dropped without closing, the lock is free at once, too.
    for _ in 0..5 {
        drop(open(&file, true).await.unwrap());
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = open(&file.join("data.db"), false).await.unwrap_err();
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
    assert!(error.to_string().contains("LATCHSTRING_DATABASE"));
    // The superuser can write anywhere, so that this says nothing when the tests run as root.
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o500)).unwrap();
    let error = open(&closed.join("data.db"), false).await;
    assert!(matches!(error, Ok(_) | Err(OpenError::NotWritable { .. })));
}

#[tokio::test]
async fn a_file_that_is_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    let text = "Dear diary, ".repeat(1000);
    std::fs::write(&file, &text).unwrap();
    let error = open(&file, true).await.unwrap_err();
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "left alone");
}

#[tokio::test]
async fn urls() {
    for url in [
        "",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:a/",
        "sqlite:a.db?mode=ro",
        "mysql://localhost/x",
        "data.db",
        "postgres://",
        "postgres://localhost:port/x",
        "postgres://localhost/x?sslmode=maybe",
        "postgres://localhost/x?unknown=1",
        "postgres://localhost/x?sslmode=require&sslrootcert=/nowhere",
    ] {
        let error = Db::open(url, Options::default()).await.unwrap_err();
        assert!(matches!(error, OpenError::BadUrl(_)), "{url}: {error:?}");
    }
    let secret = Db::open("postgres://u:hunter2@localhost:port/x", Options::default()).await.unwrap_err();
    assert!(!format!("{secret} {secret:?}").contains("hunter2"));
    for url in ["postgres://u:p@[::1]:1/x?sslmode=verify-full", "postgresql:///x?host=/tmp&sslmode=disable"] {
        let db = Db::open(url, Options::default()).await.unwrap();
        assert_eq!(db.engine(), Engine::Postgres);
        assert!(!format!("{db:?}").contains('p'), "{db:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_no_reason_not_to_start() {
    let db = Db::open("postgres://nobody@127.0.0.1:1/x", Options::default()).await.unwrap();
    assert!(matches!(db.ping().await, Err(Error::Unavailable(_))));
    assert!(matches!(put(&db, 1).await, Err(Error::Unavailable(_))));
    assert!(db.read(async |tx| tx.one("SELECT 1", &[]).await).await.unwrap_err().is_unavailable());
    assert!(db.migrate(MIGRATIONS).await.is_err());
    let unsupported = db.backup_to(Path::new("/nowhere"), |_, _| ()).await;
    assert!(matches!(unsupported, Err(Error::Unsupported(text)) if text.contains("pg_dump")));
}

#[tokio::test]
async fn ping_answers() {
    let test = crate::fresh().await;
    test.db.ping().await.unwrap();
    assert_eq!(test.db.engine(), if is(Engine::Sqlite) { Engine::Sqlite } else { Engine::Postgres });
}
