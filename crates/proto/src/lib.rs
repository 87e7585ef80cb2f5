//! Protocols as pure functions: parse, check, build.
//!
//! Architecture invariant: this crate does no I/O, reads no clock and knows no web framework or database. Callers pass
//! bytes, `now` and salts; readers of files are passed in as traits. The one randomness is what the cryptographic
//! library draws while it generates a key or signs.

pub mod email;
pub mod jose;
pub mod text;
pub mod username;
