//! Virtual time: what routes real calls, driven by made-up ones.
//!
//! [`day`] drives the exchange alone, through a day of calls. [`world`] puts the whole switch among phones and a network
//! that misbehave, to find what is wrong with it. [`again`] drives the exchange through a day that was recorded.

pub mod again;
pub mod day;
pub mod world;
