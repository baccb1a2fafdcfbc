//! A second configuration whose rules are tried beside the first: what it may speak of, and what it means there.

use std::fs;

use hearken::config::{self, Errors, Shadow};
use hearken::id::{ClipId, LineId, TeamId};
use hearken::policy::rules::Measure;

use super::{GOOD, Site, shorts, today};

/// What comes of trying `text` beside the good file.
fn beside_good(text: &str) -> Result<Shadow, Errors> {
    let site = Site::new();
    let live = site.verdict(GOOD).unwrap().deployment;
    let path = site.0.path().join("trial.toml");
    fs::write(&path, text).unwrap();
    config::load_shadow(&path, today(), &live)
}

/// A file with other things than the good one, in another order.
const OTHER: &str = r#"[sip]
listen = ["udp:192.0.2.1:5060"]
[window.mornings]
from = "08:00"
to = "12:00"
[clip.busy]
file = "welcome.wav"
[clip.welcome]
file = "welcome.wav"
[agent.ben]
address = "sip:ben@192.0.2.51"
[team.more]
agents = ["ben"]
[team.hub-navigators]
agents = ["ben"]
[line.emergency]
teams = ["hub-navigators"]
greeting = "busy"
[line.surgeries]
teams = ["more"]
[trunk.elm-tree]
from = ["198.51.100.7"]
line = "surgeries"
[[overflow]]
name = "pressed"
from = "surgeries"
during = "mornings"
when-all = { waiting-over = 2, at = { emergency = { waiting-under = 1 } } }
add-teams = ["hub-navigators"]
announce = "welcome"
"#;

#[test]
fn rules_on_trial_mean_by_their_names_what_the_running_configuration_has() {
    let shadow = beside_good(OTHER).unwrap_or_else(|errors| panic!("{errors}"));
    let [rule] = shadow.trial.rules.rules() else { panic!("{:?}", shadow.trial.rules) };
    assert_eq!(rule.lines, [LineId(0)]);
    assert_eq!((rule.when_all[0].line, rule.when_all[0].measure), (None, Measure::Waiting));
    assert_eq!(rule.when_all[1].line, Some(LineId(1)));
    assert_eq!(rule.actions.add_teams, [TeamId(0)]);
    assert_eq!(rule.actions.announce, Some(ClipId(0)));
    let surroundings = shadow.trial.rules.surroundings();
    assert_eq!(surroundings.teams.len(), 1, "those of the running configuration");
    let window = rule.during.unwrap();
    assert_eq!(shadow.trial.calendar.spec().windows[window.index()].name, "mornings", "windows are its own");
}

#[test]
fn what_the_running_configuration_lacks_is_shown_at_its_place() {
    let spoilt = OTHER
        .replace("[\"hub-navigators\"]\nannounce = \"welcome\"", "[\"more\"]\nannounce = \"busy\"")
        .replace("[line.surgeries]", "[line.surgery]")
        .replace("line = \"surgeries\"", "line = \"surgery\"")
        .replace("from = \"surgeries\"", "from = \"surgery\"");
    let Err(Errors(report)) = beside_good(&spoilt) else { panic!("it is good") };
    assert_eq!(
        shorts(&report).into_iter().filter(|found| found.contains("error")).collect::<Vec<_>>(),
        [
            "26:8 error: the running configuration has no line `surgery` -> surgeries",
            "29:14 error: the running configuration has no team `more`",
            "30:12 error: the running configuration has no clip `busy`",
        ]
    );
}

#[test]
fn a_file_on_trial_must_be_good_by_itself() {
    let Err(Errors(report)) = beside_good(&OTHER.replace("during = \"mornings\"", "during = \"morning\""))
    else {
        panic!("it is good")
    };
    assert!(shorts(&report).iter().any(|found| found.ends_with("there is no window `morning` -> mornings")));
    let site = Site::new();
    let live = site.verdict(GOOD).unwrap().deployment;
    let Err(Errors(report)) = config::load_shadow(&site.0.path().join("nowhere.toml"), today(), &live) else {
        panic!("it is good")
    };
    assert_eq!(shorts(&report), ["file error: the file cannot be read: no such file or directory"]);
}

#[test]
fn the_file_on_trial_is_looked_for_beside_the_file_that_names_it() {
    let site = Site::new();
    let live = site.verdict(&format!("[node]\nshadow = \"trial.toml\"\n{GOOD}")).unwrap().deployment;
    assert_eq!(live.shadow, Some(site.0.path().join("trial.toml")));
}
