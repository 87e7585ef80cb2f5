//! What the steps came to: the table at the end, the skips, and the closing line.

use std::fmt::Write;
use std::process::ExitCode;

use super::Outcome;
use super::count::Counts;
use crate::{FAILED, clock};

pub(super) struct Report {
    ci: bool,
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    seconds: f64,
    counts: Counts,
    skipped: Option<String>,
}

impl Report {
    pub(super) fn new(ci: bool) -> Report {
        Report { ci, rows: Vec::new() }
    }

    pub(super) fn step(&mut self, name: &'static str, run: impl FnOnce() -> Outcome) {
        let start = clock::now();
        let outcome = run();
        let seconds = start.elapsed().as_secs_f64();
        self.rows.push(match outcome {
            Outcome::Ran(counts) => Row { name, seconds, counts, skipped: None },
            Outcome::Skipped(why) => {
                println!("SKIPPED: {why}");
                Row { name, seconds, counts: Counts::default(), skipped: Some(why) }
            }
        });
    }

    pub(super) fn end(self) -> ExitCode {
        let (text, ok) = self.closing();
        println!("\n{text}");
        if ok { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
    }

    /// The table, the skips and the last line; and whether all is well.
    fn closing(&self) -> (String, bool) {
        let mut text =
            format!("{:<14}{:>9}{:>9}{:>9}{:>9}\n", "step", "seconds", "passed", "failed", "skipped");
        let (mut passed, mut failed) = (0, 0);
        let mut skips = Vec::new();
        for row in &self.rows {
            let Counts { passed: p, failed: f, ignored } = row.counts;
            let skipped = ignored + u64::from(row.skipped.is_some());
            let _ = writeln!(text, "{:<14}{:>9.1}{p:>9}{f:>9}{skipped:>9}", row.name, row.seconds);
            (passed, failed) = (passed + p, failed + f);
            if let Some(why) = &row.skipped {
                skips.push(format!("{}: {why}", row.name));
            }
            if ignored > 0 {
                skips.push(format!(
                    "{}: {ignored} tests were left out (ignored, or skipped by themselves)",
                    row.name
                ));
            }
            if self.ci {
                failed += skipped;
            }
        }
        if !skips.is_empty() {
            let _ = writeln!(
                text,
                "\nSKIPPED{}:",
                if self.ci { ", which counts as failed because CI=true" } else { "" }
            );
            for skip in &skips {
                let _ = writeln!(text, "  {skip}");
            }
        }
        let _ = write!(text, "\n{passed} passed, {failed} failed");
        (text, failed == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(ci: bool) -> Report {
        let mut report = Report::new(ci);
        report.step("tidy", || Outcome::Ran(Counts::one(true)));
        report.step("sqlite", || Outcome::Ran(Counts { passed: 7, failed: 0, ignored: 2 }));
        report.step("postgres", || Outcome::Skipped("no server".to_owned()));
        report
    }

    #[test]
    fn the_last_line_stands_alone() {
        let (text, ok) = report(false).closing();
        assert_eq!(text.lines().last(), Some("8 passed, 0 failed"));
        assert!(ok && !text.ends_with('\n'));
        assert!(
            text.contains("SKIPPED:\n  sqlite: 2 tests were left out")
                && text.contains("postgres: no server")
        );
    }

    #[test]
    fn a_skip_fails_where_nobody_is_there_to_read_it() {
        let (text, ok) = report(true).closing();
        assert_eq!(text.lines().last(), Some("8 passed, 3 failed"));
        assert!(!ok);
    }
}
