//! Randomness is passed in, and drawn before a transaction opens: its closure may run twice.

use aws_lc_rs::rand::SecureRandom;

/// Where random bytes come from.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes`. Panics when the machine has no randomness: nothing may go on without it.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's generator, by aws-lc-rs.
#[derive(Debug, Default)]
pub struct SystemRandom(aws_lc_rs::rand::SystemRandom);

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for randomness")]
        self.0.fill(bytes).expect("the machine's random generator");
    }
}

/// `N` random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut out = [0; N];
    random.fill(&mut out);
    out
}

/// A six-digit code, each of the million as likely as the others.
pub fn six_digits(random: &dyn Random) -> String {
    // Rejection: 2^32 is not a multiple of a million, and a plain remainder would favour the low codes.
    const LIMIT: u32 = u32::MAX - u32::MAX % 1_000_000;
    loop {
        let n = u32::from_be_bytes(bytes(random));
        if n < LIMIT {
            return format!("{:06}", n % 1_000_000);
        }
    }
}
