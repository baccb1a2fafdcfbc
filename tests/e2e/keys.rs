//! Keys pressed in a talk: telephone events agreed with each side, and passed on from one to the other.

use crate::harness::{Baresip, Net, Phone, Setup, assert_sound};

#[test]
fn a_key_pressed_by_the_caller_reaches_a_real_phone_in_the_payload_type_of_its_own() {
    let net = Net::new();
    let ben = Baresip::agent(net.agent(1), 620.0);
    let mut caller = Phone::at(net.surgery());
    let hub = Setup::new(net).agent("ben", ben.uri()).start();

    let events = "a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n";
    let offer = caller.sdp("sendrecv").replace("RTP/AVP 8\r\n", "RTP/AVP 8 96\r\n") + events;
    let invite = caller.open(&hub, "INVITE", "02079460101", &["Content-Type: application/sdp"], &offer);
    caller.send(&invite);
    let answer = caller.expect("200 INVITE");
    assert!(answer.body().contains(" RTP/AVP 8 96\r\n") && answer.body().contains(events), "{}", answer.text);
    caller.ack(&answer);
    // Keys pressed before the bridge reach nobody.
    ben.says("received event: '5' (end=1)", || caller.presses(answer.media(), 96, 5));
    ben.says("received event: '#' (end=1)", || caller.presses(answer.media(), 96, 11));
    caller.bye();
    let call = hub.call();
    assert_eq!(call.end(), ("answered", Some("caller")));
    assert_sound(&[call]);
    ben.quit();
}
