//! The floors inside `core`: a module may use those of its own floor and of lower ones, never what is above. On one
//! floor they do not use each other in circles.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{File, Problem, Tree};

/// From the ground up. A module that is not here fails with a request to put it here.
#[rustfmt::skip]
const FLOORS: &[(&str, &[&str])] = &[
    ("ground", &[
        "clock", "random", "ground", "id", "cache", "refusal", "error", "secret", "seal", "settings", "key", "keyring",
        "lease", "limit", "mount", "outbox", "page", "audit", "annotation", "ticket", "ended", "hash",
    ]),
    ("realm", &["realm"]),
    ("things", &[
        "identifier", "credential", "factor", "identity", "client", "connection", "role", "family",
        "invitation", "api_key", "certificate", "mail", "notice",
    ]),
    ("subjects", &["user", "browser", "session", "organization"]),
    ("token", &["token"]),
    ("attempt", &["attempt", "challenge"]),
    ("oauth", &["oauth"]),
    ("account", &["account", "admin", "jobs", "sweep", "testing"]),
];

const CORE: &str = "crates/core/src/";

pub(super) fn floors(tree: &Tree) -> Vec<Problem> {
    let modules: BTreeSet<&str> = tree.files.iter().filter_map(|file| module_of(&file.path)).collect();
    let mut problems = Vec::new();
    for module in &modules {
        if floor_of(module).is_none() {
            problems.push(Problem {
                path: format!("{CORE}{module}"),
                line: 0,
                what: format!("`{module}` stands on no floor: put it into FLOORS, xtask/src/tidy/floors.rs, as low as it can be"),
            });
        }
    }
    // Who uses whom on a floor, and where: the first place.
    let mut beside: Uses<'_> = BTreeMap::new();
    for (file, lexed) in tree.rust().filter(|(file, _)| !file.is_test()) {
        let Some(here) = module_of(&file.path) else { continue };
        let Some(mine) = floor_of(here) else { continue };
        // A test may set a stage with whatever it needs.
        let end = lexed.tests_from();
        for (line, used) in uses(file, lexed).into_iter().filter(|(line, _)| *line < end) {
            let Some(theirs) = floor_of(&used).filter(|_| modules.contains(used.as_str())) else { continue };
            if theirs > mine {
                let what = format!(
                    "`{here}` ({}) may not use `{used}` ({}), which is above it: move this file up, pass in a value, or leave a seam",
                    FLOORS[mine].0, FLOORS[theirs].0
                );
                problems.push(file.problem(line, what));
            } else if theirs == mine && used != here {
                beside.entry(here).or_default().entry(used).or_insert((file, line));
            }
        }
    }
    problems.extend(circles(&beside));
    problems
}

type Uses<'a> = BTreeMap<&'a str, BTreeMap<String, (&'a File, usize)>>;

/// Each use on a floor that leads back to where it stands.
fn circles(beside: &Uses<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (here, used) in beside {
        for (next, (file, line)) in used {
            if let Some(way) = way(beside, next, here) {
                let way = way.join("` → `");
                let what = format!(
                    "a circle: `{here}` → `{way}`. Let one of them know less: move what both need below them, or pass in a value"
                );
                problems.push(file.problem(*line, what));
            }
        }
    }
    problems
}

/// The shortest way from one module to another, both included.
fn way<'a>(beside: &'a Uses<'_>, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::from([from]);
    let mut ways = std::collections::VecDeque::from([vec![from]]);
    while let Some(way) = ways.pop_front() {
        let last = *way.last()?;
        if last == to {
            return Some(way);
        }
        for next in beside.get(last).into_iter().flat_map(BTreeMap::keys) {
            if seen.insert(next) {
                ways.push_back([way.as_slice(), &[next.as_str()]].concat());
            }
        }
    }
    None
}

/// The top-level module of core that a file belongs to; none for `lib.rs`, which joins them all.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix(CORE)?;
    let module = inside.split_once('/').map(|(folder, _)| folder).or_else(|| inside.strip_suffix(".rs"))?;
    (module != "lib" && module != "tests").then_some(module)
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|(_, modules)| modules.contains(&module))
}

