//! The work itself, without a server: what no server can be faster than.

use crate::say;
use latchstring_core::clock::Stopwatch;
use latchstring_proto::{
    jose::{Alg, SigningKey},
    password::{Params, Scratch, argon2id},
};
use std::time::Duration;

/// Prints raw signatures a second on one core.
pub(crate) fn signatures() {
    for alg in [Alg::EdDSA, Alg::Es256, Alg::Rs256] {
        let Ok(key) = SigningKey::generate(alg) else { continue };
        let signer = key.signer("at+jwt");
        let claims = serde_json::json!({"sub": "0190a1b2-0000-7000-8000-000000000000", "exp": 1_800_000_000});
        let watch = Stopwatch::start();
        let mut n = 0u32;
        while watch.elapsed() < Duration::from_millis(500) {
            for _ in 0..20 {
                let _ = signer.sign(&claims);
                n += 1;
            }
        }
        say(&format!(
            "raw {:<16} {:.1} us a signed token",
            alg.as_str(),
            watch.elapsed().as_secs_f64() * 1e6 / f64::from(n)
        ));
    }
}

/// Raw Argon2id hashes a second on all cores, with blocks reused.
pub(crate) fn argon2() -> f64 {
    parallel(std::thread::available_parallelism().map_or(1, usize::from))
}

fn parallel(cores: usize) -> f64 {
    let watch = Stopwatch::start();
    let mut threads = Vec::new();
    for _ in 0..cores {
        threads.push(std::thread::spawn(move || {
            let mut scratch = Scratch::default();
            let params = Params { m_kib: 19_456, t: 2, p: 1 };
            let mut n = 0u32;
            while watch.elapsed() < Duration::from_secs(3) {
                let _ = argon2id(&params, b"copper kettle seven lanterns", &[7; 16], &mut scratch);
                n += 1;
            }
            n
        }));
    }
    let total: u32 = threads.into_iter().map(|t| t.join().unwrap_or(0)).sum();
    let rate = f64::from(total) / watch.elapsed().as_secs_f64();
    say(&format!("raw Argon2id         {rate:.1} hashes/s on {cores} cores (19 MiB, 2 passes)"));
    rate
}
