//! What people and pipes read. Not the log. A reader that went away is no reason to stop: errors of writing are
//! ignored.

use std::io::{IsTerminal, Write};

/// A line on standard output.
pub(crate) fn out(text: impl std::fmt::Display) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}");
    // Lines must be there when a pipe's reader waits for them.
    let _ = stdout.flush();
}

/// A line on standard error.
pub(crate) fn err(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A value as indented JSON on standard output.
pub(crate) fn json(value: &serde_json::Value) {
    out(format_args!("{value:#}"));
}

/// Draws how far something is, over the same line, if a person looks on.
pub(crate) fn progress(what: &str, done: u64, all: u64) {
    let mut stderr = std::io::stderr().lock();
    if !stderr.is_terminal() {
        return;
    }
    const WIDTH: u64 = 30;
    let done = done.min(all);
    let part = (WIDTH * done).checked_div(all).unwrap_or(WIDTH);
    let bar: String = (0..WIDTH).map(|i| if i < part { '█' } else { '░' }).collect();
    let percent = (100 * done).checked_div(all).unwrap_or(100);
    let _ = write!(stderr, "\r{what} {bar} {percent:3} %");
    if done == all {
        let _ = writeln!(stderr);
    }
    let _ = stderr.flush();
}

/// Draws how many there are so far, over the same line, if a person looks on.
pub(crate) fn counting(what: &str, done: u64) {
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() {
        // Wide enough to cover a bar that stood there.
        let _ = write!(stderr, "\r{:<60}", format!("{what} {done}"));
        let _ = stderr.flush();
    }
}

/// Ends a line that [`counting`] or an unfinished [`progress`] has drawn over.
pub(crate) fn counted() {
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r{:<60}\r", "");
        let _ = stderr.flush();
    }
}

/// Columns, each as wide as its widest cell, without a gap at the end of a line.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["id".into(), "name".into()],
            vec!["1234".into(), "ä".into()],
            vec!["5".into(), String::new()],
        ];
        assert_eq!(super::table(&rows), "id    name\n1234  ä\n5");
    }
}
