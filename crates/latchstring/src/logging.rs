//! The log: on standard error, as text or JSON, and without secrets.

use crate::config::{Config, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// What is logged when nothing is set.
const DEFAULT: &str = "warn,latchstring=info";

/// Whether records of foreign crates below "info" may be written: no. At "debug" the PostgreSQL driver writes the values
/// of statements, the mail client its dialogue, and HTTP/2 every header.
fn ours() -> Targets {
    Targets::new().with_default(LevelFilter::INFO).with_target("latchstring", LevelFilter::TRACE)
}

/// Starts the log, and makes panics go there. A second call does nothing.
pub(crate) fn start(config: &Config) {
    let filter = EnvFilter::builder().parse_lossy(config.log.as_deref().unwrap_or(DEFAULT));
    let stderr = std::io::stderr;
    let layer = match config.log_format {
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(stderr).boxed(),
        LogFormat::Text => fmt::layer().with_ansi(stderr().is_terminal()).with_writer(stderr).boxed(),
    };
    // Fails only when there is one already.
    let _ = tracing_subscriber::registry().with(filter).with(ours()).with(layer).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("(no text)");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("(unnamed)");
        tracing::error!(message, place, thread, "a panic: this is a bug");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn foreign_records_below_info_are_never_written() {
        let ours = ours();
        for foreign in ["tokio_postgres::query", "lettre::transport", "h2::codec", "hyper::proto"] {
            assert!(!ours.would_enable(foreign, &Level::DEBUG), "{foreign}");
            assert!(ours.would_enable(foreign, &Level::INFO), "{foreign}");
        }
        assert!(ours.would_enable("latchstring_core::mail", &Level::TRACE));
    }
}
