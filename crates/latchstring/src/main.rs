//! The binary: settings, commands, listeners. What the product does stands in the crates below.

mod breached;
mod cli;
mod commands;
mod config;
mod dialects;
mod doctor;
mod failure;
mod files;
mod finding;
mod listeners;
mod logging;
mod open;
mod places;
mod process;
mod safety;
mod say;
mod tls;

use clap::Parser;
use cli::{Cli, Command};
use config::Config;
use failure::Failure;
use std::{future::Future, process::ExitCode};

fn main() -> ExitCode {
    // The only provider: nothing else may choose one. Fails only if there is one already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // A wrong command line ends here, with 2.
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.text.is_empty() {
                say::err(format_args!("latchstring: {}", failure.text));
            }
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let file = cli.config.as_deref();
    match cli.command.unwrap_or(Command::Dev(cli::Dev::default())) {
        Command::Dev(args) => server(commands::dev::run(configured(file)?, &args)),
        Command::Serve(args) => server(commands::serve::run(configured(file)?, args)),
        // Broken settings are findings for it, no reason to stop.
        Command::Doctor(args) => command(doctor::run(config::load(file), args)),
        Command::User(what) => command(commands::user::run(configured(file)?, what)),
        Command::Keys(what) => command(commands::keys::run(configured(file)?, what)),
        Command::ApiKey(what) => command(commands::api_key::run(configured(file)?, what)),
        Command::Dialect(what) => command(commands::dialect::run(configured(file)?, what)),
        Command::Backup(args) => command(commands::backup::run(configured(file)?, args)),
        Command::Import(what) => command(commands::import::run(configured(file)?, what)),
        Command::Export(what) => command(commands::export::run(configured(file)?, what)),
        Command::Openapi => {
            say::out(latchstring_server::openapi());
            Ok(())
        }
    }
}

fn configured(file: Option<&std::path::Path>) -> Result<Config, Failure> {
    match config::load(file) {
        Ok(config) => {
            logging::start(&config);
            Ok(config)
        }
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
            Err(Failure::usage(format!("the settings are not usable:\n{}", lines.join("\n"))))
        }
    }
}

/// Runs a server on all cores.
fn server(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    run_on(tokio::runtime::Builder::new_multi_thread(), work)
}

/// Runs a command that does one thing.
fn command(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    run_on(tokio::runtime::Builder::new_current_thread(), work)
}

fn run_on(
    mut builder: tokio::runtime::Builder,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let runtime = builder
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("threads can't be started: {e}")))?;
    runtime.block_on(work)
}
