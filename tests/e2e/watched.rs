//! What the dashboard and the alerts ask for is there.

use std::collections::BTreeSet;
use std::fs;

use crate::harness::{Client, Homer, Net, Phone, SOON, Setup, assert_sound, wait_for};

/// Names of metrics in a text.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_name = |word: &&str| word.strip_prefix("hearken_").is_some_and(|rest| !rest.is_empty());
    text.split(|c: char| !is_part(c)).filter(is_name).map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_dashboard_the_alerts_and_the_handbook_is_served() {
    let net = Net::new();
    let (homer, mut asha) = (Homer::at(net.collector()), Phone::at(net.agent(1)));
    let exports = format!(
        "[hep]\nto = \"{}\"\n[telemetry]\notlp = \"http://{}:1\"\n",
        homer.address(),
        net.collector()
    );
    // Its health is a metric once it is asked for, and a call says that it is there.
    let trunk = Phone::at(net.surgery());
    let probed = format!("[trunk.surgery]\nprobe = \"{}\"\n", trunk.uri("pbx"));
    let stack = "[stack.clinical]\nteams = [\"hub\"]\n";
    let hub = Setup::new(net)
        .agent("asha", asha.uri("asha"))
        .with("[trunk.surgery]\n", &probed)
        .and(&exports)
        .and(stack)
        .start();
    // What is only counted once it has happened: noise, a message of another version, and a wait.
    let mut stranger = Phone::at(net.stranger());
    let other = stranger.open(&hub, "OPTIONS", "02079460101", &[], "").replace("SIP/2.0\r\n", "SIP/3.0\r\n");
    stranger.send(&other);
    stranger.send("BYE nonsense\r\n\r\n");
    let mut caller = Phone::at(net.surgery());
    caller.call(&hub);
    asha.answer();
    caller.bye();
    asha.hung_up();
    assert_sound(&[hub.call()]);

    let (docs, examples) = ("docs/operate.md", ["examples/grafana.json", "examples/alerts.yml"]);
    let read = |file: &str| fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let asked: BTreeSet<_> = examples.into_iter().chain([docs]).flat_map(|file| named(&read(file))).collect();
    assert!(asked.len() > 30, "{asked:?}");
    let served = wait_for("that the wait is counted", SOON, || {
        let answer = Client::new(hub.web).get("/metrics").body;
        let samples = answer.lines().filter(|line| !line.starts_with('#'));
        let names = samples.filter_map(|line| line.split(['{', ' ']).next().map(str::to_owned));
        let names: BTreeSet<_> = names.collect();
        names.contains("hearken_line_wait_seconds_count").then_some(names)
    });
    let missing: Vec<_> = asked.difference(&served).collect();
    assert!(missing.is_empty(), "{missing:?} are not among {served:#?}");
}
