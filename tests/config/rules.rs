//! Calendars, lines, rules and tests: what they become, and how what is odd about them is drawn.

use std::fs;
use std::time::Duration;

use hearken::acd::{Strategy, WayOut};
use hearken::calendar::{Instead, Nation, Occasion};
use hearken::id::{AgentId, ClipId, DestinationId, LineId, PracticeId, RuleId, SkillId, TeamId, WindowId};
use hearken::policy::rules::{Condition, Measure, Refusal, RouteTo};
use hearken::switch::codes::Code;

use super::{Site, shorts};

/// A good file with one of everything.
pub(crate) const FULL: &str = r#"[sip]
listen = ["udp:192.0.2.1:5060"]

[clip.busy]
file = "welcome.wav"

[window.core-hours]
days = ["mon", "tue", "wed", "thu", "fri"]
from = "08:00"
to = "18:30"
except = ["bank-holidays"]

[window.peak]
days = ["mon"]
from = "08:00"
to = "09:30"
except = ["bank-holidays", "2027-01-04"]

[practice.elm-tree]
hours = "core-hours"
zone = "Europe/London"
nation = "scotland"
[[practice.elm-tree.override]]
dates = ["2026-12-24", "2026-12-28..2026-12-31"]
closed = true

[skill.nursing]

[agent.asha]
address = "sip:asha@192.0.2.50"
skills = { nursing = 2 }

[agent.ben]
address = "sip:ben@192.0.2.51"

[agent.carys]
address = "sip:carys@192.0.2.52"

[team.hub]
agents = ["asha", "ben"]
strategy = "ordered"
keep-free-for-emergency = 1
fair-share = true
share = { elm-tree = 2 }

[team.others]
agents = ["carys"]

[line.elm-tree]
teams = ["hub"]
needs = { nursing = 2 }
relax = [{ after = "2m", needs = { nursing = 1 } }, { after = "4m", needs = {} }]
widen = [{ after = "3m", add-teams = ["others"] }]
max-wait = "45m"
way-out = { route-to = "pbx" }
leave-when-empty = "goodbye"
most-per-practice = 30
first = "pbx"

[line.emergency]
teams = ["hub"]
emergency-parallel = 2

[destination.pbx]
address = "sip:reception@192.0.2.60"
capacity = 2
ring-for = "15s"

[trunk.elm-tree]
from = ["198.51.100.7"]
practice = "elm-tree"
line = "elm-tree"

[trunk.as-999]
from = ["203.0.113.9"]
emergency = true
line = "emergency"

[[overflow]]
name = "peak"
from = "elm-tree"
during = "peak"
when-any = { waiting-over = 8, longest-wait-over = "4m" }
when-all = { redial = false, at = { emergency = { waiting-under = 3 } } }
for-at-least = "20s"
until = { waiting-under = 5, longest-wait-under = "2m" }
add-teams = ["others"]
announce = "busy"

[[overflow]]
name = "full"
from = ["elm-tree"]
when-all = { waiting-over = 30 }
refuse = 503
retry-after = "1m"
during = "core-hours"
[[test]]
name = "peak"
at = "2026-11-23T08:15"
trunk = "elm-tree"
given = { "elm-tree.waiting" = 9 }
expect = "peak"

[[test]]
at = "2026-11-23T08:15"
given = { elm-tree.waiting = 31, caller.redial = true }
expect = ["full"]

[feature-codes]
reasons = { 7 = "prayer" }
ready = ""
"#;

#[test]
fn a_rule_may_compare_waits_with_a_destination_that_is_asked_often_enough() {
    let compares = "route-to = \"pbx\"\nif-its-wait-is-less = true";
    let text = FULL.replace("announce = \"busy\"\n", &format!("announce = \"busy\"\n{compares}\n"));
    let loaded = Site::new().verdict(&text).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(shorts(&loaded.warnings), [""; 0]);
    let route_to = loaded.deployment.plan.guide.rules.rules()[0].actions.route_to;
    assert_eq!(route_to, Some(RouteTo { destination: DestinationId(0), if_its_wait_is_less: true }));
    for every in ["0s", "60s"] {
        let seldom = text.replacen("[sip]\n", &format!("[sip]\nprobe-phones-every = \"{every}\"\n"), 1);
        assert_eq!(
            shorts(&Site::new().report(&seldom)),
            [
                "91:23 warning: destinations are asked too seldom for their waits, which are believed for a minute"
            ]
        );
    }
}

