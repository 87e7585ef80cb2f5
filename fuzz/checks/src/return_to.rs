//! Where pages lead at the end: our own paths and listed origins, however a browser reads the text.

use crate::text;
use latchstring_proto::return_to::{MOST, check as read, origin};

const OWN: &str = "https://id.northwind.example";
const LISTED: [&str; 2] = ["https://app.northwind.example", "http://[::1]:8080"];

/// The input is an address as a link has it.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some(to) = read(text, OWN, LISTED) else { return };
    assert!(to.len() <= MOST + 1 && to.bytes().all(|b| b.is_ascii_graphic() && b != b'\\'), "{to:?}");
    assert!(!to.contains(['"', '<', '>']), "{to:?}");
    let path = match origin(&to) {
        Some(origin) => {
            assert!(LISTED.contains(&origin), "{to:?} is at {origin:?}");
            &to[origin.len()..]
        }
        None => to.as_str(),
    };
    // One slash and then a name: no browser, and nobody who decodes first, finds a host in it.
    let decoded = path.to_ascii_lowercase().replace("%2f", "/").replace("%5c", "\\").replace("%2e", ".");
    let mut start = decoded.bytes();
    assert_eq!(start.next(), Some(b'/'), "{to:?}");
    assert!(!matches!(start.next(), Some(b'/' | b'\\')), "{to:?}");
    assert!(!decoded.starts_with("/./") && !decoded.starts_with("/../"), "{to:?}");
    for hidden in ["%00", "%09", "%0a", "%0d"] {
        assert!(!to.to_ascii_lowercase().contains(hidden), "{to:?}");
    }
    // Read again it is the same.
    if to.len() <= MOST {
        assert_eq!(read(&to, OWN, LISTED).as_deref(), Some(to.as_str()));
    }
}
