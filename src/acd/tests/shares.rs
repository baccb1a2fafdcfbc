//! Practices that share a team, with weights and talks by seed.

use super::*;
use crate::rng::Rng;

const SEEDS: u8 = 16;
/// Callers of each practice, and calls presented: no practice ever runs out.
const CALLERS: u64 = 60;

#[test]
fn practices_with_callers_waiting_are_never_further_apart_than_one_call_of_each() {
    for seed in 0..SEEDS {
        let mut rng = Rng::new([seed; 32]);
        let mut below = |end: u64| rng.bits() % end;
        let practices = 2 + below(4);
        let weights: Vec<i64> = (0..practices).map(|_| 1 + below(9) as i64).collect();
        let mut plan = plan();
        plan.lines[OAK.index()].wrap_up = Duration::ZERO;
        let shares = (0u32..).map(PracticeId).zip(weights.iter().map(|&weight| weight as u32));
        plan.teams[0].fair_share = Some(shares.collect());
        let mut acd = Distributor::new(plan, Mono(0));
        for number in 0..CALLERS * practices {
            let practice = Some(PracticeId((number / CALLERS) as u32));
            let newcomer = Newcomer { practice, ..Newcomer::new(OAK, Band::ROUTINE) };
            acd.handle(Input::Arrive { call: call(number), newcomer }, secs(1)).unwrap();
        }
        for agent in [A, B] {
            acd.handle(Input::LogIn { agent }, secs(2)).unwrap();
        }
        let mut rings: Vec<(AgentId, CallId)> = Vec::new();
        let mut served = vec![0i64; weights.len()];
        while served.iter().sum::<i64>() < CALLERS as i64 {
            for output in std::iter::from_fn(|| acd.poll_output()) {
                let Output::Present { call, agent } = output else { continue };
                rings.push((agent, call));
                served[(call.0 / CALLERS) as usize] += 1;
                for (one, other) in (0..weights.len()).flat_map(|one| (0..one).map(move |other| (one, other)))
                {
                    let apart = served[one] * weights[other] - served[other] * weights[one];
                    let most = weights[one] + weights[other];
                    assert!(apart.abs() <= most, "seed {seed}: {served:?} by {weights:?}");
                }
            }
            let (agent, call) = rings.swap_remove(below(rings.len() as u64) as usize);
            acd.handle(Input::Answer { agent, call }, secs(3)).unwrap();
            acd.handle(Input::Finish { agent, call }, secs(3)).unwrap();
        }
        acd.check_invariants();
    }
}
