//! A plan in the ids of another says the same in names.

use std::collections::BTreeMap;

use super::world::plan;
use crate::acd::{self, Agent, Destination, Line, Relax, Shares, Team, WayOut, Widen};
use crate::id::{AgentId, DestinationId, LineId, PracticeId, SkillId, TeamId};
use crate::policy::rules::{Actions, Condition, Measure, RouteTo, Rule, RuleBook};
use crate::policy::{Practice, Trunk};
use crate::rng::Rng;
use crate::switch::following::Removed;
use crate::switch::plan::{Phone, Plan, Treatment};

type Ids = Vec<usize>;

fn shuffled(rng: &mut Rng, of: usize) -> Ids {
    let mut ids: Ids = (0..of).filter(|&at| at == 0 || !rng.bits().is_multiple_of(4)).collect();
    for at in (1..ids.len()).rev() {
        ids.swap(at, rng.bits() as usize % (at + 1));
    }
    ids
}

/// A plan of some of the things that there are, each with what it refers to drawn by its name, in any order.
fn drawn(rng: &mut Rng) -> Plan {
    let mut drawn = plan(0);
    let [lines, teams, agents, outside, practices] = [4, 4, 6, 3, 4].map(|of| shuffled(rng, of));
    let mut some =
        |of: &Ids| -> Vec<u32> { (0..of.len() as u32).filter(|_| rng.bits().is_multiple_of(2)).collect() };
    let mut teams_of = || some(&teams).into_iter().map(TeamId).collect::<Vec<_>>();
    drawn.acd.lines = lines
        .iter()
        .map(|name| Line {
            name: format!("line {name}"),
            teams: teams_of(),
            widen: vec![Widen { after: std::time::Duration::ZERO, add_teams: teams_of() }],
            first: Some(DestinationId((name % outside.len()) as u32)),
            way_out: WayOut::RouteTo(DestinationId((name / 2 % outside.len()) as u32)),
            ..Line::default()
        })
        .collect();
    let rule = Rule {
        name: "rule".into(),
        lines: some(&lines).into_iter().map(LineId).collect(),
        when_any: vec![Condition::over(Measure::Waiting, 3).at(LineId(0))],
        actions: Actions {
            add_teams: some(&teams).into_iter().map(TeamId).collect(),
            route_to: Some(RouteTo { destination: DestinationId(0), if_its_wait_is_less: false }),
            ..Actions::default()
        },
        ..Rule::default()
    };
    let shares = |some: Vec<u32>| -> Shares { some.into_iter().map(|at| (PracticeId(at), 2)).collect() };
    drawn.acd.teams = teams
        .iter()
        .map(|name| Team {
            name: format!("team {name}"),
            agents: some(&agents).into_iter().map(AgentId).collect(),
            fair_share: Some(shares(some(&practices))),
            ..Team::default()
        })
        .collect();
    drawn.acd.agents =
        agents.iter().map(|name| Agent { name: format!("agent {name}"), ..Agent::default() }).collect();
    drawn.acd.destinations = outside
        .iter()
        .map(|name| Destination {
            name: format!("outside {name}"),
            capacity: 1 + *name as u32,
            ring_for: std::time::Duration::from_secs(20),
        })
        .collect();
    let phone = |uri: String| Phone { uri, flow: super::world::flow("192.0.2.20:5060"), nat: false };
    let people = agents.iter().map(|name| phone(format!("agent {name}")));
    let seats = outside.iter().flat_map(|name| (0..1 + *name).map(move |_| format!("outside {name}")));
    drawn.phones = people.chain(seats.map(phone)).collect();
    drawn.treatments = vec![Treatment::default(); lines.len()];
    drawn.ingress.practices =
        practices.iter().map(|name| Practice { name: format!("practice {name}"), ods: None }).collect();
    let trunk = |name: &usize| Trunk {
        name: format!("trunk {name}"),
        from: vec!["192.0.2.10/32".parse().unwrap()],
        emergency: false,
        practice: Some(PracticeId((name % practices.len()) as u32)),
        line: LineId((name % lines.len()) as u32),
        ddis: Vec::new(),
    };
    drawn.ingress.trunks = practices.iter().map(trunk).collect();
    let surroundings = drawn.acd.surroundings(&drawn.ingress.trunks, Vec::new());
    drawn.guide.rules = RuleBook::new(vec![rule], surroundings).into();
    drawn
}

