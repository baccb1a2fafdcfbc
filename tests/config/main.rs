//! The configuration as its readers meet it: what a good file means, and what is said of a bad one.
#![allow(clippy::unwrap_used)]

mod callbacks;
mod faults;
mod floor_faults;
mod report;
mod rule_faults;
mod rules;
mod sample;
mod shadow;
mod spoilt;
mod treat_faults;
mod web;

use std::fs;
use std::time::Duration;

use hearken::calendar::{Date, Local};
use hearken::call::media::Codec;
use hearken::config::{self, Deployment, Diagnostic, Report, Severity, StoredCli};
use hearken::id::{AgentId, ClipId, LineId, PracticeId, TeamId};
use hearken::sip::{ListenerId, Transport};

/// A small good file, which each test spoils in its own way.
const GOOD: &str = r#"[sip]
listen = ["udp:0.0.0.0:5060", "tcp:192.0.2.1:5060"]
advertise = "192.0.2.1"

[clip.welcome]
file = "welcome.wav"

[practice.elm-tree]
ods = "Y00001"

[practice.riverside]
ods = "Y00002"

[agent.asha]
address = "sip:asha@192.0.2.50"

[agent.ben]
address = "sip:ben@192.0.2.51;transport=tcp"

[team.hub-navigators]
agents = ["asha", "ben"]

[line.surgeries]
greeting = "welcome"
teams = ["hub-navigators"]

[line.emergency]
teams = ["hub-navigators"]

[trunk.elm-tree]
from = ["198.51.100.7"]
practice = "elm-tree"
line = "surgeries"
ddis = ["020 7946 0101"]

[trunk.riverside]
from = ["198.51.100.7", "198.51.100.64/26"]
practice = "riverside"
line = "surgeries"
ddis = ["020 7946 0102"]

[trunk.as-999]
from = ["203.0.113.9"]
emergency = true
line = "emergency"
"#;

/// The day on which files are judged in these tests.
fn today() -> Date {
    "2026-06-01T00:00".parse::<Local>().unwrap().date
}

/// A directory with a clip in it, and the verdict on a file there.
struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("welcome.wav"), "RIFF").unwrap();
        Site(dir)
    }

    fn verdict(&self, text: &str) -> Result<config::Loaded, config::Errors> {
        config::parse(text, "hearken.toml", self.0.path(), today())
    }

    fn report(&self, text: &str) -> Report {
        match self.verdict(text) {
            Ok(loaded) => loaded.warnings,
            Err(errors) => errors.0,
        }
    }
}

/// The good file with one thing in it replaced.
fn spoilt(what: &str, with: &str) -> String {
    assert_eq!(GOOD.matches(what).count(), 1, "{what} must be in the good file once");
    GOOD.replace(what, with)
}

/// A diagnostic on one line: place, severity, message, and what was meant.
fn short(diagnostic: &Diagnostic) -> String {
    let place = match &diagnostic.place {
        Some(place) => format!("{}:{}", place.line, place.column),
        None => "file".to_owned(),
    };
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let meant = diagnostic.suggestion.as_ref().map(|meant| format!(" -> {meant}")).unwrap_or_default();
    format!("{place} {severity}: {}{meant}", diagnostic.message)
}

fn shorts(report: &Report) -> Vec<String> {
    report.diagnostics().iter().map(short).collect()
}

#[test]
fn a_good_file_becomes_the_deployment_it_describes() {
    let site = Site::new();
    let loaded = site.verdict(GOOD).unwrap();
    assert_eq!(shorts(&loaded.warnings), [""; 0]);
    let Deployment { plan, listen, media, clips, ledger, node, .. } = loaded.deployment;

    assert_eq!((node.name.as_str(), node.zone.as_str()), ("hearken", "Europe/London"));
    assert_eq!((listen[0].transport, listen[0].bind), (Transport::Udp, "0.0.0.0:5060".parse().unwrap()));
    assert_eq!(listen[0].advertise, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(clips[0].path, site.0.path().join("welcome.wav"));
    assert_eq!(ledger.cli, StoredCli::Hash);
    assert_eq!(
        (ledger.key_path.to_str(), ledger.side_file.to_str()),
        (Some("hearken.key"), Some("hearken.side"))
    );
    assert_eq!((media.bind, plan.media.address), ("0.0.0.0".parse().unwrap(), "192.0.2.1".parse().unwrap()));
    assert_eq!((media.first_port, media.dead_after), (20_000, Duration::from_secs(20)));
    assert_eq!(plan.media.codecs, [Codec::Pcma, Codec::Pcmu]);
    assert!(plan.sip.listeners.is_empty() && plan.media.threads.is_empty());

    let names: Vec<_> = plan.acd.lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["surgeries", "emergency"], "ids follow the order of the file");
    assert_eq!(plan.acd.lines[0].teams, [TeamId(0)]);
    assert_eq!(plan.acd.teams[0].agents, [AgentId(0), AgentId(1)]);
    assert_eq!(plan.treatments[0].greeting, Some(ClipId(0)));
    assert_eq!(plan.treatments[1].greeting, None);
    assert_eq!(plan.acd.lines[0].ring_for, Duration::from_secs(20));

    let ben = &plan.phones[1];
    assert_eq!(ben.uri, "sip:ben@192.0.2.51;transport=tcp");
    assert_eq!((ben.flow.listener, ben.flow.remote), (ListenerId(1), "192.0.2.51:5060".parse().unwrap()));

    let trunks = &plan.ingress.trunks;
    assert_eq!((trunks[1].practice, trunks[1].line), (Some(PracticeId(1)), LineId(0)));
    assert_eq!(trunks[1].ddis, ["+442079460102"]);
    assert_eq!(trunks[1].from, ["198.51.100.7/32".parse().unwrap(), "198.51.100.64/26".parse().unwrap()]);
    assert!(trunks[2].emergency && trunks[2].ddis.is_empty());
}
