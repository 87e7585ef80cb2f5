//! The form of files: headers, length, words and paths that must not stay, white space, size.

use super::lex::{find_words, line_of};
use super::tree::{File, Problem, Tree};

const LONGEST: usize = 700;
const LARGEST: u64 = 1 << 20;

/// Code that people write and read; the rest is prose, data or pictures.
fn is_source(file: &File) -> bool {
    let known =
        ["rs", "py", "js", "mjs", "ts", "tsx", "css", "html", "sh", "toml", "conf", "service", "yml", "sql"];
    (known.contains(&file.extension()) || file.path == ".ci/run" || file.path.ends_with("/Dockerfile"))
        && !file.is_generated()
}

pub(super) fn header(tree: &Tree) -> Vec<Problem> {
    let what = "begin with a `//!` line that says what this file is, and what it is not";
    let bare = tree.rust().filter(|(file, _)| !file.is_generated() && !file.text.starts_with("//!"));
    bare.map(|(file, _)| file.problem(1, what)).collect()
}

pub(super) fn length(tree: &Tree) -> Vec<Problem> {
    let counted = ["rs", "py", "js", "mjs", "ts", "tsx", "css"];
    let files = tree.files.iter().filter(|file| counted.contains(&file.extension()) && !file.is_generated());
    files
        .filter_map(|file| {
            let lines = file.text.lines().count();
            let what =
                || format!("{lines} lines, and {LONGEST} are the limit: give a part of it a file of its own");
            (lines > LONGEST).then(|| file.problem(LONGEST + 1, what()))
        })
        .collect()
}

/// Marks of unfinished work; put together here so that this file does not accuse itself.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
const MACROS: &[&str] = &[concat!("to", "do"), "unimplemented", "dbg"];

pub(super) fn unfinished(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.files.iter().filter(|file| is_source(file)) {
        for mark in MARKS {
            for at in find_words(&file.text, mark) {
                let what = format!(
                    "`{mark}`: finish it, or open an issue and say in a sentence what holds until then"
                );
                problems.push(file.problem(line_of(&file.text, at), what));
            }
        }
        let Some(lexed) = &file.lexed else { continue };
        for name in MACROS {
            for (line, _) in lexed.words(name).filter(|(_, rest)| rest.starts_with('!')) {
                problems.push(file.problem(line, format!("`{name}!`: finish it or take it out")));
            }
        }
    }
    problems
}

pub(super) fn reasons(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, lexed) in tree.rust().filter(|(file, _)| !file.is_generated()) {
        for lint in ["allow", "expect"] {
            for (at, _) in lexed.code.match_indices(&format!("[{lint}(")) {
                let attribute = lexed.code[at..].split(']').next().unwrap_or_default();
                let is_attribute = lexed.code[..at].trim_end_matches('!').ends_with('#');
                if is_attribute && find_words(attribute, "reason").next().is_none() {
                    let what = format!(
                        "`#[{lint}(…)]` without `reason = \"…\"`: say why the lint is wrong here, or follow it"
                    );
                    problems.push(file.problem(line_of(&lexed.code, at), what));
                }
            }
        }
    }
    problems
}

const MACHINE: &[&str] = &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")];

pub(super) fn machine_paths(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        for path in MACHINE {
            for (at, _) in file.text.match_indices(path) {
                // In the middle of a longer path or of an address it is no folder of a machine.
                let before = file.text[..at].chars().next_back();
                if !before.is_some_and(|c| c.is_alphanumeric() || "._-/}$".contains(c)) {
                    let what = format!(
                        "`{path}…` exists on one machine only: use a path relative to the workspace, or a temporary folder"
                    );
                    problems.push(file.problem(line_of(&file.text, at), what));
                }
            }
        }
    }
    problems
}

pub(super) fn white_space(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.files.iter().filter(|file| is_source(file)) {
        for (number, line) in file.text.lines().enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                problems.push(file.problem(number + 1, "white space at the end of the line: take it away"));
            }
            if file.extension() == "rs" && line.contains('\t') {
                problems
                    .push(file.problem(number + 1, "a tab: indent with blanks, and write `\\t` in a string"));
            }
        }
        if !file.text.is_empty() && !file.text.ends_with('\n') {
            problems.push(file.problem(0, "the last line has no end: add a line break"));
        }
    }
    problems
}

