//! SQL text stands in stores, so that a reader finds every statement of a thing in one file.

use super::tree::{Problem, Tree};

pub(super) fn sql(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, lexed) in tree.rust().filter(|(file, _)| !file.is_test() && !may_hold_sql(&file.path)) {
        let end = lexed.tests_from();
        for (line, text) in &lexed.strings {
            if *line < end && is_statement(text) {
                let what = "SQL outside a store: move the statement to the thing's `store.rs` in core and call it from here";
                problems.push(file.problem(*line, what));
            }
        }
    }
    problems
}

fn may_hold_sql(path: &str) -> bool {
    let mut parts = path.split('/');
    match parts.next() {
        Some("crates") => match parts.next() {
            Some("db") => true,
            Some("core") => parts.any(|part| matches!(part, "store" | "store.rs")),
            _ => false,
        },
        // A vendor's own tables are read and written in these two places only.
        Some("dialects") => parts.any(|part| matches!(part, "import" | "import.rs" | "export" | "export.rs")),
        _ => false,
    }
}

fn is_statement(text: &str) -> bool {
    let text = text.trim_start();
    let Some((verb, rest)) = text.split_once(char::is_whitespace) else { return false };
    match verb {
        "SELECT" | "INSERT" | "UPDATE" | "WITH" => true,
        // `DELETE /path` is a request, not a statement.
        "DELETE" => rest.trim_start().starts_with("FROM"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_said;
    use super::*;

    #[test]
    fn sql_outside_a_store_is_told() {
        let bad = "fn f() { tx.one(\"SELECT id FROM user\") }\nconst A: &str = \"\n  DELETE FROM user\";\n";
        let tree = Tree::of(&[
            ("crates/core/src/user/mod.rs", bad),
            ("crates/server/src/admin/store.rs", "const Q: &str = r#\"WITH x AS (1) UPDATE\"#;"),
            ("dialects/clerk/src/routes.rs", "const Q: &str = \"INSERT INTO x\"; "),
            ("crates/core/src/user/store.rs", bad),
            ("crates/core/src/oauth/store/code.rs", bad),
            ("crates/db/src/migrate.rs", bad),
            ("crates/core/tests/user.rs", bad),
            ("dialects/clerk/src/import.rs", bad),
            (
                "crates/web/src/ok.rs",
                "// \"SELECT 1 \"\nconst R: &str = \"DELETE /api/v1/session\"; const S: &str = \"SELECTED x\";",
            ),
            ("crates/core/src/key/mod.rs", "#[cfg(test)]\nmod tests {\n const Q: &str = \"SELECT 1\"; }"),
        ]);
        assert_said(
            &sql(&tree),
            &[
                "crates/core/src/user/mod.rs:1: SQL outside a store",
                "crates/core/src/user/mod.rs:2: ",
                "crates/server/src/admin/store.rs:1: ",
                "dialects/clerk/src/routes.rs:1: ",
            ],
        );
    }
}
