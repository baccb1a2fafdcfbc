//! Virtual time: what routes real calls, driven by made-up callers and agents.
//!
//! [`day`] drives the exchange alone, through a day of calls.

pub mod day;
