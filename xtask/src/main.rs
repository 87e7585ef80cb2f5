//! `cargo xtask`: the project's own tools, in plain Rust without dependencies, so that they build in seconds.
//! What they are not: part of the product. Nothing here is shipped, and no crate depends on it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tools for people at a terminal: printing is what they do"
)]

mod acme;
mod bench;
mod clock;
mod crash;
mod deny;
mod dialect;
mod fuzz;
mod http;
mod keep;
mod postgres;
mod run;
mod server;
mod suggest;
mod supabase_suite;
mod test;
mod tidy;

use std::process::ExitCode;

/// A line of the menu. `hidden` ones can be run but are not offered: they wait for a part of the product.
struct Command {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    hidden: bool,
    run: fn(&[String]) -> ExitCode,
}

const COMMANDS: &[Command] = &[
    test::COMMAND,
    tidy::COMMAND,
    deny::COMMAND,
    crash::COMMAND,
    bench::COMMAND,
    fuzz::COMMAND,
    dialect::COMMAND,
    supabase_suite::COMMAND,
    acme::COMMAND,
    test::browser::PICTURES,
];

/// Exit codes, the same as the product's: done, failed, and "you asked for something that does not exist".
const FAILED: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = args.split_first() else {
        eprint!("{}", menu());
        return ExitCode::from(USAGE);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", menu());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let offered = COMMANDS.iter().filter(|command| !command.hidden).map(|command| command.name);
        eprintln!("cargo xtask: no command `{name}`.{}", suggest::did_you_mean(name, offered));
        eprintln!("`cargo xtask --help` lists them.");
        return ExitCode::from(USAGE);
    };
    if rest.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("cargo xtask {}\n\n{}", command.usage, command.about);
        return ExitCode::SUCCESS;
    }
    if let Err(why) = run::enter_root() {
        eprintln!("cargo xtask: {why}");
        return ExitCode::from(FAILED);
    }
    (command.run)(rest)
}

fn menu() -> String {
    let mut text = String::from("The project's tools.\n\nUsage: cargo xtask COMMAND\n\n");
    for command in COMMANDS.iter().filter(|command| !command.hidden) {
        text.push_str(&format!("  {}\n", command.usage));
        for line in command.about.lines() {
            text.push_str(&if line.is_empty() { "\n".to_owned() } else { format!("      {line}\n") });
        }
        text.push('\n');
    }
    text.push_str("Exit codes: 0 done, 1 failed, 2 usage.\n");
    text
}

/// Refuses what a command does not know, with the nearest thing that it does.
fn unknown_argument(command: &str, arg: &str, known: &[&str]) -> ExitCode {
    eprintln!("cargo xtask {command}: no `{arg}` here.{}", suggest::did_you_mean(arg, known.iter().copied()));
    eprintln!("`cargo xtask {command} --help` says what there is.");
    ExitCode::from(USAGE)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_menu_offers_only_what_works() {
        let menu = super::menu();
        for command in super::COMMANDS {
            assert_eq!(menu.contains(&format!("\n  {}", command.name)), !command.hidden, "{}", command.name);
        }
    }
}
