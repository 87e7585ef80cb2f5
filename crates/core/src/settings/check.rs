//! Which values settings may have. One check for each group; a refusal names the setting as `group.member`.

use super::{
    AccountSettings, AuditSettings, CodeSettings, LimitSettings, PasswordSettings, SessionSettings, Settings,
    TokenEndpointSettings, TokenSettings, is_origin,
};
use crate::refusal::{Kind, Refusal};
use latchstring_look::brand::{Brand, LookSettings, WrongLook};

type Checked = Result<(), Refusal>;

fn wrong(param: &'static str, says: &'static str) -> Checked {
    Err(Kind::SettingInvalid.param(param).says(says))
}

fn between(value: i64, low: i64, high: i64) -> bool {
    (low..=high).contains(&value)
}

/// Refuses a look that can't be made. It takes longer than the other checks, and only who changes the look is asked to
/// mend it: what a release has renamed must not stand in the way of closing sign-up.
pub fn look(settings: &LookSettings) -> Checked {
    Brand::new(settings)
        .map(|_| ())
        .map_err(|WrongLook { param, says }| Kind::SettingInvalid.param(format!("look.{param}")).says(says))
}

impl Settings {
    /// Refuses values that would be unsafe or make no sense; `param` names the setting.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.name.trim().is_empty() || latchstring_proto::text::clean_line(&self.name, 80).is_err() {
            return wrong("name", "The name must have 1 to 80 plain characters.");
        }
        self.password.check()?;
        self.session.check()?;
        self.token.check()?;
        self.code.check()?;
        self.limits.check()?;
        self.token_endpoint.check()?;
        self.account.check()?;
        self.audit.check()?;
        origins(&self.origins, "origins")?;
        origins(&self.token_endpoint.origins, "token_endpoint.origins")
    }
}

impl PasswordSettings {
    fn check(&self) -> Checked {
        // Fewer than 8 for apps that come from elsewhere with accounts that have such passwords; `doctor` warns.
        if !(6..=64).contains(&self.min_chars) {
            return wrong("password.min_chars", "Between 6 and 64.");
        }
        if !(128..=1024).contains(&self.max_chars) {
            return wrong("password.max_chars", "Between 128 and 1024.");
        }
        if self.min_score > 4 {
            return wrong("password.min_score", "Between 0 and 4.");
        }
        if self.context_words.len() > 100 || self.context_words.iter().any(|w| w.len() > 100) {
            return wrong("password.context_words", "At most 100 words of at most 100 bytes.");
        }
        // OWASP's lowest advice for Argon2id is 19 MiB, 2 passes; 7 MiB with 5 passes is its equal. The upper end
        // keeps one sign-in from holding a core for seconds.
        if !(7_168..=262_144).contains(&self.memory_kib) {
            return wrong("password.memory_kib", "Between 7168 (7 MiB) and 262144 (256 MiB).");
        }
        if !(1..=10).contains(&self.passes) || self.memory_kib * self.passes < 35_840 {
            return wrong("password.passes", "Between 1 and 10, with memory times passes at least 35 MiB.");
        }
        if !(1..=4).contains(&self.lanes) {
            return wrong("password.lanes", "Between 1 and 4.");
        }
        Ok(())
    }
}

impl SessionSettings {
    fn check(&self) -> Checked {
        if !between(self.idle_seconds, 300, 400 * 86_400) {
            return wrong("session.idle_seconds", "Between 5 minutes and 400 days.");
        }
        if !between(self.absolute_seconds, 300, 400 * 86_400) {
            return wrong("session.absolute_seconds", "Between 5 minutes and 400 days.");
        }
        if !between(self.fresh_seconds, 60, 86_400) {
            return wrong("session.fresh_seconds", "Between a minute and a day.");
        }
        if !between(self.max_per_user, 1, 1_000) {
            return wrong("session.max_per_user", "Between 1 and 1000.");
        }
        Ok(())
    }
}

