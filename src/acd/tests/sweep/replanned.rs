//! Random runs in the middle of which the plan is exchanged, for the same one and for others.

use super::*;
use crate::calendar::{Calendar, Nation, Spec};
use crate::policy::rules::{Actions, Condition, LineOutline, Measure, Rule, RuleBook, Surroundings, Trial};
use crate::time::{Now, Wall};

fn calendar() -> Calendar {
    Calendar::new(Spec::empty("UTC", Nation::EnglandAndWales)).unwrap()
}

fn clocks(mono: Mono) -> Now {
    Now { mono, wall: Wall(i64::try_from(mono.0 / 1_000).unwrap()) }
}

fn book(dice: &mut Dice, plan: &Plan) -> RuleBook {
    let rule = |dice: &mut Dice, at: u32| Rule {
        name: format!("rule {at}"),
        lines: dice.some_of(plan.lines.len() as u64).into_iter().map(LineId).collect(),
        when_any: vec![
            Condition::over(Measure::Waiting, dice.below(4) as u32),
            Condition::longer(Measure::LongestWait, dice.duration()),
        ],
        for_at_least: dice.duration(),
        until: if dice.one_in(2) { vec![Condition::under(Measure::Waiting, 1)] } else { Vec::new() },
        actions: Actions {
            add_teams: dice.teams_of(plan.teams.len() as u64),
            announce: dice.one_in(2).then_some(crate::id::ClipId(at)),
            ..Actions::default()
        },
        ..Rule::default()
    };
    let rules = (0..3).map(|at| rule(dice, at)).collect();
    let outline = |line: &Line| LineOutline { teams: line.teams.clone(), ..LineOutline::default() };
    let lines = plan.lines.iter().map(outline).collect();
    RuleBook::new(rules, Surroundings { lines, ..Surroundings::default() })
}

#[test]
fn the_same_plan_again_changes_nothing_that_comes_after() {
    let (mut replans, mut turned) = (0, 0);
    for seed in 0..SEEDS {
        let mut dice = Dice::new(70, seed);
        let mut plan = dice.plan();
        plan.teams.iter_mut().for_each(|team| team.fair_share = None);
        let (book, calendar, start) = (book(&mut dice, &plan), calendar(), Mono(1_000));
        let mut acd = Distributor::with_rules(plan.clone(), book.clone(), calendar.clone(), clocks(start));
        let mut copy = acd.clone();
        let (mut calls, mut now) = (Calls::default(), start);
        for step in 0..STEPS {
            now = dice.later(now, acd.poll_timeout());
            if dice.one_in(10) {
                replans += 1;
                acd.handle_timeout(now);
                copy.handle_timeout(now);
                acd.replan(plan.clone(), book.clone(), calendar.clone(), clocks(now));
            } else {
                let input = dice.input(&acd, &mut calls);
                let result = acd.handle(input.clone(), now);
                assert_eq!(result, copy.handle(input.clone(), now), "seed {seed} step {step}: {input:?}");
                if result.is_ok() {
                    calls.note(&input);
                }
            }
            let outputs = drain(&mut acd);
            assert_eq!(outputs, drain(&mut copy), "seed {seed} step {step}");
            turned += outputs.iter().filter(|output| matches!(output, Output::Rule { .. })).count();
            calls.note_leaving(&outputs, &acd);
            if acd.rules_due().is_none() {
                assert_eq!(acd.poll_timeout(), copy.poll_timeout(), "seed {seed} step {step}");
            }
        }
    }
    assert!(replans > 1_000 && turned > 1_000, "{replans} replans, {turned} turns of rules");
}

#[test]
fn rules_on_trial_change_nothing_and_agree_with_themselves() {
    let (mut turned, mut apart) = (0, 0);
    for seed in 0..SEEDS {
        let mut dice = Dice::new(72, seed);
        let plan = dice.plan();
        let (live, calendar, start) = (book(&mut dice, &plan), calendar(), Mono(1_000));
        let same = seed % 4 == 0;
        let rules = if same { live.clone() } else { book(&mut dice, &plan) };
        let trial = Trial { rules: rules.into(), calendar: calendar.clone().into() };
        let mut alone = Distributor::with_rules(plan, live, calendar, clocks(start));
        let mut watched = alone.clone();
        watched.watch(trial, None, clocks(start));
        let (mut calls, mut now) = (Calls::default(), start);
        for step in 0..STEPS {
            now = dice.later(now, watched.poll_timeout());
            let input = dice.input(&alone, &mut calls);
            let result = alone.handle(input.clone(), now);
            assert_eq!(result, watched.handle(input.clone(), now), "seed {seed} step {step}: {input:?}");
            if result.is_ok() {
                calls.note(&input);
            }
            let (outputs, mut others) = (drain(&mut alone), drain(&mut watched));
            let before = others.len();
            others.retain(|output| !matches!(output, Output::Disagreement(_)));
            assert_eq!(outputs, others, "seed {seed} step {step}");
            assert!(!same || others.len() == before, "seed {seed} step {step}: the same rules disagree");
            apart += before - others.len();
            turned += outputs.iter().filter(|output| matches!(output, Output::Rule { .. })).count();
            calls.note_leaving(&outputs, &alone);
        }
    }
    assert!(turned > 1_000 && apart > 1_000, "{turned} turns of rules, {apart} disagreements");
}

