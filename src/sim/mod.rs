//! The switch in virtual time: the same machine that routes real calls, driven by made-up ones.
//!
//! [`world`] is a network that loses and spoils, with phones that misbehave, to find what is wrong with the switch.

pub mod world;
