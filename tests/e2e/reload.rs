//! A new configuration for a running daemon: callers, agents' states and the ledger go on, whatever is written.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::{FAILS, Hub, Net, Phone, Setup, assert_sound};

const TEAMS: &str = "[line.gp]\nteams = [\"hub\"]";

/// Asha talks with the first of three callers; two wait. Ben's phone is there, but nobody knows of it yet.
struct Floor {
    setup: Setup,
    asha: Phone,
    ben: Phone,
    callers: [Phone; 3],
    /// Before and after the second caller's INVITE, in milliseconds of the clock.
    second_called: (i64, i64),
    hub: Hub,
}

fn floor() -> Floor {
    let net = Net::new();
    let (mut asha, ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut callers = [(); 3].map(|()| Phone::at(net.surgery()));
    let setup = Setup::new(net).agent("asha", asha.uri("asha"));
    let hub = setup.start();
    callers[0].call(&hub);
    asha.answer();
    let before = clock();
    callers[1].call(&hub);
    let second_called = (before, clock());
    callers[2].call(&hub);
    Floor { setup, asha, ben, callers, second_called, hub }
}

impl Floor {
    /// The configuration with a new team, of Ben.
    fn with_ben(&self) -> Setup {
        let phone = self.ben.uri("ben");
        let more = format!("[agent.ben]\naddress = \"{phone}\"\n[team.more]\nagents = [\"ben\"]\n");
        self.setup.clone().and(&more)
    }

    /// The configuration with the line `other`, which Ben answers, in place of `gp`.
    fn without_gp(&self) -> Setup {
        self.with_ben()
            .with("line = \"gp\"", "line = \"other\"")
            .with(TEAMS, "[line.other]\nteams = [\"more\"]")
    }

    /// Ben answers the caller with this number in the list, and then hangs up.
    fn ben_serves(&mut self, caller: usize) {
        serves(&mut self.ben, &mut self.callers[caller]);
    }

    fn asha_serves(&mut self, caller: usize) {
        serves(&mut self.asha, &mut self.callers[caller]);
    }

    /// Asha's talk was left alone: she ends it.
    fn asha_is_done(&mut self) {
        self.asha.bye();
        self.callers[0].hung_up();
    }
}

fn serves(agent: &mut Phone, caller: &mut Phone) {
    let invite = agent.answer();
    assert!(invite.must("From").contains(&caller.number), "{} is next: {}", caller.number, invite.text);
    agent.bye();
    caller.hung_up();
}

fn clock() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

#[test]
fn an_agent_of_a_team_that_a_reload_adds_answers_those_who_wait_the_longest_wait_first() {
    let mut floor = floor();
    let reloaded = clock();
    floor.hub.reload(&floor.with_ben().with(TEAMS, "[line.gp]\nteams = [\"hub\", \"more\"]"));
    floor.ben_serves(1);
    floor.ben_serves(2);
    floor.asha_is_done();
    let calls = floor.hub.calls(3);
    assert_sound(&calls);
    let second = &calls[0];
    assert_eq!(second.sip_call_id, floor.callers[1].dialog.call_id);
    let (earliest, latest) = floor.second_called;
    assert!((earliest - 1..=latest).contains(&second.arrived), "{earliest} to {latest}: {second:#?}");
    assert!(second.arrived + second.waited >= reloaded - 1, "waiting went on over the reload: {second:#?}");
    assert_eq!(second.stages("queue").len(), 1, "the caller never left the line: {second:#?}");
    assert_eq!(
        calls.iter().map(|call| call.agent.as_deref().unwrap()).collect::<Vec<_>>(),
        ["ben", "ben", "asha"]
    );
}

#[test]
fn a_file_with_a_mistake_leaves_the_old_configuration_in_force() {
    let mut floor = floor();
    let mistake = floor.with_ben().with(TEAMS, "[line.gp]\nteams = [\"moer\"]");
    floor.hub.rewrite(&mistake);
    floor.hub.logs("the configuration is not taken over, the old one stays in force");
    floor.hub.logs("`moer`");
    floor.asha_is_done();
    floor.asha_serves(1);
    floor.asha_serves(2);
    // A better one is still read, and what the bad one had is new then.
    let better = floor.with_ben().with(TEAMS, "[line.gp]\nteams = [\"more\"]");
    floor.hub.reload(&better);
    floor.callers[0].call(&floor.hub);
    floor.ben_serves(0);
    assert_sound(&floor.hub.calls(4));
}

#[test]
fn a_file_without_a_line_that_callers_wait_in_is_refused_with_their_number() {
    let mut floor = floor();
    floor.hub.rewrite(&floor.without_gp());
    floor.hub.logs("line `gp` is gone from the file, and 2 wait in it: the old configuration stays in force");
    floor.asha_is_done();
    floor.asha_serves(1);
    floor.asha_serves(2);
    // Nobody waits now, so nobody is in the way.
    floor.hub.reload(&floor.without_gp());
    floor.callers[0].call(&floor.hub);
    floor.ben_serves(0);
    let calls = floor.hub.calls(4);
    assert_sound(&calls);
    assert_eq!(calls.iter().map(|call| call.line.as_str()).collect::<Vec<_>>(), ["gp", "gp", "gp", "other"]);
}

#[test]
fn a_caller_for_whom_a_phone_rings_keeps_a_line_too() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let setup = Setup::new(net).agent("asha", asha.uri("asha"));
    let hub = setup.start();
    caller.call(&hub);
    let invite = asha.ring();
    hub.rewrite(&setup.with("line = \"gp\"", "line = \"other\"").with("[line.gp]", "[line.other]"));
    hub.logs("line `gp` is gone from the file, and 1 wait in it");
    asha.accept(&invite);
    asha.bye();
    caller.hung_up();
    assert_sound(&[hub.call()]);
}

