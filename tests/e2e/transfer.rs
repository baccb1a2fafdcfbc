//! Agents who hand callers on with the transfer key of their phones, and say how calls ended.

use crate::harness::{Baresip, Hub, Message, Net, Phone, SOON, Setup, assert_sound, wait_for};

const CALLER: f64 = 440.0;
const BEN: f64 = 620.0;

/// Presses the transfer key; gives the answer to the REFER.
fn refer(phone: &mut Phone, to: &str) -> Message {
    let target = format!("Refer-To: <sip:{to}@{}>", phone.dialog.hub);
    phone.request("REFER", &[&target], "");
    phone.next(SOON).unwrap()
}

/// What the phone is told of its transfer next.
fn told(phone: &mut Phone) -> String {
    let notify = phone.expect("NOTIFY");
    phone.respond(&notify, 200);
    assert!(notify.must("Event").starts_with("refer"), "{}", notify.text);
    notify.text.split("\r\n\r\n").nth(1).unwrap().trim().to_owned()
}

fn targets(hub: &Hub) -> Vec<(String, String)> {
    let call = hub.call();
    assert_sound(std::slice::from_ref(&call));
    let transfers = call.stages("transfer").into_iter();
    transfers.map(|s| (s.agent.clone().unwrap(), s.target.clone().unwrap())).collect()
}

#[test]
fn a_caller_is_handed_to_a_colleague_and_both_hear_each_other() {
    let net = Net::new();
    let mut asha = Phone::at(net.agent(1));
    let ben = Baresip::agent(net.agent(2), BEN);
    let setup = Setup::new(net).agent("asha", asha.uri("asha")).agent("ben", ben.uri());
    let hub = setup.with("[team.hub]", "[team.hub]\nstrategy = \"ordered\"").start();
    let caller = Baresip::caller(net.surgery(), CALLER, &format!("sip:02079460101@{}", hub.udp));
    asha.answer();
    assert_eq!(refer(&mut asha, "ben").what(), "202 REFER");
    assert_eq!(told(&mut asha), "SIP/2.0 100 Trying");
    assert_eq!(told(&mut asha), "SIP/2.0 200 OK");
    asha.hung_up();
    caller.hears(BEN);
    ben.hears(CALLER);
    caller.quit();
    assert_eq!(targets(&hub), [("asha".to_owned(), "ben".to_owned())]);
    assert_eq!(hub.call().agent.as_deref(), Some("ben"));
    ben.quit();
}

#[test]
fn a_colleague_who_is_busy_leaves_the_caller_with_the_agent() {
    let net = Net::new();
    let (mut asha, mut ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut caller = Phone::at(net.surgery());
    let setup = Setup::new(net).agent("asha", asha.uri("asha")).agent("ben", ben.uri("ben"));
    let hub = setup.with("[team.hub]", "[team.hub]\nstrategy = \"ordered\"").start();
    caller.call(&hub);
    asha.answer();
    assert_eq!(refer(&mut asha, "ben").what(), "202 REFER");
    assert_eq!(told(&mut asha), "SIP/2.0 100 Trying");
    let invite = ben.ring();
    ben.refuse(&invite, 486);
    assert_eq!(told(&mut asha), "SIP/2.0 486 Busy Here");
    caller.bye();
    asha.hung_up();
    let call = hub.call();
    assert_sound(std::slice::from_ref(&call));
    assert_eq!(call.presentations(), [("asha", "answered"), ("ben", "busy")]);
    assert_eq!(call.stages("talk").len(), 2, "asha before and after: {call:#?}");
}

#[test]
fn a_pathway_takes_as_many_callers_as_it_has_room_for() {
    let net = Net::new();
    let (mut asha, mut pharmacy) = (Phone::at(net.agent(1)), Phone::at(net.agent(100)));
    let (mut first, mut second) = (Phone::at(net.surgery()), Phone::at(net.surgery()));
    let toml = format!(
        "[pathway.pharmacy]\nkind = \"pharmacy\"\naddress = \"{}\"\ncapacity = 1\n[disposition.21]\nwords = \"Pharmacy\"\n",
        pharmacy.uri("duty")
    );
    let mut setup = Setup::new(net).agent("asha", asha.uri("asha")).and(&toml);
    setup.wrap_up = "10m";
    let hub = setup.start();
    pharmacy.asked();
    first.call(&hub);
    asha.answer();
    // Its answer may still be on the way to the hub.
    let answer = wait_for("a transfer to the pharmacy", SOON, || {
        Some(refer(&mut asha, "pharmacy")).filter(|answer| answer.what() == "202 REFER")
    });
    assert_eq!(answer.what(), "202 REFER");
    pharmacy.answer();
    assert_eq!(told(&mut asha), "SIP/2.0 100 Trying");
    assert_eq!(told(&mut asha), "SIP/2.0 200 OK");
    asha.hung_up();
    // In the wrap-up asha says how it ended, and is free.
    asha.dials(&hub, "*1721");
    second.call(&hub);
    asha.answer();
    let refused = refer(&mut asha, "pharmacy");
    assert_eq!(refused.what(), "480 REFER");
    assert_eq!(refused.must("Warning"), "399 hearken \"the pathway is full\"");
    second.bye();
    asha.hung_up();
    first.bye();
    pharmacy.hung_up();
    let calls = hub.calls(2);
    assert_sound(&calls);
    let handed = calls.iter().find(|call| !call.stages("transfer").is_empty()).unwrap();
    assert_eq!((handed.agent.as_deref(), handed.disposition.as_deref()), (Some("pharmacy"), Some("21")));
}

#[test]
fn a_disposition_given_in_the_wrap_up_comes_into_the_record() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let mut setup = Setup::new(net).agent("asha", asha.uri("asha"));
    setup.wrap_up = "10m";
    let hub = setup.and("[disposition.21]\nwords = \"Advice given\"\n").start();
    caller.call(&hub);
    asha.answer();
    caller.bye();
    asha.hung_up();
    assert_eq!(hub.call().disposition, None);
    asha.dials(&hub, "*1721");
    wait_for("the disposition", SOON, || (hub.call().disposition.as_deref() == Some("21")).then_some(()));
}
