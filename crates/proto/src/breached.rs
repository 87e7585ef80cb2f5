//! Known breached passwords: the downloadable list of Have I Been Pwned, ordered by hash, and its range service.
//!
//! The list is a text file of lines `HEX40:count`, sorted by the SHA-1 in upper-case hex, some 40 GB of it. A look-up is
//! a binary search of about 36 short reads; the reader is passed in. SHA-1 is the list's choice and no secret rests on it.

use sha1::Digest as _;
use std::io::{self, Read, Seek, SeekFrom};

/// The longest line, with room for any count and a carriage return.
const MAX_LINE: usize = 80;
/// A block with a whole line on either side of its middle.
const BLOCK: usize = 2 * MAX_LINE;

/// The SHA-1 of a password in the list's spelling: 40 upper-case hex digits.
pub fn sha1_hex(password: &str) -> [u8; 40] {
    let mut hex = [0; 40];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(sha1::Sha1::digest(password.as_bytes())) {
        pair[0] = b"0123456789ABCDEF"[usize::from(byte >> 4)];
        pair[1] = b"0123456789ABCDEF"[usize::from(byte & 15)];
    }
    hex
}

/// The list as a file.
#[derive(Debug)]
pub struct SortedFile<F> {
    file: F,
    len: u64,
}

impl<F: Read + Seek> SortedFile<F> {
    /// Takes the file and asks for its length. Looking into it shows whether it is such a list.
    pub fn new(mut file: F) -> io::Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        Ok(Self { file, len })
    }

    /// How often the password was seen; `None` when it is not in the list.
    pub fn count(&mut self, password: &str) -> io::Result<Option<u64>> {
        self.count_of_hash(&sha1_hex(password))
    }

    /// As [`Self::count`], of a hash from [`sha1_hex`].
    pub fn count_of_hash(&mut self, hash: &[u8; 40]) -> io::Result<Option<u64>> {
        // All lines that could be it begin in `low..high`, and both are beginnings of lines.
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let (start, line) = self.line_at(low + (high - low) / 2)?;
            let next = start + line.len() as u64 + 1;
            let (found, count) = parse_line(&line)?;
            match found.as_slice().cmp(hash) {
                std::cmp::Ordering::Equal => return Ok(Some(count)),
                std::cmp::Ordering::Less => low = next,
                std::cmp::Ordering::Greater => high = start,
            }
        }
        Ok(None)
    }

    /// The line that the byte at `at` belongs to, without its line feed, and where it begins.
    fn line_at(&mut self, at: u64) -> io::Result<(u64, Vec<u8>)> {
        let from = at.saturating_sub(MAX_LINE as u64);
        self.file.seek(SeekFrom::Start(from))?;
        let mut block = Vec::with_capacity(BLOCK);
        self.file.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        let middle = (at - from) as usize;
        if middle >= block.len() {
            return Err(malformed());
        }
        let start = match block[..middle].iter().rposition(|b| *b == b'\n') {
            Some(feed) => feed + 1,
            None if from == 0 => 0,
            None => return Err(malformed()),
        };
        let end = match block[middle..].iter().position(|b| *b == b'\n') {
            Some(feed) => middle + feed,
            // The last line may lack its feed.
            None if from + block.len() as u64 == self.len => block.len(),
            None => return Err(malformed()),
        };
        Ok((from + start as u64, block[start..end].to_vec()))
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a list of lines HEX40:count, sorted by hash")
}

fn parse_line(line: &[u8]) -> io::Result<([u8; 40], u64)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (hash, rest) = line.split_first_chunk::<40>().ok_or_else(malformed)?;
    if !hash.iter().all(u8::is_ascii_hexdigit) {
        return Err(malformed());
    }
    let count = match rest {
        // Some copies leave the count out.
        [] => 1,
        [b':', digits @ ..] => {
            std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok()).ok_or_else(malformed)?
        }
        _ => return Err(malformed()),
    };
    Ok((hash.to_ascii_uppercase().try_into().map_err(|_| malformed())?, count))
}

/// For the range service: the five digits that are sent and the thirty-five that are looked for in the answer.
pub fn range_query(hash: &[u8; 40]) -> (&str, &str) {
    // Hex digits, so always text.
    let text = std::str::from_utf8(hash).unwrap_or("");
    text.split_at_checked(5).unwrap_or(("", ""))
}

