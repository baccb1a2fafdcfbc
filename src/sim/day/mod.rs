//! A day of calls on virtual time, through the very exchange that routes real ones.
//!
//! Callers come and give up, agents come, pick up, talk and go as a [`Load`] says; who is presented to whom, which
//! rule turns and whom the line takes is the exchange's own. Nothing here knows SIP or a clock.
//!
//! | file | holds |
//! |---|---|
//! | `dice` | chance: a sequence for each purpose of each caller |
//! | `source`, `rota` | who calls; who is at work |
//! | `engine`, `callbacks` | one hub's day; who is called back in it |
//! | `tally`, `figures` | what happened; what it comes to |
//! | `several` | days of several seeds and policies, with confidence intervals |
//! | `staffing` | the least staff for a target |
//! | `preset` | loads and hubs that come with Hearken |

mod callbacks;
mod dice;
mod engine;
pub mod figures;
pub mod preset;
mod rota;
pub mod several;
mod source;
pub mod staffing;
mod tally;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::config::Deployment;
use crate::config::workload::Load;
use crate::time::Mono;

use engine::Engine;
pub use source::Recorded;
pub use tally::{End, HALF_HOURS, Minute, Sample, Tally, Work};

/// Runs the day of each of the load's hubs, as [`run_while`] does, to its end; `tick` is told how far it is.
pub fn run(
    deployment: &Deployment,
    load: &Load,
    recorded: &[Recorded],
    seed: u64,
    end: Option<Duration>,
    tick: &mut dyn FnMut(u32, Mono),
) -> Tally {
    let mut tell = |hub, now| {
        tick(hub, now);
        true
    };
    run_while(deployment, load, recorded, seed, end, &mut tell)
}

/// Runs the day of each of the load's hubs, one after the other, or their parts up to `end`.
///
/// `recorded` are the calls of a load from the ledger. The same arguments give the same tally. `tick` is asked, at
/// each full minute, whether to go on, and told which hub it is and what time is there.
pub fn run_while(
    deployment: &Deployment,
    load: &Load,
    recorded: &[Recorded],
    seed: u64,
    end: Option<Duration>,
    tick: &mut dyn FnMut(u32, Mono) -> bool,
) -> Tally {
    let mut tally = Tally::new(deployment);
    // To make it takes longer than to copy it.
    let exchange = engine::exchange(deployment, load);
    for copy in 0..load.copies {
        let engine = Engine::new(deployment, load, exchange.clone(), recorded, copy, seed, &mut tally);
        engine.run(end, &mut |now| tick(copy, now));
    }
    tally
}
