//! The files that the checks look at: what git tracks or would track, read once. Tests build small trees in memory.

use std::fmt;
use std::process::Command;

use super::lex::{self, Lexed};
use crate::run;

pub(super) struct File {
    /// From the root of the workspace, with `/`.
    pub(super) path: String,
    pub(super) size: u64,
    /// Empty for what is not UTF-8.
    pub(super) text: String,
    /// For `.rs` files.
    pub(super) lexed: Option<Lexed>,
}

#[derive(Default)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    /// What `cargo tree` says of each package that we build with; see packages.rs.
    pub(super) packages: Vec<super::packages::Package>,
}

impl Tree {
    pub(super) fn of_workspace() -> Result<Tree, String> {
        // Untracked files that git does not ignore are on their way in, so they are read too.
        let list = run::output(Command::new("git").args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))
        .map_err(|why| format!("{why}\ntidy reads the list of files from git: run it in a clone"))?;
        let mut paths: Vec<&str> = list.split('\0').filter(|path| !path.is_empty()).collect();
        paths.sort_unstable();
        paths.dedup();
        let mut tree = Tree { files: Vec::new(), packages: super::packages::of_workspace()? };
        for path in paths {
            // Deleted but not yet committed, or no plain file: nothing to read.
            let Ok(meta) = std::fs::symlink_metadata(path) else { continue };
            if meta.is_file() {
                let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
                tree.add(path, meta.len(), String::from_utf8(bytes).unwrap_or_default());
            }
        }
        Ok(tree)
    }

    fn add(&mut self, path: &str, size: u64, text: String) {
        let lexed = path.ends_with(".rs").then(|| lex::lex(&text));
        self.files.push(File { path: path.to_owned(), size, text, lexed });
    }

    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &Lexed)> {
        self.files.iter().filter_map(|file| file.lexed.as_ref().map(|lexed| (file, lexed)))
    }

    pub(super) fn manifests(&self) -> impl Iterator<Item = (&File, &str)> {
        self.files
            .iter()
            .filter_map(|file| file.path.strip_suffix("/Cargo.toml").map(|folder| (file, folder)))
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.add(path, text.len() as u64, (*text).to_owned());
        }
        tree
    }
}

impl File {
    pub(super) fn extension(&self) -> &str {
        self.path
            .rsplit('/')
            .next()
            .and_then(|name| name.rsplit_once('.'))
            .map_or("", |(_, extension)| extension)
    }

    /// Other people's code that we ship as it is, and what a program wrote.
    pub(super) fn is_generated(&self) -> bool {
        let head = self.text.lines().take(5);
        self.path.split('/').any(|part| part == "vendor")
            || self.path.ends_with(".lock")
            || self.path.ends_with("package-lock.json")
            || head.into_iter().any(|line| line.contains("@generated"))
    }

    /// Files that hold only tests; for test modules at the end of a file see [`Lexed::tests_from`].
    pub(super) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
    }

    pub(super) fn problem(&self, line: usize, what: impl Into<String>) -> Problem {
        Problem { path: self.path.clone(), line, what: what.into() }
    }
}

/// `line` counts from one; zero means the whole file.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// For tests: the problems as lines, and `assert_said` to look for what they must mention.
#[cfg(test)]
pub(super) fn assert_said(problems: &[Problem], expected: &[&str]) {
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (line, part) in said.iter().zip(expected) {
        assert!(line.contains(part), "`{part}` is not in `{line}`");
    }
}