/// The top-level names that a file reaches for: `crate::x`, `crate::{x, y::z}`, and `super::` gone up to the root.
fn uses(file: &File, lexed: &super::lex::Lexed) -> Vec<(usize, String)> {
    let inside = file.path.strip_prefix(CORE).unwrap_or(&file.path);
    // user.rs and user/mod.rs are one step from the root, user/store.rs is two.
    let steps = inside.split('/').count() - usize::from(inside.ends_with("/mod.rs"));
    let up = "super::".repeat(steps);
    let from_crate = lexed.words("crate").filter_map(|(line, rest)| Some((line, rest.strip_prefix("::")?)));
    let from_super = lexed
        .words(up.trim_end_matches(':'))
        .filter_map(|(line, rest)| Some((line, rest.strip_prefix("::")?)));
    from_crate
        .chain(from_super)
        .flat_map(|(line, rest)| first_names(rest).into_iter().map(move |(down, name)| (line + down, name)))
        .collect()
}

/// `a::b` gives `a`; `{a::{b, c}, d}` gives `a` and `d`, each with the number of lines down to it.
fn first_names(rest: &str) -> Vec<(usize, String)> {
    let name =
        |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    if !rest.starts_with('{') {
        return vec![(0, name(rest))];
    }
    let mut names = Vec::new();
    let (mut depth, mut down, mut fresh) = (0, 0, false);
    for (at, c) in rest.char_indices() {
        match c {
            '{' => (depth, fresh) = (depth + 1, depth == 0),
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            '\n' => down += 1,
            c if fresh && !c.is_whitespace() => {
                names.push((down, name(&rest[at..])));
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_said;
    use super::*;

    #[test]
    fn a_module_that_looks_up_is_told() {
        let tree = Tree::of(&[
            ("crates/core/src/lib.rs", "pub mod user;"),
            ("crates/core/src/oauth/mod.rs", "use crate::user::User;"),
            (
                "crates/core/src/user/mod.rs",
                "use crate::{Result, clock::{Clock, realm},\n    oauth::mint};\nuse super::oauth;",
            ),
            (
                "crates/core/src/user/store.rs",
                "use super::User;\nuse super::super::oauth;\n// crate::oauth\n#[cfg(test)]\nmod tests {\nuse crate::oauth;\n}",
            ),
            ("crates/core/src/user/tests.rs", "use crate::oauth;"),
            ("crates/core/src/clock.rs", "fn f() { crate::realm::now() }\nuse crate::Realm;"),
            ("crates/core/src/realm.rs", ""),
            ("crates/core/src/gadget.rs", ""),
        ]);
        assert_said(
            &floors(&tree),
            &[
                "crates/core/src/gadget: `gadget` stands on no floor",
                "crates/core/src/user/mod.rs:2: `user` (subjects) may not use `oauth` (oauth)",
                "crates/core/src/user/mod.rs:3: ",
                "crates/core/src/user/store.rs:2: ",
                "crates/core/src/clock.rs:1: `clock` (ground) may not use `realm` (realm)",
            ],
        );
    }

    #[test]
    fn a_circle_on_a_floor_is_told_at_each_of_its_uses() {
        let tree = Tree::of(&[
            ("crates/core/src/user/mod.rs", "use crate::{\n    browser, organization, realm,\n};"),
            ("crates/core/src/browser/mod.rs", "use super::session;"),
            (
                "crates/core/src/session/mod.rs",
                "fn f() {\n    crate::user::f() }\nuse crate::user::User;\n#[cfg(test)]\nmod tests {\nuse crate::organization;\n}",
            ),
            ("crates/core/src/organization.rs", "use crate::organization::store;"),
            ("crates/core/src/realm.rs", ""),
        ]);
        assert_said(
            &floors(&tree),
            &[
                "browser/mod.rs:1: a circle: `browser` → `session` → `user` → `browser`",
                "session/mod.rs:2: a circle: `session` → `user` → `browser` → `session`",
                "user/mod.rs:2: a circle: `user` → `browser` → `session` → `user`",
            ],
        );
    }

    #[test]
    fn a_module_stands_on_one_floor() {
        let mut seen = BTreeSet::new();
        for module in FLOORS.iter().flat_map(|(_, modules)| *modules) {
            assert!(seen.insert(module), "`{module}` is listed twice");
        }
    }
}