#[test]
fn a_good_file_becomes_what_it_describes() {
    let loaded = Site::new().verdict(FULL).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((shorts(&loaded.warnings), loaded.tests), (vec![], 2));
    let plan = loaded.deployment.plan;
    let (calendar, rules) = (&plan.guide.calendar, &plan.guide.rules);

    let spec = calendar.spec();
    assert_eq!(spec.practices[0].hours, Some(WindowId(0)));
    assert_eq!((spec.nation, spec.practices[0].nation), (Nation::EnglandAndWales, Some(Nation::Scotland)));
    assert_eq!(spec.windows[1].except[0], Occasion::BankHolidays);
    assert!(matches!(spec.windows[1].except[1], Occasion::Dates(_)));
    let closed = &spec.overrides[0];
    assert_eq!((closed.practice, closed.hours, closed.dates.len()), (PracticeId(0), Instead::Closed, 2));

    let [line, emergency] = &plan.acd.lines[..] else { panic!("two lines") };
    assert_eq!(line.needs, [(SkillId(0), 2)].into());
    assert_eq!((line.relax.len(), line.widen[0].add_teams[..].to_vec()), (2, vec![TeamId(1)]));
    assert_eq!((line.max_wait, line.way_out), (Some(secs(2_700)), WayOut::RouteTo(DestinationId(0))));
    assert_eq!((line.leave_when_empty, line.join_when_empty), (Some(WayOut::Goodbye), true));
    assert_eq!((line.most_per_practice, line.first), (Some(30), Some(DestinationId(0))));
    assert_eq!((line.emergency_parallel, emergency.emergency_parallel), (1, 2));
    let hub = &plan.acd.teams[0];
    assert_eq!((hub.strategy, hub.keep_free_for_emergency), (Strategy::Ordered, 1));
    assert_eq!(hub.fair_share, Some([(PracticeId(0), 2)].into()));
    assert_eq!(plan.acd.agents[0].skills, [(SkillId(0), 2)].into());

    let seats: Vec<_> = plan.acd.seats(DestinationId(0)).collect();
    assert_eq!(seats, [AgentId(3), AgentId(4)], "seats come behind the agents");
    assert_eq!(plan.phones.len(), 5, "each with a phone");
    assert_eq!(plan.phones[4].uri, "sip:reception@192.0.2.60");
    assert_eq!(plan.acd.rest.busy, secs(3));

    let [peak, full] = rules.rules() else { panic!("two rules") };
    assert_eq!(
        (peak.during, &peak.lines[..], peak.callers.redial),
        (Some(WindowId(1)), &[LineId(0)][..], Some(false))
    );
    let elsewhere = Condition::under(Measure::Waiting, 3).at(LineId(1));
    assert_eq!(peak.when_all, [elsewhere]);
    let longer = Condition::longer(Measure::LongestWait, secs(240));
    assert_eq!(peak.when_any, [Condition::over(Measure::Waiting, 8), longer]);
    assert_eq!((peak.for_at_least, &peak.actions.add_teams[..]), (secs(20), &[TeamId(1)][..]));
    assert_eq!(peak.actions.announce, Some(ClipId(0)));
    assert_eq!(full.actions.refuse, Some(Refusal::Unavailable { retry_after: secs(60) }));
    assert_eq!(rules.rules_of(LineId(0)).collect::<Vec<_>>(), [RuleId(0), RuleId(1)]);
    let outline = &rules.surroundings().lines;
    assert_eq!((outline[0].practice, outline[0].emergency), (Some(PracticeId(0)), false));
    assert!(outline[1].emergency && outline[1].practice.is_none());

    let dialled: Vec<_> = plan.codes.dialled.iter().map(|(number, code)| (number.as_str(), *code)).collect();
    let expected = [
        ("*11", Code::LogIn),
        ("*12", Code::LogOut),
        ("*13", Code::Pause),
        ("*15", Code::Extend),
        ("*16", Code::TakeCase),
        ("*17", Code::Dispose),
        ("*18", Code::GiveBack),
    ];
    assert_eq!(dialled, expected, "an empty text switches a code off");
    assert_eq!(plan.codes.reasons, [('7', "prayer".to_owned())]);
}

#[test]
fn a_test_that_fails_says_what_was_expected_what_came_and_why() {
    let text = FULL.replace("\"elm-tree.waiting\" = 9", "\"elm-tree.waiting\" = 8");
    let errors = Site::new().verdict(&text).unwrap_err().to_string();
    let expected = r#"error: test `peak` fails: expected `peak`, got `stay`
   --> hearken.toml:102:10
    |
102 | expect = "peak"
    |          ^^^^^^
    |
    = help: `peak`: 8 callers wait, not over 8; the longest wait is 0s, not over 4m

"#;
    assert_eq!(errors, expected, "{errors}");
}

#[test]
fn a_rule_that_never_counts_is_drawn_with_the_one_that_does() {
    let later = r#"[[overflow]]
name = "fuller"
from = "elm-tree"
when-all = { waiting-over = 40 }
refuse = 503
during = "core-hours"

[feature-codes]"#;
    let report = Site::new().report(&FULL.replace("[feature-codes]", later));
    let expected = r#"warning: `refuse` never counts: `full` counts whenever this rule is on
   --> hearken.toml:113:10
    |
 91 | name = "full"
    |        ------ this comes first
...
113 | refuse = 503
    |          ^^^

"#;
    assert_eq!(report.render(false), expected, "{report}");
}

