//! Dumps of PostgreSQL, as an import reads them: any file is read or refused, how it comes in pieces makes no difference,
//! and a value that was written is read back.

use crate::text;
use latchstring_supabase::{
    dump::{Broken, Row, copy, read},
    rows::{self, Raw, TABLES},
    time,
};
use std::io::{Read, Result};

/// The input is a dump, a value to write, and a time.
pub fn check(data: &[u8]) {
    let (whole, rows) = all(data);
    assert!(rows.len() <= data.len(), "each row has a byte at least");
    let (pieces, again) = all(Pieces { data, next: data.len() });
    assert!(whole == pieces && rows.len() == again.len());
    if let Err(broken) = &whole {
        let lines = data.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        assert!((1..=lines).contains(&broken.line), "{broken} of {lines} lines");
        assert!(!broken.to_string().is_empty());
    }
    for raw in rows {
        let mut bytes = Vec::new();
        raw.encode(&mut bytes);
        assert!(Raw::decode(raw.table(), &bytes).as_ref() == Some(&raw), "a row survives being sorted");
        let _ = raw.key();
        if raw.table() == rows::IN_USERS {
            let _ = rows::user(raw, Vec::new());
        } else {
            let _ = rows::orphan(&raw);
        }
    }
    if let Some(text) = text(data) {
        value(text);
        if let Some(time::Time::At(at)) = time::parse(text) {
            let written = time::write(at).expect("what was read can be written");
            assert_eq!(time::parse(&written), Some(time::Time::At(at)));
        }
    }
}

fn all(reader: impl Read) -> (std::result::Result<(), Broken>, Vec<Raw>) {
    let mut rows = Vec::new();
    let done = read(reader, TABLES, &mut |row: Row<'_>| -> std::result::Result<(), Broken> {
        rows.push(Raw::of_dump(&row));
        Ok(())
    });
    (done.map(drop), rows)
}

/// Whatever stands in a value stays in it.
fn value(text: &str) {
    if text.contains('\0') {
        return;
    }
    let mut dump = String::from("COPY auth.users (id, email) FROM stdin;\nx\t");
    copy::write(text, &mut dump);
    dump.push_str("\n\\.\n");
    let mut found = Vec::new();
    let done = read(dump.as_bytes(), TABLES, &mut |row: Row<'_>| -> std::result::Result<(), Broken> {
        found.extend(row.values.iter().flatten().cloned());
        Ok(())
    });
    assert!(done.is_ok());
    assert_eq!(found, ["x", text]);
}

/// Gives a few bytes at a time.
struct Pieces<'a> {
    data: &'a [u8],
    next: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.next = self.next.wrapping_mul(31).wrapping_add(7);
        let length = (1 + self.next % 13).min(self.data.len()).min(buffer.len());
        let (now, later) = self.data.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.data = later;
        Ok(length)
    }
}
