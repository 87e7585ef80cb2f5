//! What has to hold for every input of the parsers that read bytes from outside: one module a family, one `check` a
//! module, which panics where it does not hold.
//!
//! Two things call them: libFuzzer with inputs that it makes up (`cargo xtask fuzz`, the folder above), and an ordinary
//! test with the committed seeds. This crate itself knows no fuzzer. Inputs are text wherever that is possible, so that
//! seeds can be read and crashes understood.

pub mod authorization;
pub mod body;
pub mod breached;
pub mod claims;
pub mod cookie;
pub mod dump;
pub mod duration;
pub mod email;
pub mod forwarded;
pub mod jwk;
pub mod jwt;
pub mod mail;
pub mod password_hash;
pub mod return_to;
pub mod secrets;
pub mod settings;
pub mod strength;
pub mod username;

/// A family of parsers: its name, which is also its file in `fuzz/src/bin` and its folder in `fuzz/seeds`, and its check.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("authorization", authorization::check),
    ("body", body::check),
    ("breached", breached::check),
    ("claims", claims::check),
    ("cookie", cookie::check),
    ("dump", dump::check),
    ("duration", duration::check),
    ("email", email::check),
    ("forwarded", forwarded::check),
    ("jwk", jwk::check),
    ("jwt", jwt::check),
    ("mail", mail::check),
    ("password_hash", password_hash::check),
    ("return_to", return_to::check),
    ("secrets", secrets::check),
    ("settings", settings::check),
    ("strength", strength::check),
    ("username", username::check),
];

/// The input as text; most parsers are handed nothing else.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// `N` bytes from the input, with zeros where it is shorter.
fn bytes<const N: usize>(data: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(data) {
        *to = *from;
    }
    out
}

/// A place in `0..len` that the input chooses.
fn place(data: &[u8], len: usize) -> usize {
    data.iter().fold(7_usize, |sum, b| sum.wrapping_mul(31).wrapping_add(usize::from(*b))) % len
}

/// The text with the character at a chosen place replaced by another of the same alphabet. All ASCII.
fn changed(text: &str, data: &[u8]) -> String {
    let at = place(data, text.len());
    let with = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    let mut changed = text.to_owned();
    changed.replace_range(at..=at, with);
    changed
}
