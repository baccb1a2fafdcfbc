//! What is turned away at the door, and with which status.

use std::time::Duration;

use crate::call::record::Outcome;

use super::world::{Caller, Ringing, STRANGER, TRUNK, TRUNK_999, World, header};

fn code(world: &mut World, source: &str, text: &str) -> String {
    world.from(source, text);
    let sent = world.take_to(source);
    sent.first().map_or_else(|| "nothing".to_owned(), |text| text[8..11].to_owned())
}

#[test]
fn each_misfit_gets_its_status() {
    let caller = Caller::new("c1", TRUNK);
    let invite = caller.invite();
    let cases = [
        ("404", invite.replacen("sip:02079460101@", "sip:02079460199@", 1)),
        ("416", invite.replacen("sip:02079460101@192.0.2.1", "urn:service:sos", 1)),
        ("420", invite.replacen("Max-Forwards", "Require: 100rel\r\nMax-Forwards", 1)),
        ("483", invite.replacen("Max-Forwards: 70", "Max-Forwards: 0", 1)),
        ("415", invite.replacen("application/sdp", "application/xml", 1)),
        ("488", invite.replacen("RTP/AVP 8 101", "RTP/AVP 9 ---", 1)),
        ("488", invite.replacen("RTP/AVP 8 101", "RTP/SAV 8 101", 1)),
        ("400", invite.replacen("v=0", "x=0", 1)),
        ("405", invite.replace("INVITE", "MESSAGE")),
        ("403", invite.replace("INVITE", "REFER")),
        ("501", invite.replace("INVITE", "DANCES")),
        (
            "481",
            invite.replacen("To: <sip:02079460101@192.0.2.1>", "To: <sip:02079460101@192.0.2.1>;tag=x", 1),
        ),
        ("481", caller.request("BYE", 1, "b", "")),
        ("481", caller.request("CANCEL", 1, "b", "")),
        ("200", caller.request("OPTIONS", 1, "o", "")),
    ];
    for (expected, text) in cases {
        let mut world = World::new(0);
        assert_eq!(code(&mut world, TRUNK, &text), expected, "{text}");
        assert_eq!(world.switch.calls(), 0);
        let refused = Outcome::Refused { code: expected.parse().unwrap() };
        assert!(world.records.iter().all(|record| record.outcome == refused), "{:?}", world.records);
    }
}

#[test]
fn a_call_of_a_trunk_that_is_refused_is_recorded_once() {
    let mut world = World::new(0);
    let invite = Caller::new("c1", TRUNK).invite().replacen("RTP/AVP 8 101", "RTP/AVP 9 ---", 1);
    for _ in 0..3 {
        world.from(TRUNK, &invite);
    }
    assert_eq!(world.records.len(), 1);
    assert_eq!(world.records[0].outcome, Outcome::Refused { code: 488 });
    assert_eq!((world.records[0].line.as_str(), world.records[0].trunk.as_str()), ("elm-tree", "elm-tree"));
}

#[test]
fn whatever_an_emergency_trunk_calls_is_taken() {
    for uri in ["urn:service:sos", "tel:999", "sips:anything@192.0.2.1"] {
        let mut world = World::new(0);
        let invite = Caller::new("e9", TRUNK_999).invite().replacen("sip:02079460101@192.0.2.1", uri, 1);
        assert_eq!(code(&mut world, TRUNK_999, &invite), "200", "{uri}");
    }
}

#[test]
fn a_refusal_names_what_would_be_taken() {
    let mut world = World::new(0);
    let invite = Caller::new("c1", TRUNK).invite();
    world.from(TRUNK, &invite.replacen("Max-Forwards", "Require: 100rel, x\r\nMax-Forwards", 1));
    assert_eq!(header(&world.expect(TRUNK, "SIP/2.0 420"), "Unsupported"), "100rel, x");
    world.from(TRUNK, &Caller::new("c2", TRUNK).invite().replace("INVITE", "MESSAGE"));
    assert_eq!(
        header(&world.expect(TRUNK, "SIP/2.0 405"), "Allow"),
        "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REFER"
    );
}

#[test]
fn a_stranger_gets_403_is_counted_and_leaves_nothing_behind() {
    let mut world = World::new(0);
    assert_eq!(code(&mut world, STRANGER, &Caller::new("c1", STRANGER).invite()), "403");
    assert_eq!(world.switch.counters().unknown_source, 1);
    assert!(world.switch.is_empty());
    assert_eq!(world.switch.poll_timeout(), None);
}

#[test]
fn a_stranger_with_an_invented_tag_gets_481_and_leaves_nothing_behind() {
    let mut world = World::new(0);
    let bye = Caller { to: "<sip:x@192.0.2.1>;tag=guessed".into(), ..Caller::new("c1", STRANGER) }
        .request("BYE", 1, "b", "");
    assert_eq!(code(&mut world, STRANGER, &bye), "481");
    assert!(world.switch.is_empty());
}

const LATE: Duration = Duration::from_millis(251);

#[test]
fn a_new_call_of_routine_that_waited_too_long_gets_503_and_leaves_nothing_behind() {
    let mut world = World::new(1);
    world.late_from(TRUNK, &Caller::new("c1", TRUNK).invite(), LATE);
    let refusal = world.expect(TRUNK, "SIP/2.0 503");
    assert_eq!(header(&refusal, "Retry-After"), "5");
    assert!(header(&refusal, "Via").contains(";rport=5060"), "{refusal}");
    assert!(header(&refusal, "To").contains(";tag="), "{refusal}");
    assert_eq!(world.switch.counters().shed, 1);
    assert!(world.switch.is_empty() && world.records.is_empty());
    // Its ACK is a stray.
    world.late_from(TRUNK, &Caller::new("c1", TRUNK).request("ACK", 1, "i", ""), LATE);
    assert!(world.switch.is_empty() && world.sent.is_empty());
}