impl TokenSettings {
    fn check(&self) -> Checked {
        if !between(self.access_seconds, 60, 3_600) {
            return wrong("token.access_seconds", "Between 60 and 3600.");
        }
        if !between(self.refresh_idle_seconds, 300, 400 * 86_400) {
            return wrong("token.refresh_idle_seconds", "Between 5 minutes and 400 days.");
        }
        if !between(self.refresh_window_seconds, 0, 300) {
            return wrong("token.refresh_window_seconds", "Between 0 and 300.");
        }
        Ok(())
    }
}

impl CodeSettings {
    fn check(&self) -> Checked {
        if !between(self.seconds, 60, 600) {
            return wrong("code.seconds", "Between 60 and 600.");
        }
        if !between(self.tries, 1, 10) {
            return wrong("code.tries", "Between 1 and 10.");
        }
        if !between(self.invitation_seconds, 300, 90 * 86_400) {
            return wrong("code.invitation_seconds", "Between 5 minutes and 90 days.");
        }
        Ok(())
    }
}

impl LimitSettings {
    fn check(&self) -> Checked {
        for (rate, param) in [
            (self.attempts_by_address, "limits.attempts_by_address"),
            (self.passwords_by_address, "limits.passwords_by_address"),
            (self.codes_by_address, "limits.codes_by_address"),
            (self.codes_by_identifier, "limits.codes_by_identifier"),
            (self.sends_by_target, "limits.sends_by_target"),
            (self.sends_by_target_daily, "limits.sends_by_target_daily"),
            (self.sends_by_address, "limits.sends_by_address"),
            (self.sign_ups_by_address, "limits.sign_ups_by_address"),
            (self.notices_by_user, "limits.notices_by_user"),
            (self.tokens_by_address, "limits.tokens_by_address"),
            (self.keys_by_address, "limits.keys_by_address"),
        ] {
            if !(1..=1_000_000).contains(&rate.burst) || !(1..=7 * 86_400).contains(&rate.per_seconds) {
                return wrong(param, "burst between 1 and 1000000, per_seconds between 1 and 604800.");
            }
        }
        if !between(self.free_failures, 1, 20) {
            return wrong("limits.free_failures", "Between 1 and 20.");
        }
        if !between(self.max_delay_seconds, 1, 86_400) {
            return wrong("limits.max_delay_seconds", "Between a second and a day.");
        }
        if !between(self.failures_until_closed, self.free_failures, 100) {
            return wrong("limits.failures_until_closed", "Between limits.free_failures and 100.");
        }
        Ok(())
    }
}

impl TokenEndpointSettings {
    /// All but the origins, which have the rule of the realm's own.
    fn check(&self) -> Checked {
        if !matches!(self.alg.as_str(), "RS256" | "ES256" | "EdDSA" | "HS256") {
            return wrong("token_endpoint.alg", "RS256, ES256, EdDSA or HS256.");
        }
        if self.secret.as_ref().is_some_and(|s| s.len() < 32 || s.len() > 1_024) {
            return wrong("token_endpoint.secret", "Between 32 and 1024 bytes.");
        }
        if self.enabled && self.alg == "HS256" && self.secret.is_none() {
            return wrong("token_endpoint.secret", "HS256 needs a secret of at least 32 bytes.");
        }
        if !between(self.seconds, 60, 3_600) {
            return wrong("token_endpoint.seconds", "Between 60 and 3600.");
        }
        Ok(())
    }
}

impl AccountSettings {
    fn check(&self) -> Checked {
        if !between(self.deletion_grace_seconds, 0, 90 * 86_400) {
            return wrong("account.deletion_grace_seconds", "Between 0 and 90 days.");
        }
        Ok(())
    }
}

impl AuditSettings {
    fn check(&self) -> Checked {
        // In less than a week nobody has looked yet.
        if self.keep_days != 0 && !between(self.keep_days, 7, 3_650) {
            return wrong("audit.keep_days", "Between 7 and 3650, or 0 to keep all.");
        }
        Ok(())
    }
}

fn origins(list: &[String], param: &'static str) -> Checked {
    if list.len() > 100 || list.iter().any(|origin| !is_origin(origin)) {
        return wrong(param, "At most 100 origins such as https://app.example, without a path.");
    }
    Ok(())
}
