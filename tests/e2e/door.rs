//! What is turned away at the door, and with which word; and what is never taken twice.

use crate::harness::{Hub, Net, Phone, Setup, assert_sound};

struct Door {
    hub: Hub,
    caller: Phone,
    asha: Phone,
}

fn door(change: impl FnOnce(&mut Setup)) -> Door {
    let net = Net::new();
    let asha = Phone::at(net.agent(1));
    let mut setup = Setup::new(net).agent("asha", asha.uri("asha"));
    change(&mut setup);
    Door { caller: Phone::at(net.surgery()), asha, hub: setup.start() }
}

impl Door {
    /// A whole call, after which the ledger has its row, and before it only those of calls that a trunk brought
    /// and that were turned away with these codes.
    fn one_call_is_all_there_was(mut self, refused: &[i64]) {
        self.caller.call(&self.hub);
        self.asha.answer();
        self.caller.bye();
        self.asha.hung_up();
        let mut calls = self.hub.calls(refused.len() + 1);
        assert_sound(&calls);
        assert_eq!(calls.pop().unwrap().sip_call_id, self.caller.dialog.call_id);
        assert_eq!(calls.iter().filter_map(|call| call.code).collect::<Vec<_>>(), refused);
    }

    /// Sends a request outside of any dialog that gets this answer, with this header.
    fn refuses(&mut self, method: &str, headers: &[&str], body: &str, code: u16, header: &str) {
        let request = self.caller.open(&self.hub, method, "02079460101", headers, body);
        self.caller.send(&request);
        let response = self.caller.expect(&format!("{code} {method}"));
        if method == "INVITE" {
            self.caller.ack(&response);
        }
        let (name, value) = header.split_once(": ").unwrap_or((header, ""));
        assert!(response.headers(name).any(|found| found.contains(value)), "{header:?} in {}", response.text);
        assert!(response.must("To").contains(";tag="), "RFC 3261, 8.2.6.2: {}", response.text);
    }
}

#[test]
fn a_call_from_an_address_on_no_trunk_is_forbidden() {
    let mut door = door(|_| ());
    let mut stranger = Phone::at(door.hub.net.stranger());
    stranger.invite(&door.hub);
    let response = stranger.expect("403 INVITE");
    stranger.ack(&response);
    let options = stranger.open(&door.hub, "OPTIONS", "02079460101", &[], "");
    stranger.send(&options);
    stranger.expect("403 OPTIONS");
    // Headers of another's trunk do not help.
    let identity = format!("P-Asserted-Identity: <sip:999@{}>", door.hub.net.emergency());
    let sdp = stranger.sdp("sendrecv");
    let headers = ["Content-Type: application/sdp", "Priority: emergency", &identity];
    let invite = stranger.open(&door.hub, "INVITE", "999", &headers, &sdp);
    stranger.send(&invite);
    let response = stranger.expect("403 INVITE");
    stranger.ack(&response);
    door.caller = Phone::at(door.hub.net.surgery());
    door.one_call_is_all_there_was(&[]);
}

#[test]
fn a_number_on_no_trunk_is_not_found() {
    let mut door = door(|setup| setup.ddis = &["020 7946 0101"]);
    let sdp = door.caller.sdp("sendrecv");
    let invite =
        door.caller.open(&door.hub, "INVITE", "02079460999", &["Content-Type: application/sdp"], &sdp);
    door.caller.send(&invite);
    let response = door.caller.expect("404 INVITE");
    door.caller.ack(&response);
    door.one_call_is_all_there_was(&[]);
}

#[test]
fn a_number_may_be_written_nationally_or_internationally() {
    let Door { hub, mut caller, mut asha } = door(|setup| setup.ddis = &["020 7946 0101"]);
    for number in ["02079460101", "+442079460101", "00442079460101"] {
        let sdp = caller.sdp("sendrecv");
        let invite = caller.open(&hub, "INVITE", number, &["Content-Type: application/sdp"], &sdp);
        caller.send(&invite);
        let answer = caller.expect("200 INVITE");
        caller.ack(&answer);
        asha.answer();
        caller.bye();
        asha.hung_up();
    }
    assert!(hub.calls(3).iter().all(|call| call.ddi == "+442079460101"));
}

