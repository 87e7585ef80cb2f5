//! Native tokens: minting and checking. Grants stand above, in [`crate::oauth`].

pub mod check;
pub mod mint;
