//! Protocols as pure functions: parse, check, build.
//!
//! Architecture invariant: this crate does no I/O, reads no clock and knows no web framework or database. Callers pass
//! bytes, `now` and salts; readers of files are passed in as traits. The one randomness is what the cryptographic
//! library draws while it generates a key or signs.

pub mod breached;
pub mod email;
pub mod gcra;
pub mod jose;
pub mod net;
pub mod password;
pub mod return_to;
pub mod rfc6750;
pub mod rfc7617;
pub mod rfc7636;
pub mod strength;
pub mod text;
pub mod user_agent;
pub mod username;

#[cfg(test)]
mod testing {
    /// Runs something hostile and fails when it took longer than anything without a password hash may.
    #[allow(clippy::disallowed_methods, reason = "what an attack costs is measured on the machine's clock")]
    pub(crate) fn quick<T>(work: impl FnOnce() -> T) -> T {
        let start = std::time::Instant::now();
        let result = work();
        assert!(start.elapsed().as_millis() < 50, "took {:?}", start.elapsed());
        result
    }
}
