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

#[test]
fn a_phone_that_rings_for_a_routine_call_is_taken_back_for_an_emergency() {
    let net = Net::new();
    let mut asha = Phone::at(net.agent(1));
    let hub = Setup::new(net).agent("asha", asha.uri("asha")).start();
    let (mut routine, mut emergency) = (Phone::at(net.surgery()), Phone::at(net.emergency()));
    routine.call(&hub);
    let invite = asha.ring();
    emergency.call(&hub);
    // The next call does not wait for the phone's consent to the CANCEL.
    let cancel = asha.expect("CANCEL");
    let urgent = asha.ring();
    assert!(urgent.must("From").contains(&emergency.number), "{}", urgent.text);
    asha.respond(&cancel, 200);
    asha.refuse(&invite, 487);
    asha.accept(&urgent);
    asha.bye();
    emergency.hung_up();
    let invite = asha.answer();
    assert!(invite.must("From").contains(&routine.number), "{}", invite.text);
    asha.bye();
    routine.hung_up();
    let calls = hub.calls(2);
    assert_sound(&calls);
    let [first, second] = &calls[..] else { unreachable!() };
    assert_eq!((first.band, second.band), (0, 1));
    assert_eq!(first.presentations(), [("asha", "answered")]);
    let [taken_back, ("asha", "answered")] = second.presentations()[..] else { panic!("{second:#?}") };
    assert_eq!(taken_back, ("asha", "recalled"));
    assert!(second.arrived <= first.arrived, "the arrival is the first one: {second:#?}");
    let emergency_over = first.arrived + first.lasted;
    assert!(second.arrived + second.waited >= emergency_over - 1, "{first:#?} {second:#?}");
    assert_eq!(second.stages("queue").len(), 1, "the caller never left the line: {second:#?}");
}

#[test]
fn an_emergency_call_rings_on_two_phones_and_the_first_to_answer_has_it() {
    let net = Net::new();
    let mut phones = [1, 2, 3].map(|n| Phone::at(net.agent(n)));
    let setup = ["asha", "ben", "carys"]
        .iter()
        .zip(&phones)
        .fold(Setup::new(net), |setup, (name, phone)| setup.agent(name, phone.uri(name)))
        .with("[team.hub]", "[team.hub]\nstrategy = \"ordered\"")
        .with("[line.emergency]", "[line.emergency]\nemergency-parallel = 2");
    let hub = setup.start();
    let mut emergency = Phone::at(net.emergency());
    emergency.call(&hub);
    let [asha, ben, carys] = &mut phones;
    let [at_asha, at_ben] = [asha.ring(), ben.ring()];
    assert!(at_asha.must("From").contains(&emergency.number), "{}", at_asha.text);
    ben.accept(&at_ben);
    asha.taken_back(&at_asha);
    ben.bye();
    emergency.hung_up();
    // Two phones were enough: the next thing that Carys hears is a call of her own.
    let mut routine = Phone::at(net.surgery());
    asha.dials(&hub, "*12");
    ben.dials(&hub, "*12");
    routine.call(&hub);
    let invite = carys.answer();
    assert!(invite.must("From").contains(&routine.number), "{}", invite.text);
    routine.bye();
    carys.hung_up();
    let calls = hub.calls(2);
    assert_sound(&calls);
    let mut rung = calls[0].presentations();
    rung.sort_unstable();
    assert_eq!(rung, [("asha", "answered-elsewhere"), ("ben", "answered")]);
    assert_eq!((calls[0].end(), calls[0].agent.as_deref()), (("answered", Some("agent")), Some("ben")));
}
