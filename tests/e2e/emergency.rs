//! Emergency calls go first, whoever else waits.

use crate::harness::{Net, Phone, Setup, assert_sound};

#[test]
fn an_emergency_call_that_comes_last_is_presented_next() {
    let net = Net::new();
    let mut asha = Phone::at(net.agent(1));
    let hub = Setup::new(net).agent("asha", asha.uri("asha")).start();
    let mut routine: Vec<_> = (0..4).map(|_| Phone::at(net.surgery())).collect();
    let mut emergency = Phone::at(net.emergency());
    routine.iter_mut().for_each(|caller| drop(caller.call(&hub)));
    asha.answer();
    emergency.call(&hub);
    asha.bye();
    routine[0].hung_up();
    let order = [&mut emergency].into_iter().chain(routine.iter_mut().skip(1));
    let mut expected = Vec::new();
    for caller in order {
        let invite = asha.answer();
        assert!(invite.must("From").contains(&caller.number), "{} is next: {}", caller.number, invite.text);
        asha.bye();
        caller.hung_up();
        expected.push(caller.dialog.call_id.clone());
    }
    let calls = hub.calls(5);
    assert_sound(&calls);
    let ended: Vec<_> = calls.iter().skip(1).map(|call| call.sip_call_id.clone()).collect();
    assert_eq!(ended, expected);
    assert_eq!((calls[1].band, calls[1].trunk.as_str(), calls[1].line.as_str()), (0, "as-999", "emergency"));
}

#[test]
fn nothing_that_a_caller_says_makes_a_call_an_emergency() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = Setup::new(net).agent("asha", asha.uri("asha")).start();
    let sdp = caller.sdp("sendrecv");
    let headers = [
        "Content-Type: application/sdp",
        "Priority: emergency",
        "Resource-Priority: esnet.0",
        "Geolocation-Routing: yes",
    ];
    let invite = caller.open(&hub, "INVITE", "999", &headers, &sdp);
    caller.send(&invite);
    let answer = caller.expect("200 INVITE");
    caller.ack(&answer);
    asha.answer();
    caller.bye();
    asha.hung_up();
    let call = hub.call();
    assert_eq!((call.band, call.trunk.as_str(), call.line.as_str()), (1, "surgery", "gp"));
    assert_eq!(call.practice.as_deref(), Some("Y00001"));
}
