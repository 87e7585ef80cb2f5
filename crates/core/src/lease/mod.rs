//! Leases: what one node does for all of them, until it is done or has not been heard of for a while.

pub mod store;
