//! One back-to-back call: the caller's leg, the agents' legs, what they hear, and what is recorded.

pub mod media;
pub mod ports;
pub mod record;
