//! Credentials: passwords (passkeys follow). Passwords stand as PHC strings; the pool in [`crate::hash`] does the work.

pub mod store;

use crate::{
    realm::Realm,
    refusal::{Fault, Kind, Refusal, Result},
    secret::Password,
    settings::Characters,
};
use latchstring_proto::{password::PasswordHash, strength};

/// Who set a credential. What was set by someone who had not proven the address goes when it is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBy {
    /// The person.
    User,
    /// Somebody who signed up with an address that they have not proven yet.
    Claim,
    /// An admin.
    Admin,
    /// An import.
    Import,
}

impl SetBy {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            SetBy::User => "user",
            SetBy::Claim => "claim",
            SetBy::Admin => "admin",
            SetBy::Import => "import",
        }
    }
}

/// Checks a new password against the realm's policy; `context` are the person's own words (name, address, username).
pub async fn check_policy(realm: &Realm, password: &Password, context: &[&str]) -> Result<()> {
    let settings = realm.settings();
    let p = &settings.1.password;
    let policy = strength::Policy {
        min_chars: p.min_chars as usize,
        max_chars: p.max_chars as usize,
        min_score: p.min_score,
        characters: match p.characters {
            Characters::Any => strength::Characters::Any,
            Characters::LettersDigits => strength::Characters::LettersDigits,
            Characters::LowerUpperLettersDigits => strength::Characters::LowerUpperLettersDigits,
            Characters::LowerUpperLettersDigitsSymbols => {
                strength::Characters::LowerUpperLettersDigitsSymbols
            }
        },
    };
    let mut words: Vec<&str> = vec!["latchstring", &settings.1.name];
    words.extend(p.context_words.iter().map(String::as_str));
    for word in context {
        words.push(word);
        // The parts of an address are context too: ada@northwind.example must not have "northwind" as password.
        words.extend(word.split(['@', '.', '+', ' ']).filter(|part| part.len() >= 3));
    }
    // Estimating a hostile password takes up to a tenth of a second, and the list of breached ones is a file: not on a
    // worker that answers requests.
    let words: Vec<String> = words.into_iter().map(ToOwned::to_owned).collect();
    let (password, list) = (password.clone(), realm.breached().cloned());
    let checked = tokio::task::spawn_blocking(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let breached = |candidate: &str| list.as_ref().is_some_and(|list| list.contains(candidate));
        strength::check(password.expose(), &words, &policy, breached)
    })
    .await
    .map_err(|e| Fault::new("checking a password failed", e))?;
    checked.map_err(|weak| {
        let mut refusal = Refusal::new(Kind::PasswordWeak).param("password");
        let says: Vec<String> = weak.iter().map(ToString::to_string).collect();
        for w in &weak {
            refusal = refusal.reason(w.code());
        }
        refusal.says(says.join(" ")).into()
    })
}

/// Refuses passwords that no account can have, before any work is done for them.
pub fn check_length(realm: &Realm, password: &Password) -> Result<()> {
    let most = realm.settings().1.password.max_chars as usize;
    // Bytes first: counting the characters of a megabyte is work too.
    if password.expose().len() > most * 4 || password.expose().chars().count() > most {
        let refusal = Kind::InputInvalid.param("password").reason("too_long");
        return Err(refusal.says(format!("At most {most} characters.")).into());
    }
    if password.expose().is_empty() {
        let refusal = Kind::InputInvalid.param("password").reason("missing");
        return Err(refusal.says("The password is missing.").into());
    }
    Ok(())
}

/// Refuses a hash that can't be verified here, or would stall a sign-in.
pub fn check_import(phc: &str) -> Result<()> {
    PasswordHash::parse(phc)
        .map(|_| ())
        .map_err(|e| Kind::HashUnusable.param("password_hash").says(e.to_string()).into())
}
