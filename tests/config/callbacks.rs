//! Callbacks: what the keys become, and what is said of those that cannot be meant.

use std::time::Duration;

use hearken::acd::WayOut;
use hearken::audio::Digit;
use hearken::id::WindowId;

use super::rules::{FULL, check};
use super::{Site, shorts};

/// The full file with callbacks.
fn with(callback: &str) -> String {
    let file = FULL.replace("announce = \"busy\"", "announce = \"busy\"\noffer = \"callback\"");
    file.replace("[feature-codes]", &format!("[callback]\n{callback}\n[feature-codes]"))
}

#[test]
fn callbacks_are_promised_and_kept_as_the_file_says() {
    let all = "via = \"sip:198.51.100.7:5070\"\nshow = \"020 7946 0101\"\nring-for = \"25s\"\nattempts = 2\npause = \"5m\"\n\
               breach-after = \"1h\"\nexpires-after = \"3h\"\nhours = \"core-hours\"\nmost = 7\nnumbers = [\"+447\"]\n";
    let file = with(all)
        .replace("way-out = { route-to = \"pbx\" }", "way-out = \"callback\"\ncallback-key = \"9\"")
        .replace("line = \"elm-tree\"\n", "line = \"elm-tree\"\ncallback-via = \"sip:198.51.100.8\"\n");
    let loaded = Site::new().verdict(&file).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(shorts(&loaded.warnings), [""; 0]);
    let plan = loaded.deployment.plan;
    let (terms, ways) = (plan.guide.callbacks.terms, &plan.callbacks);
    assert_eq!((terms.attempts, terms.pause, terms.most), (2, Duration::from_secs(300), 7));
    assert_eq!(
        (terms.breach_after, terms.expires_after),
        (Duration::from_secs(3_600), Duration::from_secs(10_800))
    );
    assert_eq!(plan.guide.callbacks.hours, Some(WindowId(0)));
    let remote = |way: Option<hearken::sip::Flow>| way.unwrap().remote.to_string();
    assert_eq!(
        (remote(ways.via), remote(ways.by_trunk[0])),
        ("198.51.100.7:5070".into(), "198.51.100.8:5060".into())
    );
    assert_eq!(ways.by_trunk[1], None);
    assert_eq!((ways.shown.as_deref(), ways.ring_for), (Some("+442079460101"), Duration::from_secs(25)));
    assert!(ways.allows("+447700900123") && !ways.allows("+442079460101") && !ways.allows("447700900123"));
    assert_eq!(
        (plan.acd.lines[0].way_out, plan.treatments[0].callback_key),
        (WayOut::Callback, Digit::try_from('9').ok())
    );
    assert!(plan.guide.rules.rules()[0].actions.offer_callback);
    let schedule = plan.guide.announcements[0].unwrap();
    assert!(!schedule.position && !schedule.estimate, "what is offered is told, and nothing else");
}

#[test]
fn by_default_no_number_is_called_that_costs_the_caller_more() {
    let loaded =
        Site::new().verdict(&with("via = \"sip:198.51.100.7\"")).unwrap_or_else(|errors| panic!("{errors}"));
    let ways = loaded.deployment.plan.callbacks;
    for (number, allowed) in [
        ("+442079460101", true),
        ("+441614960101", true),
        ("+447700900123", true),
        ("+443069990101", true),
        ("+449098790101", false),
        ("+448715550101", false),
        ("+14155550100", false),
        ("118500", false),
        ("+44770090x123", false),
    ] {
        assert_eq!(ways.allows(number), allowed, "{number}");
    }
}

#[test]
fn each_fault_of_callbacks_is_shown_at_its_place() {
    let callback = |keys: &str| format!("[callback]\n{keys}\n[feature-codes]");
    let cases: Vec<(&str, String, Vec<&str>)> = vec![
        (
            "[feature-codes]",
            callback("via = \"198.51.100.7\""),
            vec!["110:7 error: a SIP address begins with `sip:` -> sip:198.51.100.7"],
        ),
        (
            "[feature-codes]",
            callback("hours = \"core\""),
            vec!["110:9 error: there is no window `core` -> core-hours"],
        ),
        (
            "[feature-codes]",
            callback("hours = \"peak\"\nattempts = 0"),
            vec!["111:12 error: `attempts` must be from 1 to 20"],
        ),
        (
            "[feature-codes]",
            callback("breach-after = \"9h\""),
            vec!["110:16 error: `expires-after` must be later than `breach-after`"],
        ),
        (
            "[feature-codes]",
            callback("pause = \"5h\""),
            vec!["110:9 warning: a promise expires before its last attempt"],
        ),
        (
            "[feature-codes]",
            callback("show = \"the surgery\""),
            vec!["110:8 error: \"the surgery\" is no telephone number"],
        ),
        (
            "[feature-codes]",
            callback("numbers = [\"07\"]"),
            vec!["110:12 error: \"07\" is no beginning of a number"],
        ),
        (
            "[feature-codes]",
            callback("numbers = []"),
            vec!["110:11 error: `numbers` names no beginning, so that nobody could be called back"],
        ),
        ("[feature-codes]", callback("vai = \"x\""), vec!["110:1 error: [callback] has no key `vai` -> via"]),
        (
            "first = \"pbx\"",
            "first = \"pbx\"\ncallback-key = \"*\"".to_owned(),
            vec!["59:16 error: `callback-key` is one figure, \"0\" to \"9\""],
        ),
        (
            "first = \"pbx\"",
            "first = \"pbx\"\ncallback-key = \"1\"".to_owned(),
            vec!["59:16 error: callers of trunk `elm-tree` could not be called back"],
        ),
        (
            "leave-when-empty = \"goodbye\"",
            "leave-when-empty = \"callback\"".to_owned(),
            vec!["56:20 error: callers of trunk `elm-tree` could not be called back"],
        ),
        (
            "emergency-parallel = 2",
            "callback-key = \"1\"".to_owned(),
            vec!["62:16 warning: only emergency calls join line `emergency`, which this does not touch"],
        ),
    ];
    let cases: Vec<(&str, &str, &[&str])> =
        cases.iter().map(|(what, with, expected)| (*what, with.as_str(), expected.as_slice())).collect();
    check(&cases);
}
