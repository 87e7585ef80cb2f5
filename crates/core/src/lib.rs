//! The identity domain: users, attempts, sessions, tokens. Every rule stands here, and every SQL text (in `store.rs`
//! files). It knows nothing of HTTP, of JSON on the wire, or of who is calling: a difference in policy is an argument.
//!
//! Modules stand on floors; a file uses only its own floor and those below (see ARCHITECTURE.md, checked by
//! `cargo xtask tidy`).

// Ground
pub mod annotation;
pub mod audit;
pub mod cache;
pub mod clock;
pub mod ended;
pub mod ground;
pub mod hash;
pub mod id;
pub mod key;
pub mod lease;
pub mod limit;
pub mod mount;
pub mod outbox;
pub mod page;
pub mod random;
pub mod refusal;
pub mod seal;
pub mod secret;
pub mod settings;
pub mod ticket;

// Realm
pub mod realm;

// Things
pub mod api_key;
pub mod certificate;
pub mod connection;
pub mod credential;
pub mod factor;
pub mod family;
pub mod identifier;
pub mod identity;
pub mod invitation;
pub mod mail;
pub mod notice;

// Subjects
pub mod browser;
pub mod session;
pub mod user;

// Native tokens
pub mod token;

// Attempts
pub mod attempt;
pub mod challenge;

// OAuth
pub mod oauth;

// What stands on all of them
pub mod account;
pub mod admin;
pub mod jobs;
pub mod sweep;
#[cfg(feature = "testing")]
pub mod testing;

pub use latchstring_db as db;
pub use refusal::{Class, Error, Kind, Refusal, Result};

/// The migrations of a realm's database, in order. They may be rewritten until the first release.
pub const MIGRATIONS: &[latchstring_db::Migration] = &[
    latchstring_db::Migration { number: 1, name: "model", sql: include_str!("../migrations/0001_model.sql") },
    latchstring_db::Migration {
        number: 2,
        name: "certificate",
        sql: include_str!("../migrations/0002_certificate.sql"),
    },
];
