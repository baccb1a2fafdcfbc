//! The log, as whoever collects it reads it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Client, Hub, Net, Phone, SOON, Setup, assert_sound, wait_for};

/// A caller who is missed by one phone, refused by the next, and answered.
fn a_call(net: Net, setup: impl Fn(Setup) -> Setup) -> (Hub, String) {
    let (mut asha, mut ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let both = Setup::new(net).agent("asha", asha.uri("asha")).agent("ben", ben.uri("ben"));
    let hub = setup(both.with("[team.hub]", "[team.hub]\nstrategy = \"ordered\"")).start();
    let mut caller = Phone::at(net.surgery());
    caller.call(&hub);
    let invite = asha.ring();
    asha.refuse(&invite, 486);
    ben.answer();
    caller.bye();
    ben.hung_up();
    assert_sound(&[hub.call()]);
    (hub, caller.number.trim_start_matches('+').to_owned())
}

#[test]
fn as_json_each_line_is_an_object_with_time_level_target_and_fields() {
    // Rules that nobody asks for are odd, and are said as JSON too.
    let odd = "[skill.welsh]\n";
    let (hub, _) = a_call(Net::new(), |setup| {
        setup.with("level = \"debug\"", "level = \"debug\"\nformat = \"json\"").and(odd)
    });
    hub.signal("HUP");
    hub.logs("the configuration is taken over");
    let log = hub.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"))).collect();
    for line in &lines {
        let text = |key: &str| line[key].as_str().unwrap_or_else(|| panic!("no {key} in {line}"));
        let time = text("timestamp");
        assert!(time.len() > 20 && time.starts_with("20") && time.ends_with('Z'), "{time}");
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&text("level")), "{line}");
        assert!(!text("target").is_empty() && line["fields"]["message"].is_string(), "{line}");
    }
    let said: BTreeSet<&str> = lines.iter().filter_map(|line| line["fields"]["message"].as_str()).collect();
    for expected in ["arrived", "presented", "missed", "bridged", "ended", "the configuration is odd"] {
        assert!(said.contains(expected), "{expected} is not among {said:?}");
    }
    let arrived = lines.iter().find(|line| line["fields"]["message"] == "arrived").unwrap();
    assert_eq!((&arrived["fields"]["trunk"], &arrived["fields"]["line"]), (&"surgery".into(), &"gp".into()));
}

#[test]
fn no_level_shows_the_number_of_a_caller() {
    for format in ["text", "json"] {
        let level = format!("level = \"trace\"\nformat = \"{format}\"");
        let (hub, number) = a_call(Net::new(), |setup| setup.with("level = \"debug\"", &level));
        let log = hub.log();
        assert!(log.contains("arrived") && log.contains("ended"), "{log}");
        let national = &number[2..];
        let shown = log.lines().find(|line| line.contains(national));
        assert_eq!(shown, None, "{number}");
    }
}

#[test]
fn a_flood_of_strangers_and_of_noise_writes_no_lines() {
    let net = Net::new();
    let asha = Phone::at(net.agent(1));
    let hub =
        Setup::new(net).agent("asha", asha.uri("asha")).with("level = \"debug\"", "level = \"info\"").start();
    let before = hub.log().lines().count();
    let mut stranger = Phone::at(net.stranger());
    for round in 0..300 {
        stranger.invite(&hub);
        stranger.send("BYE nonsense\r\n\r\n");
        stranger.send("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\n\r\n");
        if round % 50 == 49 {
            // So that what is sent is read, and not lost at a full socket.
            let counted = format!("hearken_calls_refused_total{{why=\"unknown-source\"}} {}", round + 1);
            wait_for("that strangers are counted", SOON, || {
                Client::new(hub.web).get("/metrics").body.contains(&counted).then_some(())
            });
        }
    }
    let log = hub.log();
    let lines = log.lines().count() - before;
    assert!(lines <= 3, "900 messages, and no more than the counts once a minute: {lines}\n{log}");
}
