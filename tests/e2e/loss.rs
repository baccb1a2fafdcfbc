//! A network that loses one packet in ten: every call is had all the same, and has one row.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::harness::{Net, Setup, Sipp, assert_sound, scenario};

const CALLS: u32 = 100;
const AGENTS: u8 = 10;
const WITHIN: Duration = Duration::from_secs(100);
/// Long enough, in milliseconds, to answer the fifth BYE when the answers to four are lost.
const LINGER: &str = "8000";
/// SIPp loses packets both ways, and repeats what it sends as long as it takes.
const LOSSY: [&str; 4] = ["-lost", "10", "-max_retrans", "12"];

#[test]
fn one_packet_in_ten_lost_loses_no_call() {
    let net = Net::new();
    let phone = scenario("agent", &[("linger", LINGER)]);
    let agents: Vec<_> = (1..=AGENTS).map(|n| Sipp::agent(net.agent(n), &phone, &LOSSY)).collect();
    let mut setup = Setup::new(net);
    setup.spill_ports = 256;
    let hub = (1..)
        .zip(&agents)
        .fold(setup, |setup, (n, agent)| setup.agent(&format!("agent-{n}"), agent.uri("phone")));
    let hub = hub.start();
    let caller = scenario("caller", &[("linger", LINGER)]);
    let callers = Sipp::callers(net.surgery(), hub.udp, &caller, CALLS, 20, &LOSSY).finish(WITHIN);
    assert_eq!((callers.successful, callers.failed), (CALLS, 0), "exit {}: {}", callers.code, callers.errors);

    let calls = hub.calls(CALLS as usize);
    assert_sound(&calls);
    let seen: BTreeSet<_> = callers.messages.iter().map(|message| message.call_id.as_str()).collect();
    let recorded: BTreeSet<_> = calls.iter().map(|call| call.sip_call_id.as_str()).collect();
    assert_eq!(recorded, seen);
    assert!(calls.iter().all(|call| call.outcome == "answered"), "{calls:#?}");
    assert!(callers.repeated > 0, "the network lost nothing");
}
