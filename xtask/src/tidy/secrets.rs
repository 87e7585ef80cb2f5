//! Secrets have no `Debug` in clear: a struct that derives it holds them in a type that hides them, not as plain texts.
//! Reads lines as rustfmt leaves them: a field each. Enums and tuple structs are not looked at.

use super::lex::find_words;
use super::tree::{File, Problem, Tree};

/// The last word of a name that says that the value is one by which its holder gets in.
const NAMES: &[&str] = &["password", "token", "secret", "code", "key", "handle", "invitation", "hash", "phc"];
/// Around a text that is shown all the same.
const AROUND: &[&str] = &["Option<", "Zeroizing<", "zeroize::Zeroizing<"];

pub(super) fn secrets(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    // A fuzzer's samples are no secrets.
    let ours = |file: &File| !file.is_generated() && !file.is_test() && !file.path.starts_with("fuzz/");
    for (file, lexed) in tree.rust().filter(|(file, _)| ours(file)) {
        // Whether the attributes that were read derive `Debug`, and whether the struct is reached that they belong to.
        let (mut derives, mut inside) = (false, false);
        for (at, line) in lexed.code.lines().enumerate().take_while(|(at, _)| at + 1 < lexed.tests_from()) {
            let text = line.trim();
            if text.starts_with("#[derive(") {
                derives = find_words(text, "Debug").next().is_some();
            } else if text.ends_with(['{', ';']) {
                let is_struct = text.ends_with('{') && find_words(text, "struct").next().is_some();
                (inside, derives) = (derives && is_struct, false);
            } else if text.starts_with('}') {
                inside = false;
            } else if let Some(name) = field(text).filter(|_| inside) {
                let what = format!(
                    "`{name}` would be shown by the derived `Debug`: hold it as `secret::Hidden` or `secret::Password`, or derive no `Debug`"
                );
                problems.push(file.problem(at + 1, what));
            }
        }
    }
    problems
}

/// The name of a field that is named as a secret and typed as a plain text.
fn field(text: &str) -> Option<&str> {
    let (name, mut kind) = text.strip_suffix(',')?.split_once(": ")?;
    let name = name.rsplit(' ').next()?;
    while let Some(inner) = AROUND.iter().find_map(|around| kind.strip_prefix(around)) {
        kind = inner.strip_suffix('>')?;
    }
    (kind == "String" && NAMES.contains(&name.rsplit('_').next()?)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_said;
    use super::*;

    #[test]
    fn a_secret_that_debug_would_show_is_told() {
        let bad = "#[derive(Clone, Debug)]\n/// x\n#[serde(default)]\npub struct A<T> {\n    /// y\n    pub new_password: Option<Option<String>>,\n    pub(crate) token: String,\n    code: zeroize::Zeroizing<String>,\n    name: String,\n    key: Key,\n    code: &'static str,\n}\n";
        let good = "#[derive(Clone)]\nstruct A {\n    token: String,\n}\n#[derive(Debug)]\nstruct B(u8);\nstruct E {\n    key: String,\n}\n#[derive(Debug)]\nenum F {\n    G,\n}\nstruct H {\n    key: String,\n}\nfn f(\n    token: String,\n) {\n}\n#[derive(Debug)]\nstruct C {\n    a: u8,\n}\nstruct D {\n    token: String,\n}\n#[cfg(test)]\nmod tests {\n#[derive(Debug)]\nstruct A {\n    token: String,\n}\n}\n";
        let tree = Tree::of(&[("a.rs", bad), ("b.rs", good), ("tests/c.rs", bad), ("fuzz/d.rs", bad)]);
        assert_said(&secrets(&tree), &["a.rs:6: `new_password`", "a.rs:7: `token`", "a.rs:8: `code`"]);
    }
}