/// All that a plan says, in names; what is gone is left out.
fn in_names(plan: &Plan) -> BTreeMap<String, String> {
    let acd = &plan.acd;
    let teams =
        |ids: &[TeamId]| -> Vec<String> { ids.iter().map(|id| acd.teams[id.index()].name.clone()).collect() };
    let outside = |id: DestinationId| acd.destinations[id.index()].name.clone();
    let lines =
        |ids: &[LineId]| -> Vec<String> { ids.iter().map(|id| acd.lines[id.index()].name.clone()).collect() };
    let practice = |id: PracticeId| plan.ingress.practices[id.index()].name.clone();
    let mut said = BTreeMap::new();
    for line in acd.lines.iter().filter(|line| line.gone.is_none()) {
        let WayOut::RouteTo(out) = line.way_out else { panic!("{line:?}") };
        let to = (line.first.map(outside), outside(out), teams(&line.widen[0].add_teams));
        said.insert(line.name.clone(), format!("{:?} {to:?}", teams(&line.teams)));
    }
    for rule in plan.guide.rules.rules() {
        let measured = rule.when_any[0].line.map(|line| lines(&[line]));
        let to = rule.actions.route_to.map(|route| outside(route.destination));
        let all = (lines(&rule.lines), measured, teams(&rule.actions.add_teams), to);
        said.insert(rule.name.clone(), format!("{all:?}"));
    }
    for trunk in plan.ingress.trunks.iter().filter(|trunk| !trunk.from.is_empty()) {
        let all = (lines(&[trunk.line]), trunk.practice.map(practice));
        said.insert(trunk.name.clone(), format!("{all:?}"));
    }
    for (agent, phone) in acd.agents.iter().zip(&plan.phones).filter(|(agent, _)| !agent.gone) {
        said.insert(agent.name.clone(), phone.uri.clone());
    }
    let spoken_of: Vec<String> = said.values().cloned().collect();
    for team in acd.teams.iter().filter(|team| spoken_of.iter().any(|said| said.contains(&team.name))) {
        let agents: Vec<&str> = team.agents.iter().map(|id| acd.agents[id.index()].name.as_str()).collect();
        let shares: BTreeMap<String, u32> =
            team.fair_share.iter().flatten().map(|(&id, &weight)| (practice(id), weight)).collect();
        said.insert(team.name.clone(), format!("{agents:?} {shares:?}"));
    }
    said
}

/// The id of every name.
fn ids(plan: &Plan) -> BTreeMap<String, usize> {
    let acd = &plan.acd;
    let lines = acd.lines.iter().map(|known| &known.name).enumerate();
    let teams = acd.teams.iter().map(|known| &known.name).enumerate();
    let agents = acd.agents.iter().map(|known| &known.name).enumerate();
    let outside = acd.destinations.iter().map(|known| &known.name).enumerate();
    let trunks = plan.ingress.trunks.iter().map(|known| &known.name).enumerate();
    let practices = plan.ingress.practices.iter().map(|known| &known.name).enumerate();
    let all = lines.chain(teams).chain(agents).chain(outside).chain(trunks).chain(practices);
    all.map(|(at, name)| (name.clone(), at)).collect()
}

