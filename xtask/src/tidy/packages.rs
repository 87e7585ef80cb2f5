//! What we build with: banned crates, licences, sources. A small and quick part of what `deny.toml` says in full;
//! the two lists are compared in a test, so that they do not drift apart.

use super::tree::{Problem, Tree};
use crate::run;

pub(super) struct Package {
    name: String,
    version: String,
    /// An SPDX expression; empty where the manifest has none.
    licence: String,
}

/// Every package of this platform, with tests and build scripts.
pub(super) fn of_workspace() -> Result<Vec<Package>, String> {
    let edges = ["--edges", "normal,build,dev", "--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"];
    let tree = run::output(run::cargo().args(["tree", "--locked", "--quiet", "--workspace"]).args(edges))?;
    let mut lines: Vec<&str> = tree.lines().filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines.into_iter().filter_map(package).collect())
}

/// `name v1.2.3 (path or source)|licence`
fn package(line: &str) -> Option<Package> {
    let (package, licence) = line.split_once('|')?;
    // The mark of a package that was shown before: it stays where a crate depends on itself for its tests.
    let licence = licence.trim_end_matches("(*)");
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    Some(Package { name: name.to_owned(), version: version.to_owned(), licence: licence.trim().to_owned() })
}

/// A crate, the first version that is welcome again (none: never), and why.
const BANNED: &[(&str, Option<&str>, &str)] = &[
    ("openssl-sys", None, "needs OpenSSL on the machine; rustls with aws-lc-rs does the same"),
    ("native-tls", None, "needs the platform's TLS; use rustls with aws-lc-rs"),
    ("ring", None, "a second crypto provider; aws-lc-rs is the only one (turn the `ring` feature off)"),
    ("bindgen", None, "needs libclang; choose a crate with bindings that are already written"),
    ("serde_yaml", None, "unmaintained"),
    ("dotenv", None, "unmaintained, and settings come from the environment or latchstring.toml"),
    ("backoff", None, "unmaintained"),
    ("instant", None, "unmaintained"),
    ("paste", None, "unmaintained"),
    ("rustls-pemfile", None, "unmaintained; rustls-pki-types reads PEM itself"),
    ("quick-xml", Some("0.41.0"), "known faults in older versions"),
    ("time", Some("0.3.47"), "known faults in older versions"),
    ("h2", Some("0.4.16"), "known faults in older versions"),
    ("bcrypt", Some("0.19.2"), "known faults in older versions"),
];

pub(super) fn bans(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in &tree.packages {
        for (name, from, why) in BANNED {
            if package.name == *name && from.is_none_or(|from| numbers(&package.version) < numbers(from)) {
                let what = format!(
                    "{name} {} is banned: {why}; `cargo tree -i {name} -e all` shows who brings it",
                    package.version
                );
                problems.push(Problem { path: "Cargo.lock".to_owned(), line: 0, what });
            }
        }
    }
    problems
}

fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    plain.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// All that may be linked into a binary that is given away under MIT or Apache-2.0.
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "MPL-2.0",
    "CDLA-Permissive-2.0",
    "CC0-1.0",
    "Unlicense",
    "BSL-1.0",
    "OpenSSL",
];

pub(super) fn licences(tree: &Tree) -> Vec<Problem> {
    let strangers = tree.packages.iter().filter(|package| !allowed(&package.licence));
    strangers
        .map(|package| {
            let licence = if package.licence.is_empty() { "no licence" } else { &package.licence };
            let what = format!(
                "{} {} has {licence}: choose another crate, or allow the licence in deny.toml and xtask/src/tidy/packages.rs",
                package.name, package.version
            );
            Problem { path: "Cargo.lock".to_owned(), line: 0, what }
        })
        .collect()
}

/// SPDX expressions: OR binds weakest, then AND; the old `/` means OR.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let verdict = any(&mut rest);
    verdict && rest.is_empty()
}

fn any(rest: &mut &[&str]) -> bool {
    let mut verdict = all(rest);
    while let Some((&"OR", after)) = rest.split_first() {
        *rest = after;
        // No short cut: both sides have to be read.
        verdict |= all(rest);
    }
    verdict
}