/// Other teams and times, agents who come, go and come back, lines that are gone.
fn changed(dice: &mut Dice, acd: &Distributor) -> Plan {
    let mut plan = Plan::clone(&acd.plan);
    if dice.one_in(2) {
        plan.agents.push(Agent { name: "new".into(), logged_in: dice.one_in(2), ..Agent::default() });
    }
    let (teams, agents) = (plan.teams.len() as u64, plan.agents.len() as u64);
    for agent in &mut plan.agents {
        agent.gone = dice.one_in(5);
        agent.skills = dice.skills();
    }
    for team in &mut plan.teams {
        *team = dice.team(agents);
    }
    for at in 0..plan.lines.len() {
        plan.lines[at] = dice.line(teams);
        if at > 0 && dice.one_in(4) {
            plan.lines[at].gone = Some(dice.pick(&[Gone::Drain, Gone::Remap(LineId(0)), Gone::Refuse]));
        }
    }
    plan.miss_pause = dice.duration();
    plan
}

#[test]
fn another_plan_loses_nobody_and_ends_no_talk() {
    let (mut talks, mut rang, mut refused, mut remapped) = (0, 0, 0, 0);
    for seed in 0..SEEDS {
        let mut dice = Dice::new(71, seed);
        let (book, calendar, start) = (RuleBook::default(), calendar(), Mono(1_000));
        let mut acd = Distributor::with_rules(dice.plan(), book.clone(), calendar.clone(), clocks(start));
        let (mut calls, mut now) = (Calls::default(), start);
        for step in 0..STEPS {
            let context = || format!("seed {seed} step {step}");
            now = dice.later(now, acd.poll_timeout());
            if dice.one_in(15) && acd.seats.len() < 24 {
                acd.handle_timeout(now);
                let outputs = drain(&mut acd);
                calls.note_leaving(&outputs, &acd);
                let next = changed(&mut dice, &acd);
                if !acd.stranded(&next).is_empty() {
                    refused += 1;
                    continue;
                }
                let before = acd.clone();
                acd.replan(next, book.clone(), calendar.clone(), clocks(now));
                acd.check_invariants();
                let outputs = drain(&mut acd);
                calls.note_leaving(&outputs, &acd);
                let moved = before.plan.moved_seats(&acd.plan);
                let seat_of = |agent: AgentId| moved.get(&agent).copied().unwrap_or(agent);
                let gone =
                    |agent: AgentId| acd.plan.agents.get(agent.index()).is_some_and(|known| known.gone);
                for (call, caller) in before.calls.iter() {
                    let Some(found) = acd.calls.get(call) else { continue };
                    assert_eq!(found.place, caller.place, "{}: {call}", context());
                    remapped += u32::from(found.line != caller.line);
                    if let Stage::Talking(agent) = caller.stage {
                        talks += 1;
                        assert_eq!(found.stage, Stage::Talking(seat_of(agent)), "{}: {call}", context());
                    }
                    for &agent in &caller.rung {
                        rang += 1;
                        let taken = outputs.iter().find_map(|output| match *output {
                            Output::Withdraw { call: of, agent: from, why } if of == *call => {
                                (from == seat_of(agent)).then_some(why)
                            }
                            _ => None,
                        });
                        match taken {
                            None => assert!(found.rung.contains(&seat_of(agent)), "{}: {call}", context()),
                            Some(Withdrawal::AgentGone) => assert!(gone(agent), "{}: {agent}", context()),
                            Some(why) => assert_eq!(why, Withdrawal::Recalled, "{}: {agent}", context()),
                        }
                    }
                }
                for (agent, state, _) in acd.agents().filter(|(agent, ..)| gone(*agent)) {
                    let talks = matches!(state, Availability::Talking(_));
                    assert!(talks || state == Availability::LoggedOut, "{}: {agent} {state:?}", context());
                }
            } else {
                let input = dice.input(&acd, &mut calls);
                if acd.handle(input.clone(), now).is_ok() {
                    calls.note(&input);
                }
                let outputs = drain(&mut acd);
                calls.note_leaving(&outputs, &acd);
            }
            assert!(acd.calls.keys().eq(&calls.alive), "{}: a caller was lost or made up", context());
        }
        end_of_the_day(&mut acd, now);
    }
    assert!(
        talks > 300 && rang > 300 && refused > 50 && remapped > 50,
        "{talks} {rang} {refused} {remapped}"
    );
}

#[test]
fn a_new_rule_sees_the_line_as_it_is_and_an_old_one_is_not_told_twice() {
    let plan = super::super::plan();
    let rule = |name: &str, over: u32| Rule {
        name: name.into(),
        lines: vec![OAK],
        when_any: vec![Condition::over(Measure::Waiting, over)],
        actions: Actions { announce: Some(crate::id::ClipId(1)), ..Actions::default() },
        ..Rule::default()
    };
    let outlines = || Surroundings { lines: vec![LineOutline::default(); 2], ..Surroundings::default() };
    let old = RuleBook::new(vec![rule("old", 1)], outlines());
    let mut acd = Distributor::with_rules(plan.clone(), old, calendar(), clocks(Mono(0)));
    for number in 1..=2 {
        acd.handle(
            Input::Arrive { call: call(number), newcomer: Newcomer::new(OAK, Band::ROUTINE) },
            secs(number),
        )
        .unwrap();
    }
    assert_eq!(drain(&mut acd).len(), 3, "the rule is on, and both were told");
    let next = RuleBook::new(vec![rule("new", 0), rule("old", 1)], outlines());
    acd.replan(plan, next, calendar(), clocks(secs(5)));
    let new = crate::id::RuleId(0);
    let told = |number| Output::Announce { call: call(number), clip: crate::id::ClipId(1), rule: new };
    assert_eq!(drain(&mut acd), [Output::Rule { line: OAK, rule: new, on: true }, told(1), told(2)]);
    acd.handle(Input::Abandon { call: call(1) }, secs(6)).unwrap();
    acd.handle(Input::Abandon { call: call(2) }, secs(7)).unwrap();
    let off = |rule| Output::Rule { line: OAK, rule, on: false };
    assert_eq!(drain(&mut acd), [off(crate::id::RuleId(1)), off(new)]);
}
