//! The less usual ways of making a call: without an offer, through proxies, over TCP.

use std::time::Duration;

use crate::harness::{
    Message, Net, Phone, SOON, Setup, Sipp, assert_sound, directory, scenario, tone, wait_for,
};

#[test]
fn a_caller_without_an_offer_is_offered_audio_and_hears_it() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let mut setup = Setup::new(net).agent("asha", asha.uri("asha"));
    let files = directory();
    setup.music = Some(tone::write(files.path(), "music", 350.0, Duration::from_secs(2)));
    let hub = setup.start();
    let invite = caller.open(&hub, "INVITE", "02079460101", &[], "");
    caller.send(&invite);
    let offer = caller.expect("200 INVITE");
    assert_eq!(offer.direction(), "sendrecv");
    let sdp = caller.sdp("sendrecv");
    caller.ack_with(&offer, &["Content-Type: application/sdp"], &sdp);
    let invite = asha.ring();
    wait_for("music", SOON, || {
        caller.hears(|payload| payload.iter().any(|&byte| byte != payload[0])).then_some(())
    });
    asha.accept(&invite);
    caller.says_to(offer.media(), 0x2a, &asha);
    asha.says_to(invite.media(), 0x15, &caller);
    caller.bye();
    asha.hung_up();
    assert_sound(&[hub.call()]);
}

#[test]
fn a_caller_who_leaves_our_offer_unanswered_is_hung_up() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = Setup::new(net).agent("asha", asha.uri("asha")).start();
    let invite = caller.open(&hub, "INVITE", "02079460101", &[], "");
    caller.send(&invite);
    let offer = caller.expect("200 INVITE");
    let invite = asha.ring();
    caller.ack(&offer);
    caller.hung_up();
    asha.taken_back(&invite);
    let call = hub.call();
    assert_eq!(call.end(), ("lost", Some("dead-peer")));
    assert_sound(&[call]);
}

#[test]
fn what_each_side_says_reaches_the_other_unchanged() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = Setup::new(net).agent("asha", asha.uri("asha")).start();
    let answer = caller.call(&hub);
    let invite = asha.answer();
    caller.says_to(answer.media(), 0x2a, &asha);
    asha.says_to(invite.media(), 0x15, &caller);
    caller.bye();
    asha.hung_up();
}

#[test]
fn requests_follow_the_proxies_that_recorded_themselves() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let [mut trunk, mut pbx] = [Phone::at(net.surgery()), Phone::at(net.agent(1))];
    let hub = Setup::new(net).agent("asha", asha.uri("asha")).start();

    let through = [route(&trunk, "lr"), "Record-Route: <sip:far.example;lr>".to_owned()];
    let headers = [through[0].as_str(), through[1].as_str(), "Content-Type: application/sdp"];
    let sdp = caller.sdp("sendrecv");
    let invite = caller.open(&hub, "INVITE", "02079460101", &headers, &sdp);
    caller.send(&invite);
    let answer = caller.expect("200 INVITE");
    let kept: Vec<_> = answer.headers("Record-Route").map(|value| format!("Record-Route: {value}")).collect();
    assert_eq!(kept, through, "RFC 3261, 12.1.1: in their order");
    caller.ack(&answer);

    // The agent's answer comes by way of a proxy too; ACK and BYE go to that proxy, for the agent.
    let invite = asha.ring();
    let sdp = asha.sdp("sendrecv");
    asha.respond_with(&invite, 200, &[&route(&pbx, "lr"), "Content-Type: application/sdp"], &sdp);
    let ack = pbx.expect("ACK");
    assert_routed(&ack, &asha, &[&route(&pbx, "lr")]);

    asha.dialog.routes.clear();
    asha.bye();
    let bye = trunk.expect("BYE");
    assert_routed(&bye, &caller, &[&through[0], &through[1]]);
    trunk.dialog.hub = hub.udp;
    trunk.respond(&bye, 200);
    assert_eq!(hub.call().end(), ("answered", Some("agent")));
}

fn route(proxy: &Phone, parameter: &str) -> String {
    format!("Record-Route: <sip:{};{parameter}>", proxy.address())
}

/// The request is for the contact of `phone` and names these recorded routes.
fn assert_routed(request: &Message, phone: &Phone, recorded: &[&str]) {
    assert_eq!(request.uri(), phone.uri("phone"));
    let routes: Vec<_> = request.headers("Route").map(|value| format!("Record-Route: {value}")).collect();
    assert_eq!(routes, recorded, "{}", request.text);
}

#[test]
fn callers_and_agents_may_use_tcp() {
    let net = Net::new();
    let agent = Sipp::agent(net.agent(1), &scenario("agent", &[]), &["-t", "t1"]);
    let hub = Setup::new(net).agent("asha", format!("{};transport=tcp", agent.uri("asha"))).start();
    let caller = scenario("caller", &[]);
    let callers = Sipp::callers(net.surgery(), hub.tcp, &caller, 3, 10, &["-t", "t1"]);
    assert_eq!(callers.good(Duration::from_secs(30)).successful, 3);
    assert_eq!(agent.stop(Duration::from_secs(30)).logs.len(), 3);
    let calls = hub.calls(3);
    assert_sound(&calls);
    assert!(calls.iter().all(|call| call.end() == ("answered", Some("agent"))), "{calls:#?}");
}
