//! OAuth grants.

pub mod password_grant;
