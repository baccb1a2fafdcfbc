//! Phones are asked whether they are there; one that has stopped answering gets no calls.

use crate::harness::{Net, Phone, Setup, assert_sound};

#[test]
fn a_phone_that_no_longer_answers_when_asked_gets_no_calls_until_it_is_back() {
    let net = Net::new();
    let (mut asha, mut ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut caller = Phone::at(net.surgery());
    let setup = Setup::new(net)
        .agent("asha", asha.uri("asha"))
        .agent("ben", ben.uri("ben"))
        .with("probe-phones-every = \"0s\"", "probe-phones-every = \"1s\"")
        .with("[team.hub]", "[team.hub]\nstrategy = \"ordered\"");
    let hub = setup.start();
    asha.asked();
    // From now on asha's phone hears and says nothing.
    hub.logs("agent=\"asha\" state=Unreachable");
    caller.call(&hub);
    ben.answer();
    caller.bye();
    ben.hung_up();
    asha.asked();
    hub.logs("agent=\"asha\" state=Free");
    caller.call(&hub);
    asha.answer();
    caller.bye();
    asha.hung_up();
    let calls = hub.calls(2);
    assert_sound(&calls);
    assert_eq!(calls[0].presentations(), [("ben", "answered")], "asha's phone was not tried");
    assert_eq!(calls[1].presentations(), [("asha", "answered")]);
}
