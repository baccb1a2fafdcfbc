//! Announcements: over the music, cut by the bridge, their end reported.

use super::*;

const VOICE: u8 = g711::alaw(1_000);
const MUSIC: u8 = g711::alaw(9_000);

impl Rig {
    pub(super) fn say(&mut self, leg: u64, id: u32, clips: &[u32]) {
        let clips = clips.iter().map(|&clip| ClipId(clip)).collect();
        self.order(Command::Say { leg: LegId(leg), id, clips });
    }

    /// A rig whose leg 1 has heard 40 ms of its music.
    fn waiting() -> Rig {
        let mut rig = Rig::new(Duration::ZERO);
        rig.order(Command::Set(stream(1)));
        rig.play(1, &[1], true);
        rig.run(ms(40));
        rig
    }

    /// The first byte of each packet sent to leg 1.
    fn heard(&mut self) -> Vec<u8> {
        self.sent().iter().filter(|sent| sent.to == remote(1)).map(|sent| sent.payload[0]).collect()
    }
}

fn said(id: u32) -> Event {
    Event::Said { leg: LegId(1), id }
}

#[test]
fn music_waits_for_the_announcement_and_goes_on_where_it_was() {
    // Samples that tell their own place in the music.
    let music: Vec<i16> = (0..1_600).map(|n| 4_000 + (n / 160) * 1_000).collect();
    let clips = [Clip::from_samples(&[1_000; 800]), Clip::from_samples(&music)];
    let engine = Engine::new(&PORTS, clips.into(), Duration::ZERO, [1; 32]);
    let mut rig = Rig { engine, log: Log::default() };
    rig.order(Command::Set(stream(1)));
    rig.play(1, &[1], true);
    rig.run(ms(60));
    rig.say(1, 7, &[0, 0]);
    rig.run(ms(180));
    assert_eq!(rig.events(), []);
    rig.run(ms(20));
    assert_eq!(rig.events(), [said(7)]);
    rig.run(ms(20));
    let place = |n: i16| g711::alaw(4_000 + n * 1_000);
    let sent = rig.sent();
    let heard: Vec<_> = sent.iter().map(|sent| sent.payload[0]).collect();
    assert_eq!(heard[..3], [place(0), place(1), place(2)]);
    assert_eq!(heard[3..13], [VOICE; 10]);
    assert_eq!(heard[13..], [place(3)]);
    for pair in sent.windows(2) {
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
        assert_eq!(pair[1].header.timestamp, pair[0].header.timestamp.wrapping_add(160));
        assert!(!pair[1].header.marker);
    }
    assert_eq!(rig.events(), []);
}

#[test]
fn after_the_bridge_the_very_next_frame_is_the_partners() {
    let mut rig = Rig::waiting();
    rig.order(Command::Set(stream(2)));
    rig.say(1, 7, &[0, 0, 0]);
    rig.say(2, 8, &[0, 0, 0]);
    rig.run(ms(50));
    let last = rig.sent().into_iter().rfind(|sent| sent.to == remote(1)).unwrap();
    rig.order(Command::Bridge { a: LegId(1), b: LegId(2) });
    rig.receive(2, audio(1), &[3; 160]);
    let next = rig.sent();
    assert_eq!((next.len(), next[0].to, next[0].payload[0]), (1, remote(1), 3));
    assert_eq!(next[0].header.sequence, last.header.sequence.wrapping_add(1));
    assert!(next[0].header.marker);
    rig.receive(1, audio(1), &[4; 160]);
    rig.run(ms(1_000));
    assert_eq!(rig.sent().iter().map(|sent| sent.payload[0]).collect::<Vec<_>>(), [4]);
    assert_eq!(rig.events(), [], "what was cut short is not said");
}

#[test]
fn hush_brings_back_the_music_at_once_and_reports_nothing() {
    let mut rig = Rig::waiting();
    rig.say(1, 7, &[0]);
    rig.run(ms(40));
    rig.order(Command::Hush { leg: LegId(1) });
    rig.run(ms(200));
    assert_eq!(rig.heard()[..6], [MUSIC, MUSIC, VOICE, VOICE, MUSIC, MUSIC]);
    rig.order(Command::Hush { leg: LegId(1) });
    rig.run(ms(20));
    assert_eq!((rig.heard(), rig.events()), (vec![MUSIC], vec![]));
}

