//! A daemon that is killed with calls up, or replaced by a new one: its calls go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::callbacks::{asks, settled};
use crate::harness::{Baresip, Call, Hub, Net, Phone, SOON, Setup, Sipp, a_second, assert_sound, scenario};

/// So that a resume has both a snapshot and what came after it to read.
const OFTEN: &str = "[flight]\nsnapshot-every = \"1s\"\n";

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
    floor_of(|setup| setup)
}

fn floor_of(change: impl Fn(Setup) -> Setup) -> Floor {
    let net = Net::new();
    let (mut asha, mut ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let setup = Setup::new(net).agent("asha", asha.uri("asha")).agent("ben", ben.uri("ben")).and(OFTEN);
    let hub = change(setup).start();
    let mut callers = [(); 3].map(|()| Phone::at(net.surgery()));
    let answer = callers[0].call(&hub);
    let rung = asha.answer();
    callers[1].call(&hub);
    let invite = ben.ring();
    hub.has_snapshot();
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

    /// Another program takes the daemon's place with all calls, for the time that this counts.
    fn hand_over(&self, times: usize) {
        self.hub.signal("USR2");
        self.hub.logs_times("resumed: the calls go on calls=3", times);
    }

    /// What was going on goes on, and is recorded as if nothing had happened. The daemon is ready.
    fn goes_on(self) {
        let (begun, within) = (Instant::now(), a_second());
        self.all_hear_each_other(0x55);
        assert!(begun.elapsed() < within, "they hear each other after {:?}", begun.elapsed());
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
    floor.hand_over(1);
    floor.goes_on();
}

#[test]
fn a_program_that_refuses_or_cannot_be_started_changes_nothing_and_a_good_one_takes_over_twice() {
    let floor = floor_of(Setup::own_program);
    let hub = &floor.hub;
    hub.install(Some("#!/bin/sh\nexit 2\n"));
    hub.signal("USR2");
    hub.logs("the new program refuses the configuration: this one goes on");
    // It is there to be asked, and gone when it is to be started.
    hub.install(Some("#!/bin/sh\nrm \"$0\"\n"));
    hub.signal("USR2");
    hub.logs("it cannot be started: this one goes on");
    hub.signal("USR2");
    hub.logs("the new program cannot be started: this one goes on");
    floor.all_hear_each_other(0x11);
    for time in 1..=2 {
        hub.install(None);
        floor.hand_over(time);
    }
    floor.goes_on();
}

#[test]
fn a_daemon_that_is_told_to_end_hands_nothing_over_and_ends() {
    let Floor { mut asha, mut ben, callers: [mut first, mut second, mut third], mut hub, invite, .. } =
        floor();
    hub.terminate();
    hub.logs("draining");
    hub.signal("USR2");
    hub.logs("the daemon is about to end, and hands nothing over");
    ben.accept(&invite);
    asha.bye();
    first.hung_up();
    asha.answer();
    second.bye();
    ben.hung_up();
    third.bye();
    asha.hung_up();
    assert_eq!(hub.ended(SOON).code(), Some(0));
    assert_sound(&hub.calls(3));
}

#[test]
fn a_daemon_that_is_killed_while_it_drains_takes_calls_again_when_it_is_started() {
    let mut floor = floor();
    floor.hub.terminate();
    floor.hub.logs("draining");
    floor.hub.kill();
    floor.hub.restart();
    let mut late = Phone::at(floor.hub.net.surgery());
    late.call(&floor.hub);
    late.bye();
    assert_eq!(floor.hub.call().end(), ("abandoned", None));
}

#[test]
fn rules_on_trial_that_are_no_good_any_more_do_not_keep_a_daemon_from_its_calls() {
    let mut floor = floor_of(|setup| {
        let live = setup.clone();
        live.with("[sip]", "[node]\nshadow = \"trial.toml\"\n[sip]").beside("trial.toml", &setup)
    });
    floor.hub.kill();
    std::fs::write(floor.hub.dir().join("trial.toml"), "[sip]\nlistne = []\n").unwrap();
    floor.hub.restart();
    floor.hub.logs("the shadow policy is not on trial");
    floor.goes_on();
}

#[test]
fn calls_that_cannot_go_on_at_other_ports_are_recorded_all_the_same() {
    let mut floor = floor();
    floor.hub.kill();
    let file = floor.hub.dir().join("hearken.toml");
    let toml = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, toml.replace("shared-ports = 4", "shared-ports = 8")).unwrap();
    let hub = floor.hub.restarted_elsewhere();
    hub.logs("the calls of the daemon before are given up");
    let mut ends: Vec<_> = hub.calls(3).iter().map(|call| call.outcome.clone()).collect();
    ends.sort_unstable();
    assert_eq!(ends, ["answered", "lost", "lost"]);
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
    let mut patient = Phone::at(net.surgery());
    let callback = format!("[callback]\nvia = \"sip:{}\"\n", patient.address());
    // Not while the callers come: a snapshot of so many holds up a debug build for so long that it turns some away.
    let mut setup = Setup::new(net).and("[flight]\nsnapshot-every = \"5s\"\n").and(&callback);
    setup.spill_ports = 512;
    for n in 0..TALKING {
        setup = setup.agent(&format!("agent-{n}"), phones.uri(&format!("agent-{n}")));
    }
    let mut hub = setup.with("[line.gp]", "[line.gp]\ncallback-key = \"1\"").start();
    let callers = Sipp::callers(net.surgery(), hub.udp, &scenario("caller", &[]), CALLS, 100, &[]);
    hub.logs_times(": bridged", TALKING);
    hub.logs_times(": arrived", CALLS as usize);
    hub.has_snapshot();
    asks(&mut patient, &hub);
    hub.logs("news=Promised");
    hub.kill();
    let killed = Instant::now();
    hub.restart();
    eprintln!("ready again {:?} after the kill", killed.elapsed());
    hub.logs(&format!("resumed: the calls go on calls={}", CALLS + 1));
    patient.hung_up();
    let called = callers.good(Duration::from_secs(120));
    patient.answer();
    patient.bye();
    assert_eq!(settled(&hub), [(Some("reached".to_owned()), None)]);
    let (of_patients, calls): (Vec<_>, Vec<_>) = hub
        .calls(CALLS as usize + 2)
        .into_iter()
        .partition(|call| call.outcome == "promised" || !call.stages("dial").is_empty());
    assert_eq!(of_patients.len(), 2, "{of_patients:#?}");
    assert_sound(&calls);
    assert!(calls.iter().all(|call| call.end() == ("answered", Some("agent"))), "{calls:#?}");
    assert!(calls.iter().all(|call| call.presentations().len() == 1), "{calls:#?}");
    // When they called is what they say themselves.
    let mut invited = BTreeMap::new();
    for message in called.messages.iter().filter(|message| message.start.starts_with("INVITE")) {
        invited.entry(message.call_id.as_str()).or_insert(message.at);
    }
    for call in &calls {
        let late = call.arrived as f64 / 1e3 - invited[call.sip_call_id.as_str()];
        // They write down what they have sent, when they come to it.
        assert!((-0.5..a_second().as_secs_f64()).contains(&late), "{late} s: {call:#?}");
    }
    let mut by_arrival: Vec<_> = calls.iter().collect();
    by_arrival.sort_by(|a, b| invited[a.sip_call_id.as_str()].total_cmp(&invited[b.sip_call_id.as_str()]));
    let answered: Vec<_> = by_arrival.iter().map(|call| call.arrived + call.waited).collect();
    let late = answered.windows(2).filter(|pair| pair[1] + 1_000 < pair[0]).count();
    assert_eq!(late, 0, "nobody was overtaken: {answered:?}");
    // One for each caller and one for the patient: no phone was rung twice for anybody.
    let rung = phones.stop(SOON);
    assert_eq!((rung.code, rung.successful, rung.failed), (0, CALLS + 1, 0), "{}", rung.errors);
}
