//! Lines whose calls are offered to the surgery's own PBX first.

use std::time::Duration;

use crate::harness::{Baresip, Hub, Net, Phone, SOON, Setup, assert_sound, directory, tone, wait_for};

struct Floor {
    setup: Setup,
    pbx: Phone,
    asha: Phone,
    caller: Phone,
    hub: Hub,
}

fn floor() -> Floor {
    let net = Net::new();
    let (pbx, asha) = (Phone::at(net.agent(100)), Phone::at(net.agent(1)));
    let setup = Setup::new(net)
        .agent("asha", asha.uri("asha"))
        .with("[line.gp]", "[line.gp]\nfirst = \"surgery-pbx\"")
        .and(&format!("[destination.surgery-pbx]\naddress = \"{}\"\ncapacity = 2\n", pbx.uri("reception")));
    Floor { pbx, asha, caller: Phone::at(net.surgery()), hub: setup.start(), setup }
}

#[test]
fn the_surgery_answers_what_it_can() {
    let Floor { mut pbx, asha: _asha, mut caller, hub, .. } = floor();
    caller.call(&hub);
    pbx.answer();
    caller.bye();
    pbx.hung_up();
    let call = hub.call();
    assert_sound(std::slice::from_ref(&call));
    assert_eq!(call.presentations(), [("surgery-pbx", "answered")]);
}

#[test]
fn a_caller_whom_the_surgery_is_too_busy_for_is_answered_by_the_team() {
    let Floor { mut pbx, mut asha, mut caller, hub, .. } = floor();
    caller.call(&hub);
    let invite = pbx.ring();
    pbx.refuse(&invite, 486);
    asha.answer();
    caller.bye();
    asha.hung_up();
    let call = hub.call();
    assert_sound(std::slice::from_ref(&call));
    assert_eq!(call.presentations(), [("surgery-pbx", "busy"), ("asha", "answered")]);
    assert_eq!(call.stages("queue").len(), 1, "the caller never left the line: {call:#?}");
}

#[test]
fn a_surgery_that_is_dead_keeps_no_caller_from_the_team_for_long() {
    let Floor { pbx: _dead, mut asha, mut caller, hub, .. } = floor();
    caller.call(&hub);
    asha.answer();
    caller.bye();
    asha.hung_up();
    let call = hub.call();
    assert_eq!(call.presentations(), [("surgery-pbx", "unreachable"), ("asha", "answered")]);
    let tried = call.stages("presented")[0];
    assert!((1_000..3_000).contains(&(tried.to - tried.from)), "`unreachable-after` is 1 s: {call:#?}");
}

#[test]
fn a_caller_hears_ring_tone_while_the_surgery_is_tried_and_then_the_music() {
    const MUSIC: f64 = 530.0;
    let net = Net::new();
    let files = directory();
    let mut pbx = Phone::at(net.agent(100));
    let mut setup = Setup::new(net)
        .agent("asha", Phone::at(net.agent(1)).uri("asha"))
        .with("[line.gp]", "[line.gp]\nfirst = \"surgery-pbx\"")
        .with("[team.hub]", "[team.hub]\nkeep-free-for-emergency = 1")
        .and(&format!("[destination.surgery-pbx]\naddress = \"{}\"\n", pbx.uri("reception")));
    setup.music = Some(tone::write(files.path(), "music", MUSIC, Duration::from_secs(1)));
    let hub = setup.start();
    let caller = Baresip::caller(net.surgery(), 440.0, &format!("sip:02079460101@{}", hub.udp));
    let invite = pbx.ring();
    // Two tones at once, with breaks: neither is half of what is heard.
    wait_for("ring tone", SOON, || {
        [400.0, 450.0].iter().all(|&hertz| (0.2..0.5).contains(&caller.strength(hertz))).then_some(())
    });
    assert!(caller.strength(MUSIC) < 0.1, "the music comes later");
    pbx.refuse(&invite, 486);
    caller.hears(MUSIC);
    caller.quit();
    assert_sound(&[hub.call()]);
}

#[test]
fn an_emergency_call_does_not_ring_at_the_surgery_first() {
    let Floor { pbx: _pbx, mut asha, hub, .. } = floor();
    let mut emergency = Phone::at(hub.net.emergency());
    emergency.call(&hub);
    asha.answer();
    emergency.bye();
    asha.hung_up();
    assert_eq!(hub.call().presentations(), [("asha", "answered")]);
}

#[test]
fn a_reload_that_adds_an_agent_leaves_calls_at_the_surgery_alone() {
    let Floor { setup, mut pbx, mut asha, mut caller, hub } = floor();
    let mut waiting = Phone::at(hub.net.surgery());
    caller.call(&hub);
    pbx.answer();
    waiting.call(&hub);
    let invite = pbx.ring();
    let mut ben = Phone::at(hub.net.agent(2));
    hub.reload(&setup.agent("ben", ben.uri("ben")));
    pbx.refuse(&invite, 486);
    asha.answer();
    waiting.bye();
    asha.hung_up();
    // Ben is free: the talk at the surgery is none of his.
    asha.dials(&hub, "*12");
    waiting.call(&hub);
    let invite = pbx.ring();
    pbx.refuse(&invite, 486);
    ben.answer();
    waiting.bye();
    ben.hung_up();
    caller.bye();
    pbx.hung_up();
    let calls = hub.calls(3);
    // A destination does several things at once, so each call is sound by itself.
    calls.iter().for_each(|call| assert_sound(std::slice::from_ref(call)));
    let presented: Vec<_> = calls.iter().map(|call| call.presentations()).collect();
    let busy = ("surgery-pbx", "busy");
    assert_eq!(
        presented,
        [
            vec![busy, ("asha", "answered")],
            vec![busy, ("ben", "answered")],
            vec![("surgery-pbx", "answered")]
        ]
    );
}
