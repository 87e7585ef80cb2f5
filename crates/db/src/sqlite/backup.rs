//! A copy of the running database.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::open;
use crate::{Error, unique};

/// Pages between two calls of `progress`: 4 MiB.
const STEP: i32 = 1024;

pub(super) fn backup(source: &Path, target: &Path, mut progress: impl FnMut(u64, u64)) -> Result<(), Error> {
    let mut name = target.as_os_str().to_owned();
    // Two backups to one target at the same time don't write into one file.
    name.push(format!(".{:x}.partial", unique()));
    let partial = Path::new(&name);
    let result = copy(source, partial, &mut progress).and_then(|()| {
        std::fs::rename(partial, target).map_err(Error::unavailable)?;
        // Without this the name may be lost in a power cut, though the content is not.
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new("."))).and_then(|f| f.sync_all()).map_err(Error::unavailable)
    });
    if result.is_err() {
        let _ = std::fs::remove_file(partial);
    }
    result
}

fn copy(source: &Path, partial: &Path, progress: &mut impl FnMut(u64, u64)) -> Result<(), Error> {
    let wrap = |error| Error::sqlite(error, "backup");
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(partial).map_err(Error::unavailable)?;
    let from = open::connect(source).map_err(wrap)?;
    // A read transaction pins what is copied. Without it each commit of the writer would start the copy again,
    // and on a busy server it would never end.
    from.execute_batch("PRAGMA query_only = ON; BEGIN; SELECT count(*) FROM sqlite_schema").map_err(wrap)?;
    let mut to = Connection::open_with_flags(partial, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(wrap)?;
    to.execute_batch("PRAGMA synchronous = OFF").map_err(wrap)?;
    {
        let backup = Backup::new(&from, &mut to).map_err(wrap)?;
        loop {
            let step = backup.step(STEP).map_err(wrap)?;
            let state = backup.progress();
            let (total, left) = (state.pagecount.max(0) as u64, state.remaining.max(0) as u64);
            progress(total.saturating_sub(left), total);
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(std::time::Duration::from_millis(10)),
            }
        }
    }
    to.close().map_err(|(_, error)| wrap(error))?;
    File::open(partial).and_then(|file| file.sync_all()).map_err(Error::unavailable)
}