#[test]
fn what_is_not_served_is_said_so() {
    let mut door = door(|_| ());
    let sdp = "Content-Type: application/sdp";
    door.refuses("FROBNICATE", &[], "", 501, "To");
    door.refuses("SUBSCRIBE", &["Event: presence"], "", 405, "Allow: INVITE");
    door.refuses("OPTIONS", &[], "", 200, "Allow: INVITE");
    door.refuses("OPTIONS", &[], "", 200, "Accept: application/sdp");
    door.refuses("INVITE", &["Require: 100rel"], "", 420, "Unsupported: 100rel");
    door.refuses("INVITE", &["Max-Forwards: 0"], "", 483, "To");
    door.refuses("INVITE", &["Content-Type: text/plain"], "hello", 415, "Accept: application/sdp");
    door.refuses("INVITE", &[sdp], "this is no SDP", 400, "To");
    door.refuses("INVITE", &[sdp], &offer("audio 6000 RTP/AVP 18"), 488, "Warning: 305");
    door.refuses("INVITE", &[sdp], &offer("video 6000 RTP/AVP 31"), 488, "Warning: 304");
    door.one_call_is_all_there_was(&[483, 415, 400, 488, 488]);
}

fn offer(media: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm={media}\r\n")
}

#[test]
fn a_request_of_an_unknown_dialog_does_not_exist() {
    let mut door = door(|_| ());
    for method in ["BYE", "INVITE", "OPTIONS"] {
        let request = door.caller.open(&door.hub, method, "02079460101", &[], "");
        door.caller.send(&request.replace("\r\nCall-ID:", ";tag=nobody\r\nCall-ID:"));
        let response = door.caller.expect(&format!("481 {method}"));
        if method == "INVITE" {
            door.caller.ack(&response);
        }
    }
    door.one_call_is_all_there_was(&[]);
}

#[test]
fn a_bye_of_another_dialog_does_not_end_the_call() {
    let Door { hub, mut caller, mut asha } = door(|_| ());
    let mut other = Phone::at(hub.net.surgery());
    let answer = caller.call(&hub);
    asha.answer();
    // Our tag is right, the Call-ID is guessed.
    let bye = other.open(&hub, "BYE", "02079460101", &[], "");
    let tag = answer.must("To").split_once(";tag=").unwrap().1.to_owned();
    other.send(&bye.replace("\r\nCall-ID:", &format!(";tag={tag}\r\nCall-ID:")));
    other.expect("481 BYE");
    caller.bye();
    asha.hung_up();
    assert_eq!(hub.call().end(), ("answered", Some("caller")));
}

#[test]
fn an_invite_that_comes_twice_by_different_ways_is_a_loop() {
    let mut door = door(|_| ());
    let sdp = door.caller.sdp("sendrecv");
    let invite =
        door.caller.open(&door.hub, "INVITE", "02079460101", &["Content-Type: application/sdp"], &sdp);
    door.caller.send(&invite);
    let answer = door.caller.expect("200 INVITE");
    // RFC 3261, 8.2.2.2: the same request with another branch.
    door.caller.send(&invite.replace(";branch=z9hG4bK", ";branch=z9hG4bKother"));
    door.caller.expect("482 INVITE");
    door.caller.ack(&answer);
    door.asha.answer();
    door.caller.bye();
    door.asha.hung_up();
    assert_eq!(door.hub.call().sip_call_id, door.caller.dialog.call_id);
}

#[test]
fn a_retransmitted_invite_never_makes_a_second_call() {
    let Door { hub, mut caller, mut asha } = door(|_| ());
    let sdp = caller.sdp("sendrecv");
    let invite = caller.open(&hub, "INVITE", "02079460101", &["Content-Type: application/sdp"], &sdp);
    (0..3).for_each(|_| caller.send(&invite));
    let answer = caller.expect("200 INVITE");
    caller.ack(&answer);
    // Also after the ACK: the network may have kept one.
    caller.send(&invite);
    asha.answer();
    caller.bye();
    caller.send(&invite);
    asha.hung_up();
    // Requests are taken in order, so by the time of this answer the last one was seen too.
    let options = caller.open(&hub, "OPTIONS", "02079460101", &[], "");
    caller.send(&options);
    caller.expect("200 OPTIONS");
    assert_eq!(hub.calls(1).len(), 1);
}

#[test]
fn routine_calls_beyond_the_limit_go_back_to_the_trunk_and_emergency_calls_do_not() {
    let Door { hub, mut caller, mut asha } = door(|setup| setup.max_calls = 1);
    let [mut second, mut emergency] = [hub.net.surgery(), hub.net.emergency()].map(Phone::at);
    caller.call(&hub);
    asha.answer();
    second.invite(&hub);
    let response = second.expect("503 INVITE");
    assert!(response.must("Retry-After").parse::<u32>().unwrap() > 0);
    second.ack(&response);
    emergency.call(&hub);
    caller.bye();
    asha.hung_up();
    asha.answer();
    emergency.bye();
    asha.hung_up();
    let calls = hub.calls(3);
    assert_sound(&calls);
    let kinds: Vec<_> = calls.iter().map(|call| (call.band, call.outcome.as_str(), call.code)).collect();
    assert_eq!(kinds, [(1, "refused", Some(503)), (1, "answered", None), (0, "answered", None)]);
}
