//! What is good and what is not, with why it matters and how to mend it. `serve` refuses to start on what is bad;
//! `doctor` shows everything.

use std::fmt;

/// How a finding is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// As it should be.
    Good,
    /// Works, and could be better.
    Weak,
    /// Unsafe, or does not work.
    Bad,
}

impl Level {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Level::Good => "good",
            Level::Weak => "weak",
            Level::Bad => "bad",
        }
    }

    fn mark(self) -> char {
        match self {
            Level::Good => '✓',
            Level::Weak => '!',
            Level::Bad => '✗',
        }
    }
}

/// A finding.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// What was looked at, in a word or two.
    pub(crate) check: &'static str,
    pub(crate) level: Level,
    /// What was found.
    pub(crate) says: String,
    /// Why it matters. Empty when all is well.
    pub(crate) why: String,
    /// How to mend it. Empty when all is well.
    pub(crate) mend: String,
}

impl Finding {
    pub(crate) fn good(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, level: Level::Good, says: says.into(), why: String::new(), mend: String::new() }
    }

    pub(crate) fn weak(
        check: &'static str,
        says: impl Into<String>,
        why: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { check, level: Level::Weak, says: says.into(), why: why.into(), mend: mend.into() }
    }

    pub(crate) fn bad(
        check: &'static str,
        says: impl Into<String>,
        why: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { level: Level::Bad, ..Self::weak(check, says, why, mend) }
    }

    pub(crate) fn is_bad(&self) -> bool {
        self.level == Level::Bad
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "check": self.check, "level": self.level.word(), "says": self.says, "why": self.why, "mend": self.mend,
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.level.mark(), self.check, self.says)?;
        if !self.why.is_empty() {
            write!(f, "\n    why:  {}", self.why)?;
        }
        if !self.mend.is_empty() {
            write!(f, "\n    mend: {}", self.mend)?;
        }
        Ok(())
    }
}
