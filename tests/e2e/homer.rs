//! Copies of SIP messages, as a collector gets them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::harness::{
    Capture, Client, Copy, Homer, Hub, Net, Phone, SOON, Setup, assert_sound, reserve, wait_for,
};

fn setup(net: Net, asha: &Phone, collector: impl std::fmt::Display) -> Setup {
    let hep = format!("[hep]\nto = \"{collector}\"\ncapture-id = 77\nkey = \"let me in\"\n");
    Setup::new(net).agent("asha", asha.uri("asha")).and(&hep)
}

/// Copies that were sent, and dropped.
fn counted(hub: &Hub) -> (u64, u64) {
    let text = Client::new(hub.web).get("/metrics").body;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
    };
    (value("hearken_hep_sent_total"), value("hearken_hep_dropped_total"))
}

#[test]
fn a_collector_has_a_copy_of_each_message_that_was_on_the_wire() {
    let net = Net::new();
    let (homer, mut asha) = (Homer::at(net.collector()), Phone::at(net.agent(1)));
    let hub = setup(net, &asha, homer.address()).start();
    let Some(capture) = Capture::start(&hub) else { return };
    let mut stranger = Phone::at(net.stranger());
    stranger.invite(&hub);
    let forbidden = stranger.expect("403 INVITE");
    stranger.ack(&forbidden);
    let mut caller = Phone::at(net.surgery());
    caller.call(&hub);
    asha.answer();
    caller.bye();
    asha.hung_up();
    assert_sound(&[hub.call()]);

    let wire = capture.packets(|packets| packets.iter().filter(|one| one.what == "200 BYE").count() == 2);
    let copies = homer.copies(wire.len());
    let mut on_wire: Vec<_> = wire
        .iter()
        .map(|one| (one.source.clone(), one.target.clone(), one.what.clone(), one.call_id.clone(), one.at))
        .collect();
    let mut copied: Vec<_> = copies
        .iter()
        .map(|one| {
            assert_eq!((one.protocol, one.capture_id, one.key.as_str()), (17, 77, "let me in"));
            let call_id = one.message.must("Call-ID").to_owned();
            assert_eq!(one.correlation, call_id);
            (one.source.clone(), one.target.clone(), one.message.what(), call_id, one.at)
        })
        .collect();
    on_wire.sort_by(|a, b| a.partial_cmp(b).unwrap());
    copied.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let without_time = |all: &[(String, String, String, String, f64)]| {
        all.iter().map(|(from, to, what, id, _)| [from, to, what, id].map(String::clone)).collect::<Vec<_>>()
    };
    assert_eq!(without_time(&copied), without_time(&on_wire));
    for (copy, one) in copied.iter().zip(&on_wire) {
        assert!((copy.4 - one.4).abs() < 2.0, "{copy:?} was on the wire at {}", one.4);
    }
    assert_eq!(counted(&hub), (wire.len() as u64, 0));
}

#[test]
fn messages_over_tcp_are_copied_whole_and_with_the_addresses_of_their_stream() {
    let net = Net::new();
    let (homer, asha) = (Homer::at(net.collector()), Phone::at(net.agent(1)));
    let hub = setup(net, &asha, homer.address()).start();
    let mut stream = TcpStream::connect(hub.tcp).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let own = stream.local_addr().unwrap();
    let options = |number: u32| {
        format!(
            "OPTIONS sip:{hub} SIP/2.0\r\nVia: SIP/2.0/TCP {own};branch=z9hG4bK{number}\r\nFrom: <sip:x@{own}>;tag=1\r\n\
             To: <sip:{hub}>\r\nCall-ID: {number}@{own}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 4\r\n\r\nbody",
            hub = hub.tcp
        )
    };
    let all = [1, 2, 3].map(options);
    let bytes = all.concat();
    // One and a half, then nothing until the first is answered.
    let (begin, rest) = bytes.as_bytes().split_at(all[0].len() + 99);
    stream.write_all(begin).unwrap();
    let mut answers = String::new();
    let mut read_until = |stream: &mut TcpStream, count: usize| {
        let mut buffer = [0; 4_096];
        while answers.matches("\r\n\r\n").count() < count {
            let length = stream.read(&mut buffer).unwrap();
            answers.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        }
        answers.clone()
    };
    read_until(&mut stream, 1);
    stream.write_all(rest).unwrap();
    let answers = read_until(&mut stream, 3);

    let copies = homer.copies(6);
    let (theirs, ours): (Vec<_>, Vec<_>) =
        copies.iter().partition(|copy| copy.source == own.to_string() && copy.target == hub.tcp.to_string());
    assert!(ours.iter().all(|copy| copy.source == hub.tcp.to_string() && copy.target == own.to_string()));
    assert!(copies.iter().all(|copy| copy.protocol == 6), "{copies:#?}");
    let texts = |copies: Vec<&Copy>| copies.iter().map(|copy| copy.message.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(theirs), all);
    assert_eq!(texts(ours).concat(), answers);
    assert_eq!(counted(&hub), (6, 0));
}

#[test]
fn a_collector_that_is_gone_costs_no_call() {
    let net = Net::new();
    let mut asha = Phone::at(net.agent(1));
    let hub = setup(net, &asha, reserve(net.collector())).start();
    let mut caller = Phone::at(net.surgery());
    caller.call(&hub);
    asha.answer();
    caller.bye();
    asha.hung_up();
    assert_sound(&[hub.call()]);
    wait_for("copies that the network refused", SOON, || (counted(&hub).1 > 0).then_some(()));
}
