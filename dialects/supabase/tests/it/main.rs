//! The dialect through the real service, and moving from Supabase and back. On both databases.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod about;
mod admin;
mod app;
mod attacks;
mod dump;
mod flows;
mod hostile;
mod import;
mod init;
mod live;
mod off;
mod policy;
mod ratchet;
mod rls;
mod round;
mod sample;
mod sign_in;
mod stranger;
