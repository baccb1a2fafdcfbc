#![allow(clippy::unwrap_used)]

mod calls;
mod codes;
mod deterministic;
mod dispose;
mod door;
mod failures;
mod following;
mod health;
mod hold;
mod pathways;
mod reload;
mod transfer;
mod world;
