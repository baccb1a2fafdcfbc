//! Real audio between real phones: what one says is in what the other recorded.

use std::time::Duration;

use crate::harness::{Baresip, Net, Phone, Setup, assert_sound, tone};

const GREETING: f64 = 350.0;
const MUSIC: f64 = 530.0;
const CALLER: f64 = 440.0;
const AGENT: f64 = 620.0;

#[test]
fn a_caller_hears_greeting_and_music_and_then_the_agent_who_hears_the_caller() {
    let net = Net::new();
    let files = tempfile::tempdir().unwrap();
    let mut asha = Phone::at(net.agent(1));
    let ben = Baresip::agent(net.agent(2), AGENT);
    let mut setup = Setup::new(net).agent("asha", asha.uri("asha")).agent("ben", ben.uri());
    setup.rest_after_miss = "60s";
    setup.greeting = Some(tone::write(files.path(), "greeting", GREETING, Duration::from_secs(2)));
    setup.music = Some(tone::write(files.path(), "music", MUSIC, Duration::from_secs(1)));
    let hub = setup.start();

    let caller = Baresip::caller(net.surgery(), CALLER, &format!("sip:02079460101@{}", hub.udp));
    let invite = asha.ring();
    caller.hears(GREETING);
    assert!(caller.strength(MUSIC) < 0.1, "the greeting comes first");
    caller.hears(MUSIC);
    asha.refuse(&invite, 486);
    caller.hears(AGENT);
    ben.hears(CALLER);
    // Nothing of what the caller heard while waiting, nor its own voice, comes to the agent.
    for hertz in [GREETING, MUSIC, AGENT] {
        assert!(ben.strength(hertz) < 0.1, "the agent hears {hertz} Hz");
    }
    assert!(caller.strength(CALLER) < 0.1, "the caller hears itself");
    caller.quit();
    let call = hub.call();
    assert_eq!(call.end(), ("answered", Some("caller")));
    assert_eq!(call.presentations(), [("asha", "busy"), ("ben", "answered")]);
    assert_sound(&[call]);
    ben.quit();
}
