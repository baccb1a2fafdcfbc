//! RFC 3261, 18.2.1 and 18.2.2; RFC 3581.

use super::*;

#[test]
fn responses_go_where_the_top_via_and_the_source_say() {
    let source = "192.0.2.1:31000";
    for (transport, via, expected, reply_to) in [
        ("UDP", "192.0.2.1", "192.0.2.1;branch=z9hG4bKone", "192.0.2.1:5060"),
        ("UDP", "192.0.2.1:5080", "192.0.2.1:5080;branch=z9hG4bKone", "192.0.2.1:5080"),
        ("UDP", "192.0.2.1:5080;rport", "192.0.2.1:5080;branch=z9hG4bKone", source),
        ("UDP", "10.0.0.7:5080", "10.0.0.7:5080;branch=z9hG4bKone", source),
        ("UDP", "pbx.example", "pbx.example;branch=z9hG4bKone", "192.0.2.1:5060"),
        ("UDP", "pbx.example:5070", "pbx.example:5070;branch=z9hG4bKone", "192.0.2.1:5070"),
        ("UDP", "pbx.example:5070;rport", "pbx.example:5070;branch=z9hG4bKone", source),
        ("UDP", "192.0.2.1:5080;maddr=203.0.113.9", "192.0.2.1:5080", "192.0.2.1:5080"),
        ("TCP", "192.0.2.1:5080", "192.0.2.1:5080;branch=z9hG4bKone", source),
        ("TCP", "pbx.example", "pbx.example;branch=z9hG4bKone", source),
    ] {
        let transport_id = if transport == "UDP" { Transport::Udp } else { Transport::Tcp };
        let mut rig = Rig::over(Flow { remote: source.parse().unwrap(), ..flow(transport_id, 0) });
        let options = request("OPTIONS", "z9hG4bKone", "").replace(
            "UDP 192.0.2.1:5060;branch=z9hG4bKone",
            &format!(
                "{transport} {via};branch=z9hG4bKone\r\nVia: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bKbelow"
            ),
        );
        rig.layer.receive(rig.flow, accepted(&options), rig.now).unwrap();
        let Some(Output::Event(Event::Request { tx, request, flow })) = rig.layer.poll_output() else {
            panic!("no request by {via}");
        };
        assert_eq!(flow, rig.flow);
        rig.layer.respond(tx, request.response(200), rig.now);
        rig.drain();
        let (sent_by, response) = rig.sent.last().unwrap();
        assert_eq!(sent_by.remote, reply_to.parse().unwrap(), "{via}");
        assert_eq!(sent_by.listener, rig.flow.listener);

        let top = header(response, "Via");
        let start = format!("SIP/2.0/{transport} {}", expected.split(';').next().unwrap());
        assert!(top.starts_with(&start), "{top}");
        assert_eq!(top.contains("rport=31000"), via.contains("rport"), "{top}");
        let noted = via.contains("rport") || !via.starts_with("192.0.2.1");
        assert_eq!(top.contains("received=192.0.2.1"), noted, "{top}");
        assert!(response.contains("Via: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bKbelow\r\n"));
        assert_eq!(response.matches("Via: ").count(), 2);
    }
}

#[test]
fn a_peer_cannot_say_itself_where_it_was_received_from() {
    let mut rig = Rig::udp();
    let options = request("OPTIONS", "z9hG4bKone", "").replace(";branch", ";received=203.0.113.9;branch");
    rig.hear(&options);
    rig.respond(0, &options, 200, "t");
    let (flow, _) = rig.sent.last().unwrap();
    assert_eq!(flow.remote, UDP.remote);
}

#[test]
fn repetitions_are_answered_by_the_path_of_the_first() {
    let mut rig = Rig::udp();
    let options = request("OPTIONS", "z9hG4bKone", "");
    rig.hear(&options);
    rig.respond(0, &options, 200, "t");
    rig.flow = flow(Transport::Udp, 9);
    assert_eq!(rig.hear(&options), ["200 OPTIONS"]);
    assert_eq!(rig.sent.last().unwrap().0, UDP);
}
