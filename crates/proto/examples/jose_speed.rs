//! How many tokens a second one core signs and verifies: `cargo run --release -p latchstring-proto --example jose_speed`.

use latchstring_proto::jose::{Alg, SigningKey, Unverified};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[allow(clippy::disallowed_methods, reason = "a benchmark reads the machine's clock")]
/// Runs `work` for half a second and returns microseconds a call.
fn time(mut work: impl FnMut()) -> f64 {
    let (start, mut calls) = (Instant::now(), 0u32);
    while start.elapsed() < Duration::from_millis(500) {
        for _ in 0..16 {
            work();
        }
        calls += 16;
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}

#[allow(clippy::print_stdout, reason = "a benchmark prints")]
fn main() -> Result<(), latchstring_proto::jose::JoseError> {
    let claims = json!({
        "iss": "https://id.example.test", "sub": "0195d3a0-1b2c-7d3e-8f40-112233445566", "aud": "https://api.example.test",
        "client_id": "spa", "scope": "openid profile email", "exp": 1_900_000_000, "iat": 1_899_999_100,
        "jti": "0195d3a0-1b2c-7d3e-8f40-665544332211",
    });
    for &alg in Alg::ALL {
        let key = match alg {
            Alg::Hs256 => SigningKey::hs256(&[7; 32])?,
            _ => SigningKey::generate(alg)?,
        };
        let (signer, public) = (key.signer("at+jwt"), key.verifying_key()?);
        let token = signer.sign(&claims)?;
        let sign = time(|| {
            let _ = std::hint::black_box(signer.sign(&claims));
        });
        let verify = time(|| {
            let verified = Unverified::parse(&token).and_then(|token| token.verify(&public));
            let _ = std::hint::black_box(verified.and_then(|verified| verified.claims::<Value>()));
        });
        println!(
            "{alg:>6}  sign {sign:8.1} us {:>9.0}/s   verify+claims {verify:8.1} us {:>9.0}/s",
            1e6 / sign,
            1e6 / verify
        );
    }
    Ok(())
}
