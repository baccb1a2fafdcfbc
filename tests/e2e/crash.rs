//! A daemon that is killed with calls up, or replaced by a new one: its calls go on.

use std::time::{Duration, Instant};

use crate::harness::{Baresip, Call, Hub, Net, Phone, SOON, Setup, Sipp, assert_sound, scenario};

/// Asha talks with the first caller, Ben's phone rings for the second, the third waits.
struct Floor {
    asha: Phone,
    ben: Phone,
    callers: [Phone; 3],
    hub: Hub,
    invite: crate::harness::Message,
    /// Where asha and the first caller are to send their audio.
    audio: [std::net::SocketAddr; 2],
}

fn floor() -> Floor {
    let net = Net::new();
    let (mut asha, mut ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let hub = Setup::new(net).agent("asha", asha.uri("asha")).agent("ben", ben.uri("ben")).start();
    let mut callers = [(); 3].map(|()| Phone::at(net.surgery()));
    let answer = callers[0].call(&hub);
    let rung = asha.answer();
    callers[1].call(&hub);
    let invite = ben.ring();
    callers[2].call(&hub);
    let audio = [rung.media(), answer.media()];
    let floor = Floor { asha, ben, callers, hub, invite, audio };
    floor.all_hear_each_other(0x2a);
    floor
}

impl Floor {
    /// Those who talk; each byte is said once, so that nothing old is taken for new.
    fn all_hear_each_other(&self, byte: u8) {
        self.callers[0].says_to(self.audio[1], byte, &self.asha);
        self.asha.says_to(self.audio[0], byte + 1, &self.callers[0]);
    }

    /// What was going on goes on, and is recorded as if nothing had happened.
    fn goes_on(self) {
        self.all_hear_each_other(0x55);
        let Floor { mut asha, mut ben, callers: [mut first, mut second, mut third], mut hub, invite, .. } =
            self;
        ben.accept(&invite);
        asha.bye();
        first.hung_up();
        let next = asha.answer();
        assert!(next.must("From").contains(&third.number), "{}", next.text);
        second.bye();
        ben.hung_up();
        third.bye();
        asha.hung_up();
        let calls = hub.calls(3);
        assert_sound(&calls);
        let of = |phone: &Phone| -> Call {
            calls.iter().find(|call| call.sip_call_id == phone.dialog.call_id).unwrap().clone()
        };
        let presented = [&first, &second, &third].map(|phone| of(phone).presentations().len());
        assert_eq!(presented, [1, 1, 1], "nobody is presented twice: {calls:#?}");
        assert_eq!(of(&first).end(), ("answered", Some("agent")));
        assert_eq!(of(&second).presentations(), [("ben", "answered")]);
        assert_eq!(of(&third).presentations(), [("asha", "answered")]);
        hub.terminate();
        assert_eq!(hub.ended(SOON).code(), Some(0));
        let replayed = hub.run(&["replay", "flight"]);
        let said = String::from_utf8(replayed.stdout).unwrap();
        assert!(replayed.status.success() && said.matches("all as they were").count() >= 2, "{said}");
        let ladder = hub.run(&["flight", "flight", "--call", &third.dialog.call_id]);
        let ladder = String::from_utf8(ladder.stdout).unwrap();
        for part in ["INVITE ─", "200 OK (INVITE)", "presented to asha", "bridged to asha", "BYE"] {
            assert!(ladder.contains(part), "{part} is not in\n{ladder}");
        }
    }
}

#[test]
fn a_killed_daemon_that_is_started_again_goes_on_with_all_calls() {
    let mut floor = floor();
    floor.hub.kill();
    floor.hub.restart();
    floor.goes_on();
}

#[test]
fn a_daemon_hands_its_calls_over_to_the_one_that_takes_its_place() {
    let floor = floor();
    floor.hub.signal("USR2");
    floor.hub.logs("resumed: the calls go on calls=3");
    floor.goes_on();
}

#[test]
fn a_daemon_that_is_killed_again_and_again_still_has_its_calls() {
    let mut floor = floor();
    for _ in 0..2 {
        floor.hub.kill();
        floor.hub.restart();
    }
    floor.goes_on();
}

#[test]
fn a_caller_who_hung_up_while_the_daemon_was_dead_is_recorded_when_it_lives() {
    let mut floor = floor();
    floor.hub.kill();
    let [_, _, third] = &mut floor.callers;
    third.request("BYE", &[], "");
    floor.hub.restart();
    // As every SIP phone does until it is answered.
    let [_, _, third] = &mut floor.callers;
    third.bye();
    let calls = floor.hub.calls(1);
    assert_eq!(calls[0].end(), ("abandoned", None));
}

#[test]
fn people_who_talk_hear_each_other_again_after_a_crash() {
    const CALLER: f64 = 440.0;
    const AGENT: f64 = 620.0;
    let net = Net::new();
    let asha = Baresip::agent(net.agent(1), AGENT);
    let mut hub = Setup::new(net).agent("asha", asha.uri()).start();
    let caller = Baresip::caller(net.surgery(), CALLER, &format!("sip:02079460101@{}", hub.udp));
    caller.hears(AGENT);
    asha.hears(CALLER);
    hub.kill();
    let before = [caller.recorded(), asha.recorded()];
    hub.restart();
    caller.hears_after(before[0], AGENT);
    asha.hears_after(before[1], CALLER);
    caller.quit();
    let call = hub.call();
    assert_eq!(call.end(), ("answered", Some("caller")));
    assert_sound(&[call]);
    asha.quit();
}

#[test]
fn two_hundred_who_wait_and_a_hundred_who_talk_outlive_the_daemon() {
    const TALKING: usize = 100;
    const CALLS: u32 = 300;
    let net = Net::new();
    let talk = scenario("agent", &[("talk", "15000")]);
    let phones = Sipp::agent(net.agent(1), &talk, &[]);
    let mut setup = Setup::new(net);
    setup.spill_ports = 512;
    for n in 0..TALKING {
        setup = setup.agent(&format!("agent-{n}"), phones.uri(&format!("agent-{n}")));
    }
    let mut hub = setup.start();
    let callers = Sipp::callers(net.surgery(), hub.udp, &scenario("caller", &[]), CALLS, 100, &[]);
    hub.logs_times(": bridged", TALKING);
    hub.logs_times(": arrived", CALLS as usize);
    hub.kill();
    let killed = Instant::now();
    hub.restart();
    eprintln!("ready again {:?} after the kill", killed.elapsed());
    hub.logs(&format!("resumed: the calls go on calls={CALLS}"));
    callers.good(Duration::from_secs(120));
    let calls = hub.calls(CALLS as usize);
    assert_sound(&calls);
    assert!(calls.iter().all(|call| call.end() == ("answered", Some("agent"))), "{calls:#?}");
    assert!(calls.iter().all(|call| call.presentations().len() == 1), "{calls:#?}");
    let mut by_arrival: Vec<_> = calls.iter().collect();
    by_arrival.sort_by_key(|call| call.arrived);
    let answered: Vec<_> = by_arrival.iter().map(|call| call.arrived + call.waited).collect();
    let late = answered.windows(2).filter(|pair| pair[1] + 1_000 < pair[0]).count();
    assert_eq!(late, 0, "nobody was overtaken: {answered:?}");
    phones.stop(SOON);
}