fn all(rest: &mut &[&str]) -> bool {
    let mut verdict = one(rest);
    while let Some((&"AND", after)) = rest.split_first() {
        *rest = after;
        verdict &= one(rest);
    }
    verdict
}

fn one(rest: &mut &[&str]) -> bool {
    let Some((word, after)) = rest.split_first() else { return false };
    *rest = after;
    if *word == "(" {
        let verdict = any(rest);
        let Some((&")", after)) = rest.split_first() else { return false };
        *rest = after;
        return verdict;
    }
    if let [with, exception, after @ ..] = *rest
        && *with == "WITH"
    {
        *rest = after;
        return LICENCES.contains(&format!("{word} WITH {exception}").as_str());
    }
    LICENCES.contains(word)
}

pub(super) fn sources(tree: &Tree) -> Vec<Problem> {
    let lock = tree.files.iter().filter(|file| file.path.rsplit('/').next() == Some("Cargo.lock"));
    let mut problems = Vec::new();
    for file in lock {
        for (number, line) in file.text.lines().enumerate() {
            let Some(source) = line.strip_prefix("source = \"") else { continue };
            if !source.starts_with("registry+") {
                let what = format!(
                    "not from the package registry: {}: use a published version",
                    source.trim_end_matches('"')
                );
                problems.push(file.problem(number + 1, what));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_said;
    use super::*;

    fn tree(lines: &[&str]) -> Tree {
        Tree { packages: lines.iter().filter_map(|line| package(line)).collect(), ..Tree::default() }
    }

    #[test]
    fn a_banned_crate_is_told() {
        let tree = tree(&[
            "ring v0.17.14|ISC",
            "h2 v0.4.9|MIT",
            "h2 v0.4.16|MIT",
            "serde v1.0.0|MIT",
            "quick-xml v0.41.0-rc.1|MIT",
        ]);
        assert_said(&bans(&tree), &["ring 0.17.14 is banned", "h2 0.4.9 is banned"]);
    }

    #[test]
    fn a_licence_that_nobody_allowed_is_told() {
        let tree = tree(&[
            "a v1.0.0|MIT/Apache-2.0 (*)",
            "b v1.0.0|GPL-3.0",
            "c v1.0.0 (proc-macro)|",
            "d v1.0.0|(MIT OR GPL-3.0) AND Unicode-3.0",
            "e v1.0.0|MIT AND GPL-3.0",
            "f v1.0.0|Apache-2.0 WITH LLVM-exception OR GPL-3.0",
            "g v1.0.0|GPL-2.0 WITH Classpath-exception-2.0",
            "h v1.0.0|(MIT",
        ]);
        assert_said(
            &licences(&tree),
            &["b 1.0.0 has GPL-3.0", "c 1.0.0 has no licence", "e 1.0.0", "g 1.0.0", "h 1.0.0"],
        );
    }

    #[test]
    fn a_foreign_source_is_told() {
        let lock = "source = \"registry+https://registry.example/index\"\nsource = \"git+https://example.com/x#1\"\n";
        assert_said(
            &sources(&Tree::of(&[("Cargo.lock", lock), ("fuzz/Cargo.lock", lock), ("notes.md", lock)])),
            &[
                "Cargo.lock:2: not from the package registry: git+https://example.com/x#1",
                "fuzz/Cargo.lock:2: ",
            ],
        );
    }

    #[test]
    fn deny_toml_says_the_same() {
        let deny = include_str!("../../../deny.toml");
        for (name, from, _) in BANNED {
            let entry = match from {
                None => format!("crate = \"{name}\""),
                Some(from) => format!("crate = \"{name}@<{from}\""),
            };
            assert!(deny.contains(&entry), "deny.toml bans no {entry}: add it, or take it out of BANNED");
        }
        for licence in LICENCES {
            assert!(deny.contains(&format!("\"{licence}\",")), "deny.toml does not allow {licence}");
        }
    }
}
