#![allow(clippy::unwrap_used)]

mod announce;
mod callbacks;
mod calls;
mod case_call;
mod cases;
mod codes;
mod deterministic;
mod dispose;
mod door;
mod failures;
mod following;
mod health;
mod hold;
mod lines;
mod numbers;
mod orders;
mod pathways;
mod reload;
mod restart;
mod transfer;
mod waits;
mod world;
