//! How a command ends when it does not end well: what happened, what to do next, and the exit code.

use latchstring_core::{Class, Error, realm::OpenError};
use latchstring_web::problem;

/// It did not work.
pub(crate) const FAILED: u8 = 1;
/// The command line or the settings are wrong: trying again will not mend them.
pub(crate) const USAGE: u8 = 2;

/// The end of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// For people. Empty when all has been said already.
    pub(crate) text: String,
    pub(crate) code: u8,
}

impl Failure {
    /// It did not work.
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: FAILED }
    }

    /// It was asked for wrongly.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: USAGE }
    }

    /// The answer has been printed and is no.
    pub(crate) fn said() -> Self {
        Self { text: String::new(), code: FAILED }
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Wrappers that repeat their cause's words.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

/// An error in the words of a command line: the rules name members of the API's input, and whoever typed a command knows
/// its options. `options` has the option of each member that the command gives.
pub(crate) fn typed(error: Error, options: &[(&str, &str)]) -> Failure {
    match error {
        Error::Refused(refusal) => {
            let says = problem::document(&refusal).detail;
            let member = refusal.detail.param.as_deref();
            let option = options.iter().find(|(name, _)| Some(*name) == member);
            let text = option.map_or(says.clone(), |(_, option)| format!("{option}: {says}"));
            if refusal.kind.class() == Class::Invalid { Failure::usage(text) } else { Failure::failed(text) }
        }
        Error::Fault(fault) => {
            Failure::failed(format!("{}\nRun `latchstring doctor` to see what is wrong.", chain(&fault)))
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        typed(error, &[])
    }
}

/// What to do when PostgreSQL says no.
pub(crate) const LET_IN: &str = "Correct the user, the password or the name of the database in LATCHSTRING_DATABASE, \
                                 or make on the server what is missing: createuser --pwprompt USER, createdb --owner \
                                 USER DATABASE";

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        if let Some(said) = error.turned_away() {
            // It may pass, as during a restore: whoever supervises us is to try again.
            return Self::failed(format!("{}. {LET_IN}", chain(said)));
        }
        match error {
            OpenError::Core(error) => error.into(),
            // The settings name another database than is meant, or another secret or address.
            error @ (OpenError::OtherSecret
            | OpenError::DevDatabase
            | OpenError::ServeDatabase
            | OpenError::OtherIssuer { .. }
            | OpenError::Empty) => Self::usage(chain(&error)),
            error => Self::failed(chain(&error)),
        }
    }
}

impl From<latchstring_db::OpenError> for Failure {
    fn from(error: latchstring_db::OpenError) -> Self {
        use latchstring_db::OpenError as Db;
        match error {
            Db::BadUrl(_)
            | Db::NoFolder { .. }
            | Db::IsFolder { .. }
            | Db::NotWritable { .. }
            | Db::NotADatabase { .. } => Self::usage(chain(&error)),
            // Another server may end, and a database may come.
            error => Self::failed(chain(&error)),
        }
    }
}

impl From<latchstring_db::Error> for Failure {
    fn from(error: latchstring_db::Error) -> Self {
        Self::failed(chain(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchstring_core::Kind;

    #[test]
    fn a_refusal_speaks_of_the_option_that_was_typed() {
        let wrong = |options: &[(&str, &str)]| {
            typed(Kind::InputInvalid.param("expires_at").says("It is over.").into(), options)
        };
        let failure = wrong(&[("name", "NAME"), ("expires_at", "--expires")]);
        assert_eq!((failure.text.as_str(), failure.code), ("--expires: It is over.", USAGE));
        assert_eq!(wrong(&[]).text, "It is over.", "a member's name says nothing here");
        assert_eq!(typed(Kind::NotFound.into(), &[]).code, FAILED);
    }
}
