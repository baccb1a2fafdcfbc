//! Callers who are promised that a clinician rings back, and the clinician who dials for the case.

use rusqlite::Connection;

use crate::harness::{Hub, Message, Net, Phone, SOON, Setup, wait_for};

struct Floor {
    setup: Setup,
    asha: Phone,
    patient: Phone,
}

fn floor(more: &str) -> Floor {
    let net = Net::new();
    let (asha, patient) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let setup = Setup::new(net).agent("asha", asha.uri("asha")).and(&format!(
        "[stack.doctors]\nteams = [\"hub\"]\n[disposition.21]\nwords = \"Advice given\"\n\
         [callback]\nvia = \"sip:{}\"\n{more}",
        patient.address()
    ));
    Floor { setup, asha, patient }
}

/// The patient calls, and asha sends the patient home with the promise that a doctor rings back.
fn puts_on_stack(asha: &mut Phone, patient: &mut Phone, hub: &Hub) {
    patient.call(hub);
    asha.answer();
    let target = format!("Refer-To: <sip:doctors@{}>", asha.dialog.hub);
    asha.request("REFER", &[&target], "");
    assert_eq!(asha.next(SOON).unwrap().what(), "202 REFER");
    let notify = asha.expect("NOTIFY");
    assert!(notify.text.ends_with("SIP/2.0 200 OK\r\n"), "{}", notify.text);
    asha.respond(&notify, 200);
    asha.hung_up();
    // The words are over: the hub hangs up.
    patient.hung_up();
}

/// Dials for the next case and stays on the line; gives the answer.
fn dials_for_a_case(asha: &mut Phone, hub: &Hub) -> Message {
    let sdp = asha.sdp("sendrecv");
    let invite = asha.open(hub, "INVITE", "*16", &["Content-Type: application/sdp"], &sdp);
    asha.send(&invite);
    let answer = asha.expect("200 INVITE");
    asha.ack(&answer);
    answer
}

/// The patient's phone rings, shows the surgery's number, and both hear each other.
fn are_joined(asha: &Phone, answer: &Message, patient: &mut Phone) {
    let number = patient.number.clone();
    let invite = patient.answer();
    assert!(invite.start().starts_with(&format!("INVITE sip:{number}@")), "{}", invite.text);
    assert!(invite.must("From").contains("sip:+442079460101@"), "{}", invite.text);
    asha.says_to(answer.media(), 0x2a, patient);
    patient.says_to(invite.media(), 0x2b, asha);
}

/// Disposition and number in clear of each case.
fn cases(hub: &Hub) -> Vec<(Option<String>, Option<String>)> {
    let db = Connection::open(hub.dir().join("calls.db")).unwrap();
    let mut rows = db.prepare("SELECT disposition, number FROM cases ORDER BY id").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn closed_as(hub: &Hub, code: &str) {
    wait_for("the end of the case", SOON, || (cases(hub) == [(Some(code.to_owned()), None)]).then_some(()));
}

/// The clinician dials for the case, talks with its patient, and closes it.
fn talk_and_close(asha: &mut Phone, patient: &mut Phone, hub: &Hub) {
    let answer = dials_for_a_case(asha, hub);
    are_joined(asha, &answer, patient);
    patient.bye();
    asha.hung_up();
    asha.dials(hub, "*1721");
    closed_as(hub, "21");
}

#[test]
fn a_clinician_who_dials_for_a_case_talks_with_the_patient_and_closes_it() {
    let Floor { setup, mut asha, mut patient } = floor("");
    let hub = setup.start();
    puts_on_stack(&mut asha, &mut patient, &hub);
    let number = patient.number.clone();
    wait_for("the case in the ledger", SOON, || {
        (cases(&hub) == [(None, Some(number.clone()))]).then_some(())
    });
    talk_and_close(&mut asha, &mut patient, &hub);
    let calls = hub.calls(2);
    let ends: Vec<_> = calls.iter().map(|call| call.outcome.as_str()).collect();
    assert_eq!(ends, ["answered", "answered"]);
    assert_eq!(calls[1].stages("dial").len(), 1, "{:#?}", calls[1]);
    wait_for("the disposition of the call", SOON, || {
        (hub.calls(2)[1].disposition.as_deref() == Some("21")).then_some(())
    });
}

#[test]
fn a_case_outlives_a_daemon_that_is_killed_with_and_without_a_flight_log() {
    for more in ["", "[flight]\non = false\n"] {
        let Floor { setup, mut asha, mut patient } = floor(more);
        let hub = setup.start();
        puts_on_stack(&mut asha, &mut patient, &hub);
        wait_for("the case in the ledger", SOON, || (cases(&hub).len() == 1).then_some(()));
        let hub = hub.killed_and_started(&setup);
        if !more.is_empty() {
            hub.logs("news=Restored");
        }
        talk_and_close(&mut asha, &mut patient, &hub);
    }
}
