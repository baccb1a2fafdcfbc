//! Stopping: those who are on the line are served, and everything that is cut off is told.

use crate::harness::{Hub, Net, Phone, SOON, Setup, assert_sound};

fn hub(net: Net, asha: &Phone) -> Hub {
    Setup::new(net).agent("asha", asha.uri("asha")).start()
}

#[test]
fn a_daemon_without_calls_ends_when_told_to() {
    for signal in ["TERM", "INT"] {
        let net = Net::new();
        let mut hub = hub(net, &Phone::at(net.agent(1)));
        hub.signal(signal);
        assert_eq!(hub.ended(SOON).code(), Some(0), "{signal}");
    }
}

#[test]
fn a_drain_serves_those_who_are_there_and_takes_emergency_calls_only() {
    let net = Net::new();
    let mut asha = Phone::at(net.agent(1));
    let mut hub = hub(net, &asha);
    let [mut talking, mut waiting, mut late] = [(); 3].map(|()| Phone::at(net.surgery()));
    let mut emergency = Phone::at(net.emergency());
    talking.call(&hub);
    asha.answer();
    waiting.call(&hub);
    hub.terminate();
    hub.logs("draining");
    late.invite(&hub);
    let refusal = late.expect("503 INVITE");
    assert!(refusal.must("Retry-After").parse::<u32>().unwrap() > 0);
    late.ack(&refusal);
    emergency.call(&hub);
    asha.bye();
    talking.hung_up();
    for caller in [&mut emergency, &mut waiting] {
        asha.answer();
        asha.bye();
        caller.hung_up();
    }
    assert_eq!(hub.ended(SOON).code(), Some(0));
    let mut calls = hub.calls(4);
    assert_sound(&calls);
    assert_eq!(calls.remove(0).code, Some(503));
    assert!(calls.iter().all(|call| call.end() == ("answered", Some("agent"))), "{calls:#?}");
    assert_eq!(calls.iter().map(|call| call.band).collect::<Vec<_>>(), [1, 0, 1]);
}

#[test]
fn a_second_signal_hangs_up_every_call_and_ends() {
    let net = Net::new();
    let (mut asha, mut ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut hub = Setup::new(net).agent("asha", asha.uri("asha")).agent("ben", ben.uri("ben")).start();
    let [mut talking, mut rung, mut waiting] = [(); 3].map(|()| Phone::at(net.surgery()));
    talking.call(&hub);
    asha.answer();
    rung.call(&hub);
    let invite = ben.ring();
    waiting.call(&hub);
    hub.terminate();
    hub.logs("draining");
    hub.terminate();
    [&mut talking, &mut rung, &mut waiting, &mut asha].into_iter().for_each(Phone::hung_up);
    ben.taken_back(&invite);
    assert_eq!(hub.ended(SOON).code(), Some(0));
    let mut calls = hub.calls(3);
    assert_sound(&calls);
    calls.sort_by_key(|call| call.arrived);
    let ends: Vec<_> = [&talking, &rung, &waiting]
        .into_iter()
        .map(|phone| calls.iter().find(|call| call.sip_call_id == phone.dialog.call_id).unwrap().end())
        .collect();
    let [by, lost] = [Some("shutdown"), Some("shutdown")];
    assert_eq!(ends, [("answered", by), ("lost", lost), ("lost", lost)]);
}
