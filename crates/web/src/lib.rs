//! What HTTP faces share: who calls and from where, cookies, the guard against forged requests, problem documents,
//! metrics, the edge that every request passes, and the listener before it.
//!
//! Architecture invariant: this crate knows `core` and HTTP, but no endpoint: faces and dialects stand on it and don't
//! see each other.

pub mod app;
pub mod body;
pub mod cookie;
pub mod ctx;
pub mod edge;
pub mod face;
pub mod listen;
pub mod metrics;
pub mod problem;
pub mod service;
#[cfg(feature = "testing")]
pub mod testing;
pub mod to_https;

pub use app::{App, Config};
pub use body::Json;
pub use ctx::Ctx;
pub use face::{At, Cors, Dialect};
pub use problem::Problem;
pub use service::Service;