/// How often the password of this suffix was seen, from the service's answer of lines `HEX35:count`. Padding lines count
/// zero and are not hits.
pub fn count_in_range(body: &str, suffix: &str) -> Option<u64> {
    let count = body.lines().find_map(|line| {
        let (found, count) = line.split_once(':')?;
        found.eq_ignore_ascii_case(suffix).then(|| count.trim().parse::<u64>().ok())?
    });
    count.filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn list(passwords: &[&str], end: &str, last_end: bool) -> Vec<u8> {
        let mut lines: Vec<String> = passwords
            .iter()
            .enumerate()
            .map(|(i, password)| format!("{}:{}", String::from_utf8_lossy(&sha1_hex(password)), i + 1))
            .collect();
        lines.sort();
        let mut text = lines.join(end);
        if last_end && !lines.is_empty() {
            text.push_str(end);
        }
        text.into_bytes()
    }

    #[test]
    fn finds_what_is_there() {
        assert_eq!(&sha1_hex("password"), b"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8");
        let passwords: Vec<String> = (0..500).map(|i| format!("password{i}")).collect();
        let passwords: Vec<&str> = passwords.iter().map(String::as_str).collect();
        for (end, last_end) in [("\n", true), ("\n", false), ("\r\n", true), ("\r\n", false)] {
            for some in [&passwords[..0], &passwords[..1], &passwords[..2], &passwords] {
                let mut file = SortedFile::new(Cursor::new(list(some, end, last_end))).expect("opens");
                for (i, password) in some.iter().enumerate() {
                    assert_eq!(file.count(password).expect("reads"), Some(i as u64 + 1));
                }
                for absent in ["", "x", "correct horse battery staple", "password500"] {
                    assert_eq!(file.count(absent).expect("reads"), None);
                }
                for edge in [&[b'0'; 40], &[b'F'; 40]] {
                    assert_eq!(file.count_of_hash(edge).expect("reads"), None);
                }
            }
        }
    }

    #[test]
    fn other_files_are_errors() {
        for text in [
            "hello\nworld\n",
            "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:x\n",
            "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8 1\n",
            "\n\n\n",
            &"x".repeat(1000),
        ] {
            let mut file = SortedFile::new(Cursor::new(text)).expect("opens");
            assert_eq!(
                file.count("password").expect_err("refused").kind(),
                io::ErrorKind::InvalidData,
                "{text}"
            );
        }
        let mut bare =
            SortedFile::new(Cursor::new("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8\n")).expect("opens");
        assert_eq!(bare.count("password").expect("reads"), Some(1));
    }

    #[test]
    fn ranges() {
        let hash = sha1_hex("password");
        let (prefix, suffix) = range_query(&hash);
        assert_eq!((prefix, suffix), ("5BAA6", "1E4C9B93F3F0682250B6CF8331B7EE68FD8"));
        let body = "003D68EB55068C33ACE09247EE4C639306B:3\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\r\n";
        assert_eq!(count_in_range(body, suffix), Some(9_545_824));
        assert_eq!(count_in_range("1E4C9B93F3F0682250B6CF8331B7EE68FD8:0\r\n", suffix), None);
        assert_eq!(count_in_range("", suffix), None);
        assert_eq!(count_in_range("<html>", suffix), None);
    }

    proptest! {
        #[test]
        fn any_file_is_searched_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), password in any::<String>()) {
            let _ = SortedFile::new(Cursor::new(bytes)).and_then(|mut file| file.count(&password));
        }

        #[test]
        fn near_lists_end(lines in proptest::collection::vec("[0-9A-F]{38,41}(:[0-9]{1,5})?", 0..20), hash in "[0-9A-F]{40}") {
            // Unsorted on purpose: a wrong list gives a wrong answer, but it gives one.
            let hash: [u8; 40] = hash.into_bytes().try_into().expect("forty");
            let _ = SortedFile::new(Cursor::new(lines.join("\n"))).and_then(|mut file| file.count_of_hash(&hash));
        }

        #[test]
        fn range_answers_never_panic(body in any::<String>(), suffix in any::<String>()) {
            let _ = count_in_range(&body, &suffix);
        }
    }
}
