//! `latchstring doctor`: looks at everything that a production server stands on, and says of each finding why it
//! matters and how to mend it. It mends nothing by itself, and never migrates a database.

mod database;
mod machine;
mod settings;
mod smtp;

use crate::{
    cli,
    config::{Config, Problem},
    failure::Failure,
    finding::{Finding, Level},
    logging, safety, say,
};

/// Runs it.
pub(crate) async fn run(loaded: Result<Config, Vec<Problem>>, args: cli::Doctor) -> Result<(), Failure> {
    let findings = match loaded {
        Ok(config) => {
            logging::start(&quiet(&config));
            look(&config).await
        }
        Err(problems) => problems.iter().map(unusable).collect(),
    };
    let bad = findings.iter().filter(|f| f.is_bad()).count();
    let weak = findings.iter().filter(|f| f.level == Level::Weak).count();
    if args.json {
        let list: Vec<_> = findings.iter().map(Finding::json).collect();
        say::json(&serde_json::json!({ "ok": bad == 0, "bad": bad, "weak": weak, "findings": list }));
    } else {
        for finding in &findings {
            say::out(finding);
        }
        say::out(match (bad, weak) {
            (0, 0) => "\nAll is well.".to_owned(),
            (0, weak) => format!("\nNothing is bad; {weak} could be better."),
            (bad, weak) => {
                format!("\n{bad} bad, {weak} weak. `latchstring serve` needs the bad ones mended.")
            }
        });
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

async fn look(config: &Config) -> Vec<Finding> {
    let mut findings = safety::judge(config);
    findings.extend(machine::clock(config));
    findings.extend(machine::files(config));
    findings.extend(machine::disk(config));
    findings.extend(machine::breached(config));
    findings.extend(machine::outgoing(config));
    let (database, realm) = database::look(config).await;
    findings.extend(database);
    if let Some(realm) = realm {
        findings.extend(settings::look(&realm.settings().1));
        realm.db().shutdown().await;
    }
    findings.extend(smtp::look(config).await);
    findings
}
