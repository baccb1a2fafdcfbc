//! Presentations that come to nothing: the caller stays in place, and the next phone rings at once.

use std::time::Duration;

use crate::harness::{Call, Hub, Net, Phone, Segment, Setup, assert_sound};

/// A failed presentation is followed by the next one sooner than this, in milliseconds.
const AT_ONCE: i64 = 1_000;

struct Floor {
    asha: Phone,
    ben: Phone,
    caller: Phone,
    hub: Hub,
}

/// Two agents, of whom asha is rung first: she has been idle for longer.
fn floor(change: impl FnOnce(&mut Setup)) -> Floor {
    let net = Net::new();
    let (asha, ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut setup = Setup::new(net).agent("asha", asha.uri("asha")).agent("ben", ben.uri("ben"));
    setup.rest_after_miss = "30s";
    change(&mut setup);
    Floor { asha, ben, caller: Phone::at(net.surgery()), hub: setup.start() }
}

/// Asha's presentation ended with `cause`, and Ben was rung at once and answered.
fn assert_passed_on(call: &Call, cause: &str) {
    assert_sound(std::slice::from_ref(call));
    assert_eq!(call.presentations(), [("asha", cause), ("ben", "answered")]);
    assert_at_once(&call.stages("presented"));
    assert_eq!(call.stages("queue").len(), 1, "the caller never left the line: {call:#?}");
}

fn assert_at_once(presented: &[&Segment]) {
    for pair in presented.windows(2) {
        let gap = pair[1].from - pair[0].to;
        assert!((0..AT_ONCE).contains(&gap), "the next phone rings after {gap} ms: {presented:#?}");
    }
}

fn turned_down(code: u16, cause: &str) {
    let Floor { mut asha, mut ben, mut caller, hub } = floor(|_| ());
    caller.call(&hub);
    let invite = asha.ring();
    asha.refuse(&invite, code);
    ben.answer();
    caller.bye();
    ben.hung_up();
    assert_passed_on(&hub.call(), cause);
}

#[test]
fn a_rejected_call_goes_to_the_next_agent() {
    turned_down(603, "rejected");
}

#[test]
fn a_busy_phone_passes_the_call_on() {
    turned_down(486, "busy");
}

#[test]
fn a_phone_that_refuses_the_audio_passes_the_call_on() {
    turned_down(488, "failed");
}

#[test]
fn a_phone_that_nobody_answers_rings_out_and_the_next_one_rings() {
    let Floor { mut asha, mut ben, mut caller, hub } = floor(|setup| setup.ring_for = "3s");
    caller.call(&hub);
    let invite = asha.ring();
    asha.taken_back(&invite);
    ben.answer();
    caller.bye();
    ben.hung_up();
    let call = hub.call();
    assert_passed_on(&call, "no-answer");
    let rang = call.stages("presented")[0];
    assert!((2_995..3_300).contains(&(rang.to - rang.from)), "it rings for 3 s: {rang:?}");
}

#[test]
fn a_phone_that_is_switched_off_is_given_up_within_a_second() {
    let Floor { asha, mut ben, mut caller, hub } = floor(|_| ());
    drop(asha);
    caller.call(&hub);
    ben.answer();
    caller.bye();
    ben.hung_up();
    let call = hub.call();
    assert_passed_on(&call, "unreachable");
    let tried = call.stages("presented")[0];
    assert!(tried.to - tried.from <= 1_100, "unreachable after 1 s: {tried:?}");
}

#[test]
fn a_phone_whose_tcp_port_is_closed_passes_the_call_on() {
    let Floor { asha, mut ben, mut caller, hub } =
        floor(|setup| setup.agents[0].1.push_str(";transport=tcp"));
    drop(asha);
    caller.call(&hub);
    ben.answer();
    caller.bye();
    ben.hung_up();
    assert_passed_on(&hub.call(), "unreachable");
}

#[test]
fn a_phone_that_hears_but_says_nothing_is_given_up_within_a_second() {
    let Floor { mut asha, mut ben, mut caller, hub } = floor(|_| ());
    caller.call(&hub);
    let late = asha.expect("INVITE");
    ben.answer();
    // Asha's phone wakes up: it must not ring for a call that Ben has.
    asha.respond(&late, 180);
    asha.taken_back(&late);
    caller.bye();
    ben.hung_up();
    assert_passed_on(&hub.call(), "unreachable");
}

#[test]
fn a_phone_that_dies_while_talking_puts_the_caller_back_first_in_line() {
    let Floor { mut asha, mut ben, mut caller, hub } = floor(|setup| setup.dead_media_after = "5s");
    caller.call(&hub);
    asha.answer();
    drop(asha);
    // The caller is silent too, but its phone says that the call still stands.
    let caller = std::thread::spawn(move || {
        caller.hung_up();
        caller
    });
    ben.dialog.cseq = 0;
    let invite = ben.next(Duration::from_secs(30)).expect("the caller is offered to Ben");
    assert_eq!(invite.what(), "INVITE");
    ben.accept(&invite);
    ben.bye();
    caller.join().unwrap();
    let call = hub.call();
    assert_sound(std::slice::from_ref(&call));
    assert_eq!(call.presentations(), [("asha", "answered"), ("ben", "answered")]);
    let (talk, again) = (call.stages("talk")[0], call.stages("presented")[1]);
    assert!((0..AT_ONCE).contains(&(again.from - talk.to)), "{call:#?}");
    assert_eq!(call.waited, call.stages("queue")[0].to, "the first wait is the wait: {call:#?}");
    assert_eq!(call.end(), ("answered", Some("agent")));
}

#[test]
fn an_agent_who_misses_three_calls_is_paused() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let mut setup = Setup::new(net).agent("asha", asha.uri("asha"));
    setup.misses_before_pause = 3;
    let hub = setup.start();
    caller.call(&hub);
    for code in [486, 603, 486] {
        let invite = asha.ring();
        asha.refuse(&invite, code);
    }
    hub.logs("agent paused after too many misses");
    caller.bye();
    // Nobody rings for the next caller either.
    caller.call(&hub);
    caller.bye();
    let calls = hub.calls(2);
    assert_sound(&calls);
    assert_eq!(calls[0].presentations(), [("asha", "busy"), ("asha", "rejected"), ("asha", "busy")]);
    assert_at_once(&calls[0].stages("presented"));
    assert_eq!(calls[1].presentations(), []);
}

#[test]
fn a_caller_passed_on_keeps_the_place_in_line() {
    let Floor { mut asha, mut ben, mut caller, hub } = floor(|_| ());
    let [mut before, mut after] = [(); 2].map(|()| Phone::at(hub.net.surgery()));
    before.call(&hub);
    asha.answer();
    caller.call(&hub);
    let invite = ben.ring();
    after.call(&hub);
    ben.refuse(&invite, 486);
    // Ben is left alone now. When Asha is free again, it is the turn of the one who came first.
    asha.bye();
    before.hung_up();
    let invite = asha.answer();
    assert!(invite.must("From").contains(&caller.number), "{}", invite.text);
    asha.bye();
    caller.hung_up();
    let invite = asha.answer();
    assert!(invite.must("From").contains(&after.number), "{}", invite.text);
    asha.bye();
    after.hung_up();
    assert_sound(&hub.calls(3));
}
