//! Phones and trunks are asked whether they are there; a phone that has stopped answering gets no calls.

use crate::api::{PASSWORD, setup};
use crate::harness::{Client, Net, Phone, SOON, Setup, Stream, assert_sound, wait_for};

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

#[test]
fn a_trunk_that_falls_silent_is_down_and_who_must_have_it_is_not_ready_until_it_is_back() {
    let net = Net::new();
    let (phone, mut trunk, mut caller) =
        (Phone::at(net.agent(1)), Phone::at(net.surgery()), Phone::at(net.surgery()));
    let probe = format!("[trunk.surgery]\nprobe = \"{}\"\nmust-be-up = true\n", trunk.uri("pbx"));
    let hub = setup(net, &phone)
        .with("[trunk.surgery]\n", &probe)
        .with("probe-phones-every = \"0s\"", "probe-phones-every = \"0s\"\nprobe-trunks-every = \"4s\"")
        .start();
    let anybody = Client::new(hub.web);
    let viewer = anybody.clone().signed_in("viewer", PASSWORD);
    let mut stream = viewer.follow();
    let becomes = |stream: &mut Stream, health: &str| {
        let news = stream.news("trunk");
        assert_eq!((&news.data["trunk"], &news.data["health"]), (&"surgery".into(), &health.into()));
        let board = stream.board(|board| board["trunks"][0]["health"] == health);
        assert!(board["trunks"][0]["since"].is_string(), "{board}");
        let up = format!("hearken_trunk_up{{trunk=\"surgery\"}} {}\n", u8::from(health == "up"));
        wait_for("the metric", SOON, || anybody.get("/metrics").body.contains(&up).then_some(()));
    };
    trunk.asked();
    becomes(&mut stream, "up");
    assert_eq!(anybody.get("/readyz").status, 200);
    // From now on it hears and says nothing.
    becomes(&mut stream, "down");
    let ready = anybody.get("/readyz");
    assert_eq!((ready.status, &ready.json()["detail"]), (503, &"the trunk `surgery` is down".into()));
    // Its calls are taken as ever, and say that it is there.
    caller.call(&hub);
    becomes(&mut stream, "up");
    assert_eq!(anybody.get("/readyz").body, "ready\n");
    caller.bye();
    becomes(&mut stream, "down");
    trunk.asked();
    becomes(&mut stream, "up");
    assert_eq!(anybody.get("/readyz").body, "ready\n");
}