#[test]
fn a_new_announcement_replaces_the_old_one_whose_end_is_not_reported() {
    let mut rig = Rig::waiting();
    rig.say(1, 7, &[0, 0]);
    rig.run(ms(40));
    rig.say(1, 8, &[0]);
    rig.run(ms(120));
    assert_eq!(rig.heard(), [MUSIC, MUSIC, VOICE, VOICE, VOICE, VOICE, VOICE, VOICE, VOICE, MUSIC]);
    assert_eq!(rig.events(), [said(8)]);
}

#[test]
fn music_ordered_meanwhile_begins_after_the_announcement() {
    let mut rig = Rig::new(Duration::ZERO);
    rig.order(Command::Set(stream(1)));
    rig.say(1, 7, &[0]);
    rig.play(1, &[1], true);
    rig.run(ms(140));
    assert_eq!(rig.heard(), [VOICE, VOICE, VOICE, VOICE, VOICE, MUSIC, MUSIC]);
}

#[test]
fn a_leg_that_heard_nothing_hears_nothing_more_afterwards() {
    let mut rig = Rig::new(Duration::ZERO);
    rig.order(Command::Set(stream(1)));
    rig.say(1, 7, &[0]);
    rig.run(ms(1_000));
    assert_eq!((rig.heard(), rig.events()), (vec![VOICE; 5], vec![said(7)]));
    assert_eq!(rig.engine.next_due(), None);
}

#[test]
fn a_bridged_leg_hears_its_partner_again_after_the_announcement() {
    let mut rig = Rig::bridged(Codec::Pcma);
    rig.say(1, 7, &[0]);
    for n in 0..8 {
        rig.receive(2, audio(n), &[3; 160]);
        rig.run(ms(20));
    }
    assert_eq!(rig.heard(), [VOICE, VOICE, VOICE, VOICE, VOICE, 3, 3, 3]);
    rig.say(1, 8, &[0]);
    rig.order(Command::Hush { leg: LegId(1) });
    rig.receive(2, audio(8), &[3; 160]);
    assert_eq!((rig.heard(), rig.events()), (vec![3], vec![said(7)]));
}

#[test]
fn who_loses_the_partner_meanwhile_hears_silence_afterwards() {
    let mut rig = Rig::bridged(Codec::Pcma);
    rig.say(1, 7, &[0]);
    rig.order(Command::Unbridge { leg: LegId(2) });
    rig.run(ms(140));
    assert_eq!(rig.heard()[5..], [g711::ALAW_SILENCE; 2]);
    assert_eq!(rig.events(), [said(7)]);
}

#[test]
fn on_hold_the_announcement_passes_unheard_and_the_music_waits() {
    let mut rig = Rig::waiting();
    rig.order(Command::Set(Stream { direction: Direction::Inactive, ..stream(1) }));
    rig.sent();
    rig.say(1, 7, &[0]);
    rig.run(ms(100));
    assert_eq!((rig.heard(), rig.events()), (vec![], vec![said(7)]));
    rig.order(Command::Set(stream(1)));
    rig.run(ms(20));
    assert_eq!(rig.heard(), [MUSIC]);
}

#[test]
fn an_announcement_of_nothing_is_over_with_the_next_frame() {
    let mut rig = Rig::waiting();
    rig.say(1, 7, &[99]);
    rig.run(ms(20));
    assert_eq!(rig.events(), [said(7)]);
}

#[test]
fn an_announcement_is_bounded() {
    let mut rig = Rig::waiting();
    rig.say(1, 7, &[0; 1_000]);
    rig.run(ms(100 * MOST_SAID as u64));
    assert_eq!(rig.events(), [said(7)]);
    assert_eq!(rig.heard().len(), 2 + 5 * MOST_SAID);
}
