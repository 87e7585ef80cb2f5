//! The machine: clock, disk, files.

use crate::{breached as list, commands::dev, config::Config, files, finding::Finding, safety};
use latchstring_core::clock::{Clock, Micros, SECOND, SystemClock};
use std::{
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// 2026-01-01: this program is younger.
const YOUNGEST: Micros = 1_767_225_600 * SECOND;
/// 2100-01-01.
const OLDEST: Micros = 4_102_444_800 * SECOND;

/// Whether the clock can be right.
pub(super) fn clock(config: &Config) -> Vec<Finding> {
    let now = SystemClock.now();
    let newest = config.database_file().into_iter().flat_map(|file| {
        let wal = PathBuf::from(format!("{}-wal", file.display()));
        [changed(&file), changed(&wal)].into_iter().flatten().collect::<Vec<_>>()
    });
    vec![judge_clock(now, newest.max())]
}

fn changed(path: &Path) -> Option<Micros> {
    let since = std::fs::metadata(path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok()
}

fn judge_clock(now: Micros, newest: Option<Micros>) -> Finding {
    const CHECK: &str = "clock";
    let why = "tokens, codes and sessions live by it: ended ones would be taken, or good ones refused";
    let mend = "synchronise it by NTP: timedatectl set-ntp true";
    let shown = crate::commands::time(now);
    if !(YOUNGEST..OLDEST).contains(&now) {
        return Finding::bad(CHECK, format!("it says {shown}"), why, mend);
    }
    // A minute covers file systems with coarse times, and network file systems.
    if newest.is_some_and(|newest| newest > now + 60 * SECOND) {
        let says = format!("it says {shown}, and the database was written later than that: it was set back");
        return Finding::bad(CHECK, says, why, mend);
    }
    Finding::good(CHECK, shown)
}

/// Whether others can read what they should not.
pub(super) fn files(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "file modes";
    let Some(database) = config.database_file() else { return Vec::new() };
    let mut findings = Vec::new();
    let own = "it holds addresses, password hashes and sealed keys";
    for suffix in ["", "-wal"] {
        let path = PathBuf::from(format!("{}{suffix}", database.display()));
        findings.extend(safety::private(CHECK, &path, own));
    }
    if config.secret.is_none() {
        findings.extend(safety::private(
            CHECK,
            &dev::secret_path(config),
            "the development secret seals the database",
        ));
    }
    if findings.is_empty() && files::reach(&database).is_some() {
        findings.push(Finding::good(CHECK, format!("{} is readable by its owner alone", database.display())));
    }
    findings
}

/// Less than this is soon full.
const FULL: u64 = 100 << 20;
const TIGHT: u64 = 1 << 30;

/// Whether there is room.
pub(super) fn disk(config: &Config) -> Vec<Finding> {
    let Some(database) = config.database_file() else { return Vec::new() };
    let size = std::fs::metadata(&database).map_or(0, |meta| meta.len());
    // The folder may not be there yet.
    let Some(folder) = database.ancestors().skip(1).map(or_here).find(|folder| folder.exists()) else {
        return Vec::new();
    };
    let Ok(stat) = rustix::fs::statvfs(folder) else { return Vec::new() };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    vec![judge_disk(free, size, &folder.display().to_string())]
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

fn judge_disk(free: u64, size: u64, folder: &str) -> Finding {
    const CHECK: &str = "disk";
    let mib = free >> 20;
    let why = "on a full disk nobody can sign in, since that is a write";
    let mend = "make room, or move the database to a larger disk";
    if free < FULL {
        return Finding::bad(CHECK, format!("{mib} MiB are free at {folder}"), why, mend);
    }
    if free < TIGHT.max(size) {
        let why = "a backup on the same disk needs as much again as the database, which has to grow too";
        return Finding::weak(CHECK, format!("{mib} MiB are free at {folder}"), why, mend);
    }
    Finding::good(CHECK, format!("{mib} MiB are free at {folder}"))
}

/// The list of breached passwords.
pub(super) fn breached(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "breached passwords";
    let Some(path) = &config.breached_file else {
        let says = "no list: LATCHSTRING_BREACHED_FILE is not set";
        let why = "NIST SP 800-63B has new passwords compared with those known to attackers; what stands in for it \
                   is an estimate of their strength";
        let mend =
            "load the list of Have I Been Pwned, ordered by hash (some 40 GB), and point the setting at it";
        return vec![Finding::weak(CHECK, says, why, mend)];
    };
    match list::open(path) {
        Ok(_) => vec![Finding::good(CHECK, path.display().to_string())],
        Err(failure) => {
            vec![Finding::bad(
                CHECK,
                failure.text,
                "the server does not start without the file",
                "give the right file",
            )]
        }
    }
}

/// The database of places. Without one, addresses stand for themselves.
pub(super) fn places(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "places";
    let Some(path) = &config.places else { return Vec::new() };
    vec![match crate::places::open(path) {
        Ok(_) => Finding::good(CHECK, path.display().to_string()),
        Err(failure) => Finding::bad(
            CHECK,
            failure.text,
            "the server does not start without the file",
            "give the right file",
        ),
    }]
}

/// Holes in the fence around outgoing requests.
pub(super) fn outgoing(config: &Config) -> Vec<Finding> {
    let Some(wide) = config.outgoing_allow.iter().find(|range| range.to_string().ends_with("/0")) else {
        return Vec::new();
    };
    let says = format!("LATCHSTRING_OUTGOING_ALLOW holds {wide}");
    let why = "whoever may name an address to the server could then reach your internal network through it";
    vec![Finding::bad("outgoing requests", says, why, "list the addresses that are really meant")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Level;

    #[test]
    fn clocks() {
        let now = YOUNGEST + 1_000 * SECOND;
        assert_eq!(judge_clock(now, None).level, Level::Good);
        assert_eq!(judge_clock(now, Some(now + 30 * SECOND)).level, Level::Good);
        assert_eq!(judge_clock(now, Some(now + 90 * SECOND)).level, Level::Bad);
        assert_eq!(judge_clock(0, None).level, Level::Bad);
        assert_eq!(judge_clock(OLDEST, None).level, Level::Bad);
    }

    #[test]
    fn disks() {
        assert_eq!(judge_disk(50 << 20, 0, "/").level, Level::Bad);
        assert_eq!(judge_disk(500 << 20, 0, "/").level, Level::Weak);
        assert_eq!(judge_disk(2 << 30, 1 << 30, "/").level, Level::Good);
        assert_eq!(judge_disk(2 << 30, 3 << 30, "/").level, Level::Weak);
    }
}
