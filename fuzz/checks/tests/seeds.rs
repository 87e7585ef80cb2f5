//! Replays the committed seeds, and holds the three lists of targets together: the checks, the fuzzers, the seeds.

use latchstring_fuzz::TARGETS;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder above").to_owned()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let name = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    entries.filter_map(|entry| name(entry.expect("an entry").path())).collect()
}

#[test]
fn each_check_has_a_fuzzer_and_seeds_and_nothing_else_has() {
    let checks: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&fuzz().join("src/bin")), checks, "fuzz/src/bin: one file a row of TARGETS");
    assert_eq!(names(&fuzz().join("seeds")), checks, "fuzz/seeds: one folder a row of TARGETS");
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "what panics inside a check does not know the seed's name; shown on failure"
)]
fn seeds_hold() {
    for (name, check) in TARGETS {
        let folder = fuzz().join("seeds").join(name);
        let mut files: Vec<PathBuf> =
            fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        check(b"");
        for file in files {
            let seed = fs::read(&file).expect("a file");
            println!("{}", file.display());
            check(&seed);
            // Cut short, and with a byte changed, it is still an input.
            check(&seed[..seed.len() / 2]);
            let mut other = seed.clone();
            if let Some(byte) = other.get_mut(seed.len() / 3) {
                *byte ^= 1;
                check(&other);
            }
        }
    }
}
