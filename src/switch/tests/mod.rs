#![allow(clippy::unwrap_used)]

mod announce;
mod callbacks;
mod calls;
mod codes;
mod deterministic;
mod door;
mod failures;
mod following;
mod health;
mod hold;
mod lines;
mod numbers;
mod reload;
mod restart;
mod waits;
mod world;
