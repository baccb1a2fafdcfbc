//! The caller hangs up, in every state a call can be in; and the agent does.

use std::time::Duration;

use crate::harness::{Hub, Net, Phone, SOON, Setup, assert_sound};

/// A hub with the agents' phones given, each the only one of its agent.
fn hub(net: Net, phones: &[&Phone]) -> Hub {
    let names = ["asha", "ben", "carys"];
    let setup = names
        .iter()
        .zip(phones)
        .fold(Setup::new(net), |setup, (name, phone)| setup.agent(name, phone.uri(name)));
    setup.start()
}

#[test]
fn a_caller_who_hangs_up_while_nobody_is_free_has_abandoned() {
    let net = Net::new();
    let mut asha = Phone::at(net.agent(1));
    let [mut first, mut second] = [(); 2].map(|()| Phone::at(net.surgery()));
    let hub = hub(net, &[&asha]);
    first.call(&hub);
    asha.answer();
    second.call(&hub);
    second.bye();
    let call = hub.call();
    assert_eq!(call.end(), ("abandoned", None));
    assert_eq!(call.presentations(), []);
    assert_eq!(call.waited, call.lasted);
    first.bye();
    asha.hung_up();
    assert_sound(&hub.calls(2));
}

#[test]
fn a_caller_who_hangs_up_while_a_phone_rings_silences_it_at_once() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = hub(net, &[&asha]);
    caller.call(&hub);
    let invite = asha.ring();
    caller.bye();
    asha.taken_back(&invite);
    let call = hub.call();
    assert_eq!(call.end(), ("abandoned", None));
    assert_eq!(call.presentations(), [("asha", "caller-gone")]);
    assert_sound(&[call]);
}

#[test]
fn a_phone_that_answers_as_its_caller_hangs_up_is_hung_up() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = hub(net, &[&asha]);
    caller.call(&hub);
    let invite = asha.ring();
    caller.bye();
    // The CANCEL is on its way already; the phone answers before it has read it.
    let cancel = asha.expect("CANCEL");
    asha.accept_crossing(&invite, &cancel);
    asha.hung_up();
    let call = hub.call();
    assert_eq!(call.end(), ("abandoned", None));
    // The agent is free again.
    caller.call(&hub);
    asha.answer();
    caller.bye();
    asha.hung_up();
    assert_eq!(hub.calls(2)[1].end(), ("answered", Some("caller")));
}

#[test]
fn a_caller_who_hangs_up_while_talking_ends_the_agents_call() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = hub(net, &[&asha]);
    caller.call(&hub);
    asha.answer();
    caller.bye();
    asha.hung_up();
    let call = hub.call();
    assert_eq!(call.end(), ("answered", Some("caller")));
    assert_eq!(call.agent.as_deref(), Some("asha"));
    assert_sound(&[call]);
}

#[test]
fn an_agent_who_hangs_up_ends_the_callers_call_with_one_record() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = hub(net, &[&asha]);
    caller.call(&hub);
    asha.answer();
    asha.bye();
    caller.hung_up();
    let call = hub.call();
    assert_eq!(call.end(), ("answered", Some("agent")));
    assert_sound(&[call]);
    // Both dialogs are gone.
    for phone in [&mut asha, &mut caller] {
        phone.request("BYE", &[], "");
        phone.expect("481 BYE");
    }
    assert_eq!(hub.calls(1).len(), 1);
}

#[test]
fn a_cancel_that_crosses_the_answer_changes_nothing() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = hub(net, &[&asha]);
    caller.invite(&hub);
    caller.cancel();
    // RFC 3261, 9.2: the INVITE has its final response, so the CANCEL is too late, and is told so by the 200.
    let (mut answer, mut cancelled) = (None, false);
    while answer.is_none() || !cancelled {
        let message = caller.next(SOON).unwrap();
        match message.what().as_str() {
            "200 INVITE" => answer = Some(message),
            "200 CANCEL" => cancelled = true,
            other => panic!("{other}"),
        }
    }
    caller.ack(&answer.unwrap());
    asha.answer();
    caller.bye();
    asha.hung_up();
    assert_eq!(hub.call().end(), ("answered", Some("caller")));
}

#[test]
fn both_who_hang_up_at_once_leave_one_record() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = hub(net, &[&asha]);
    caller.call(&hub);
    asha.answer();
    caller.request("BYE", &[], "");
    asha.request("BYE", &[], "");
    for phone in [&mut caller, &mut asha] {
        let mut answered = false;
        while !answered {
            let message = phone.next(SOON).unwrap();
            match message.what().as_str() {
                "200 BYE" | "481 BYE" => answered = true,
                "BYE" => phone.respond(&message, 200),
                other => panic!("{other}"),
            }
        }
    }
    let call = hub.call();
    assert_eq!(call.outcome, "answered");
    assert_sound(&[call]);
}

#[test]
fn a_caller_is_hung_up_only_after_the_ack() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = hub(net, &[&asha]);
    caller.invite(&hub);
    let answer = caller.expect("200 INVITE");
    asha.answer();
    asha.bye();
    assert_eq!(hub.call().end(), ("answered", Some("agent")));
    // RFC 3261, 15: a BYE that overtakes the 200 would leave a caller who believes to be connected.
    let early = caller.next(Duration::from_millis(100));
    assert!(early.is_none(), "{}", early.unwrap().text);
    caller.ack(&answer);
    caller.hung_up();
}
