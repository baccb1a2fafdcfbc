//! The whole switch in a simulated network, on 500 seeds; `examples/sweep.rs` runs as many more as one likes.

use std::ops::Range;

use hearken::sim::world::{self, Tally};

/// What must have happened somewhere among so many seeds, or the world has become too friendly.
const RARE: [&str; 27] = [
    "answered",
    "both left",
    "broken connections",
    "cancels",
    "cases closed",
    "cases written",
    "clock jumps",
    "codes",
    "crashes",
    "crossings",
    "deaths",
    "deaths of the process",
    "drains",
    "forks",
    "glares",
    "patients reached",
    "power cuts",
    "promises written",
    "put back",
    "referrals returned",
    "reloads",
    "spoilt",
    "stalls",
    "supervisors' orders",
    "trunks down",
    "trunks up",
    "unacknowledged",
];

fn sweep(seeds: Range<u64>) {
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    for seed in seeds {
        let run = world::run(seed);
        if let Some(failure) = run.failure {
            println!("{}\nseed {seed} fails: {}\n", failure.ladder, failure.what);
            failed.push(seed);
        }
        tally.add(&run.tally);
    }
    assert!(
        failed.is_empty(),
        "seeds {failed:?} fail; again: cargo run --release --example sweep -- --seed SEED"
    );
    let missing: Vec<_> = RARE.into_iter().filter(|what| tally.count(what) == 0).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn whatever_peers_and_network_do_no_call_is_lost_and_nothing_is_left_seeds_0_to_124() {
    sweep(0..125);
}

#[test]
fn whatever_peers_and_network_do_no_call_is_lost_and_nothing_is_left_seeds_125_to_249() {
    sweep(125..250);
}

#[test]
fn whatever_peers_and_network_do_no_call_is_lost_and_nothing_is_left_seeds_250_to_374() {
    sweep(250..375);
}

#[test]
fn whatever_peers_and_network_do_no_call_is_lost_and_nothing_is_left_seeds_375_to_499() {
    sweep(375..500);
}

#[test]
fn the_same_seed_lives_the_same_life() {
    assert_eq!(world::run(5).tally, world::run(5).tally);
}