#[test]
fn callers_of_a_line_that_is_mapped_to_another_are_answered_there_each_in_turn() {
    let mut floor = floor();
    floor.hub.reload(&floor.without_gp().and("[removed.gp]\nremap-to = \"other\"\n"));
    floor.ben_serves(1);
    floor.ben_serves(2);
    floor.asha_is_done();
    let calls = floor.hub.calls(3);
    assert_sound(&calls);
    let (earliest, latest) = floor.second_called;
    assert!((earliest - 1..=latest).contains(&calls[0].arrived), "{earliest} to {latest}: {:#?}", calls[0]);
}

#[test]
fn callers_of_a_line_that_is_let_go_are_served_as_before() {
    let mut floor = floor();
    floor.hub.reload(&floor.without_gp().and("[removed.gp]\ndrain = true\n"));
    floor.asha_is_done();
    floor.asha_serves(1);
    floor.callers[0].call(&floor.hub);
    floor.ben_serves(0);
    floor.asha_serves(2);
    assert_sound(&floor.hub.calls(4));
}

#[test]
fn a_file_whose_own_test_fails_leaves_the_old_one_in_force() {
    let net = Net::new();
    let (mut asha, ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut caller = Phone::at(net.surgery());
    let hub = Setup::new(net).agent("asha", asha.uri("asha")).start();
    hub.rewrite(&Setup::new(net).agent("ben", ben.uri("ben")).and(FAILS));
    hub.logs("the old one stays in force");
    hub.logs("test `thirty wait` fails: expected `full`, got `stay`");
    caller.call(&hub);
    serves(&mut asha, &mut caller);
    assert_eq!(hub.call().presentations(), [("asha", "answered")]);
}

#[test]
fn what_a_reload_changes_is_logged_line_by_line() {
    let net = Net::new();
    let setup = Setup::new(net).agent("asha", "sip:asha@127.0.0.21:5080");
    let hub = setup.start();
    let mut next = setup.agent("ben", "sip:ben@127.0.0.22:5080");
    next.ring_for = "25s";
    hub.reload(&next);
    hub.logs("~ line.gp.ring-for: \"20s\" -> \"25s\"");
    hub.logs("+ agent.ben");
}

#[test]
fn a_pause_that_an_agent_dialled_outlasts_a_reload() {
    let net = Net::new();
    let (mut asha, mut ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut caller = Phone::at(net.surgery());
    let setup = Setup::new(net).agent("asha", asha.uri("asha"));
    let hub = setup.start();
    asha.dials(&hub, "*13");
    hub.reload(&setup.agent("ben", ben.uri("ben")));
    // Asha has been idle for longer, but is paused.
    for _ in 0..2 {
        caller.call(&hub);
        serves(&mut ben, &mut caller);
    }
    asha.dials(&hub, "*14");
    ben.dials(&hub, "*12");
    caller.call(&hub);
    serves(&mut asha, &mut caller);
    let calls = hub.calls(3);
    assert_sound(&calls);
    let presented: Vec<_> = calls.iter().flat_map(|call| call.presentations()).collect();
    assert_eq!(presented, [("ben", "answered"), ("ben", "answered"), ("asha", "answered")]);
}

#[test]
fn an_agent_whom_a_reload_removes_ends_the_talk_and_gets_no_other() {
    let mut floor = floor();
    floor.hub.reload(&Setup::new(floor.hub.net).agent("ben", floor.ben.uri("ben")));
    floor.ben_serves(1);
    floor.asha_is_done();
    floor.ben_serves(2);
    // Her phone is nobody's, so what she dials is a call from a stranger.
    floor.asha.invite(&floor.hub);
    let response = floor.asha.expect("403 INVITE");
    floor.asha.ack(&response);
    let calls = floor.hub.calls(3);
    assert_sound(&calls);
    assert_eq!(calls[1].end(), ("answered", Some("agent")));
    assert_eq!(calls[1].agent.as_deref(), Some("asha"), "her name outlasts her: {:#?}", calls[1]);
}

#[test]
fn a_phone_that_rings_for_an_agent_whom_a_reload_removes_is_taken_back() {
    let net = Net::new();
    let (mut asha, mut ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut caller = Phone::at(net.surgery());
    let setup = Setup::new(net).agent("asha", asha.uri("asha"));
    let hub = setup.start();
    caller.call(&hub);
    let invite = asha.ring();
    hub.reload(&Setup::new(net).agent("ben", ben.uri("ben")));
    asha.taken_back(&invite);
    serves(&mut ben, &mut caller);
    let call = hub.call();
    assert_sound(std::slice::from_ref(&call));
    assert_eq!(call.presentations(), [("asha", "withdrawn"), ("ben", "answered")]);
    assert_eq!(call.stages("queue").len(), 1, "the caller never left the line: {call:#?}");
}
