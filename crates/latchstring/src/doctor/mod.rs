//! `latchstring doctor`: looks at everything that a production server stands on, and says of each finding why it
//! matters and how to mend it. It mends nothing by itself, and never migrates a database.

mod database;
mod machine;
mod mounts;
mod settings;
mod smtp;

use crate::{
    cli,
    config::{self, Config, Problem},
    failure::Failure,
    finding::{Finding, Level},
    logging, safety, say,
};
use latchstring_core::realm::Realm;

/// Runs it.
pub(crate) async fn run(loaded: Result<Config, Vec<Problem>>, args: cli::Doctor) -> Result<(), Failure> {
    let Report { findings, development } = match loaded {
        Ok(config) => {
            logging::start(&quiet(&config));
            look(&config).await
        }
        Err(problems) => Report { findings: problems.iter().map(unusable).collect(), development: false },
    };
    let bad = findings.iter().filter(|f| f.is_bad()).count();
    let weak = findings.iter().filter(|f| f.level == Level::Weak).count();
    if args.json {
        let list: Vec<_> = findings.iter().map(Finding::json).collect();
        let left_out: &[&str] = if development { &OF_PRODUCTION } else { &[] };
        say::json(&serde_json::json!({
            "ok": bad == 0, "bad": bad, "weak": weak, "development": development, "not_applicable": left_out,
            "findings": list,
        }));
    } else {
        for finding in &findings {
            say::out(finding);
        }
        say::out(match (bad, weak) {
            (0, 0) => "\nAll is well.".to_owned(),
            (0, weak) => format!("\nNothing is bad; {weak} could be better."),
            (bad, weak) if development => format!("\n{bad} bad, {weak} weak."),
            (bad, weak) => {
                format!("\n{bad} bad, {weak} weak. `latchstring serve` needs the bad ones mended.")
            }
        });
        if development {
            say::out(format_args!(
                "\nThis is a development database. What is about production does not apply to it and was not looked at: {}.\n\
                 To look at that, set LATCHSTRING_URL, and LATCHSTRING_DATABASE to another database: `latchstring serve` \
                 refuses this one.",
                OF_PRODUCTION.join(", ")
            ));
        }
    }
    if bad == 0 { Ok(()) } else { Err(Failure::said()) }
}

/// What goes wrong is a finding here; the log would say it again.
fn quiet(config: &Config) -> Config {
    Config { log: Some(config.log.clone().unwrap_or_else(|| "off".into())), ..config.clone() }
}

fn unusable(problem: &Problem) -> Finding {
    let why = "no command runs on settings that can't be read as they stand";
    Finding::bad("settings", problem.to_string(), why, "correct or remove it")
}

/// What is about production, and does not apply to a development database.
const OF_PRODUCTION: [&str; 8] =
    ["public address", "secret", "listener", "TLS", "mail", "breached passwords", "realm settings", "mounts"];

/// What was looked at.
struct Report {
    findings: Vec<Finding>,
    /// Whether this is a development database, and nobody has begun to set production up around it.
    development: bool,
}

async fn look(config: &Config) -> Report {
    let (database, realm) = database::look(config).await;
    let development = realm.as_ref().is_some_and(Realm::is_dev) && !means_production(config);
    let mut findings = if development { Vec::new() } else { safety::judge(config) };
    findings.extend(machine::clock(config));
    findings.extend(machine::files(config));
    findings.extend(machine::disk(config));
    if !development {
        findings.extend(machine::breached(config));
    }
    findings.extend(machine::places(config));
    findings.extend(machine::outgoing(config));
    findings.extend(database);
    if let Some(realm) = realm {
        if !development {
            findings.extend(settings::look(&realm.settings().1));
            findings.extend(realm.mounts().iter().flat_map(|mount| mounts::look(mount)));
        }
        realm.db().shutdown().await;
    }
    findings.extend(smtp::look(config).await);
    Report { findings, development }
}

/// Whether a public address is set, which a development server has no use for.
fn means_production(config: &Config) -> bool {
    config.url.as_deref().is_some_and(|url| !(url.starts_with("http://") && config::is_local(url)))
}