pub(super) fn large(tree: &Tree) -> Vec<Problem> {
    let large = tree.files.iter().filter(|file| file.size > LARGEST);
    large
        .map(|file| {
            let what = format!(
                "{} KiB, and a clone carries it for ever: build it, or cut it below 1 MiB",
                file.size >> 10
            );
            file.problem(0, what)
        })
        .collect()
}

pub(super) fn lock_files(tree: &Tree) -> Vec<Problem> {
    let locks = tree.files.iter().filter(|file| file.path.ends_with("package-lock.json"));
    locks
        .filter_map(|file| {
            let at = file.text.find("\"resolved\": \"http")?;
            let what = "an address of one registry: write the lock file by `npm install --omit-lockfile-registry-resolved`";
            Some(file.problem(line_of(&file.text, at), what))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_said;
    use super::*;

    #[test]
    fn a_file_without_a_header_is_told() {
        let tree = Tree::of(&[("a.rs", "fn a() {}\n"), ("b.rs", "//! What it is.\n"), ("c.py", "x\n")]);
        assert_said(&header(&tree), &["a.rs:1: "]);
    }

    #[test]
    fn a_long_file_is_told_unless_a_program_wrote_it() {
        let long = "x\n".repeat(LONGEST + 1);
        let generated = format!("// @generated by a program\n{long}");
        let tree = Tree::of(&[
            ("a.rs", &long),
            ("b.rs", &generated),
            ("web/vendor/htmx.js", &long),
            ("notes.md", &long),
        ]);
        assert_said(&length(&tree), &["a.rs:701: 701 lines"]);
    }

    #[test]
    fn unfinished_work_is_told() {
        let bad = format!(
            "//! x\n// {}: later\nfn f() {{ {}!() }}\nlet s = \"dbg!(x)\"; dbg!(s);\n",
            MARKS[0], MACROS[0]
        );
        let tree = Tree::of(&[
            ("a.rs", &bad),
            ("b.py", &format!("# {}\n", MARKS[1])),
            ("c.md", MARKS[0]),
            ("d.rs", "let todos = 1;\n"),
        ]);
        assert_said(&unfinished(&tree), &["a.rs:2: ", "a.rs:3: ", "a.rs:4: `dbg!`", "b.py:1: "]);
    }

    #[test]
    fn an_exception_without_a_reason_is_told() {
        let bad = "#![allow(dead_code)]\n#[allow(\n    unused,\n    reason = \"why\"\n)]\n#[expect(clippy::x)]\n// #[allow(in_prose)]\nlet x = list[allow(1)];\n";
        assert_said(&reasons(&Tree::of(&[("a.rs", bad)])), &["a.rs:1: ", "a.rs:6: "]);
    }

    #[test]
    fn a_path_of_one_machine_is_told() {
        let text = format!("cd {}\nsee https://example.com{} and $X{}\n", MACHINE[0], MACHINE[2], MACHINE[1]);
        assert_said(&machine_paths(&Tree::of(&[("a.md", &text)])), &["a.md:1: "]);
    }

    #[test]
    fn white_space_is_told() {
        let tree = Tree::of(&[("a.rs", "a \n\tb\nc"), ("b.py", "\tx\n"), ("c.md", "x \n")]);
        assert_said(&white_space(&tree), &["a.rs:1: ", "a.rs:2: a tab", "a.rs: the last line"]);
    }

    #[test]
    fn a_large_file_is_told() {
        let mut tree = Tree::of(&[("a.png", ""), ("b.png", "")]);
        tree.files[1].size = LARGEST + 1;
        assert_said(&large(&tree), &["b.png: 1024 KiB"]);
    }

    #[test]
    fn a_lock_file_that_names_a_registry_is_told() {
        let bad = "{\n  \"resolved\": \"https://npm.example/x.tgz\"\n}\n";
        assert_said(
            &lock_files(&Tree::of(&[("a/package-lock.json", bad), ("b/package.json", bad)])),
            &["a/package-lock.json:2: "],
        );
    }
}
