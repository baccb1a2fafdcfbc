//! Keys: reported from legs that are listened to, and from no other; passed on as they were.

use super::*;
use crate::call::media::Digit;
use crate::rtp::dtmf;

impl Rig {
    fn listen(&mut self, leg: u64, on: bool) {
        self.order(Command::Listen { leg: LegId(leg), on });
    }

    /// Presses a key for 100 ms, starting now.
    fn press(&mut self, leg: u64, key: char) {
        let timestamp = (self.log.now.0 / 125) as u32;
        for (n, report) in dtmf::press(key.try_into().unwrap(), ms(100)).enumerate() {
            let header = Header { marker: n == 0, payload_type: 101, timestamp, ..audio(n as u16) };
            self.receive(leg, header, &report.to_bytes());
            self.run(ms(20));
        }
    }

    fn keys(&mut self) -> String {
        let key = |event| match event {
            Event::Digit { leg: LegId(1), digit } => digit.key(),
            other => panic!("{other:?}"),
        };
        self.events().into_iter().map(key).collect()
    }

    fn listening() -> Rig {
        let mut rig = Rig::new(Duration::ZERO);
        rig.order(Command::Set(stream(1)));
        rig.listen(1, true);
        rig
    }
}

#[test]
fn each_press_is_reported_once_while_listening_and_never_otherwise() {
    let mut rig = Rig::listening();
    rig.play(1, &[1], true);
    for key in "1*#0".chars() {
        rig.press(1, key);
    }
    assert_eq!(rig.keys(), "1*#0");
    rig.listen(1, false);
    rig.press(1, '2');
    assert_eq!(rig.keys(), "");
}

#[test]
fn a_press_is_reported_with_its_first_packet() {
    let mut rig = Rig::listening();
    rig.receive(1, Header { payload_type: 101, ..audio(1) }, &[1, 10, 0, 160]);
    assert_eq!(rig.keys(), "1");
}

#[test]
fn a_key_that_was_down_before_is_not_reported() {
    let mut rig = Rig::listening();
    rig.listen(1, false);
    let held = Header { payload_type: 101, ..audio(1) };
    rig.receive(1, held, &[1, 10, 0, 160]);
    rig.listen(1, true);
    rig.receive(1, held, &[1, 10, 1, 64]);
    rig.receive(1, held, &[1, 0x8a, 1, 64]);
    assert_eq!(rig.keys(), "");
    rig.run(ms(100));
    rig.press(1, '3');
    assert_eq!(rig.keys(), "3");
}

#[test]
fn a_bridge_ends_listening_and_a_new_order_begins_it_again() {
    let mut rig = Rig::listening();
    rig.order(Command::Set(stream(2)));
    rig.order(Command::Bridge { a: LegId(1), b: LegId(2) });
    rig.press(1, '1');
    assert_eq!(rig.keys(), "");
    rig.listen(1, true);
    rig.press(1, '2');
    rig.order(Command::Bridge { a: LegId(2), b: LegId(1) });
    rig.press(1, '3');
    assert_eq!(rig.keys(), "23", "the same bridge ordered again changes nothing");
}

#[test]
fn a_press_in_a_talk_is_passed_on_whole_in_the_partners_type_with_one_timestamp() {
    let mut rig = Rig::bridged(Codec::Pcmu);
    rig.press(1, '7');
    let sent = rig.sent();
    let reports: Vec<_> = dtmf::press(Digit::try_from('7').unwrap(), ms(100)).collect();
    assert_eq!(sent.len(), reports.len());
    let first = sent[0].header.timestamp;
    for (sent, report) in sent.iter().zip(&reports) {
        assert_eq!((sent.to, sent.header.payload_type), (remote(2), 96));
        assert_eq!(sent.header.timestamp, first);
        assert_eq!(dtmf::Report::read(&sent.payload), Ok(*report));
    }
}

#[test]
fn a_payload_type_that_was_not_agreed_is_no_key() {
    let mut rig = Rig::listening();
    rig.receive(1, Header { payload_type: 96, ..audio(1) }, &[1, 10, 0, 160]);
    rig.receive(1, audio(2), &[1, 10, 0, 160]);
    rig.order(Command::Set(Stream { dtmf: None, ..stream(1) }));
    rig.press(1, '1');
    assert_eq!(rig.keys(), "");
}

#[test]
fn what_is_no_key_is_counted() {
    let mut rig = Rig::listening();
    for payload in [&[][..], &[1, 10, 0], &[32, 10, 0, 160], &[1, 10, 0, 0]] {
        rig.receive(1, Header { payload_type: 101, ..audio(1) }, payload);
    }
    assert_eq!((rig.keys().as_str(), rig.engine.counters().events_malformed), ("", 4));
}

#[test]
fn a_flood_of_keys_is_bounded_and_counted() {
    let mut rig = Rig::listening();
    for n in 0..1_000 {
        rig.receive(1, Header { payload_type: 101, ..audio(n) }, &[1, 10, 0, 160]);
    }
    assert_eq!((rig.keys().len(), rig.engine.counters().events_flooded), (25, 975));
    rig.run(ms(1_000));
    rig.press(1, '2');
    assert_eq!(rig.keys(), "2");
}

#[test]
fn nobody_elses_keys_are_reported() {
    let mut rig = Rig::listening();
    rig.order(Command::Set(stream(2)));
    rig.press(2, '1');
    rig.receive_at(0, remote(9), Header { payload_type: 101, ..audio(1) }, &[1, 10, 0, 160]);
    assert_eq!((rig.keys().as_str(), rig.engine.counters().wrong_source), ("", 1));
}
