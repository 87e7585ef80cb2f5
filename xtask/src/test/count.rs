//! Counts tests by the closing lines of the programs that run them.

use std::process::Command;

use crate::run;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    /// Tests that were left out: a skip, like a step that could not run.
    pub(super) ignored: u64,
}

impl Counts {
    /// A step that is one check as a whole.
    pub(super) fn one(ok: bool) -> Counts {
        Counts { passed: u64::from(ok), failed: u64::from(!ok), ignored: 0 }
    }

    pub(super) fn add(&mut self, more: Counts) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.ignored += more.ignored;
    }
}

/// Runs `cargo test …` and counts.
pub(super) fn cargo(command: &mut Command) -> Counts {
    counted(command, cargo_line)
}

/// Runs pytest and counts.
pub(super) fn pytest(command: &mut Command) -> Counts {
    counted(command, pytest_line)
}

/// Runs Node's own test runner, with its reporter `spec`, and counts.
pub(super) fn node(command: &mut Command) -> Counts {
    counted(command, node_line)
}

fn counted(command: &mut Command, parse: fn(&str) -> Option<Counts>) -> Counts {
    let mut counts = Counts::default();
    let ok = run::lines(command, |line| {
        if let Some(more) = parse(line) {
            counts.add(more);
        }
    });
    conclude(counts, ok)
}

/// A program that failed without a failed test did not build, or died: that is one failure. So is one that succeeded
/// without running a single test, for then a green line would say nothing.
fn conclude(mut counts: Counts, ok: bool) -> Counts {
    if (!ok && counts.failed == 0) || (ok && counts.passed == 0) {
        println!("{}", if ok { "it ran no test" } else { "it failed as a whole: see above" });
        counts.failed += 1;
    }
    counts
}

/// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
fn cargo_line(line: &str) -> Option<Counts> {
    let (_, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
    Some(sum(rest, ';'))
}

/// `2 failed, 5 passed, 1 skipped, 1 error in 3.21s`, alone or framed in `=`.
fn pytest_line(line: &str) -> Option<Counts> {
    let (counts, time) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
    let seconds = time.split('s').next()?;
    seconds.parse::<f64>().ok()?;
    let known = ["passed", "failed", "skipped", "error", "warning", "deselected", "xfailed", "xpassed"];
    let fits = |part: &str| {
        part.split_once(' ')
            .is_some_and(|(n, word)| n.parse::<u64>().is_ok() && known.contains(&word.trim_end_matches('s')))
    };
    counts.split(", ").all(fits).then(|| sum(counts, ','))
}

/// One of the closing lines: `ℹ pass 5`.
fn node_line(line: &str) -> Option<Counts> {
    let (word, number) = line.strip_prefix("ℹ ")?.split_once(' ')?;
    let number = number.parse::<u64>().ok()?;
    match word {
        "pass" => Some(Counts { passed: number, ..Counts::default() }),
        // Cancelled: it was not over when the rest was.
        "fail" | "cancelled" => Some(Counts { failed: number, ..Counts::default() }),
        "skipped" | "todo" => Some(Counts { ignored: number, ..Counts::default() }),
        _ => None,
    }
}

fn sum(text: &str, separator: char) -> Counts {
    let mut counts = Counts::default();
    for part in text.split(separator) {
        let Some((number, word)) = part.trim().split_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match word {
            "passed" | "xfailed" => counts.passed += number,
            "failed" | "error" | "errors" | "xpassed" => counts.failed += number,
            "ignored" | "skipped" | "deselected" => counts.ignored += number,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, ignored: u64) -> Counts {
        Counts { passed, failed, ignored }
    }

    #[test]
    fn closing_lines_of_cargo_are_read() {
        let ok =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(cargo_line(ok), Some(counts(12, 0, 1)));
        let failed = "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(cargo_line(failed), Some(counts(2, 3, 0)));
        assert_eq!(cargo_line("test results ... ok"), None);
    }

    #[test]
    fn closing_lines_of_pytest_are_read() {
        assert_eq!(
            pytest_line("===== 2 failed, 5 passed, 1 skipped, 1 error in 3.21s ====="),
            Some(counts(5, 3, 1))
        );
        assert_eq!(pytest_line("1 passed, 2 warnings in 75.03s (0:01:15)"), Some(counts(1, 0, 0)));
        assert_eq!(pytest_line("FAILED test.py::x - it took 3 seconds in all"), None);
        assert_eq!(pytest_line("a word in 3s"), None);
    }

    #[test]
    fn closing_lines_of_node_are_read() {
        assert_eq!(node_line("ℹ pass 12"), Some(counts(12, 0, 0)));
        assert_eq!(node_line("ℹ fail 2"), Some(counts(0, 2, 0)));
        assert_eq!(node_line("ℹ cancelled 1"), Some(counts(0, 1, 0)));
        assert_eq!(node_line("ℹ skipped 3"), Some(counts(0, 0, 3)));
        assert_eq!(node_line("ℹ tests 17"), None);
        assert_eq!(node_line("ℹ duration_ms 5.5"), None);
        assert_eq!(node_line("ℹ 21356 bytes"), None);
        assert_eq!(node_line("✔ pass 5"), None);
    }

    #[test]
    fn no_test_at_all_and_no_build_are_failures() {
        assert_eq!(conclude(counts(0, 0, 0), true), counts(0, 1, 0));
        assert_eq!(conclude(counts(0, 0, 0), false), counts(0, 1, 0));
        assert_eq!(conclude(counts(4, 2, 0), false), counts(4, 2, 0));
        assert_eq!(conclude(counts(4, 0, 0), true), counts(4, 0, 0));
    }

    #[test]
    fn a_program_is_counted_while_it_talks() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; echo 'test result: ok. 1 passed; 0 failed'"]);
        assert_eq!(cargo(&mut command), counts(3, 0, 0));
    }
}
