//! Overflow rules while a line is pressed: more teams, and calls turned away or sent elsewhere.

use crate::harness::{Hub, Net, Phone, Setup, assert_sound};

struct Floor {
    asha: Phone,
    ben: Phone,
    callers: [Phone; 3],
    hub: Hub,
}

/// Asha answers; Ben would help if a rule said so. She talks with the first of three callers.
fn floor(rule: &str) -> Floor {
    let net = Net::new();
    let (mut asha, ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut callers = [(); 3].map(|()| Phone::at(net.surgery()));
    let help = format!("[agent.ben]\naddress = \"{}\"\n[team.help]\nagents = [\"ben\"]\n", ben.uri("ben"));
    let setup = Setup::new(net)
        .agent("asha", asha.uri("asha"))
        .and(&help)
        .and("[destination.surgery-pbx]\naddress = \"sip:reception@127.0.0.31:5080\"\n")
        .and(&format!("[[overflow]]\nname = \"pressed\"\nfrom = \"gp\"\n{rule}\n"));
    let hub = setup.start();
    callers[0].call(&hub);
    asha.answer();
    Floor { asha, ben, callers, hub }
}

#[test]
fn an_added_team_is_rung_only_once_the_line_is_pressed() {
    let Floor { mut asha, mut ben, mut callers, hub } =
        floor("when-all = { waiting-over = 1 }\nadd-teams = [\"help\"]");
    callers[1].call(&hub);
    callers[2].call(&hub);
    let invite = ben.answer();
    assert!(invite.must("From").contains(&callers[1].number), "{}", invite.text);
    hub.logs("line=\"gp\" rule=\"pressed\" on=true");
    ben.bye();
    callers[1].hung_up();
    // One is left, which is no longer more than one: that is Asha's.
    hub.logs("line=\"gp\" rule=\"pressed\" on=false");
    asha.bye();
    callers[0].hung_up();
    asha.answer();
    asha.bye();
    callers[2].hung_up();
    let calls = hub.calls(3);
    assert_sound(&calls);
    let [helped, _, last] = &calls[..] else { unreachable!() };
    assert_eq!(helped.presentations(), [("ben", "answered")]);
    let rung = helped.arrived + helped.stages("presented")[0].from;
    assert!(rung >= last.arrived - 1, "Ben is rung when the second one waits: {helped:#?} {last:#?}");
    assert_eq!(last.presentations(), [("asha", "answered")]);
}

/// A rule turns the next routine caller away with this code and header; an emergency call gets in.
fn turned_away(action: &str, code: u16, header: &str, expected: &str) {
    let Floor { mut asha, ben: _ben, mut callers, hub } =
        floor(&format!("when-all = {{ waiting-over = 0 }}\n{action}"));
    let mut emergency = Phone::at(hub.net.emergency());
    callers[1].call(&hub);
    callers[2].invite(&hub);
    let response = callers[2].expect(&format!("{code} INVITE"));
    callers[2].ack(&response);
    assert_eq!(response.must(header), expected, "{}", response.text);
    emergency.call(&hub);
    for next in 0..3 {
        asha.bye();
        match next {
            0 => callers[0].hung_up(),
            1 => emergency.hung_up(),
            _ => callers[1].hung_up(),
        }
        if next < 2 {
            let invite = asha.answer();
            let whose = if next == 0 { &emergency } else { &callers[1] };
            assert!(invite.must("From").contains(&whose.number), "{}", invite.text);
        }
    }
    let calls = hub.calls(4);
    assert_sound(&calls);
    let kinds: Vec<_> = calls.iter().map(|call| (call.band, call.outcome.as_str(), call.code)).collect();
    let answered = |band| (band, "answered", None);
    assert_eq!(kinds, [(1, "refused", Some(i64::from(code))), answered(1), answered(0), answered(1)]);
}

#[test]
fn a_pressed_line_tells_the_trunk_when_to_try_again() {
    turned_away("refuse = 503\nretry-after = \"45s\"", 503, "Retry-After", "45");
}

#[test]
fn a_pressed_line_tells_the_trunk_where_else_to_call() {
    turned_away("refuse = 302\nto = \"surgery-pbx\"", 302, "Contact", "<sip:reception@127.0.0.31:5080>");
}
