//! Lives through many seeds of the world around the switch and says how fast.
//!
//! ```console
//! $ cargo run --release --example sweep -- --seeds 100000
//! $ cargo run --release --example sweep -- --seed 4711     # one again, with its story if it fails
//! ```

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use clap::Parser;
use hearken::sim::world::{self, Run, Tally};

/// Seeds of the whole switch in a simulated network.
#[derive(Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// This one only.
    #[arg(long)]
    seed: Option<u64>,
    /// Go on after a failure, and only count.
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let (from, to) = match args.seed {
        Some(seed) => (seed, seed + 1),
        None => (args.from, args.from + args.seeds),
    };
    let next = AtomicU64::new(from);
    let done = Mutex::new((Tally::default(), Vec::new()));
    let begun = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= to {
                        break;
                    }
                    let Run { tally, failure } = world::run(seed);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.0.add(&tally);
                    if let Some(failure) = failure {
                        done.1.push((seed, failure));
                        if !args.all {
                            next.store(to, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let took = begun.elapsed().as_secs_f64();
    let (tally, mut failures) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort_by_key(|(seed, _)| *seed);
    report(&tally, took);
    if args.all {
        failures.iter().for_each(|(seed, failure)| println!("seed {seed}: {}", failure.what));
    } else if let Some((seed, failure)) = failures.first() {
        println!("\n{}\nseed {seed} fails: {}", failure.ladder, failure.what);
        println!("again: cargo run --release --example sweep -- --seed {seed}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(tally: &Tally, took: f64) {
    for (what, count) in &tally.seen {
        println!("{count:>12} {what}");
    }
    let calls = tally.count("calls");
    println!("{:>12} inputs of the switch, {} messages sent", tally.inputs, tally.sent);
    println!(
        "{calls:>12} calls in {took:.1} s: {:.0} calls a second, {:.0} times as fast as life",
        calls as f64 / took,
        tally.millis as f64 / 1_000.0 / took
    );
}
