#![allow(clippy::unwrap_used)]

mod calls;
mod deterministic;
mod door;
mod failures;
mod hold;
mod world;
