//! The dependency rule: which of our crates may know which, and that only `db` knows the databases' drivers.

use super::toml;
use super::tree::{Problem, Tree};

/// What a crate may depend on, in tests as well as in code.
enum May {
    Know(&'static [&'static str]),
    KnowAll,
}

/// The first fitting row counts. A folder ends in `/*` when the rule is for all that stands in it.
const RULES: &[(&str, May)] = &[
    ("crates/proto", May::Know(&[])),
    ("crates/db", May::Know(&[])),
    ("crates/look", May::Know(&[])),
    ("crates/core", May::Know(&["latchstring-proto", "latchstring-db", "latchstring-look"])),
    ("crates/web", May::Know(&["latchstring-proto", "latchstring-look", "latchstring-core"])),
    (
        "crates/server",
        May::Know(&["latchstring-proto", "latchstring-look", "latchstring-core", "latchstring-web"]),
    ),
    ("crates/latchstring", May::KnowAll),
    // Dialects do not see each other, nor our own faces. The database is for the vendor's own tables, in import and
    // export.
    (
        "dialects/*",
        May::Know(&[
            "latchstring-proto",
            "latchstring-db",
            "latchstring-look",
            "latchstring-core",
            "latchstring-web",
        ]),
    ),
    ("xtask", May::Know(&[])),
    // Parsers of every crate but the faces are checked in one place, and libFuzzer is kept out of it.
    (
        "fuzz/checks",
        May::Know(&[
            "latchstring-proto",
            "latchstring-look",
            "latchstring-core",
            "latchstring-web",
            "latchstring-supabase",
        ]),
    ),
    ("fuzz", May::Know(&["latchstring-fuzz"])),
    // It fills a database through the rules themselves.
    ("xtask/bench", May::KnowAll),
];

pub(super) fn crates(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, folder) in tree.manifests() {
        if file.is_generated() || folder.starts_with("examples/") {
            continue;
        }
        let rule = RULES.iter().find(|(place, _)| match place.strip_suffix("/*") {
            Some(parent) => folder.rsplit_once('/').is_some_and(|(above, _)| above == parent),
            None => folder == *place,
        });
        let Some((_, may)) = rule else {
            problems.push(file.problem(
                0,
                "no rule for this crate: say what it may know in RULES, xtask/src/tidy/layers.rs",
            ));
            continue;
        };
        let May::Know(known) = may else { continue };
        // A crate may name itself: its tests switch on a feature that way.
        let own = toml::package(&file.text);
        for dependency in toml::dependencies(&file.text).into_iter().filter(|found| found.package != own) {
            if dependency.package.starts_with("latchstring") && !known.contains(&dependency.package.as_str())
            {
                let allowed =
                    if known.is_empty() { "none of our crates".to_owned() } else { known.join(", ") };
                problems.push(file.problem(
                    dependency.line,
                    format!(
                        "{folder} may know {allowed}, not {}: move the code to a lower crate, or pass in what it needs",
                        dependency.package
                    ),
                ));
            }
        }
    }
    problems
}

const DRIVERS: &[&str] = &["rusqlite", "libsqlite3_sys", "tokio_postgres", "deadpool_postgres"];

pub(super) fn drivers(tree: &Tree) -> Vec<Problem> {
    let advice = "only crates/db names a driver: use `Db`, or add to it what is missing";
    let mut problems = Vec::new();
    for (file, lexed) in tree.rust().filter(|(file, _)| !file.path.starts_with("crates/db/")) {
        for driver in DRIVERS {
            for (line, _) in lexed.words(driver) {
                problems.push(file.problem(line, format!("`{driver}`: {advice}")));
            }
        }
    }
    for (file, _) in tree.manifests().filter(|(_, folder)| *folder != "crates/db") {
        for dependency in toml::dependencies(&file.text) {
            if DRIVERS.contains(&dependency.package.replace('-', "_").as_str()) {
                problems.push(file.problem(dependency.line, format!("`{}`: {advice}", dependency.package)));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_said;
    use super::*;

    #[test]
    fn a_crate_that_looks_up_is_told() {
        let tree = Tree::of(&[
            (
                "crates/db/Cargo.toml",
                "[package]\nname = \"latchstring-db\"\n[dependencies]\nlatchstring-proto.workspace = true\nlatchstring-db.workspace = true\n",
            ),
            (
                "crates/core/Cargo.toml",
                "[dependencies]\nlatchstring-db.workspace = true\n[dev-dependencies]\nlatchstring-web.workspace = true\n",
            ),
            (
                "dialects/auth0/Cargo.toml",
                "[dependencies]\nother = { package = \"latchstring-clerk\", path = \"../clerk\" }\n",
            ),
            ("crates/latchstring/Cargo.toml", "[dependencies]\nlatchstring-server.workspace = true\n"),
            ("crates/extra/Cargo.toml", "[package]\n"),
            ("examples/app/Cargo.toml", "[dependencies]\n"),
        ]);
        assert_said(
            &crates(&tree),
            &[
                "crates/db/Cargo.toml:4: crates/db may know none of our crates, not latchstring-proto",
                "crates/core/Cargo.toml:4: crates/core may know latchstring-proto, latchstring-db, latchstring-look, not latchstring-web",
                "dialects/auth0/Cargo.toml:2: ",
                "crates/extra/Cargo.toml: no rule for this crate",
            ],
        );
    }

    #[test]
    fn a_driver_outside_db_is_told() {
        let tree = Tree::of(&[
            ("crates/db/src/lib.rs", "use rusqlite::Connection;"),
            (
                "crates/core/src/lib.rs",
                "// rusqlite is not for us\nuse tokio_postgres::Client;\nconst X: &str = \"rusqlite\";",
            ),
            ("crates/core/Cargo.toml", "[dependencies]\ntokio-postgres = \"1\"\n"),
        ]);
        assert_said(
            &drivers(&tree),
            &["crates/core/src/lib.rs:2: `tokio_postgres`", "crates/core/Cargo.toml:2: "],
        );
    }
}