#[test]
fn hours_in_which_nobody_can_answer_are_named() {
    let text = FULL
        .replace("[line.emergency]\nteams = [\"hub\"]", "[line.emergency]")
        .replace("from = \"elm-tree\"\nduring", "from = [\"elm-tree\", \"emergency\"]\nduring")
        .replace(
            "at = \"2026-11-23T08:15\"\ngiven = { elm-tree",
            "at = \"2026-11-24T08:15\"\ngiven = { elm-tree",
        )
        .replace("when-all = { redial = false, at = { emergency = { waiting-under = 3 } } }\n", "");
    let found = shorts(&Site::new().report(&text));
    let expected = "60:7 warning: nobody can answer `emergency` from Monday 00:00 to Monday 08:00, \
                    from Monday 09:30 to Monday 00:00";
    assert_eq!(found, [expected]);
}

#[test]
fn hours_in_which_nobody_can_answer_who_knows_what_is_needed_are_named() {
    let relax = "relax = [{ after = \"2m\", needs = { nursing = 1 } }, { after = \"4m\", needs = {} }]\n";
    let text = FULL
        .replace("first = \"pbx\"\n", "")
        .replace("widen = [{ after = \"3m\", add-teams = [\"others\"] }]\n", "");
    let needed = text
        .replace(relax, "")
        .replace("skills = { nursing = 2 }\n", "")
        .replace("\"sip:carys@192.0.2.52\"", "\"sip:carys@192.0.2.52\"\nskills = { nursing = 2 }");
    let found = shorts(&Site::new().report(&needed));
    let hours = "49:7 warning: nobody can answer `elm-tree` from Monday 00:00 to Monday 08:00, \
                 from Monday 09:30 to Monday 00:00";
    assert_eq!(found, [hours]);
    let kept = text.replace("keep-free-for-emergency = 1", "keep-free-for-emergency = 2");
    let found = shorts(&Site::new().report(&kept));
    let none = "42:27 warning: team `hub` has 2 agents, so that none would answer routine calls";
    assert_eq!(found, [none, hours]);
}

#[test]
fn an_override_of_a_window_that_another_depends_on_changes_something() {
    let text = FULL.replace("during = \"core-hours\"\n", "");
    assert_eq!(shorts(&Site::new().report(&text)).len(), 1);
    let peak = "except = [\"bank-holidays\", \"2027-01-04\"]";
    let text = text.replace(peak, &format!("{peak}\ninclude = [\"core-hours\"]"));
    assert_eq!(shorts(&Site::new().report(&text)), [""; 0]);
}

#[test]
fn bank_holidays_come_from_a_file_and_are_known_to_end() {
    let site = Site::new();
    let json = |date: &str| {
        let nation = |name: &str| {
            format!(
                "\"{name}\": {{\"division\": \"{name}\", \"events\": [{{\"title\": \"Day\", \"date\": \"{date}\"}}]}}"
            )
        };
        let nations = ["england-and-wales", "scotland", "northern-ireland"].map(nation);
        format!("{{{}}}", nations.join(","))
    };
    let text = format!("[node]\nholidays = \"days.json\"\n{FULL}");
    let path = site.0.path().join("days.json");
    fs::write(&path, json("2026-11-23")).unwrap();
    let found = shorts(&site.report(&text));
    let fails = [
        "104:10 error: test `peak` fails: expected `peak`, got `stay`",
        "109:10 error: test `number 2` fails: expected `full`, got `stay`",
    ];
    assert_eq!(found, fails);
    fs::write(&path, json("2026-08-29")).unwrap();
    let found = shorts(&site.report(&text));
    let ends =
        |nation| format!("2:12 warning: the bank holidays of {nation} are known until 2026-08-29 only");
    assert_eq!(found, [ends("england-and-wales"), ends("scotland")]);
    fs::write(&path, json("2026-08-30")).unwrap();
    assert_eq!(shorts(&site.report(&text)), [""; 0], "90 days ahead");
    fs::write(&path, "[]").unwrap();
    let found = shorts(&site.report(&text));
    assert!(found[0].starts_with("2:12 error: `days.json` is of no use: "), "{found:?}");
}

#[test]
fn lists_are_bounded() {
    let site = Site::new();
    let rule = "[[overflow]]\nname = \"x\"\n";
    let report = site.report(&format!("{FULL}{}", rule.repeat(999)));
    assert!(
        shorts(&report)
            .iter()
            .any(|found| found.ends_with("error: there are more than 1000 of [[overflow]]"))
    );
    let names = vec!["\"asha\""; 10_001].join(",");
    let report = site.report(&FULL.replace("[\"asha\", \"ben\"]", &format!("[{names}]")));
    assert!(shorts(&report).iter().any(|found| found.ends_with("`agents` lists more than 10000 texts")));
}

/// Spoils the file in each way and compares what is said of it.
pub(crate) fn check(cases: &[(&str, &str, &[&str])]) {
    let site = Site::new();
    let mut failures = String::new();
    for (what, with, expected) in cases {
        assert_eq!(FULL.matches(what).count(), 1, "{what} must be in the file once");
        let found = shorts(&site.report(&FULL.replace(what, with)));
        if found != *expected {
            failures
                .push_str(&format!("{what} -> {with}\n  found    {found:#?}\n  expected {expected:#?}\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
