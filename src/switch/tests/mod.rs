#![allow(clippy::unwrap_used)]

mod calls;
mod codes;
mod deterministic;
mod door;
mod failures;
mod health;
mod hold;
mod world;
