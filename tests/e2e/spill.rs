//! Two hubs side by side: calls go on to the other while it answers sooner, as it says itself.

use crate::harness::{Hub, Message, Net, Phone, SOON, Setup, assert_sound, wait_for};

/// The wait that a hub tells a phone of its surgery's.
fn told(hub: &Hub, surgery: &mut Phone) -> Option<u64> {
    let options = surgery.open(hub, "OPTIONS", "02079460101", &[], "");
    surgery.send(&options);
    let answer: Message = surgery.expect("200 OPTIONS");
    answer.header("X-Hearken-Wait").map(|wait| wait.parse().unwrap())
}

#[test]
fn callers_go_on_to_a_hub_that_answers_sooner_and_stay_when_it_no_longer_does() {
    let (here, there) = (Net::new(), Net::new());
    let (mut asha, mut ben) = (Phone::at(here.agent(1)), Phone::at(there.agent(1)));
    let surgery = format!("from = [\"{}\"]", there.surgery());
    let other = Setup::new(there)
        .agent("ben", ben.uri("ben"))
        .with(&surgery, &format!("from = [\"{}\", \"{}\"]", here.hub(), there.surgery()));
    let other = other.start();
    let address = format!("sip:02079460101@{}", other.udp);
    let hub = Setup::new(here)
        .agent("asha", asha.uri("asha"))
        .with("probe-phones-every = \"0s\"", "probe-phones-every = \"1s\"")
        .with("[distributor]", "[distributor]\nestimate-most-late = 90")
        .and(&format!("[destination.other]\naddress = \"{address}\"\ncapacity = 1\n"))
        .and("[[overflow]]\nname = \"sooner\"\nfrom = \"gp\"\nwhen-all = { waiting-over = 0 }\n")
        .and("route-to = \"other\"\nif-its-wait-is-less = true\n")
        .start();
    let mut surgery = Phone::at(here.surgery());
    assert_eq!(told(&hub, &mut surgery), Some(0), "Asha is free");
    // While Ben talks, nobody knows how long one would wait there, and nobody goes there.
    let mut local = Phone::at(there.surgery());
    local.call(&other);
    ben.answer();
    let mut talking = Phone::at(here.surgery());
    talking.call(&hub);
    asha.answer();
    let mut served = 1;
    wait_for("an estimate", SOON, || {
        let mut next = Phone::at(here.surgery());
        next.call(&hub);
        asha.bye();
        talking.hung_up();
        asha.answer();
        talking = std::mem::replace(&mut next, Phone::at(here.surgery()));
        served += 1;
        told(&hub, &mut surgery)
    });
    let mut waiting = Phone::at(here.surgery());
    waiting.call(&hub);
    hub.logs("line=\"gp\" rule=\"sooner\" on=true");
    // Ben is free again, and his hub says so when it is asked next.
    ben.bye();
    local.hung_up();
    let invite = ben.answer();
    assert!(invite.must("From").contains(&waiting.number), "{}", invite.text);
    waiting.bye();
    ben.hung_up();
    asha.bye();
    talking.hung_up();
    let calls = hub.calls(served + 1);
    assert_sound(&calls);
    let moved: Vec<_> = calls.iter().filter(|call| call.presentations() != [("asha", "answered")]).collect();
    assert_eq!(moved.len(), 1, "{moved:#?}");
    assert_eq!(moved[0].presentations(), [("other", "answered")]);
    assert_sound(&other.calls(2));
}
