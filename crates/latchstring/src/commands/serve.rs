//! `latchstring serve`: production. Starts only on settings that are fit for it, and tells all that is wrong at once.

use crate::{
    cli,
    config::{Config, Tls},
    failure::Failure,
    finding::{Finding, Level},
    listeners::Listeners,
    open,
    process::{self, Certificate, Plan},
    safety, say,
    tls::acme::{Acme, LETS_ENCRYPT},
};
use latchstring_core::seal::Keys;
use std::{sync::Arc, time::Duration};

/// Load balancers ask /readyz every second or so.
const DRAIN: Duration = Duration::from_secs(1);

/// Runs it.
pub(crate) async fn run(config: Config, args: cli::Serve) -> Result<(), Failure> {
    let findings = safety::judge(&config);
    if findings.iter().any(Finding::is_bad) {
        return Err(refusal(&findings));
    }
    for weak in findings.iter().filter(|f| f.level == Level::Weak) {
        tracing::warn!(check = weak.check, why = weak.why, mend = weak.mend, "{}", weak.says);
    }
    // Both are there, or the judge would have said so.
    let (Some(origin), Some(secret)) = (config.url.clone(), &config.secret) else {
        return Err(refusal(&findings));
    };
    let keys = Keys::parse(&secret.text).map_err(|e| Failure::usage(format!("{}: {e}", secret.place)))?;
    process::smtp(&config)?;
    open::place(&config)?;
    let listeners = Listeners::bind(&config, safety::public(&config), "serve").await?;
    let certificate = match safety::certificate(&config) {
        Some(files) => Some(Certificate::Files(files.load().map_err(Failure::usage)?, files)),
        None if config.tls == Tls::Acme => Some(Certificate::Acme(Acme {
            directory: config.acme_directory.clone().unwrap_or_else(|| LETS_ENCRYPT.to_owned()),
            contact: config.acme_contact.clone(),
            root: config.acme_root.clone(),
            http: listeners.clear.is_some(),
        })),
        None => None,
    };
    let shown = origin.clone();
    let plan = Plan {
        config,
        dev: false,
        accept_new_url: args.accept_new_url,
        restored: args.restored,
        origin,
        certificate,
        keys: Arc::new(keys),
        new_secret: None,
        drain: DRAIN,
    };
    process::run(plan, listeners, Box::new(move |token| greet(&shown, token))).await
}

fn greet(origin: &str, token: Option<&str>) {
    say::out(format_args!("Latchstring {} serves {origin}", env!("CARGO_PKG_VERSION")));
    if let Some(token) = token {
        say::out(
            "There is no API key yet. Spend this token once for one that may do everything, by POST /api/v1/setup;",
        );
        say::out(
            "it is good for a day, and a restart prints a new one. `latchstring api-key create` does the same here.",
        );
        say::out(format_args!("set-up token: {token}"));
    }
}

/// All that is wrong, and how to mend it.
fn refusal(findings: &[Finding]) -> Failure {
    let bad: Vec<String> = findings.iter().filter(|f| f.is_bad()).map(ToString::to_string).collect();
    Failure::usage(format!(
        "the production server does not start like this:\n\n{}\n\nTo try things out on this machine, run `latchstring dev`.",
        bad.join("\n\n")
    ))
}
