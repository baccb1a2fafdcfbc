//! What the tests stand on: addresses, the daemon, its peers, its ledger and the wire between them.

mod baresip;
mod homer;
mod http;
mod hub;
mod ledger;
mod message;
mod net;
mod otlp;
mod phone;
mod sipp;
mod wire;

pub mod tone;

pub use baresip::Baresip;
pub use homer::{Copy, Homer};
pub use http::{Answer, Client, Stream};
pub use hub::{FAILS, Hub, Setup, hearken};
pub use ledger::{Call, Segment, assert_sound};
pub use message::Message;
pub use net::{Net, reserve};
pub use otlp::{Collector, Span};
pub use phone::Phone;
pub use sipp::{Sipp, Trace, scenario};
pub use wire::{Capture, Packet};

use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A directory that is removed when it is dropped; in memory where that can be, for a busy disk may take many
/// seconds to keep what the daemon's ledger commits.
pub fn directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Long enough for anything that should happen at once, however busy the machine.
pub const SOON: Duration = Duration::from_secs(30);

/// What should take a second may take ten where more wants to run than there are processors.
pub fn a_second() -> Duration {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap();
    let waiting: f64 = load.split(' ').next().unwrap().parse().unwrap();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Duration::from_secs(if waiting > processors as f64 { 10 } else { 1 })
}

/// Asks until there is an answer; panics when there is none within `within`.
pub fn wait_for<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
