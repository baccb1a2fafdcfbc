//! A layer that was stored and read back in mid-flight behaves as if nothing had happened.

use super::*;

#[test]
fn a_restored_layer_goes_on_identically() {
    let mut rig = Rig::udp();
    let invite = request("INVITE", "z9hG4bKone", "");
    rig.hear(&invite);
    rig.respond(0, &invite, 200, "t");
    let refused = request("INVITE", "z9hG4bKtwo", "").replace("one@", "three@");
    rig.hear(&refused);
    rig.respond(1, &refused, 486, "t");
    let ringing = request("INVITE", "z9hG4bKthree", "").replace("one@", "four@");
    rig.hear(&ringing);
    rig.respond(2, &ringing, 180, "t");
    rig.hear(&request("OPTIONS", "z9hG4bKfour", ""));
    let calling = rig.send(Method::Invite);
    rig.cancel(0);
    let answered = rig.send(Method::Invite);
    rig.hear(&answer(&answered, 200, "t"));
    rig.ack(1, "t");
    let silent = rig.send(Method::Options);
    rig.run(1_234);

    let stored = postcard::to_stdvec(&rig.layer).unwrap();
    let layer: Transactions = postcard::from_bytes(&stored).unwrap();
    let mut restored = Rig { layer, rng: rig.rng.clone(), sent: Vec::new(), ..rig };
    rig.sent.clear();

    for rig in [&mut rig, &mut restored] {
        let mut lines = rig.run(2_000);
        for text in [
            &invite,
            &refused,
            &ringing,
            &request("CANCEL", "z9hG4bKthree", "").replace("one@", "four@"),
            &request("ACK", "z9hG4bKack", "t"),
            &answer(&calling, 180, "t"),
            &answer(&answered, 200, "t"),
            &answer(&answered, 200, "u"),
            &answer(&silent, 200, "u"),
        ] {
            lines.extend(rig.hear(text));
        }
        lines.extend(rig.run(100_000));
        assert!(lines.contains(&"cancelled 2".to_owned()) && lines.contains(&"CANCEL".to_owned()));
        rig.sent.push((rig.flow, lines.join("\n")));
    }
    assert_eq!(rig.sent, restored.sent);
    assert_eq!(rig.layer.counters(), restored.layer.counters());
}

#[test]
fn what_was_not_yet_drained_is_stored_too() {
    let mut rig = Rig::udp();
    rig.layer.receive(UDP, accepted(&request("INVITE", "z9hG4bKone", "")), rig.now).unwrap();
    let stored = postcard::to_stdvec(&rig.layer).unwrap();
    rig.layer = postcard::from_bytes(&stored).unwrap();
    assert_eq!(rig.drain(), ["request 0 INVITE"]);
}
