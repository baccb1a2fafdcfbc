//! What the lints find, and what they let pass.

use super::*;

fn over(limit: u32) -> Condition {
    Condition::over(Measure::Waiting, limit)
}

fn under(limit: u32) -> Condition {
    Condition::under(Measure::Waiting, limit)
}

/// What is found about these rules, in words.
fn found(rules: impl IntoIterator<Item = Rule>) -> Vec<String> {
    let book = book(rules);
    let findings = book.lint(&calendar(), MONDAY_EIGHT, &|_, _| true);
    let worded = |finding: Finding| match finding.rule() {
        Some(rule) => format!("{}: {}", book.rule_name(rule), finding.words(&book, &calendar())),
        None => finding.words(&book, &calendar()),
    };
    findings.into_iter().map(worded).collect()
}

fn widening(name: &str, teams: &[u32], when: impl IntoIterator<Item = Condition>) -> Rule {
    let add_teams = teams.iter().map(|&team| TeamId(team)).collect();
    Rule { actions: Actions { add_teams, ..Actions::default() }, ..rule(name, when) }
}

#[test]
fn a_rule_that_can_never_turn_on_is_found() {
    let cases: [(Rule, &str); 9] = [
        (rule("a", [over(8), under(5)]), "`waiting-over = 8` contradicts `waiting-under = 5`"),
        (rule("a", [over(8), under(9)]), "`waiting-over = 8` contradicts `waiting-under = 9`"),
        (rule("a", [under(0)]), "`waiting-under = 0` can never hold"),
        (
            rule("a", [Condition::over(Measure::AgentsLoggedIn, 4)]),
            "`agents-logged-in-over = 4` can never hold",
        ),
        (
            rule(
                "a",
                [Condition::over(Measure::AgentsFree, 1), Condition::under(Measure::AgentsLoggedIn, 2)],
            ),
            "`agents-free-over = 1` contradicts `agents-logged-in-under = 2`",
        ),
        (
            rule("a", [under(1), Condition::longer(Measure::LongestWait, seconds(60))]),
            "`waiting-under = 1` contradicts `longest-wait-over = \"1m\"`",
        ),
        (
            Rule { when_any: vec![under(5), under(9).at(ELM)], ..rule("a", [over(8)]) },
            "its conditions contradict each other",
        ),
        (
            Rule { during: Some(EARLY), not_during: Some(DAILY), ..rule("a", []) },
            "`early` is open only while `daily` is",
        ),
        (Rule { during: Some(WindowId(99)), ..rule("a", []) }, "`` does not open in the next 400 days"),
    ];
    for (rule, why) in cases {
        assert_eq!(found([rule]), [format!("a: this rule can never turn on: {why}")]);
    }
    assert_eq!(found([rule("a", [over(8), under(10)])]), [""; 0]);
    assert_eq!(found([rule("a", [over(8), under(5).at(HUB)])]), [""; 0]);
    let everywhere = Rule { lines: vec![ELM, HUB], ..rule("a", [over(8), under(5).at(HUB)]) };
    assert_eq!(found([everywhere]), [""; 0], "it can on one of its lines");
}

#[test]
fn an_until_that_contradicts_its_conditions_is_found() {
    let until = |until: Condition| Rule { until: vec![until], ..rule("a", [over(8)]) };
    let ends = "a: this rule can never turn on: its `until` holds whenever its conditions do";
    assert_eq!(found([until(over(7))]), [ends]);
    assert_eq!(found([until(under(0))]), ["a: the `until` of this rule can never hold"]);
    assert_eq!(found([until(under(5))]), [""; 0]);
    assert_eq!(found([until(over(9))]), [""; 0], "it may hold too");
}

#[test]
fn an_until_that_ends_a_rule_while_another_of_its_alternatives_holds_is_found() {
    let long = Condition::longer(Measure::LongestWait, seconds(240));
    let any =
        |until: &[Condition]| Rule { when_any: vec![over(8), long], until: until.to_vec(), ..rule("a", []) };
    let words = "a: `until` may hold while `longest-wait-over = \"4m\"` still does, and then turns this rule off all \
                 the same";
    assert_eq!(found([any(&[under(5)])]), [words]);
    let short = Condition::shorter(Measure::LongestWait, seconds(120));
    assert_eq!(found([any(&[under(5), short])]), [""; 0], "it is the opposite of both");
    assert_eq!(found([any(&[])]), [""; 0]);
    let free = Condition::over(Measure::AgentsFree, 2);
    assert_eq!(found([any(&[free])]), [""; 0], "of neither: agents who are free are to have the last word");
}

#[test]
fn a_condition_that_asks_for_nothing_is_found() {
    let always = rule("a", [Condition::under(Measure::AgentsFree, 5)]);
    assert_eq!(found([always]), ["a: the conditions of this rule hold always"]);
    let dead = Rule { when_any: vec![over(8), under(3)], ..rule("a", [over(4)]) };
    assert_eq!(found([dead]), ["a: `waiting-under = 3` can never be what turns this rule on"]);
}