#[test]
fn lateness_turns_no_emergency_away_and_nothing_that_belongs_to_a_call() {
    let mut world = World::new(1);
    world.late_from(TRUNK_999, &Caller::new("e1", TRUNK_999).invite(), 10 * LATE);
    world.expect(TRUNK_999, "SIP/2.0 200");
    let emergency = Ringing::of(&mut world, 0);
    emergency.answer(&mut world);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let again = caller.request("INVITE", 2, "r", &super::world::sdp("192.0.2.50", 40098, "sendrecv"));
    for _ in 0..2 {
        world.late_from(TRUNK, &again, LATE);
        world.expect(TRUNK, "SIP/2.0 200");
    }
    world.late_from(TRUNK, &caller.request("BYE", 3, "b", ""), LATE);
    world.expect(TRUNK, "SIP/2.0 200");
    assert_eq!((world.switch.counters().shed, world.switch.calls()), (0, 1));
}

#[test]
fn a_repeated_invite_of_a_call_that_was_taken_is_not_turned_away() {
    let mut world = World::new(0);
    let invite = Caller::new("c1", TRUNK).invite();
    world.from(TRUNK, &invite);
    world.take_to(TRUNK);
    world.late_from(TRUNK, &invite, LATE);
    world.expect(TRUNK, "SIP/2.0 200");
    assert_eq!(world.switch.counters().shed, 0);
}

#[test]
fn a_late_stranger_is_told_so_and_not_to_come_again() {
    let mut world = World::new(0);
    world.late_from(STRANGER, &Caller::new("c1", STRANGER).invite(), LATE);
    world.expect(STRANGER, "SIP/2.0 403");
}

#[test]
fn a_merged_request_gets_482() {
    let mut world = World::new(0);
    let caller = Caller::new("c1", TRUNK);
    world.from(TRUNK, &caller.invite());
    world.take_to(TRUNK);
    let by_another_way =
        caller.request("INVITE", 1, "other", &super::world::sdp("192.0.2.50", 40000, "sendrecv"));
    assert_eq!(code(&mut world, TRUNK, &by_another_way), "482");
    assert_eq!(world.switch.calls(), 1);
}

#[test]
fn an_old_cseq_in_a_dialog_gets_500() {
    let mut world = World::new(0);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let old = caller.request("OPTIONS", 0, "old", "");
    assert_eq!(code(&mut world, TRUNK, &old), "500");
}

#[test]
fn noise_is_dropped_and_counted() {
    let mut world = World::new(0);
    assert_eq!(code(&mut world, TRUNK, "SIP/2.0 200 OK\r\n\r\n"), "nothing");
    assert_eq!(world.switch.counters().dropped.values().sum::<u64>(), 1);
}

#[test]
fn torture_messages_leave_no_call_and_no_contradiction() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for source in [TRUNK, STRANGER] {
            let mut world = World::new(1);
            let datagram = crate::switch::Input::Datagram {
                flow: super::world::flow(source),
                bytes: bytes.clone().into(),
                waited: Duration::ZERO,
            };
            world.give(datagram);
            world.pass(std::time::Duration::from_secs(120));
            assert_eq!(world.switch.calls(), 0);
        }
        seen += 1;
    }
    assert!(seen >= 49);
}

/// Status that a trunk gets for each message of RFC 4475, where it is not the front door's own verdict (see
/// `tests/torture.rs` for those); 0 is no answer.
const ABOVE_THE_DOOR: [(&str, u16); 25] = [
    ("badbranch", 200), // OPTIONS, matched as RFC 2543 does
    ("baddate", 200),   // the Date of an INVITE tells us nothing
    ("baddn", 200),     // tolerated
    ("bcast", 0),       // a response to no request of ours
    ("bext01", 420),    // an extension that is required and not known
    ("cparam01", 405),  // REGISTER: there is no registrar here
    ("cparam02", 405),
    ("dblreq", 405), // the second request in the datagram is ignored
    ("esc01", 200),
    ("escnull", 405),
    ("inv2543", 200), // no branch, no Contact: a peer of RFC 2543
    ("invut", 415),   // a body of unknown type
    ("longreq", 200),
    ("lwsdisp", 200), // OPTIONS
    ("mpart01", 405), // MESSAGE
    ("noreason", 0),
    ("regaut01", 405),
    ("regescrt", 405),
    ("sdp01", 200),
    ("semiuri", 200),
    ("transports", 200),
    ("unksm2", 405),
    ("unreason", 0),
    ("wsinv", 481),  // a To tag of no dialog of ours
    ("zeromf", 200), // OPTIONS to us goes no further
];

#[test]
fn torture_messages_that_pass_the_door_get_their_status() {
    for (name, expected) in ABOVE_THE_DOOR {
        let path = format!("{}/tests/torture/{name}.dat", env!("CARGO_MANIFEST_DIR"));
        let mut plan = super::world::plan(0);
        plan.ingress.trunks[0].ddis.clear();
        let mut world = World::on(plan);
        let bytes = std::fs::read(path).unwrap().into();
        let flow = super::world::flow(TRUNK);
        world.give(crate::switch::Input::Datagram { flow, bytes, waited: Duration::ZERO });
        let got: Vec<u16> = world.sent.iter().map(|(_, text)| text[8..11].parse().unwrap()).collect();
        assert_eq!(got, if expected == 0 { vec![] } else { vec![expected] }, "{name}");
    }
}
