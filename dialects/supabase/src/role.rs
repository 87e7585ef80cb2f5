//! PostgreSQL roles of users, which their tokens carry.

/// The roles that a user may not have: a token that says so passes Row Level Security everywhere, or is taken for a back
/// end's by other services of the vendor.
const OF_BACK_ENDS: &[&str] = &["service_role", "postgres"];
/// What the vendor's own roles begin with, and PostgreSQL's.
const OF_OTHERS: &[&str] = &["supabase_", "pg_"];

/// Whether a text may be a user's role: an identifier of PostgreSQL, and none that opens everything.
pub fn may_be(text: &str) -> bool {
    let named = (1..=63).contains(&text.len())
        && !text.starts_with(|c: char| c.is_ascii_digit() || c == '$')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_$".contains(&b));
    let lower = text.to_ascii_lowercase();
    named
        && !OF_BACK_ENDS.contains(&lower.as_str())
        && !OF_OTHERS.iter().any(|beginning| lower.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_role_is_an_identifier_that_opens_not_everything() {
        for good in ["authenticated", "anon", "editor", "Editor_2", "a$b", "_x", &"r".repeat(63)] {
            assert!(may_be(good), "{good}");
        }
        for bad in [
            "",
            "service_role",
            "SERVICE_ROLE",
            "supabase_admin",
            "supabase_auth_admin",
            "postgres",
            "pg_read_all_data",
            "2x",
            "$x",
            "a-b",
            "a b",
            "a\"b",
            "a;drop",
            "é",
            &"r".repeat(64),
        ] {
            assert!(!may_be(bad), "{bad}");
        }
    }
}
