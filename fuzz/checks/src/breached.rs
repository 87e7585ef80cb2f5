//! The list of breached passwords: a search of any file ends after a few reads, and a good file's answer is right.

use crate::text;
use latchstring_proto::breached::{SortedFile, count_in_range, range_query, sha1_hex};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Result, Seek, SeekFrom};

/// The input is a file, an answer of the range service, and the passwords of a list: one a line.
pub fn check(data: &[u8]) {
    let hash = sha1_hex("password");
    let _ = search(data, &hash);
    if let Some(text) = text(data) {
        let (_, suffix) = range_query(&hash);
        if let Some(count) = count_in_range(text, suffix) {
            assert!(count > 0 && text.to_ascii_uppercase().contains(suffix));
        }
        list(text);
    }
}

/// Looks a hash up, and counts how often that moves in the file.
fn search(file: &[u8], hash: &[u8; 40]) -> Result<Option<u64>> {
    let mut moves = 0;
    let result = {
        let mut file = SortedFile::new(Counted { file: Cursor::new(file), moves: &mut moves })?;
        file.count_of_hash(hash)
    };
    // Each halves what is left. An input has at most 2^20 bytes here, and each step passes over a line.
    assert!(moves <= 22, "{moves} moves in {} bytes", file.len());
    result
}

struct Counted<'a> {
    file: Cursor<&'a [u8]>,
    moves: &'a mut u32,
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.file.read(buf)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, pos: SeekFrom) -> Result<u64> {
        *self.moves += 1;
        self.file.seek(pos)
    }
}

fn list(text: &str) {
    let passwords: Vec<&str> = text.split('\n').take(40).collect();
    // The count is the place of the last such line; so is a password's that stands there twice.
    let counts: BTreeMap<[u8; 40], u64> =
        passwords.iter().zip(1..).map(|(password, count)| (sha1_hex(password), count)).collect();
    let end = if text.len().is_multiple_of(2) { "\n" } else { "\r\n" };
    let lines: Vec<String> =
        counts.iter().map(|(hash, count)| format!("{}:{count}", String::from_utf8_lossy(hash))).collect();
    let mut file = lines.join(end);
    if passwords.len().is_multiple_of(2) {
        file.push_str(end);
    }
    for (hash, count) in &counts {
        assert_eq!(search(file.as_bytes(), hash).expect("a good list"), Some(*count));
        // The service answers with the suffixes of one prefix; the rest of our lines do no harm.
        let (prefix, suffix) = range_query(hash);
        let body: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix(prefix)).collect();
        assert_eq!(count_in_range(&body.join(end), suffix), Some(*count));
    }
    for absent in [sha1_hex(text), sha1_hex("absent"), [b'0'; 40], [b'F'; 40]] {
        assert_eq!(search(file.as_bytes(), &absent).expect("a good list"), counts.get(&absent).copied());
    }
}
