//! The wait that is recorded is the wait that was: from the INVITE to the agent's 200, on the wire.

use std::time::Duration;

use crate::harness::{Call, Capture, Net, Packet, Setup, Sipp, assert_sound, scenario};

const CALLS: u32 = 20;
const AGENTS: u8 = 3;
const WITHIN: Duration = Duration::from_secs(60);
/// How far the record may be from the wire, in milliseconds.
const CLOSE: f64 = 20.0;
/// Where a machine that had something better to do may get, one call in ten.
const STALLED: f64 = 150.0;

#[test]
fn a_recorded_wait_is_the_time_between_two_packets() {
    let net = Net::new();
    let phone = scenario("agent", &[("talk", "150")]);
    let agents: Vec<_> = (1..=AGENTS).map(|n| Sipp::agent(net.agent(n), &phone, &[])).collect();
    let setup = (1..)
        .zip(&agents)
        .fold(Setup::new(net), |setup, (n, agent)| setup.agent(&format!("agent-{n}"), agent.uri("phone")));
    let hub = setup.start();
    let Some(capture) = Capture::start(&hub) else { return };
    let caller = scenario("caller", &[]);
    let callers = Sipp::callers(net.surgery(), hub.udp, &caller, CALLS, 50, &[]);
    callers.good(WITHIN);
    let calls = hub.calls(CALLS as usize);
    assert_sound(&calls);

    let ended = |packets: &[Packet], call: &Call| {
        packets.iter().any(|packet| packet.what == "200 BYE" && packet.call_id == call.sip_call_id)
    };
    let packets = capture.packets(|packets| calls.iter().all(|call| ended(packets, call)));
    let mut apart: Vec<f64> = Vec::new();
    for call in &calls {
        let of_call = |packet: &&Packet| packet.what == "INVITE" && packet.call_id == call.sip_call_id;
        let invite = packets.iter().find(of_call).unwrap();
        // The agent's leg is known by the caller's number, which is shown to the agent.
        let of_agent = |packet: &&Packet| {
            packet.what == "200 INVITE"
                && packet.source != hub.udp.to_string()
                && Some(&packet.from) == call.cli.as_ref()
        };
        let answer = packets.iter().find(of_agent).unwrap();
        apart.push((call.waited as f64 - (answer.at - invite.at) * 1_000.0).abs());
    }
    apart.sort_by(f64::total_cmp);
    eprintln!("waits apart from the wire, ms: {apart:.1?}");
    assert!(apart[apart.len() * 9 / 10 - 1] <= CLOSE, "{apart:.1?}");
    assert!(apart[apart.len() - 1] <= STALLED, "{apart:.1?}");
}
