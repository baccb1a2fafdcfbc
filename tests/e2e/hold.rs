//! Hold and resume: what one side states, the other side is told, and its answer comes back.

use crate::harness::{Hub, Net, Phone, Setup, assert_sound};

/// A call between the two.
fn talk() -> (Hub, Phone, Phone) {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = Setup::new(net).agent("asha", asha.uri("asha")).start();
    caller.call(&hub);
    asha.answer();
    (hub, caller, asha)
}

/// One side states a direction, the other side is told it and answers with `reply`.
fn passes(asker: &mut Phone, other: &mut Phone, stated: &str, reply: &str) {
    asker.reinvite(stated);
    let told = other.expect("INVITE");
    assert_eq!(told.direction(), stated, "{}", told.text);
    other.accept_stating(&told, reply);
    let answer = asker.expect("200 INVITE");
    assert_eq!(answer.direction(), reply, "{}", answer.text);
    asker.ack(&answer);
}

fn end(hub: &Hub, caller: &mut Phone, asha: &mut Phone) {
    caller.bye();
    asha.hung_up();
    let call = hub.call();
    assert_eq!(call.end(), ("answered", Some("caller")));
    assert_eq!(call.stages("talk").len(), 1);
    assert_sound(&[call]);
}

#[test]
fn the_agents_hold_and_resume_reach_the_caller() {
    let (hub, mut caller, mut asha) = talk();
    passes(&mut asha, &mut caller, "sendonly", "recvonly");
    passes(&mut asha, &mut caller, "sendrecv", "sendrecv");
    passes(&mut asha, &mut caller, "inactive", "inactive");
    passes(&mut asha, &mut caller, "sendrecv", "sendrecv");
    end(&hub, &mut caller, &mut asha);
}

#[test]
fn the_callers_hold_and_resume_reach_the_agent() {
    let (hub, mut caller, mut asha) = talk();
    passes(&mut caller, &mut asha, "sendonly", "recvonly");
    passes(&mut caller, &mut asha, "sendrecv", "sendrecv");
    end(&hub, &mut caller, &mut asha);
}

#[test]
fn a_reinvite_that_changes_nothing_is_answered_here() {
    let (hub, mut caller, mut asha) = talk();
    caller.reinvite("sendrecv");
    let answer = caller.expect("200 INVITE");
    assert_eq!(answer.direction(), "sendrecv");
    caller.ack(&answer);
    // The agent was not asked: the next that it sees is the end.
    end(&hub, &mut caller, &mut asha);
}

#[test]
fn two_reinvites_at_once_are_told_that_they_met() {
    let (hub, mut caller, mut asha) = talk();
    asha.reinvite("sendonly");
    let told = caller.expect("INVITE");
    // The caller has asked for a change too, before it saw the other one.
    caller.reinvite("sendonly");
    let glare = caller.expect("491 INVITE");
    caller.ack(&glare);
    caller.accept_stating(&told, "recvonly");
    let answer = asha.expect("200 INVITE");
    assert_eq!(answer.direction(), "recvonly");
    asha.ack(&answer);
    // A second one from the side that still waits for its first is told to wait (RFC 3261, 14.2).
    asha.reinvite("sendrecv");
    let told = caller.expect("INVITE");
    asha.reinvite("inactive");
    let early = asha.expect("500 INVITE");
    assert!(early.header("Retry-After").is_some());
    asha.ack(&early);
    caller.accept_stating(&told, "sendrecv");
    let answer = asha.expect("200 INVITE");
    asha.ack(&answer);
    end(&hub, &mut caller, &mut asha);
}

#[test]
fn a_refused_hold_leaves_the_call_as_it_was() {
    let (hub, mut caller, mut asha) = talk();
    asha.reinvite("sendonly");
    let told = caller.expect("INVITE");
    caller.refuse(&told, 488);
    let refusal = asha.expect("488 INVITE");
    asha.ack(&refusal);
    passes(&mut asha, &mut caller, "sendonly", "recvonly");
    end(&hub, &mut caller, &mut asha);
}

#[test]
fn an_agent_who_is_lost_on_hold_leaves_the_caller_resumed_and_waiting() {
    let (hub, mut caller, mut asha) = talk();
    passes(&mut asha, &mut caller, "sendonly", "recvonly");
    // Asha's phone restarts and knows nothing of the call: it says so to the next change.
    caller.reinvite("inactive");
    let told = asha.expect("INVITE");
    asha.refuse(&told, 481);
    // The caller may hear and speak again, whichever way that is said.
    let mut resumed = false;
    while !resumed {
        let message = caller.next(crate::harness::SOON).unwrap();
        match message.what().as_str() {
            "INVITE" => {
                resumed = message.direction() == "sendrecv";
                caller.accept(&message);
            }
            "200 INVITE" | "481 INVITE" => caller.ack(&message),
            other => panic!("{other}: {}", message.text),
        }
    }
    caller.bye();
    let call = hub.call();
    assert_eq!(call.stages("queue").len(), 2, "{call:#?}");
}
