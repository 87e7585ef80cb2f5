//! A folder and a database for the servers of one test.

use latchstring_db::{
    Engine,
    testing::{TestDb, engine},
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// 32 bytes that look random, and are known to every reader of this file.
pub(crate) const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff0";
pub(crate) const OTHER_SECRET: &str = "ffeeddccbbaa99887766554433221100f0e1d2c3b4a5968778695a4b3c2d1e0f";

pub(crate) struct Home {
    folder: TempDir,
    pub(crate) database: String,
    _db: Option<TestDb>,
}

impl Home {
    /// On the engine that the environment chooses.
    pub(crate) fn new() -> Self {
        match engine() {
            Engine::Sqlite => Self::sqlite(),
            Engine::Postgres => {
                let db = block_on(TestDb::new(&[]));
                Self { folder: folder(), database: db.url.clone(), _db: Some(db) }
            }
        }
    }

    /// On SQLite, whatever the environment says: for what is about files.
    pub(crate) fn sqlite() -> Self {
        let folder = folder();
        std::fs::create_dir(folder.path().join("data")).expect("a folder for the database");
        let database = format!("sqlite:{}", folder.path().join("data/latchstring.db").display());
        Self { folder, database, _db: None }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The file of the SQLite database.
    pub(crate) fn file(&self) -> PathBuf {
        self.path().join("data/latchstring.db")
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}
