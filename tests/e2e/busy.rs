//! A hundred callers at once: what the ledger says is what the phones saw, call by call.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::{Call, Net, Setup, Sipp, Trace, assert_sound, scenario};

const AGENTS: u8 = 10;
const PATIENT: u32 = 80;
/// They hang up long before the patient ones who came earlier are served.
const LEAVERS: u32 = 10;
/// They are served before all others.
const EMERGENCIES: u32 = 10;
const WITHIN: Duration = Duration::from_secs(60);
/// How far two processes' readings of one event may lie apart, in milliseconds: little beside the seconds of a wait, and
/// more than a busy machine keeps one of them waiting. `waits` is exact about single calls.
const TOLERANCE: f64 = 500.0;

#[test]
fn a_hundred_callers_at_once_are_served_or_leave_as_they_will_and_the_ledger_says_what_the_phones_saw() {
    let net = Net::new();
    let agents: Vec<_> = (1..=AGENTS)
        .map(|n| {
            let talk = (150 + 61 * u32::from(n)).to_string();
            Sipp::agent(net.agent(n), &scenario("agent", &[("talk", &talk)]), &[])
        })
        .collect();
    let mut setup = Setup::new(net);
    setup.spill_ports = 256;
    let hub =
        (1..).zip(&agents).fold(setup, |setup, (n, agent)| setup.agent(&name(n), agent.uri("phone"))).start();

    let caller = |series| scenario("caller", &[("series", series)]);
    let patient = Sipp::callers(net.surgery(), hub.udp, &caller("1"), PATIENT, 1_000, &[]);
    hub.logs_times(" arrived ", PATIENT as usize);
    let leaver = scenario("leaver", &[("series", "2"), ("patience", "500")]);
    let leavers = Sipp::callers(net.surgery(), hub.udp, &leaver, LEAVERS, 1_000, &[]);
    let emergencies = Sipp::callers(net.emergency(), hub.udp, &caller("3"), EMERGENCIES, 1_000, &[]);
    let callers = [patient, leavers, emergencies];
    let callers = callers.map(|callers| callers.good(WITHIN).messages).concat();
    let agents: Vec<_> = agents.into_iter().map(|agent| agent.stop(WITHIN)).collect();
    assert!(agents.iter().all(|agent| agent.code == 0), "{agents:#?}");

    let calls = hub.calls((PATIENT + LEAVERS + EMERGENCIES) as usize);
    assert_sound(&calls);
    let most = most_at_once(&calls);
    assert!(most >= 80, "only {most} calls were up at once");

    // Who talked with whom, as the agents' phones know it: by the caller's number.
    let mut talks = BTreeMap::new();
    for (n, agent) in (1..).zip(&agents) {
        for (number, leg) in agent.logs.iter().filter_map(|line| answered(line)) {
            let leg: Vec<_> = agent.messages.iter().filter(|message| message.call_id == leg).collect();
            assert!(talks.insert(number.to_owned(), (name(n), leg)).is_none(), "{number} was answered twice");
        }
    }
    for call in &calls {
        let leg: Vec<_> = callers.iter().filter(|message| message.call_id == call.sip_call_id).collect();
        let invited = at(&leg, "1 INVITE", "INVITE");
        assert_near(call, call.lasted, at(&leg, "BYE", "BYE") - invited);
        match talks.get(call.cli.as_deref().unwrap()) {
            Some((agent, phone)) => {
                assert_eq!(
                    (call.outcome.as_str(), call.agent.as_ref()),
                    ("answered", Some(agent)),
                    "{call:#?}"
                );
                assert_near(call, call.waited, at(phone, "1 INVITE", "SIP/2.0 200") - invited);
            }
            None => assert_eq!(call.outcome, "abandoned", "{call:#?}"),
        }
    }
    assert_eq!(talks.len(), (PATIENT + EMERGENCIES) as usize);
    let abandoned = calls.iter().filter(|call| call.outcome == "abandoned").count();
    assert_eq!(abandoned, LEAVERS as usize);
}

fn name(agent: u8) -> String {
    format!("agent-{agent}")
}

/// The caller's number and the agent's Call-ID in a line that the agent's phone logged.
fn answered(line: &str) -> Option<(&str, &str)> {
    let (leg, from) = line.strip_prefix("answered ")?.split_once(' ')?;
    let (number, _) = from.split_once("sip:")?.1.split_once('@')?;
    Some((number, leg))
}

/// When a phone first sent or received such a message.
fn at(leg: &[&Trace], cseq: &str, start: &str) -> f64 {
    let found = leg.iter().find(|message| message.cseq.ends_with(cseq) && message.start.starts_with(start));
    found.unwrap_or_else(|| panic!("no {start} in {leg:#?}")).at
}

fn most_at_once(calls: &[Call]) -> i32 {
    let ends = calls.iter().flat_map(|call| [(call.arrived, 1), (call.arrived + call.lasted, -1)]);
    let mut ends: Vec<_> = ends.collect();
    ends.sort_unstable();
    let up = ends.iter().scan(0, |up, (_, change)| {
        *up += change;
        Some(*up)
    });
    up.max().unwrap_or_default()
}

fn assert_near(call: &Call, recorded: i64, seen: f64) {
    let apart = recorded as f64 - seen * 1_000.0;
    assert!(apart.abs() <= TOLERANCE, "{recorded} ms recorded, {:.1} ms seen: {call:#?}", seen * 1_000.0);
}
