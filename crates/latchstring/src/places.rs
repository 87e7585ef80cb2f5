//! The database of places, as the realm asks it: a file in MaxMind's format, by whoever publishes such, of cities or of
//! countries. It is read whole when the server starts.

use crate::failure::Failure;
use latchstring_core::realm::Places;
use maxminddb::{PathElement::Key, Reader};
use std::{net::IpAddr, path::Path, sync::Arc};

struct Listed(Reader<Vec<u8>>);

/// Where such files have the name of the place, the nearest first. Publishers differ.
const NAMES: &[&[maxminddb::PathElement<'static>]] = &[
    &[Key("city"), Key("names"), Key("en")],
    &[Key("city")],
    &[Key("country"), Key("names"), Key("en")],
    &[Key("country_name")],
    &[Key("country")],
];

impl Places for Listed {
    fn of(&self, address: IpAddr) -> Option<String> {
        let found = self.0.lookup(address).ok()?;
        let name = NAMES.iter().find_map(|path| found.decode_path::<String>(path).ok().flatten())?;
        // It goes into mail and onto pages.
        latchstring_proto::text::clean_line(&name, 80).ok()?;
        Some(name).filter(|name| !name.is_empty())
    }
}

/// Opens the file, so that a file of another sort shows now.
pub(crate) fn open(path: &Path) -> Result<Arc<dyn Places>, Failure> {
    match Reader::open_readfile(path) {
        Ok(reader) => Ok(Arc::new(Listed(reader))),
        Err(e) => Err(Failure::usage(format!(
            "LATCHSTRING_PLACES: {} can't be used: {e}. Give a database of cities or countries in MaxMind's format \
             (.mmdb), or leave the setting away",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A writer for the smallest of such files, after the published description of the format, version 2.0.

    fn text(text: &str) -> Vec<u8> {
        let mut bytes = vec![0x40 | u8::try_from(text.len()).expect("short")];
        bytes.extend(text.as_bytes());
        bytes
    }

    fn map(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = vec![0xe0 | u8::try_from(pairs.len()).expect("few")];
        for (name, value) in pairs {
            bytes.extend(text(name));
            bytes.extend(value);
        }
        bytes
    }

    /// `unsigned`: the type's number, 5 (16 bits) or 6 (32 bits).
    fn number(unsigned: u8, n: u32) -> Vec<u8> {
        let bytes: Vec<u8> = n.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
        let mut out = vec![unsigned << 5 | u8::try_from(bytes.len()).expect("few")];
        out.extend(bytes);
        out
    }

    /// A database that knows one network of 24 bits, and says `record` of it.
    fn database(network: [u8; 3], record: &[u8]) -> Vec<u8> {
        let bits = u32::from_be_bytes([0, network[0], network[1], network[2]]);
        let mut file = Vec::new();
        for depth in 0..24_u32 {
            // A node has two records of 24 bits; a number of nodes and more points into the data, and exactly so many
            // means that nothing is known.
            let next = if depth == 23 { 24 + 16 } else { depth + 1 };
            let right = bits >> (23 - depth) & 1 == 1;
            let (zero, one) = if right { (24, next) } else { (next, 24) };
            for record in [zero, one] {
                file.extend(&record.to_be_bytes()[1..]);
            }
        }
        file.extend([0; 16]);
        file.extend(record);
        file.extend(b"\xab\xcd\xefMaxMind.com");
        file.extend(map(&[
            ("node_count", number(6, 24)),
            ("record_size", number(5, 24)),
            ("ip_version", number(5, 4)),
            ("database_type", text("Test-City")),
            ("languages", vec![0x01, 0x04, 0x42, b'e', b'n']),
            ("binary_format_major_version", number(5, 2)),
            ("binary_format_minor_version", number(5, 0)),
            // The type of 64 bits is number 9: an extended one.
            ("build_epoch", vec![0x01, 0x02, 1]),
            ("description", map(&[("en", text("for a test"))])),
        ]));
        file
    }

    fn place(record: &[u8], address: &str) -> Option<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("places.mmdb");
        std::fs::write(&path, database([203, 0, 113], record)).expect("written");
        open(&path).expect("a database").of(address.parse().expect("an address"))
    }

    #[test]
    fn places_are_read_as_publishers_write_them() {
        let named = |name: &str| map(&[("names", map(&[("en", text(name)), ("de", text("anders"))]))]);
        let whole = map(&[("city", named("Zürich")), ("country", named("Switzerland"))]);
        assert_eq!(place(&whole, "203.0.113.9").as_deref(), Some("Zürich"));
        let country = map(&[("country", named("Switzerland"))]);
        assert_eq!(place(&country, "203.0.113.255").as_deref(), Some("Switzerland"));
        let flat = map(&[("city", text("Basel")), ("country", text("CH"))]);
        assert_eq!(place(&flat, "203.0.113.0").as_deref(), Some("Basel"));
        let flat = map(&[("country", text("CH")), ("country_name", text("Switzerland"))]);
        assert_eq!(place(&flat, "203.0.113.1").as_deref(), Some("Switzerland"));
    }

    #[test]
    fn what_is_not_known_or_no_name_is_none() {
        let whole = map(&[("city", text("Zürich"))]);
        for address in ["203.0.112.9", "127.0.0.1", "::1", "2001:db8::1"] {
            assert_eq!(place(&whole, address), None, "{address}");
        }
        for record in [
            map(&[]),
            map(&[("city", text(""))]),
            map(&[("city", text("two\nlines"))]),
            map(&[("city", number(6, 7)), ("autonomous_system_organization", text("Example"))]),
        ] {
            assert_eq!(place(&record, "203.0.113.9"), None);
        }
    }

    #[test]
    fn another_file_is_refused_when_the_server_starts() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("places.mmdb");
        std::fs::write(&path, "just some text that is no such database\n").expect("written");
        let refused = open(&path).err().expect("refused");
        assert!(
            refused.text.contains("LATCHSTRING_PLACES") && refused.code == crate::failure::USAGE,
            "{refused:?}"
        );
        assert!(open(&folder.path().join("missing")).is_err());
        // Cut off anywhere, it is refused or knows less, and nothing worse.
        let whole = database([203, 0, 113], &map(&[("city", text("Zürich"))]));
        for end in 0..whole.len() {
            std::fs::write(&path, &whole[..end]).expect("written");
            if let Ok(places) = open(&path) {
                let _ = places.of("203.0.113.9".parse().expect("an address"));
            }
        }
    }
}
