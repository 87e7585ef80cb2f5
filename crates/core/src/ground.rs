//! What every rule may need and nobody may ask the machine for: time, randomness, derived keys.

use crate::{
    clock::{Clock, Micros},
    id::AuditId,
    random::Random,
    seal::Keys,
};
use std::sync::Arc;

/// Clock, randomness and keys, handed to whoever needs them.
#[derive(Clone)]
pub struct Ground {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Keys derived from the root secret.
    pub keys: Arc<Keys>,
}

impl Ground {
    /// Puts the three together.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>, keys: Arc<Keys>) -> Self {
        Self { clock, random, keys }
    }

    /// The time now.
    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    /// Where random bytes come from.
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// The clock itself, for those who keep it.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// A fresh id for an audit row.
    pub fn audit_id(&self) -> AuditId {
        AuditId::new(self.now(), self.random())
    }
}
