//! Keys that come in the bodies of INFO.

use super::*;

/// A caller whose leg has agreed to no telephone events.
fn mute(world: &mut World, caller: &mut Caller) -> LegId {
    let invite = caller.invite();
    let (head, body) = invite.split_once("\r\n\r\n").unwrap();
    let body =
        body.replace("RTP/AVP 8 101", "RTP/AVP 8").replace("a=rtpmap:101 telephone-event/8000\r\n", "");
    let (head, _) = head.split_once("Content-Length:").unwrap();
    world.from(TRUNK, &format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
    caller.to = header(&world.expect(TRUNK, "SIP/2.0 200"), "To").to_owned();
    world.from(TRUNK, &caller.request("ACK", 1, "a", ""));
    last_leg(world)
}

/// The status of the answer to an INFO with this body.
fn info(world: &mut World, caller: &mut Caller, kind: &str, body: &str) -> String {
    caller.cseq += 1;
    let head = caller.request("INFO", caller.cseq, &format!("r{}", caller.cseq), "");
    let head = head.replace("Content-Length: 0\r\n\r\n", "");
    world.take_to(TRUNK);
    world.from(TRUNK, &format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len()));
    world.expect(TRUNK, "SIP/2.0 ")[8..11].to_owned()
}

const RELAY: &str = "Content-Type: application/dtmf-relay\r\n";

#[test]
fn a_caller_may_press_the_key_by_info() {
    let mut world = world(0);
    let mut caller = Caller::new("c1", TRUNK);
    let leg = mute(&mut world, &mut caller);
    assert_eq!(info(&mut world, &mut caller, RELAY, "Signal=1\r\nDuration=160\r\n"), "200");
    let read = speech::confirm_callback("+447700900123", "44", Digit::ONE, true);
    assert_eq!(hears(&world, leg).1, clips(&read));
    assert_eq!(info(&mut world, &mut caller, "Content-Type: application/dtmf\r\n", "1"), "200");
    assert_eq!(hears(&world, leg).1, clips(&[Prompt::CallbackPromised]));
}

#[test]
fn a_press_that_comes_both_ways_counts_once() {
    let mut world = world(0);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let leg = last_leg(&world);
    press(&mut world, leg, '1');
    let before = hears(&world, leg);
    assert_eq!(info(&mut world, &mut caller, RELAY, "Signal=1\r\n"), "200");
    assert_eq!(hears(&world, leg), before, "it is not taken for the confirmation");
    assert!(world.promises.is_empty());
}

#[test]
fn an_info_that_tells_no_key_gets_its_status_and_changes_nothing() {
    let mut world = world(0);
    let mut caller = Caller::new("c1", TRUNK);
    let leg = mute(&mut world, &mut caller);
    for (kind, body, status) in [
        ("", "", "200"),
        ("Content-Type: application/media_control+xml\r\n", "<x/>", "415"),
        (RELAY, "Signal=flash", "400"),
        ("Info-Package: trickle-ice\r\nContent-Type: application/dtmf-relay\r\n", "Signal=1", "469"),
    ] {
        assert_eq!(info(&mut world, &mut caller, kind, body), status, "{kind}{body}");
    }
    let stranger = Caller::new("c2", TRUNK);
    world.take_to(TRUNK);
    world.from(TRUNK, &stranger.request("INFO", 1, "x", ""));
    world.expect(TRUNK, "SIP/2.0 481");
    assert_eq!((hears(&world, leg), world.switch.calls()), ((0, vec![]), 1));
}
