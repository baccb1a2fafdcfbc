//! Agents change their own state by what they dial on their phones.

use crate::harness::{Hub, Net, Phone, Setup, assert_sound};

struct Floor {
    asha: Phone,
    ben: Phone,
    caller: Phone,
    hub: Hub,
}

/// Two agents, of whom asha is rung whenever she takes calls.
fn floor() -> Floor {
    let net = Net::new();
    let (asha, ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let setup = Setup::new(net).agent("asha", asha.uri("asha")).agent("ben", ben.uri("ben"));
    let setup = setup.with("[team.hub]", "[team.hub]\nstrategy = \"ordered\"");
    Floor { asha, ben, caller: Phone::at(net.surgery()), hub: setup.start() }
}

impl Floor {
    fn asha_is_rung(&mut self) {
        self.caller.call(&self.hub);
        self.asha.answer();
        self.caller.bye();
        self.asha.hung_up();
    }

    fn ben_is_rung(&mut self) {
        self.caller.call(&self.hub);
        self.ben.answer();
        self.caller.bye();
        self.ben.hung_up();
    }

    /// Nobody but these agents was presented with the calls, one each.
    fn assert_rung(&self, agents: &[&str]) {
        let calls = self.hub.calls(agents.len());
        assert_sound(&calls);
        let rung: Vec<_> = calls.iter().flat_map(|call| call.presentations()).collect();
        let expected: Vec<_> = agents.iter().map(|&agent| (agent, "answered")).collect();
        assert_eq!(rung, expected);
    }
}

#[test]
fn an_agent_logs_out_and_in() {
    let mut floor = floor();
    floor.asha_is_rung();
    floor.asha.dials(&floor.hub, "*12");
    floor.hub.logs("agent=\"asha\" state=LoggedOut");
    floor.ben_is_rung();
    floor.asha.dials(&floor.hub, "*11");
    floor.asha_is_rung();
    floor.assert_rung(&["asha", "ben", "asha"]);
}

#[test]
fn an_agent_pauses_for_a_reason_and_comes_back() {
    let mut floor = floor();
    floor.asha.dials(&floor.hub, "*131");
    floor.hub.logs("agent=\"asha\" state=Paused(Chosen(\"break\"))");
    floor.ben_is_rung();
    floor.asha.dials(&floor.hub, "*14");
    floor.asha_is_rung();
    floor.assert_rung(&["ben", "asha"]);
}

#[test]
fn a_reason_that_nobody_wrote_down_and_a_code_from_a_trunk_change_nothing() {
    let Floor { mut asha, ben, mut caller, hub } = floor();
    for (phone, number, code) in [(&mut asha, "*139", 403), (&mut caller, "*12", 200)] {
        let sdp = phone.sdp("sendrecv");
        let invite = phone.open(&hub, "INVITE", number, &["Content-Type: application/sdp"], &sdp);
        phone.send(&invite);
        let response = phone.expect(&format!("{code} INVITE"));
        phone.ack(&response);
    }
    // To a trunk it is a number like any other.
    asha.answer();
    caller.bye();
    asha.hung_up();
    Floor { asha, ben, caller, hub }.assert_rung(&["asha"]);
}

#[test]
fn a_wrap_up_ends_when_the_agent_says_so() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let mut setup = Setup::new(net).agent("asha", asha.uri("asha"));
    setup.wrap_up = "10m";
    let hub = setup.start();
    for _ in 0..2 {
        caller.call(&hub);
        asha.answer();
        caller.bye();
        asha.hung_up();
        asha.dials(&hub, "*14");
    }
    assert_sound(&hub.calls(2));
}
