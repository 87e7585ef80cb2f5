//! Password hashes from elsewhere: bounded in length and cost before anything is computed.

use crate::{bytes, text};
use latchstring_proto::password::{MAX_TEXT, Params, PasswordHash, Scratch, argon2id};
use std::cell::RefCell;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
}

/// The input is a hash, and a password.
pub fn check(data: &[u8]) {
    SCRATCH.with_borrow_mut(|scratch| {
        if let Some(text) = text(data) {
            foreign(text, scratch);
        }
        own(data, scratch);
    });
}

fn foreign(text: &str, scratch: &mut Scratch) {
    let Ok(hash) = PasswordHash::parse(text) else { return };
    assert!(text.len() <= MAX_TEXT && text.is_ascii());
    assert!(PasswordHash::parse(text) == Ok(hash.clone()));
    for other in [format!("{text}$"), format!("{text}\n"), format!(" {text}"), format!("${text}")] {
        assert!(PasswordHash::parse(&other) != Ok(hash.clone()), "another spelling of the same hash");
    }
    let own = text.starts_with("$argon2id$v=19$");
    assert!(own || hash.needs_upgrade(&Params { m_kib: 0, t: 0, p: 0 }), "another scheme was left as it is");
    let shown = format!("{hash:?}");
    let secret = text.rsplit('$').next().unwrap_or_default();
    assert!(!shown.contains(secret), "a hash in a log is a hash to be guessed at");
    if is_cheap(text) {
        // Most will not be met; what counts is that verifying ends.
        let _ = hash.verify(b"password", scratch);
    }
}

/// Whether every number among the costs is so small that verifying is quick whatever it counts.
fn is_cheap(text: &str) -> bool {
    let mut fields =
        text.trim_start_matches('$').split('$').skip(1).filter(|field| !field.starts_with("v=1"));
    let costs = fields.next().unwrap_or_default();
    let most = if text.starts_with("$2") { 5 } else { 10 };
    let costs = costs.split_once(",s").map_or(costs, |(costs, _)| costs);
    let numbers = costs.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers.into_iter().all(|digits| digits.parse::<u32>().is_ok_and(|n| n <= most))
}

fn own(password: &[u8], scratch: &mut Scratch) {
    let params = Params { m_kib: 8, t: 1, p: 1 };
    let phc = argon2id(&params, password, &bytes(password), scratch).expect("hashes");
    let hash = PasswordHash::parse(&phc).expect("our own text");
    assert!(!hash.needs_upgrade(&params) && hash.needs_upgrade(&Params::default()));
    assert!(hash.verify(password, scratch), "the right password was refused");
    assert!(!hash.verify(&[password, b"x"].concat(), scratch), "another password was taken");
    if let Some((_, shorter)) = password.split_last() {
        assert!(!hash.verify(shorter, scratch), "a part of the password was taken");
    }
}
