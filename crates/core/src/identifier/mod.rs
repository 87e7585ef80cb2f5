//! Identifiers: e-mail addresses and usernames. As typed, and a normal form that is unique. Proof that we saw
//! (`proven_at`) stands apart from what somebody said (`asserted_at`, `asserted_by`).

pub mod store;

use crate::{
    clock::Micros,
    id::{IdentifierId, UserId},
    refusal::{Kind, Result},
};
use latchstring_proto::{email::Email, username::Username};

/// The space in which realm-wide identifiers are unique.
pub const REALM_SPACE: &str = "realm";

/// What sort of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentifierKind {
    /// An e-mail address.
    Email,
    /// A username.
    Username,
}

impl IdentifierKind {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            IdentifierKind::Email => "email",
            IdentifierKind::Username => "username",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "email" => Some(IdentifierKind::Email),
            "username" => Some(IdentifierKind::Username),
            _ => None,
        }
    }
}

/// An identifier as somebody typed it, and its normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// What sort.
    pub kind: IdentifierKind,
    /// As typed: mail to a *stored* address goes to the stored form, never to this one.
    pub typed: String,
    /// For comparing.
    pub normal: String,
}

impl Identifier {
    /// An e-mail address.
    pub fn email(text: &str) -> Result<Self> {
        let email =
            Email::parse(text).map_err(|e| Kind::EmailInvalid.param("identifier").says(e.to_string()))?;
        Ok(Self {
            kind: IdentifierKind::Email,
            typed: email.typed().to_owned(),
            normal: email.normal().to_owned(),
        })
    }

    /// A username.
    pub fn username(text: &str) -> Result<Self> {
        let name =
            Username::parse(text).map_err(|e| Kind::UsernameInvalid.param("username").says(e.to_string()))?;
        Ok(Self {
            kind: IdentifierKind::Username,
            typed: name.typed().to_owned(),
            normal: name.normal().to_owned(),
        })
    }

    /// What somebody types to sign in: with an `@` it is an address, else a username (which can't hold one).
    pub fn any(text: &str) -> Result<Self> {
        if text.contains('@') { Self::email(text) } else { Self::username(text) }
    }
}

/// What the normal forms of addresses and of usernames begin with that begin with `typed`.
pub fn prefixes(typed: &str) -> (String, String) {
    (latchstring_proto::email::fold_prefix(typed), latchstring_proto::username::fold_prefix(typed))
}

/// A stored identifier.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its id.
    pub id: IdentifierId,
    /// Whose.
    pub user: UserId,
    /// What sort.
    pub kind: IdentifierKind,
    /// As typed.
    pub typed: String,
    /// For comparing.
    pub normal: String,
    /// Whether it is the one to show and to write to.
    pub is_primary: bool,
    /// When we saw proof.
    pub proven_at: Option<Micros>,
    /// When somebody said it was theirs.
    pub asserted_at: Option<Micros>,
}

/// The address to show and to write to, among a user's identifiers.
pub fn email(identifiers: &[Stored]) -> Option<&Stored> {
    identifiers.iter().filter(|i| i.kind == IdentifierKind::Email).max_by_key(|i| (i.is_primary, i.is_good()))
}

impl Identifier {
    /// What was typed and can be nobody's: as wrong as what is nobody's yet, at the same cost.
    pub fn nobody(text: &str) -> Self {
        Self {
            kind: IdentifierKind::Username,
            typed: String::new(),
            // No username holds an "@"; without controls, which no database text may hold.
            normal: format!("@{}", text.chars().filter(|c| !c.is_control()).take(100).collect::<String>()),
        }
    }
}

/// Who says so of an address that its owner signed up with, where the realm asks for no proof.
pub const SELF_ASSERTED: &str = "sign_up";

impl Stored {
    /// Whether it is proven, or asserted by an admin or import.
    pub fn is_good(&self) -> bool {
        self.proven_at.is_some() || self.asserted_at.is_some()
    }
}
