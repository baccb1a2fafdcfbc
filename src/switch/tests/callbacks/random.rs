//! Random days by seed: whatever callers, agents and patients do, each promise comes to exactly one end.

use std::collections::BTreeMap;

use super::*;
use crate::id::PromiseId;
use crate::rng::Rng;
use crate::switch::Switch;
use crate::switch::tests::world::phone;

const SEEDS: u8 = 24;
const STEPS: usize = 500;
const AGENTS: u32 = 3;

struct Day {
    world: World,
    dice: Rng,
    callers: Vec<(Caller, LegId)>,
    /// Phones that ring, of agents and of patients, each with its answer once it has given one.
    phones: Vec<(Ringing, bool)>,
    named: u64,
    requests: u32,
}

impl Day {
    fn below(&mut self, end: u64) -> u64 {
        self.dice.bits() % end
    }

    /// Phones take note of what was sent to them, and answer what must be answered at once.
    fn collect(&mut self) {
        for at in (0..AGENTS).map(phone).chain([OUT.to_owned()]) {
            for text in self.world.take_to(&at) {
                if text.starts_with("INVITE") {
                    let call = |text: &str| header(text, "Call-ID").to_owned();
                    let known = self.phones.iter().any(|(ringing, _)| call(&ringing.invite) == call(&text));
                    if !known && !header(&text, "To").contains("tag=") {
                        let ringing = Ringing { at: at.clone(), invite: text };
                        ringing.reply(&mut self.world, "180 Ringing");
                        self.phones.push((ringing, false));
                    }
                } else if text.starts_with("CANCEL") || text.starts_with("BYE") {
                    let whose = |ringing: &Ringing| {
                        ringing.at == at && header(&ringing.invite, "Call-ID") == header(&text, "Call-ID")
                    };
                    let found = self.phones.iter().position(|(ringing, _)| whose(ringing));
                    let Some((ringing, answered)) = found.map(|found| self.phones.remove(found)) else {
                        continue;
                    };
                    let ok = ringing.response(&text, "200 OK", "");
                    self.world.from(&at, &ok);
                    if !answered {
                        ringing.reply(&mut self.world, "487 Request Terminated");
                    }
                }
            }
        }
        let gone: Vec<String> =
            self.world.take_to(TRUNK).into_iter().filter(|text| text.starts_with("BYE")).collect();
        for bye in gone {
            let Some(at) = self.callers.iter().position(|(caller, _)| header(&bye, "Call-ID") == caller.name)
            else {
                continue;
            };
            let (caller, _) = self.callers.remove(at);
            let ringing = Ringing { at: TRUNK.to_owned(), invite: caller.invite() };
            let ok = ringing.response(&bye, "200 OK", "");
            self.world.from(TRUNK, &ok);
        }
    }

    fn step(&mut self) {
        match self.below(22) {
            0 | 1 if self.callers.len() < 3 => {
                self.named += 1;
                let number = format!("077009000{:02}", self.below(12));
                let mut caller = patient(&format!("c{}", self.named), &number);
                caller.call(&mut self.world);
                let leg = last_leg(&self.world);
                self.callers.push((caller, leg));
            }
            2..=6 if !self.callers.is_empty() => {
                let at = self.below(self.callers.len() as u64) as usize;
                let key = if self.below(8) == 0 { '*' } else { '1' };
                let leg = self.callers[at].1;
                press(&mut self.world, leg, key);
                if self.below(2) == 0 {
                    hear_out(&mut self.world, leg);
                }
            }
            7 if !self.callers.is_empty() => {
                let at = self.below(self.callers.len() as u64) as usize;
                let (mut caller, _) = self.callers.remove(at);
                caller.send(&mut self.world, "BYE", "");
            }
            8..=15 if !self.phones.is_empty() => {
                let at = self.below(self.phones.len() as u64) as usize;
                let what = self.below(6);
                let (ringing, answered) = &mut self.phones[at];
                match (what, *answered) {
                    (0..=2, false) => {
                        *answered = true;
                        ringing.answer(&mut self.world);
                    }
                    (3, false) => {
                        self.phones.remove(at).0.reply(&mut self.world, "486 Busy Here");
                    }
                    (_, false) => ringing.reply(&mut self.world, "180 Ringing"),
                    (0..=2, true) => {
                        self.requests += 1;
                        self.phones.remove(at).0.send(&mut self.world, "BYE", self.requests, "");
                    }
                    (_, true) => {}
                }
            }
            16 | 17 => {
                let agent = AgentId(self.below(u64::from(AGENTS)) as u32);
                let order = match self.below(6) {
                    0 => AgentOrder::LogOut(agent),
                    1..=3 => AgentOrder::Resume(agent),
                    _ => AgentOrder::LogIn(agent),
                };
                self.world.give(Input::Agent(order));
            }
            18 => self.world.disk = self.below(3) > 0,
            _ => {
                let longest = [2, 2, 20, 500][self.below(4) as usize];
                let time = Duration::from_secs(1 + self.below(longest));
                self.world.pass(time);
            }
        }
        self.collect();
    }
}

#[test]
fn each_promise_ends_once_whatever_callers_agents_and_patients_do() {
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut made = 0;
    for seed in 0..SEEDS {
        let mut plan = callback_plan(AGENTS);
        (plan.guide.callbacks.terms.attempts, plan.guide.callbacks.terms.pause) = (2, 30 * SECOND);
        let world = World::on(plan);
        let mut day = Day {
            world,
            dice: Rng::new([seed; 32]),
            callers: Vec::new(),
            phones: Vec::new(),
            named: 0,
            requests: 10,
        };
        for step in 0..STEPS {
            day.step();
            if step == STEPS / 2 {
                // As much of it as a snapshot has.
                let bytes = postcard::to_stdvec(&day.world.switch).unwrap();
                day.world.switch = postcard::from_bytes::<Switch>(&bytes).unwrap();
            }
        }
        day.world.disk = true;
        for agent in 0..AGENTS {
            day.world.give(Input::Agent(AgentOrder::LogOut(AgentId(agent))));
        }
        for _ in 0..40 {
            day.world.pass(20 * MINUTE);
            day.collect();
            while let Some((ringing, answered)) = day.phones.pop() {
                if answered {
                    day.requests += 1;
                    ringing.send(&mut day.world, "BYE", day.requests, "");
                }
                day.collect();
            }
            for (mut caller, _) in std::mem::take(&mut day.callers) {
                caller.send(&mut day.world, "BYE", "");
            }
        }
        let mut settled: BTreeMap<PromiseId, usize> = BTreeMap::new();
        let promises: std::collections::BTreeSet<_> = day.world.promises.iter().map(|p| p.promise).collect();
        for promise in &day.world.promises {
            if let Some((outcome, _)) = promise.settled {
                *settled.entry(promise.promise).or_default() += 1;
                let word = format!("{outcome:?}");
                *ends.entry(word.split('(').next().unwrap().to_owned()).or_default() += 1;
            }
        }
        assert!(settled.values().all(|&count| count == 1), "seed {seed}: {settled:?}");
        let open: Vec<_> = promises.iter().filter(|promise| !settled.contains_key(promise)).collect();
        assert_eq!((open.len(), day.world.switch.promises()), (0, 0), "seed {seed}: {open:?}");
        made += promises.len();
    }
    for end in ["Reached", "Unreached", "Expired", "Cancelled", "OwnCall"] {
        assert!(ends.get(end).is_some_and(|&count| count > 3), "{made} promises: {ends:?}");
    }
}