#[test]
fn names_keep_their_ids_and_everything_refers_to_the_names_that_it_did() {
    let mut rng = Rng::new([9; 32]);
    let (mut gone, mut kept) = (0, 0);
    for round in 0..200 {
        let mut old = drawn(&mut rng);
        for step in 0..4 {
            let next = drawn(&mut rng);
            let (said, before) = (in_names(&next), ids(&old));
            let following = next.clone().following(&old, &BTreeMap::new());
            assert_eq!(in_names(&following), said, "round {round} step {step}");
            let after = ids(&following);
            for (name, id) in &before {
                assert_eq!(after.get(name), Some(id), "round {round} step {step}: {name}");
            }
            kept += before.keys().filter(|name| said.contains_key(*name)).count();
            for (tables, named) in [
                (
                    following
                        .acd
                        .lines
                        .iter()
                        .map(|line| (&line.name, line.gone.is_some()))
                        .collect::<Vec<_>>(),
                    ids(&next),
                ),
                (following.acd.agents.iter().map(|agent| (&agent.name, agent.gone)).collect(), ids(&next)),
            ] {
                for (name, is_gone) in tables {
                    assert_eq!(is_gone, !named.contains_key(name), "round {round} step {step}: {name}");
                    gone += usize::from(is_gone);
                }
            }
            let seats: u32 = following.acd.destinations.iter().map(|known| known.capacity).sum();
            assert_eq!(following.phones.len(), following.acd.agents.len() + seats as usize);
            for (id, known) in (0u32..).map(DestinationId).zip(&following.acd.destinations) {
                let phones = following.acd.seats(id).map(|seat| &following.phones[seat.index()].uri);
                assert!(phones.eq(std::iter::repeat_n(&known.name, known.capacity as usize)));
            }
            let lines = following.acd.lines.len();
            assert_eq!(
                (following.treatments.len(), following.guide.rules.surroundings().lines.len()),
                (lines, lines)
            );
            old = following;
        }
    }
    assert!(gone > 500 && kept > 500, "{gone} gone, {kept} kept");
}

#[test]
fn a_line_that_drains_needs_the_skills_that_it_did_whatever_order_they_are_in() {
    let mut old = plan(2);
    let levels =
        |levels: &[(u32, u8)]| levels.iter().map(|&(skill, level)| (SkillId(skill), level)).collect();
    old.acd.skills = vec!["nursing".into(), "welsh".into()];
    old.acd.lines[0].needs = levels(&[(0, 2)]);
    old.acd.lines[0].relax = vec![Relax { after: std::time::Duration::ZERO, needs: levels(&[(0, 1)]) }];
    let mut next = old.clone();
    next.acd.lines[0].name = "other".into();
    next.acd.skills = vec!["polish".into(), "nursing".into()];
    next.acd.lines[0].needs = levels(&[(0, 1)]);
    next.acd.lines[0].relax = vec![Relax { after: std::time::Duration::ZERO, needs: levels(&[(1, 3)]) }];
    next.acd.agents[1].skills = levels(&[(0, 4), (1, 2)]);
    let following = next.following(&old, &[("elm-tree".to_owned(), Removed::Drain)].into()).acd;
    assert_eq!(following.skills, ["nursing", "welsh", "polish"]);
    assert_eq!(following.lines[0], acd::Line { gone: Some(acd::Gone::Drain), ..old.acd.lines[0].clone() });
    assert_eq!(following.lines[2].needs, levels(&[(2, 1)]));
    assert_eq!(following.lines[2].relax[0].needs, levels(&[(0, 3)]));
    assert_eq!(following.agents[1].skills, levels(&[(2, 4), (0, 2)]), "so she answers the line that drains");
}

#[test]
fn the_same_file_in_another_order_changes_nothing_but_the_order() {
    let mut rng = Rng::new([10; 32]);
    let old = drawn(&mut rng);
    let mut next = old.clone();
    next.acd.lines.reverse();
    next.treatments.reverse();
    let last = u32::try_from(next.acd.lines.len() - 1).unwrap();
    next.ingress.trunks.iter_mut().for_each(|trunk| trunk.line = LineId(last - trunk.line.0));
    let following = next.following(&old, &BTreeMap::new());
    assert_eq!((following.acd, following.ingress), (old.acd, old.ingress));
}
