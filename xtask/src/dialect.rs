//! `cargo xtask dialect new`: the folder of a new dialect, as far as it is the same for all: a face with one endpoint that
//! says what it is, its errors, its settings, and tests through the real service. docs/adding-a-dialect.md goes on from
//! there. What it is not: an endpoint of any vendor.

use std::{path::Path, process::ExitCode};

use crate::{Command, FAILED, USAGE, unknown_argument};

pub(crate) const COMMAND: Command = Command {
    name: "dialect",
    usage: "dialect new NAME --path /PATH",
    about: "Begins a dialect: dialects/NAME with a face below /PATH, and its lines in the manifests and the binary's list.\n\
            It builds and its tests pass; docs/adding-a-dialect.md says what comes next.",
    hidden: false,
    run,
};

fn run(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (name, path) = match words[..] {
        ["new", name, "--path", path] => (name, path),
        ["new", ..] => {
            eprintln!("cargo xtask dialect new: it takes a name and where the vendor's SDK looks, like:");
            eprintln!("    cargo xtask dialect new clerk --path /clerk/v1");
            return ExitCode::from(USAGE);
        }
        [other, ..] => return unknown_argument("dialect", other, &["new"]),
        [] => {
            eprintln!("cargo xtask dialect: say what to do. `cargo xtask dialect --help` shows it.");
            return ExitCode::from(USAGE);
        }
    };
    if let Err(why) = check(name, path) {
        eprintln!("cargo xtask dialect new: {why}");
        return ExitCode::from(USAGE);
    }
    match write(Path::new("."), name, path) {
        Ok(written) => {
            for file in written {
                println!("{file}");
            }
            println!("\nNext: cargo test -p latchstring-{name}, then docs/adding-a-dialect.md.");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("cargo xtask dialect new: {why}");
            ExitCode::from(FAILED)
        }
    }
}

fn check(name: &str, path: &str) -> Result<(), &'static str> {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if name.is_empty() || !plain(name) || name.as_bytes()[0].is_ascii_digit() {
        return Err("a name is of small letters and digits, and begins with a letter");
    }
    let segments = path.strip_prefix('/').filter(|rest| !rest.is_empty() && !rest.ends_with('/'));
    let good = segments.is_some_and(|rest| {
        rest.split('/').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
    });
    if !good {
        return Err("a path begins with a slash, ends without one, and has plain segments");
    }
    Ok(())
}

/// Writes the folder, and adds the lines that name it. Nothing is overwritten.
fn write(root: &Path, name: &str, path: &str) -> Result<Vec<String>, String> {
    let folder = format!("dialects/{name}");
    if root.join(&folder).exists() {
        return Err(format!("{folder} is there already"));
    }
    let mut written = Vec::new();
    let edits = [
        ("Cargo.toml", "latchstring-server = ", format!("latchstring-{name} = {{ path = \"{folder}\" }}")),
        (
            "crates/latchstring/Cargo.toml",
            "latchstring-server.workspace",
            format!("latchstring-{name}.workspace = true"),
        ),
    ];
    for (file, after, line) in edits {
        edit(root, file, |text| {
            let at = text.lines().position(|l| l.starts_with(after))?;
            let mut lines: Vec<&str> = text.lines().collect();
            lines.insert(at + 1, &line);
            Some(lines.join("\n") + "\n")
        })?;
        written.push(file.to_owned());
    }
    let list = "crates/latchstring/src/dialects.rs";
    edit(root, list, |text| {
        let (before, rest) = text.split_once("&[latchstring_").map(|(b, r)| (b.to_owned(), r.to_owned()))?;
        let (entries, after) = rest.split_once("];")?;
        let entries = entries.trim_end().trim_end_matches(',');
        Some(format!("{before}&[latchstring_{entries}, latchstring_{name}::DIALECT];{after}"))
    })?;
    written.push(list.to_owned());
    for (file, text) in FILES {
        let file = format!("{folder}/{file}");
        let target = root.join(&file);
        let parent = target.parent().ok_or("a file without a folder")?;
        std::fs::create_dir_all(parent).map_err(|e| format!("{}: {e}", parent.display()))?;
        let text = text.replace("@name@", name).replace("@path@", path);
        std::fs::write(&target, text).map_err(|e| format!("{file}: {e}"))?;
        written.push(file);
    }
    Ok(written)
}

fn edit(root: &Path, file: &str, change: impl FnOnce(&str) -> Option<String>) -> Result<(), String> {
    let text = std::fs::read_to_string(root.join(file)).map_err(|e| format!("{file}: {e}"))?;
    let text = change(&text).ok_or_else(|| format!("{file}: the place for the new dialect is not there"))?;
    std::fs::write(root.join(file), text).map_err(|e| format!("{file}: {e}"))
}

const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("dialect/Cargo.toml.txt")),
    ("README.md", include_str!("dialect/README.md.txt")),
    ("src/lib.rs", include_str!("dialect/lib.rs.txt")),
    ("src/error.rs", include_str!("dialect/error.rs.txt")),
    ("src/settings.rs", include_str!("dialect/settings.rs.txt")),
    ("src/routes/mod.rs", include_str!("dialect/routes.rs.txt")),
    ("src/routes/about.rs", include_str!("dialect/about.rs.txt")),
    ("tests/it/main.rs", include_str!("dialect/tests.rs.txt")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_plain() {
        check("clerk", "/clerk/v1").expect("plain");
        for (name, path) in [
            ("", "/x"),
            ("Clerk", "/x"),
            ("../x", "/x"),
            ("1x", "/x"),
            ("x", "x"),
            ("x", "/"),
            ("x", "/x/"),
            ("x", "/x//y"),
            ("x", "/x\"y"),
        ] {
            assert!(check(name, path).is_err(), "{name} {path}");
        }
    }

    #[test]
    fn the_folder_is_written_and_named_where_dialects_are_named() {
        let root = std::env::temp_dir().join(format!("latchstring-dialect-{}", std::process::id()));
        let put = |file: &str, text: &str| {
            std::fs::create_dir_all(root.join(file).parent().expect("a folder")).expect("made");
            std::fs::write(root.join(file), text).expect("written");
        };
        put("Cargo.toml", "[workspace.dependencies]\nlatchstring-server = { path = \"x\" }\n");
        put("crates/latchstring/Cargo.toml", "[dependencies]\nlatchstring-server.workspace = true\n");
        put(
            "crates/latchstring/src/dialects.rs",
            "pub(crate) const DIALECTS: &[Dialect] = &[latchstring_a::DIALECT];\n",
        );
        let written = write(&root, "b", "/b/v1").expect("written");
        let read = |file: &str| std::fs::read_to_string(root.join(file)).expect("there");
        assert!(read("Cargo.toml").contains("latchstring-b = { path = \"dialects/b\" }\n"));
        assert!(read("crates/latchstring/Cargo.toml").contains("\nlatchstring-b.workspace = true\n"));
        assert!(
            read("crates/latchstring/src/dialects.rs")
                .contains("&[latchstring_a::DIALECT, latchstring_b::DIALECT];")
        );
        for file in &written {
            assert!(!read(file).contains("@name@") && !read(file).contains("@path@"), "{file}");
        }
        assert!(write(&root, "b", "/b/v1").is_err(), "nothing is overwritten");
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
