//! The only place of these tools that reads a clock.
use std::time::Instant;

#[expect(
    clippy::disallowed_methods,
    reason = "tools measure real time; there is no realm here to take a clock from"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
