//! A migrated database of its own for each test. Not for programs.
//!
//! `LATCHSTRING_TEST_DATABASE` chooses the engine: `sqlite` (default) or `postgres`. For the latter,
//! `LATCHSTRING_TEST_POSTGRES` is the URL of an administrator, such as `postgres://postgres@127.0.0.1:5433/postgres`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::{Db, Engine, Migration, Options, unique};

/// A database that goes when this is dropped.
pub struct TestDb {
    /// Open and migrated.
    pub db: Db,
    /// What `Db::open` took.
    pub url: String,
    home: Home,
}

enum Home {
    Folder(PathBuf),
    Server { admin: String, name: String },
}

/// The engine that the environment chooses.
pub fn engine() -> Engine {
    match std::env::var("LATCHSTRING_TEST_DATABASE").as_deref() {
        Err(_) | Ok("" | "sqlite") => Engine::Sqlite,
        Ok("postgres") => Engine::Postgres,
        Ok(other) => panic!("LATCHSTRING_TEST_DATABASE is {other:?}; it is sqlite or postgres"),
    }
}

impl TestDb {
    /// A fresh database with these migrations, copied from one that is migrated once.
    pub async fn new(migrations: &'static [Migration]) -> Self {
        let (home, url) = match engine() {
            Engine::Sqlite => sqlite(migrations).await,
            Engine::Postgres => postgres(migrations).await,
        };
        let db = open(&url).await;
        Self { db, url, home }
    }

    /// A second `Db` on the same data, as another process would have it.
    pub async fn reopen(&self) -> Db {
        open(&self.url).await
    }

    /// SQLite: the file.
    pub fn path(&self) -> Option<PathBuf> {
        self.url.strip_prefix("sqlite:").map(PathBuf::from)
    }
}

async fn open(url: &str) -> Db {
    // Tests run in parallel, and a server has a hundred connections.
    let options = Options { pool: 8, readers: 1, ..Options::default() };
    Db::open(url, options).await.expect("the test database opens")
}

fn checksum(migrations: &[Migration]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for migration in migrations {
        context.update(&migration.number.to_le_bytes());
        context.update(migration.name.as_bytes());
        context.update(&migration.checksum());
    }
    context.finish().as_ref()[..10].iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn sqlite(migrations: &'static [Migration]) -> (Home, String) {
    static TEMPLATES: Mutex<Option<HashMap<String, Arc<[u8]>>>> = Mutex::const_new(None);
    let folder = std::env::temp_dir().join(format!("latchstring_test_{}_{:x}", std::process::id(), unique()));
    let file = folder.join("test.db");
    let url = format!("sqlite:{}", file.display());
    let mut templates = TEMPLATES.lock().await;
    let templates = templates.get_or_insert_default();
    let key = checksum(migrations);
    if let Some(bytes) = templates.get(&key) {
        std::fs::create_dir(&folder).expect("the temporary folder can be made");
        std::fs::write(&file, bytes).expect("the temporary folder can be written");
    } else {
        std::fs::create_dir(&folder).expect("the temporary folder can be made");
        let db = open(&url).await;
        db.migrate(migrations).await.expect("the migrations apply");
        db.close().await;
        let bytes = std::fs::read(&file).expect("the template can be read");
        templates.insert(key, bytes.into());
    }
    (Home::Folder(folder), url)
}

async fn postgres(migrations: &'static [Migration]) -> (Home, String) {
    let admin = std::env::var("LATCHSTRING_TEST_POSTGRES").expect(
        "LATCHSTRING_TEST_POSTGRES holds the URL of an administrator, such as postgres://postgres@127.0.0.1:5433/postgres",
    );
    let template = template(&admin, migrations).await;
    let name = format!("latchstring_test_{}_{:x}", std::process::id(), unique());
    let client = connect(&admin).await;
    loop {
        match client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await {
            Ok(()) => break,
            // Someone looks at the template just now.
            Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            Err(error) => panic!("the test database could not be made: {error:?}"),
        }
    }
    let url = with_database(&admin, &name);
    (Home::Server { admin, name }, url)
}

/// Makes the template, unless it exists. Several processes may want it at once.
async fn template(admin: &str, migrations: &'static [Migration]) -> String {
    static DONE: Mutex<Vec<String>> = Mutex::const_new(Vec::new());
    let name = format!("latchstring_template_{}", checksum(migrations));
    let mut done = DONE.lock().await;
    if done.contains(&name) {
        return name;
    }
    let client = connect(admin).await;
    client.batch_execute("SELECT pg_advisory_lock(7021784465632082)").await.expect("the lock is given");
    let there = client.query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await;
    if there.expect("the catalogue answers").is_empty() {
        // Under another name until it is complete: a test that is killed half-way leaves no broken template.
        let draft = format!("{name}_draft");
        let run = async |sql: String| client.batch_execute(&sql).await.expect("the template can be made");
        run(format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)")).await;
        run(format!("CREATE DATABASE {draft}")).await;
        let db = open(&with_database(admin, &draft)).await;
        db.migrate(migrations).await.expect("the migrations apply");
        db.close().await;
        // The server notices a closed connection a little later.
        run(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{draft}'"))
            .await;
        while client.batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {name}")).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    // The lock goes with the connection.
    done.push(name.clone());
    name
}

async fn connect(admin: &str) -> tokio_postgres::Client {
    let (client, connection) =
        tokio_postgres::connect(admin, NoTls).await.expect("the PostgreSQL for the tests answers");
    tokio::spawn(connection);
    client
}

fn with_database(url: &str, name: &str) -> String {
    let (base, query) =
        url.split_once('?').map_or((url, String::new()), |(base, query)| (base, format!("?{query}")));
    let host = base.find("://").map_or(0, |at| at + 3);
    let end = base[host..].find('/').map_or(base.len(), |at| host + at);
    format!("{}/{name}{query}", &base[..end])
}

impl Drop for TestDb {
    fn drop(&mut self) {
        match &self.home {
            Home::Folder(folder) => drop(std::fs::remove_dir_all(folder)),
            Home::Server { admin, name } => {
                let (admin, name) = (admin.clone(), name.clone());
                // Outside of the test's runtime, which may be ending.
                let dropping = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    runtime.block_on(async {
                        if let Ok((client, connection)) = tokio_postgres::connect(&admin, NoTls).await {
                            tokio::spawn(connection);
                            let _ = client
                                .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                                .await;
                        }
                    });
                    std::io::Result::Ok(())
                });
                let _ = dropping.join();
            }
        }
    }
}
