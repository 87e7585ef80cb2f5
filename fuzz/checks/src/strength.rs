//! New passwords: looking at one ends soon, and a stricter policy never takes what a laxer one refuses.

use crate::text;
use latchstring_proto::strength::{Characters, Policy, Weakness, check as judge};

/// The first line is the password, and each further one a word of its account.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut lines = text.split('\n');
    let password = lines.next().unwrap_or_default();
    let context: Vec<&str> = lines.take(40).collect();
    let lax = Policy { min_chars: 1, max_chars: 0, min_score: 0, characters: Characters::Any };
    let found = |policy: &Policy| judge(password, &context, policy, |_| false).err().unwrap_or_default();
    let (lax, strict) = (found(&lax), found(&Policy::SINGLE_FACTOR));
    let chars = password.chars().count();
    assert_eq!(lax.contains(&Weakness::TooLong), chars > 128);
    assert_eq!(strict.contains(&Weakness::TooLong), chars > 256);
    if chars <= 128 {
        assert!(lax.iter().all(|weakness| strict.contains(weakness)), "{lax:?} {strict:?}");
        assert_eq!(strict.contains(&Weakness::TooShort), chars < 15);
    }
    for list in [&lax, &strict] {
        assert!(list.iter().enumerate().all(|(i, one)| !list[i + 1..].contains(one)), "said twice: {list:?}");
    }
    if context.iter().any(|word| !word.is_empty() && *word == password) && chars <= 128 && context.len() <= 32
    {
        assert!(lax.contains(&Weakness::ContextWord));
    }
    let breached = judge(password, &[], &Policy::WITH_FACTOR, |_| true);
    assert!(breached.is_err());
}