#[test]
fn a_rule_that_an_earlier_one_always_precedes_is_found() {
    let shadowed = "b: `offer` never counts: `a` counts whenever this rule is on";
    let lasting = |rule: Rule, time: u64| Rule { for_at_least: seconds(time), ..rule };
    let until = |rule: Rule, limit: u32| Rule { until: vec![under(limit)], ..rule };
    let during = |rule: Rule, window| Rule { during: Some(window), ..rule };
    let (a, b) = (|limit| rule("a", [over(limit)]), |limit| rule("b", [over(limit)]));
    let again = |rule: Rule| Rule { callers: Callers { redial: Some(true), withheld: None }, ..rule };
    let any = |name, limits: &[u32]| Rule {
        when_any: limits.iter().map(|&limit| over(limit)).collect(),
        ..rule(name, [])
    };
    let shadowing: [[Rule; 2]; 10] = [
        [a(8), b(8)],
        [a(8), b(12)],
        [lasting(a(8), 20), lasting(b(12), 20)],
        [a(8), during(b(8), EARLY)],
        [during(a(8), DAILY), during(b(8), EARLY)],
        [a(8), again(b(8))],
        [any("a", &[8, 20]), any("b", &[9, 30])],
        [until(a(8), 5), until(b(12), 6)],
        [until(lasting(a(8), 10), 5), b(12)].map(|rule| lasting(rule, 0)),
        [a(4), until(lasting(b(12), 20), 6)],
    ];
    for pair in shadowing {
        assert_eq!(found(pair.clone()), [shadowed], "{pair:?}");
    }
    let not_shadowing: [[Rule; 2]; 9] = [
        [a(12), b(8)],
        [lasting(a(8), 20), b(12)],
        [a(8), lasting(b(12), 20)],
        [during(a(8), EARLY), b(8)],
        [during(a(8), MONDAYS), during(b(8), EARLY)],
        [again(a(8)), b(8)],
        [any("a", &[8]), rule("b", [over(8).at(HUB)])],
        [until(a(8), 6), until(b(12), 5)],
        [a(8), until(b(12), 5)],
    ];
    for pair in not_shadowing {
        assert_eq!(found(pair.clone()), [""; 0], "{pair:?}");
    }
}

#[test]
fn widening_without_effect_is_found() {
    assert_eq!(found([widening("a", &[4], [over(8)])]), ["a: `nobody` has no agents"]);
    assert_eq!(
        found([widening("a", &[0], [over(8)])]),
        ["a: `add-teams` adds nothing: all their agents answer the line already"]
    );
    assert_eq!(
        found([widening("a", &[1, 3], [over(8)]), widening("b", &[3], [over(9)])]),
        ["b: `add-teams` adds nothing: `a` adds them whenever this rule is on"]
    );
    assert_eq!(found([widening("a", &[1], [over(8)]), widening("b", &[3], [over(9)])]), [""; 0]);
}

#[test]
fn an_action_that_may_not_touch_any_call_of_its_lines_is_found() {
    let rule = Rule { lines: vec![EMERGENCY], ..rule("a", [over(8)]) };
    assert_eq!(found([rule]), ["a: `offer` may not touch emergency calls, and this line has no others"]);
}

#[test]
fn a_line_that_nobody_can_answer_in_some_hours_is_found() {
    let mut surroundings = surroundings();
    surroundings.lines[0].teams.clear();
    let unanswered = |rules: &[Rule]| {
        let book = RuleBook::new(rules.to_vec(), surroundings.clone());
        let findings = book.lint(&calendar(), MONDAY_EIGHT, &|_, _| true);
        findings.iter().map(|finding| finding.words(&book, &calendar())).collect::<Vec<_>>()
    };
    assert_eq!(unanswered(&[]), ["nobody can answer `elm-tree` at any time of the week"]);
    let on_mondays = Rule { during: Some(MONDAYS), ..widening("a", &[1], []) };
    assert_eq!(
        unanswered(std::slice::from_ref(&on_mondays)),
        ["nobody can answer `elm-tree` from Monday 00:00 to Monday 08:00, from Monday 09:30 to Monday 00:00"]
    );
    let otherwise = Rule { not_during: Some(MONDAYS), ..widening("b", &[3], []) };
    assert_eq!(unanswered(&[on_mondays, otherwise]), [""; 0]);
}

#[test]
fn agents_who_could_never_be_presented_its_calls_do_not_answer_a_line() {
    let able = |rules: &[Rule], able: &[u32]| {
        let book = book(rules.to_vec());
        let findings =
            book.lint(&calendar(), MONDAY_EIGHT, &|line, agent| line != ELM || able.contains(&agent.0));
        findings.iter().map(|finding| finding.words(&book, &calendar())).collect::<Vec<_>>()
    };
    let members = surroundings().teams[1].agents.clone();
    assert!(!members.is_empty());
    let on_mondays = Rule { during: Some(MONDAYS), ..widening("a", &[1], []) };
    let hours =
        "nobody can answer `elm-tree` from Monday 00:00 to Monday 08:00, from Monday 09:30 to Monday 00:00";
    assert_eq!(able(&[on_mondays], &[members[members.len() - 1].0]), [hours]);
    assert_eq!(able(&[], &[]), ["nobody can answer `elm-tree` at any time of the week"]);
    assert_eq!(able(&[], &[surroundings().teams[0].agents[0].0]), [""; 0]);
}
