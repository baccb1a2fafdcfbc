#![allow(dead_code, unreachable_pub, unused_imports)]
pub use hearken::{acd, audio, calendar, call, config, id, policy, rng, rtp, sip, switch, time};
#[path = "../src/sim/mod.rs"]
pub mod sim;
mod sweep_main {
    include!("/tmp/sweep_main.rs");
    pub fn go() -> std::process::ExitCode {
        main()
    }
}
fn main() -> std::process::ExitCode {
    sweep_main::go()
}
