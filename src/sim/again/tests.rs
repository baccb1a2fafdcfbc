//! Days made by hand.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::config;
use crate::switch::plan::Plan;

const RULES: &str = r#"
[sip]
listen = ["udp:192.0.2.1:5060"]
[trunk.surgery]
from = ["192.0.2.10"]
line = "gp"
[line.gp]
teams = ["front"]
wrap-up = "0s"
[team.front]
agents = ["asha"]
[team.hub]
agents = ["ben"]
[agent.asha]
address = "sip:asha@192.0.2.20"
[agent.ben]
address = "sip:ben@192.0.2.21"
"#;

fn plan(text: &str) -> Plan {
    let today = jiff::civil::date(2026, 11, 16);
    let loaded =
        config::parse(text, "test", Path::new(""), today).unwrap_or_else(|e| panic!("{}", e.0.render(false)));
    loaded.deployment.plan
}

const BEGIN: Now = Now { mono: Mono(5_000_000), wall: Wall(1_795_420_800_000) };

/// Calls by the second in which they came, what became of them, how long they waited, how long they talked.
fn day(calls: &[(u64, End, u64, u64)]) -> Recorded {
    let secs = Duration::from_secs;
    let calls = calls.iter().zip(1..).map(|(&(at, was, waited, talked), number)| Call {
        number,
        at: BEGIN.mono + secs(at),
        arrived: BEGIN.wall + secs(at),
        trunk: "surgery".to_owned(),
        cli: None,
        talked: (was == End::Answered).then_some(secs(talked)),
        was,
        waited: secs(waited),
    });
    let staff = ["asha", "ben"].map(|name| (name.to_owned(), Shift::Works)).into();
    let rings = vec![secs(2)];
    Recorded { begin: BEGIN, calls: calls.collect(), staff, shifts: Vec::new(), before: 0, rings }
}

fn seconds(outcomes: &Outcomes) -> Vec<(End, u64)> {
    outcomes.calls.iter().map(|(_, end, waited)| (*end, waited.as_secs())).collect()
}

#[test]
fn the_same_rules_make_the_same_day() {
    let day = day(&[(0, End::Answered, 2, 60), (10, End::Answered, 54, 30), (20, End::GaveUp, 15, 0)]);
    let again = rerun(&day, &plan(RULES));
    assert_eq!(seconds(&again), [(End::Answered, 2), (End::Answered, 54), (End::GaveUp, 15)]);
    assert_eq!(rerun(&day, &plan(RULES)), again);
}

#[test]
fn another_team_shortens_the_waits_of_those_who_waited() {
    let day = day(&[(0, End::Answered, 2, 60), (10, End::Answered, 54, 30), (20, End::GaveUp, 15, 0)]);
    let wider = RULES.replace("teams = [\"front\"]", "teams = [\"front\", \"hub\"]");
    // Ben takes the second at once; he is not free before the third gives up.
    assert_eq!(
        seconds(&rerun(&day, &plan(&wider))),
        [(End::Answered, 2), (End::Answered, 2), (End::GaveUp, 15)]
    );
}

#[test]
fn an_agent_who_was_away_then_is_away_now() {
    let mut day = day(&[(10, End::Answered, 32, 5)]);
    day.shifts.push((BEGIN.mono, "asha".to_owned(), Shift::Pauses));
    day.shifts.push((BEGIN.mono + Duration::from_secs(40), "asha".to_owned(), Shift::Works));
    assert_eq!(seconds(&rerun(&day, &plan(RULES))), [(End::Answered, 32)]);
    day.staff.insert("asha".to_owned(), Shift::Away);
    day.shifts.clear();
    assert_eq!(rerun(&day, &plan(RULES)).calls[0].1, End::Open, "nobody else gave up that day: it waits");
}

#[test]
fn callers_who_were_answered_give_up_as_those_did_who_were_seen_to_wait_as_long() {
    // Half gave up after ten seconds; the others were answered after five.
    let calls: Vec<_> = (0..200)
        .map(|n| if n % 2 == 0 { (n, End::GaveUp, 10, 0) } else { (n, End::Answered, 5, 1) })
        .collect();
    let mut with_patience = day(&calls);
    with_patience.calls.push(Call { waited: Duration::from_secs(30), ..with_patience.calls[1].clone() });
    let people = People::of(&with_patience);
    let gone: usize = with_patience.calls[..200]
        .iter()
        .filter(|call| people.patience(call) == Some(Duration::from_secs(10)))
        .count();
    assert!(gone >= 195, "nearly all who were seen for ten seconds gave up then: {gone}");
    assert_eq!(people.patience(&with_patience.calls[200]), None, "nobody was seen to wait for longer");
}

#[test]
fn calls_of_a_trunk_that_is_gone_are_turned_away() {
    let day = day(&[(0, End::Answered, 2, 60)]);
    let other = RULES.replace("[trunk.surgery]", "[trunk.other]");
    assert_eq!(seconds(&rerun(&day, &plan(&other))), [(End::TurnedAway, 0)]);
}
