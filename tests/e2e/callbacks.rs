//! Callers who ask to be called back, and are: keys as telephone events (RFC 4733), a real phone for the agent, and
//! promises that outlive the daemon.

use rusqlite::Connection;

use crate::harness::{Baresip, Hub, Net, Phone, SOON, Setup, wait_for};

/// Payload type of the caller's telephone events.
const EVENTS: u8 = 96;

struct Floor {
    setup: Setup,
    asha: Baresip,
    /// One who talks with asha, so that she is not free.
    first: Phone,
    patient: Phone,
}

fn floor(more: &str) -> Floor {
    let net = Net::new();
    let (first, patient) = (Phone::at(net.surgery()), Phone::at(net.surgery()));
    let asha = Baresip::agent(net.agent(1), 620.0);
    let setup = Setup::new(net)
        .agent("asha", asha.uri())
        .with("[line.gp]", "[line.gp]\ncallback-key = \"1\"")
        .and(&format!("[callback]\nvia = \"sip:{}\"\n{more}", patient.address()));
    Floor { setup, asha, first, patient }
}

/// Calls, and presses 1 twice.
pub fn asks(patient: &mut Phone, hub: &Hub) {
    let events = "a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n";
    let offer = patient.sdp("sendrecv").replace("RTP/AVP 8\r\n", "RTP/AVP 8 96\r\n") + events;
    let invite = patient.open(hub, "INVITE", "02079460101", &["Content-Type: application/sdp"], &offer);
    patient.send(&invite);
    let answer = patient.expect("200 INVITE");
    patient.ack(&answer);
    patient.presses(answer.media(), EVENTS, 1);
    patient.presses(answer.media(), EVENTS, 1);
}

/// Outcome and number in clear of each promise.
fn promises(hub: &Hub) -> Vec<(Option<String>, Option<String>)> {
    let db = Connection::open(hub.dir().join("calls.db")).unwrap();
    let mut rows = db.prepare("SELECT outcome, number FROM promises ORDER BY id").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

pub fn settled(hub: &Hub) -> Vec<(Option<String>, Option<String>)> {
    wait_for("the end of every promise", SOON, || {
        let promises = promises(hub);
        promises.iter().all(|(outcome, _)| outcome.is_some()).then_some(promises)
    })
}

/// The patient's phone rings, and the number that it shows is the surgery's.
fn is_called_back(patient: &mut Phone) {
    let number = patient.number.clone();
    let invite = patient.answer();
    assert!(invite.start().starts_with(&format!("INVITE sip:{number}@")), "{}", invite.text);
    assert!(invite.must("From").contains("sip:+442079460101@"), "{}", invite.text);
    wait_for("the agent's voice", SOON, || {
        patient.hears(|payload| payload.iter().any(|byte| *byte != 0xd5)).then_some(())
    });
}

#[test]
fn a_caller_who_presses_the_key_twice_and_hangs_up_is_called_back_when_an_agent_is_free() {
    let Floor { setup, asha, mut first, mut patient } = floor("");
    let hub = setup.start();
    first.call(&hub);
    hub.logs("bridged");
    asks(&mut patient, &hub);
    // The words are over: the hub hangs up.
    patient.hung_up();
    assert_eq!(promises(&hub), [(None, Some(patient.number.clone()))], "in clear as long as it is open");
    first.bye();
    is_called_back(&mut patient);
    patient.bye();
    let calls = hub.calls(3);
    let ends: Vec<_> = calls.iter().map(|call| call.outcome.as_str()).collect();
    assert_eq!(ends, ["promised", "answered", "answered"]);
    assert_eq!(calls[2].stages("dial").len(), 1, "{:#?}", calls[2]);
    assert_eq!(settled(&hub), [(Some("reached".to_owned()), None)]);
    let report = hub.run(&["report", "--from", "2020-01-01"]);
    let report = String::from_utf8(report.stdout).unwrap();
    assert!(report.contains("callbacks promised"), "{report}");
    asha.quit();
}

/// A daemon that was killed in the instant in which a caller hears that it will be called back, and the next one.
fn killed(setup: &Setup, first: &mut Phone, patient: &mut Phone) -> Hub {
    let hub = setup.start();
    first.call(&hub);
    hub.logs("bridged");
    asks(patient, &hub);
    hub.logs("news=Promised");
    hub.killed_and_started(setup)
}

#[test]
fn a_promise_that_was_told_outlives_a_daemon_that_is_killed_that_instant() {
    let Floor { setup, asha, mut first, mut patient } = floor("");
    // Nothing but the ledger tells the next daemon of it.
    let setup = setup.and("[flight]\non = false\n");
    let hub = killed(&setup, &mut first, &mut patient);
    is_called_back(&mut patient);
    patient.bye();
    assert_eq!(settled(&hub), [(Some("reached".to_owned()), None)]);
    // Its first call died with the daemon, so its end is not waited for.
    drop(asha);
}

#[test]
fn a_promise_is_kept_once_by_a_daemon_that_takes_over_the_calls_of_the_one_before() {
    let Floor { setup, asha, mut first, mut patient } = floor("");
    let hub = killed(&setup, &mut first, &mut patient);
    // Both calls go on where they were: one is told that it will be called back, the other talks.
    patient.hung_up();
    first.bye();
    is_called_back(&mut patient);
    patient.bye();
    assert_eq!(settled(&hub), [(Some("reached".to_owned()), None)]);
    assert_eq!(hub.calls(3).iter().filter(|call| !call.stages("dial").is_empty()).count(), 1);
    asha.quit();
}

#[test]
fn a_patient_who_was_reached_is_not_called_again_though_the_ledger_had_not_written_it() {
    let Floor { setup, asha, mut first, mut patient } = floor("");
    let mut hub = setup.start();
    first.call(&hub);
    hub.logs("bridged");
    asks(&mut patient, &hub);
    patient.hung_up();
    assert_eq!(promises(&hub).len(), 1);
    // From here on the database takes nothing.
    let db = Connection::open(hub.dir().join("calls.db")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    first.bye();
    is_called_back(&mut patient);
    patient.bye();
    hub.logs("news=Ended(Reached)");
    hub.kill();
    db.execute_batch("ROLLBACK").unwrap();
    hub.restart();
    assert_eq!(settled(&hub), [(Some("reached".to_owned()), None)]);
    hub.terminate();
    assert_eq!(hub.ended(SOON).code(), Some(0));
    assert!(!hub.log().contains("news=Restored"), "{}", hub.log());
    assert_eq!(hub.calls(3).iter().filter(|call| !call.stages("dial").is_empty()).count(), 1);
    asha.quit();
}

#[test]
fn a_patient_who_is_engaged_is_called_again_and_one_who_never_answers_is_given_up() {
    let Floor { setup, asha, mut first, mut patient } = floor("attempts = 2\npause = \"1s\"\n");
    let hub = setup.start();
    first.call(&hub);
    hub.logs("bridged");
    asks(&mut patient, &hub);
    patient.hung_up();
    first.bye();
    for _ in 0..2 {
        let invite = patient.ring();
        patient.refuse(&invite, 486);
    }
    assert_eq!(settled(&hub), [(Some("unreached".to_owned()), None)]);
    hub.logs("a promised callback has failed");
    let calls = hub.calls(4);
    let ends: Vec<_> = calls.iter().map(|call| call.end()).collect();
    assert_eq!(ends[2..], [("unreached", Some("busy")), ("unreached", Some("busy"))]);
    asha.quit();
}
