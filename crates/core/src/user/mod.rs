//! Users: persons and guests.

pub mod store;

use crate::{
    cache::Seen,
    clock::Micros,
    id::UserId,
    identifier::{self, IdentifierKind, Stored},
    refusal::{Kind, Refusal, Result},
};

/// What a session of an account that is to be deleted waits for: its owner keeps it, or lets it go.
pub const DELETION_PENDING: &str = "deletion_pending";

/// A person or a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKind {
    /// Somebody with an identifier.
    Person,
    /// Somebody without; may become a person and keeps the id.
    Guest,
}

/// Whether a user may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// May.
    Active,
    /// May not, until the ban is lifted or runs out.
    Banned,
}

/// A user, without identifiers.
#[derive(Debug, Clone)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// Person or guest.
    pub kind: UserKind,
    /// Whether they may sign in.
    pub status: Status,
    /// Until when the ban lasts; `None`: until it is lifted.
    pub status_until: Option<Micros>,
    /// Why they are banned.
    pub status_reason: Option<String>,
    /// The full name.
    pub name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
    /// The address of a picture.
    pub picture: Option<String>,
    /// The preferred language (BCP 47).
    pub locale: Option<String>,
    /// Metadata that all may read and admins write.
    pub meta_public: serde_json::Value,
    /// Metadata for admins.
    pub meta_private: serde_json::Value,
    /// Metadata of the user's own.
    pub meta_own: serde_json::Value,
    /// Tokens and sessions from before are dead.
    pub valid_after: Micros,
    /// Moves with each change of credentials.
    pub auth_rev: i64,
    /// Moves with each change: the ETag.
    pub rev: i64,
    /// When the account was made.
    pub created_at: Micros,
    /// When it last changed.
    pub updated_at: Micros,
    /// When they last signed in.
    pub signed_in_at: Option<Micros>,
    /// When the account is deleted for good, unless its owner keeps it before.
    pub delete_after: Option<Micros>,
}

impl User {
    /// How the account stood when it was read.
    pub fn seen(&self) -> Seen {
        Seen { rev: self.rev, signed_in_at: self.signed_in_at }
    }

    /// Whether the user is banned at `now`.
    pub fn is_banned(&self, now: Micros) -> bool {
        self.status == Status::Banned && self.status_until.is_none_or(|until| until > now)
    }

    /// Refuses guests: an identifier or a credential would make an account of one, past the rules for signing up, and
    /// whoever becomes a person later would share it with whoever set it.
    pub fn must_be_person(&self) -> Result<()> {
        if self.kind == UserKind::Guest { Err(Kind::NotForGuests.into()) } else { Ok(()) }
    }
}

/// A user with identifiers, as faces show it.
#[derive(Debug, Clone)]
pub struct Full {
    /// The user.
    pub user: User,
    /// The identifiers, oldest first.
    pub identifiers: Vec<Stored>,
    /// Whether there is a password.
    pub has_password: bool,
}

impl Full {
    /// The address to show and to write to.
    pub fn email(&self) -> Option<&Stored> {
        identifier::email(&self.identifiers)
    }

    /// The username.
    pub fn username(&self) -> Option<&Stored> {
        self.identifiers.iter().find(|i| i.kind == IdentifierKind::Username)
    }
}

/// Changes to a profile. `None` leaves a member as it is, `Some(None)` takes it away.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProfileChange {
    /// The full name.
    pub name: Option<Option<String>>,
    /// The given name.
    pub given_name: Option<Option<String>>,
    /// The family name.
    pub family_name: Option<Option<String>>,
    /// The address of a picture: https only.
    pub picture: Option<Option<String>>,
    /// The preferred language.
    pub locale: Option<Option<String>>,
    /// Replaces the metadata of the user's own.
    pub meta_own: Option<serde_json::Value>,
    /// Replaces the public metadata (admins only).
    pub meta_public: Option<serde_json::Value>,
    /// Replaces the private metadata (admins only).
    pub meta_private: Option<serde_json::Value>,
}

/// Most bytes of one metadata bag.
pub const META_BYTES: usize = 16 * 1024;

impl ProfileChange {
    /// Checks lengths and characters.
    pub fn check(&self) -> Result<()> {
        let line =
            |value: &Option<Option<String>>, param: &'static str, most: usize| -> Result<(), Refusal> {
                if let Some(Some(text)) = value {
                    latchstring_proto::text::clean_line(text, most)
                        .map_err(|e| Kind::InputInvalid.param(param).says(e.to_string()))?;
                }
                Ok(())
            };
        line(&self.name, "name", 200)?;
        line(&self.given_name, "given_name", 100)?;
        line(&self.family_name, "family_name", 100)?;
        line(&self.locale, "locale", 35)?;
        line(&self.picture, "picture", 2_000)?;
        if let Some(Some(picture)) = &self.picture
            && !picture.starts_with("https://")
        {
            return Err(Kind::InputInvalid
                .param("picture")
                .says("The picture must be an https address.")
                .into());
        }
        for (value, param) in [
            (&self.meta_own, "metadata.own"),
            (&self.meta_public, "metadata.public"),
            (&self.meta_private, "metadata.private"),
        ] {
            if let Some(value) = value {
                if !value.is_object() {
                    return Err(Kind::InputInvalid.param(param).says("Must be a JSON object.").into());
                }
                if value.to_string().len() > META_BYTES {
                    return Err(Kind::InputInvalid.param(param).says("At most 16 KiB.").into());
                }
            }
        }
        Ok(())
    }
}
