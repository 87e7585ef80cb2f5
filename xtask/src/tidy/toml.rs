//! The dependency tables of a manifest, read line by line. Not a TOML parser: cargo has already accepted the file.

/// A dependency: its line, the name it is known by, and the package it really is.
#[derive(Debug, PartialEq)]
pub(super) struct Dependency {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) package: String,
}

pub(super) fn dependencies(text: &str) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    let mut table = Table::Other;
    for (number, line) in text.lines().enumerate() {
        let line = line.split_once(" #").map_or(line, |(before, _)| before).trim();
        if line.starts_with('[') {
            table = Table::of(line.trim_matches(['[', ']']));
            if let Table::One(name) = &table {
                found.push(Dependency { line: number + 1, package: name.clone(), name: name.clone() });
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim(), value.trim());
        if key.starts_with('#') {
            continue;
        }
        match &table {
            Table::Many => {
                let name = key.split('.').next().unwrap_or(key).trim_matches('"').to_owned();
                let package = renamed(value).unwrap_or_else(|| name.clone());
                found.push(Dependency { line: number + 1, name, package });
            }
            Table::One(_) if key == "package" => {
                if let Some(last) = found.last_mut() {
                    last.package = value.trim_matches('"').to_owned();
                }
            }
            _ => {}
        }
    }
    found
}

/// The name of the package itself.
pub(super) fn package(text: &str) -> &str {
    let name = text.lines().find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='));
    name.map_or("", |name| name.trim().trim_matches('"'))
}

enum Table {
    /// `[dependencies]`, also for a target: a dependency a line.
    Many,
    /// `[dependencies.name]`: one dependency, a property a line.
    One(String),
    Other,
}

impl Table {
    fn of(name: &str) -> Table {
        // `[workspace.dependencies]` only says where things are; who uses them says so in its own manifest.
        if name.starts_with("workspace") {
            return Table::Other;
        }
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            if name == kind || name.ends_with(&format!(".{kind}")) {
                return Table::Many;
            }
            let one = name.strip_prefix(&format!("{kind}."));
            if let Some(one) = one.or_else(|| name.split_once(&format!(".{kind}.")).map(|(_, one)| one)) {
                return Table::One(one.trim_matches('"').to_owned());
            }
        }
        Table::Other
    }
}

/// `{ package = "x", … }`: the dependency under another name.
fn renamed(value: &str) -> Option<String> {
    let (_, after) = value.split_once("package")?;
    let after = after.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
    after.split('"').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_way_to_write_a_dependency_is_read() {
        let text = r#"
[package]
name = "x"
[dependencies]
# gone = "1"
a.workspace = true
b = { version = "1", package = "real-b" } # why
[dev-dependencies.c]
package = "real-c"
[target.'cfg(unix)'.dependencies]
d = "1"
[target.'cfg(unix)'.build-dependencies.e]
version = "1"
[features]
f = ["a"]
[workspace.dependencies]
g = "1"
"#;
        let found = super::dependencies(text);
        let found: Vec<_> = found.iter().map(|d| (d.line, d.name.as_str(), d.package.as_str())).collect();
        assert_eq!(
            found,
            [(6, "a", "a"), (7, "b", "real-b"), (8, "c", "real-c"), (11, "d", "d"), (12, "e", "e")]
        );
    }
}
