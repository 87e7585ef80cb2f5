//! Settings of the realm that are allowed, and weaker than need be.

use crate::finding::Finding;
use latchstring_core::settings::{PasswordSettings, Settings};

/// Judges settings.
pub(super) fn look(settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "realm settings";
    let mut findings = Vec::new();
    let mut weak = |says: String, why: &str, mend: &str| findings.push(Finding::weak(CHECK, says, why, mend));
    let usual = Settings::default();
    let (password, good) = (&settings.password, &usual.password);
    if password.min_chars < 8 {
        weak(
            format!("password.min_chars is {}", password.min_chars),
            "so short a password is tried in days by whoever steals the database, and NIST takes none below 8",
            "set it to 8 or more; passwords from before stay good until they are changed",
        );
    }
    if !settings.confirm_sign_up {
        weak(
            "confirm_sign_up is off".into(),
            "people sign up with addresses of others, and a sign-up tells whether an address has an account",
            "set it to true when the app can wait for a code or link",
        );
    }
    if password.min_score == 0 {
        weak(
            "password.min_score is 0".into(),
            "“password1” passes, and it is among the first that anyone tries",
            "set it to 2 or more",
        );
    }
    if cost(password) < cost(good) {
        weak(
            format!("a password costs {} KiB times {}", password.memory_kib, password.passes),
            "whoever steals the database tries passwords faster by as much as a hash is cheaper",
            "set password.memory_kib to 19456 and password.passes to 2, or more",
        );
    }
    let endpoint = &settings.token_endpoint;
    if endpoint.enabled {
        weak(
            "token_endpoint is on".into(),
            "it takes passwords from apps, so no second factor, no passkey and no page of ours protects them",
            "let apps send people to /sign-in when they can; then switch it off",
        );
    }
    if endpoint.enabled && endpoint.alg == "HS256" {
        weak(
            "token_endpoint signs by HS256".into(),
            "each app that can check such a token can also make one, for any user",
            "set token_endpoint.alg to RS256, and give the app /token/jwks.json",
        );
    }
    if settings.limits.failures_until_closed < 5 {
        weak(
            format!("limits.failures_until_closed is {}", settings.limits.failures_until_closed),
            "anyone who knows an address can close its password sign-in with a few tries",
            "set it between 10 and 100",
        );
    }
    if settings.session.absolute_seconds > 90 * 86_400 {
        weak(
            format!("sessions last up to {} days", settings.session.absolute_seconds / 86_400),
            "a stolen cookie lasts as long",
            "set session.absolute_seconds to 90 days (7776000) or less",
        );
    }
    if settings.name == usual.name {
        weak(
            format!("the realm is called “{}”", settings.name),
            "people see that name on pages and in mail, and don't know it",
            "set `name` to your own: PATCH /api/v1/settings",
        );
    }
    for origin in
        settings.origins.iter().chain(&endpoint.origins).filter(|origin| origin.starts_with("http://"))
    {
        weak(
            format!("{origin} is listed as an origin"),
            "a page that came without TLS may be anybody's",
            "list its https address",
        );
    }
    if findings.is_empty() {
        findings.push(Finding::good(CHECK, "nothing is weaker than the defaults"));
    }
    findings
}

fn cost(password: &PasswordSettings) -> u64 {
    u64::from(password.memory_kib) * u64::from(password.passes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Level;

    #[test]
    fn weak_settings_are_told_and_the_defaults_are_good() {
        let good = Settings { name: "Our House".into(), ..Settings::default() };
        assert!(look(&good).iter().all(|f| f.level == Level::Good));
        type Change = fn(&mut Settings);
        let weak: &[(&str, Change)] = &[
            ("min_chars is 6", |s| s.password.min_chars = 6),
            ("confirm_sign_up", |s| s.confirm_sign_up = false),
            ("min_score", |s| s.password.min_score = 0),
            ("KiB", |s| (s.password.memory_kib, s.password.passes) = (7_168, 5)),
            ("token_endpoint is on", |s| s.token_endpoint.enabled = true),
            ("HS256", |s| (s.token_endpoint.enabled, s.token_endpoint.alg) = (true, "HS256".into())),
            ("failures_until_closed", |s| s.limits.failures_until_closed = 3),
            ("days", |s| s.session.absolute_seconds = 400 * 86_400),
            ("called", |s| s.name = "Latchstring".into()),
            ("http://app.test", |s| s.origins = vec!["http://app.test".into()]),
        ];
        for (part, change) in weak {
            let mut settings = good.clone();
            change(&mut settings);
            let findings = look(&settings);
            assert!(
                findings.iter().any(|f| f.level == Level::Weak && f.says.contains(part)),
                "{part}: {findings:?}"
            );
        }
    }
}
