//! What a hashing thread gives back is no longer resident. In a process of its own: other tests' memory would count.
#![cfg(target_os = "linux")]

use latchstring_proto::password::{Params, Scratch, argon2id};

/// Megabytes of this process in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says so");
    line.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).expect("a number") / 1024
}

/// Allocators learn: memory that was given back to the system once is kept the next time.
#[test]
fn memory_is_given_back_after_every_storm_and_not_only_after_the_first() {
    let params = Params { m_kib: 19 * 1024, t: 1, p: 1 };
    let mut scratch = Scratch::new();
    let before = resident();
    for storm in 1..=4 {
        argon2id(&params, b"x", &[0; 16], &mut scratch).expect("hashes");
        assert!(resident() >= before + 17, "storm {storm}: the blocks should be there");
        scratch.release();
        assert!(resident() <= before + 6, "storm {storm}: {before} MB have become {}", resident());
    }
}
