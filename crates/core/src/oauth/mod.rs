//! Tokens: minting and checking.

pub mod check;
pub mod mint;
pub mod password_grant;
