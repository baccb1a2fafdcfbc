//! Answers in words, and the tests that stand in the configuration.

use super::*;
use crate::policy::Band;

fn written() -> RuleBook {
    let widen = Actions { add_teams: vec![TeamId(1)], ..Actions::default() };
    book([
        Rule {
            during: Some(MONDAYS),
            when_any: vec![
                Condition::over(Measure::Waiting, 8),
                Condition::longer(Measure::LongestWait, seconds(240)),
            ],
            for_at_least: seconds(20),
            until: vec![Condition::under(Measure::Waiting, 5)],
            actions: widen,
            ..rule("monday", [])
        },
        rule("hub-full", [Condition::over(Measure::Waiting, 12)]),
        rule("offer", [Condition::over(Measure::Waiting, 3), Condition::under(Measure::Waiting, 12).at(HUB)]),
        Rule {
            callers: Callers { redial: Some(true), withheld: None },
            ..rule("again", [Condition::under(Measure::EstimatedWait, 1)])
        },
    ])
}

fn asked(given: &[(Measure, u64)]) -> Question {
    let given = given.iter().map(|&(measure, value)| Given { line: ELM, measure, value }).collect();
    Question { given, ..Question::new(ELM, MONDAY_EIGHT) }
}

fn words(question: &Question) -> Vec<String> {
    let explanation = written().explain(&calendar(), question);
    explanation.rules.into_iter().map(|verdict| verdict.words).collect()
}

#[test]
fn each_rule_says_why_it_counts_or_the_first_condition_that_fails() {
    let question = asked(&[(Measure::Waiting, 9), (Measure::LongestWait, 90_000_000)]);
    assert_eq!(
        words(&question),
        [
            "counts: `mondays` is open; 9 callers wait, over 8",
            "9 callers wait, not over 12",
            "counts: 9 callers wait, over 3; 0 callers wait in `hub`, under 12",
            "there is no estimated wait",
        ]
    );
    let tuesday = Question { at: MONDAY_EIGHT + seconds(24 * 3600), ..question.clone() };
    assert_eq!(words(&tuesday)[0], "`mondays` is closed: not a Monday");
    let brief = Question { lasted: Some(seconds(19)), ..question };
    assert_eq!(words(&brief)[0], "its conditions have not lasted for 20s");
    let few = asked(&[(Measure::Waiting, 4), (Measure::LongestWait, 241_000_000)]);
    assert_eq!(words(&few)[0], "its `until` holds: 4 callers wait, under 5");
    let quiet = asked(&[(Measure::Waiting, 1), (Measure::EstimatedWait, 0)]);
    assert_eq!(words(&quiet)[0], "1 caller waits, not over 8; the longest wait is 0s, not over 4m");
    assert_eq!(words(&quiet)[3], "it touches only callers who call again");
}

#[test]
fn an_earlier_rule_that_counts_in_its_place_is_named() {
    let explanation = written().explain(&calendar(), &asked(&[(Measure::Waiting, 13)]));
    assert_eq!(explanation.rules[2].words, "`hub-full` comes before it for `offer`");
    assert_eq!(
        explanation.effects,
        ["`hub` may answer too (`monday`)", "a callback is offered (`hub-full`)"]
    );
    assert_eq!(explanation.counting().collect::<Vec<_>>(), [RuleId(0), RuleId(1)]);
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["rules"][2]["outcome"]["on"]["overruled"][0]["kind"], "offer");
    assert_eq!(serde_json::from_value::<Explanation>(json).unwrap(), explanation);
}

#[test]
fn an_emergency_call_is_touched_by_widening_and_announcements_alone() {
    let caller = CallerFacts { band: Band::EMERGENCY, ..CallerFacts::default() };
    let question = Question { caller, ..asked(&[(Measure::Waiting, 13)]) };
    let explanation = written().explain(&calendar(), &question);
    assert_eq!(explanation.rules[1].words, "`offer` may not touch an emergency call");
    assert_eq!(explanation.effects, ["`hub` may answer too (`monday`)"]);
    assert!(explanation.to_string().starts_with("an emergency call: no rule may refuse it"), "{explanation}");
}

#[test]
fn what_is_not_given_is_an_ordinary_day() {
    let book = book([
        rule("nobody", [Condition::under(Measure::AgentsLoggedIn, 4)]),
        rule("busy", [Condition::under(Measure::AgentsFree, 4)]),
    ]);
    let counting = |given: &[(Measure, u64)]| {
        book.explain(&calendar(), &asked(given)).counting().map(|rule| rule.0).collect::<Vec<_>>()
    };
    assert_eq!(counting(&[]), [0; 0]);
    assert_eq!(counting(&[(Measure::Waiting, 1)]), [1], "nobody is free while a caller waits");
    assert_eq!(counting(&[(Measure::AgentsLoggedIn, 3)]), [0]);
}

#[test]
fn a_test_that_fails_says_what_counted_instead_and_why() {
    let test = |expect: &[u32], question: Question| {
        let expect = expect.iter().map(|&rule| RuleId(rule)).collect();
        RuleTest { name: "rush".into(), question, expect }.run(&written(), &calendar())
    };
    let nine = asked(&[(Measure::Waiting, 9)]);
    assert_eq!(test(&[2, 0], nine.clone()), Ok(()));
    assert_eq!(test(&[], asked(&[])), Ok(()));
    let unmet = test(&[0, 1], nine.clone()).unwrap_err();
    assert_eq!(
        unmet.to_string(),
        "`rush` fails\n  expected `hub-full`, which does not count: 9 callers wait, not over 12\n  \
         did not expect `offer`, which counts: 9 callers wait, over 3; 0 callers wait in `hub`, under 12"
    );
    let elsewhere = Question { line: HUB, ..nine };
    let unmet = test(&[0], elsewhere).unwrap_err();
    assert_eq!(unmet.to_string(), "`rush` fails\n  expected `monday`, which is no rule of this line");
}
