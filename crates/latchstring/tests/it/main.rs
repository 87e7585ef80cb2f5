//! The real binary, started, asked, stopped and killed, over real sockets. On SQLite, and on PostgreSQL when
//! `LATCHSTRING_TEST_DATABASE` says so.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[cfg(feature = "pebble")]
mod acme;
mod attacks;
mod backup;
mod child;
mod commands;
mod crash;
mod dev;
mod dialect;
mod doctor;
mod home;
mod http;
mod mail;
mod postgres;
mod refusals;
mod serve;
mod sink;
mod stop;
mod supabase;
mod tls;
