//! What goes wrong besides the network: people, plans, clocks, power and processes.

use std::time::Duration;

use crate::acd::Band;
use crate::id::{AgentId, CallId};
use crate::switch::{AgentOrder, CallerOrder, CaseOrder, Input, Output, PathwayOrder, Switch};
use crate::time::Now;

use super::peer::Phase;
use super::peer::script::Script;
use super::referee::{Fault, LONGEST_STALL};
use super::site::Kind;
use super::sound::Sound;
use super::{Due, World};

/// One thing that goes wrong.
#[derive(Copy, Clone, Debug)]
pub(super) enum Trouble {
    /// Somebody sets an agent's state.
    Order,
    /// A supervisor does something with a caller.
    Supervise,
    /// An agent hands a caller on.
    HandOn,
    /// A clinician does something with a case, or a pathway answers.
    Treat,
    /// An agent dials a feature code.
    Code,
    /// A new plan.
    Reload,
    /// The wall clock is set.
    Clock,
    /// A phone is without power for a while.
    PowerCut,
    /// It has power again, and knows nothing of its calls.
    Power(usize),
    /// A trunk answers no OPTIONS for a while.
    Deafness,
    /// A connection breaks.
    Break,
    /// The switch's process does not run for a while.
    Stall,
    /// The process dies, and another one takes over the switch a while later.
    Death,
    Rebirth,
    Drain,
    Stop,
}

/// The switch as it was stored, and what has come in since.
pub(super) struct Shadow {
    stored: Vec<u8>,
    inputs: Vec<(Input, Now)>,
    outputs: Vec<u8>,
    most: usize,
}

impl Shadow {
    pub(super) fn note(&mut self, input: &Input, now: Now) {
        self.inputs.push((input.clone(), now));
    }

    pub(super) fn saw(&mut self, output: &Output) {
        self.outputs.extend(stored(output));
    }
}

fn stored(what: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_stdvec(what).expect("plain data can be written")
}

impl World {
    /// Draws what will go wrong until `end`.
    pub(super) fn plan_troubles(&mut self, end: Duration) {
        let kinds: [(Trouble, u32, usize); 12] = [
            (Trouble::Order, 600, 12),
            (Trouble::Supervise, 500, 8),
            (Trouble::HandOn, 700, 16),
            (Trouble::Treat, 700, 24),
            (Trouble::Code, 600, 8),
            (Trouble::Reload, 300, 4),
            (Trouble::Clock, 300, 3),
            (Trouble::PowerCut, 300, 3),
            (Trouble::Break, 150, 3),
            (Trouble::Stall, 150, 3),
            (Trouble::Death, 150, 3),
            (Trouble::Deafness, 400, 3),
        ];
        let end = u64::try_from(end.as_millis()).unwrap_or(0) + 20_000;
        for (kind, chance, most) in kinds {
            if self.dice.chance(chance) {
                for _ in 0..=self.dice.below(most) {
                    let at = self.dice.between(0, end);
                    self.after(at, Due::Trouble(kind));
                }
            }
        }
        if self.dice.chance(60) {
            let at = self.dice.between(end / 2, end);
            self.after(at, Due::Trouble(Trouble::Drain));
            if self.dice.chance(500) {
                let at = at + self.dice.between(0, 60_000);
                self.after(at, Due::Trouble(Trouble::Stop));
            }
        }
    }

    pub(super) fn trouble(&mut self, trouble: Trouble) -> Result<(), Fault> {
        self.current.clear();
        if self.closing && !matches!(trouble, Trouble::Power(_) | Trouble::Rebirth) {
            return Ok(());
        }
        self.ladder.note(self.mono, "", format!("{trouble:?}"));
        match trouble {
            Trouble::Order => self.order(),
            Trouble::Supervise => self.supervise(),
            Trouble::HandOn => self.hand_on(),
            Trouble::Treat => self.treat(),
            Trouble::Code => {
                self.dial_code();
                Ok(())
            }
            Trouble::Reload => {
                let old = self.switch.plan().clone();
                let plan = self.site.reloaded(&old, &mut self.dice);
                self.give(Input::Reload(Box::new(plan)))
            }
            Trouble::Clock => {
                self.tally.note("clock jumps");
                let far = self.dice.pick(&[2_000, 3_600_000, 90_000_000]);
                self.wall_set += self.dice.below(2 * far) as i64 - far as i64;
                Ok(())
            }
            Trouble::PowerCut => {
                self.power_cut();
                Ok(())
            }
            Trouble::Power(at) => {
                let back = self.peers.iter_mut().filter(|peer| peer.host == at && peer.phase != Phase::Over);
                back.for_each(|peer| (peer.dead, peer.forgetful) = (false, true));
                Ok(())
            }
            Trouble::Deafness => {
                let until = self.mono + self.dice.between(500, 40_000);
                let at = self.dice.below(self.site.hosts.len());
                self.site.hosts[at].deaf_until = until.0;
                Ok(())
            }
            Trouble::Break => {
                let at = self.dice.below(self.site.hosts.len());
                self.breaks(at)
            }
            // What waits for the end of one would be overtaken by what comes during another.
            Trouble::Stall if self.mono <= self.stalled_until => Ok(()),
            Trouble::Stall => {
                self.tally.note("stalls");
                self.stalled = true;
                self.stalled_until = self.mono + self.dice.between(50, LONGEST_STALL.as_millis() as u64);
                Ok(())
            }
            Trouble::Death if self.is_down => Ok(()),
            Trouble::Death => {
                self.die();
                Ok(())
            }
            Trouble::Rebirth => self.rise(),
            Trouble::Drain => {
                self.tally.note("drains");
                self.draining = true;
                self.give(Input::Drain)
            }
            Trouble::Stop => {
                self.tally.note("stops");
                self.draining = true;
                self.give(Input::Stop)
            }
        }
    }

    fn order(&mut self) -> Result<(), Fault> {
        let agents = self.switch.plan().phones.len();
        let agent = AgentId(self.dice.below(agents) as u32);
        let order = match self.dice.below(5) {
            0 => AgentOrder::LogOut(agent),
            1 => AgentOrder::Pause(agent, "lunch".into()),
            2 => AgentOrder::Resume(agent),
            _ => AgentOrder::LogIn(agent),
        };
        self.give(Input::Agent(order))
    }

    fn supervise(&mut self) -> Result<(), Fault> {
        let calls: Vec<CallId> = self.switch.callers(Now::default()).iter().map(|call| call.id).collect();
        if calls.is_empty() {
            return Ok(());
        }
        let call = self.dice.pick(&calls);
        let order = match self.dice.below(8) {
            0 | 1 => CallerOrder::Flag(call),
            2 => CallerOrder::Rank(call, Band(1 + self.dice.below(2) as u8)),
            3 | 4 => CallerOrder::Credit(call, self.dice.between(0, 60_000)),
            5 | 6 => CallerOrder::Move(call, self.dice.pick(&["elm", "river", "emergency"]).to_owned()),
            _ => CallerOrder::HangUp(call),
        };
        self.tally.note("supervisors' orders");
        self.ladder.note(self.mono, "", format!("{order:?}"));
        self.give(Input::Caller(order))?;
        let place = self.switch.place(call).map(|(_, place)| place.rank);
        self.books.stands_anew(call, place);
        Ok(())
    }

    fn hand_on(&mut self) -> Result<(), Fault> {
        let talking: Vec<AgentId> =
            self.books.talking().filter_map(|name| self.switch.plan().acd.agent_named(name)).collect();
        if talking.is_empty() {
            return Ok(());
        }
        let to = ["elm", "river", "emergency", "agent-0", "agent-1", "call-backs", "call-backs", "pharmacy"];
        let order = AgentOrder::Transfer(self.dice.pick(&talking), self.dice.pick(&to).to_owned());
        self.ladder.note(self.mono, "", format!("{order:?}"));
        self.give(Input::Agent(order))
    }

    /// What comes by an interface: it may fit or not.
    fn treat(&mut self) -> Result<(), Fault> {
        let clinicians = self.switch.plan().phones.len();
        let anybody = AgentId(self.dice.below(clinicians) as u32);
        let cases: Vec<_> =
            self.books.open_cases().map(|(case, held)| (case, held.map(str::to_owned))).collect();
        let referrals: Vec<_> = self.books.referrals().collect();
        let pathway = self.switch.plan().pathway_named("pharmacy");
        if let (Some(pathway), true) = (pathway, self.dice.chance(250)) {
            let order = match (self.dice.below(3), referrals.is_empty()) {
                (1, false) => PathwayOrder::Acknowledge(self.dice.pick(&referrals)),
                (2, false) => PathwayOrder::Decline(self.dice.pick(&referrals)),
                _ => PathwayOrder::Report(pathway, self.dice.below(3) as u32),
            };
            self.ladder.note(self.mono, "", format!("{order:?}"));
            return self.give(Input::Pathway(order));
        }
        if cases.is_empty() {
            return Ok(());
        }
        let (case, holder) = cases[self.dice.below(cases.len())].clone();
        // Mostly whoever has it.
        let holder = holder.and_then(|name| self.switch.plan().acd.agent_named(&name));
        let agent = holder.filter(|_| self.dice.chance(800)).unwrap_or(anybody);
        let order = match (self.dice.below(8), pathway) {
            (0, _) => CaseOrder::Take(agent),
            (1..=3, _) => CaseOrder::TakeThis(agent, case),
            (4, _) => CaseOrder::GiveBack(agent, case),
            (5 | 6, Some(pathway)) => CaseOrder::Refer(agent, case, pathway),
            _ => CaseOrder::Close(agent, case, self.dice.pick(&["21", "21", "99"]).to_owned()),
        };
        self.ladder.note(self.mono, "", format!("{order:?}"));
        self.give(Input::Case(order))
    }

    fn dial_code(&mut self) {
        let phones: Vec<_> = self.site.hosts.iter().enumerate().collect();
        let phones = phones
            .into_iter()
            .filter(|(_, host)| host.kind == Kind::Phone && host.users[0].starts_with("agent"));
        let phones: Vec<_> = phones.map(|(at, host)| (at, host.users.clone())).collect();
        let (at, users) = phones[self.dice.below(phones.len())].clone();
        let user = users[self.dice.below(users.len())].clone();
        let code = self.dice.pick(&[
            "*11", "*11", "*12", "*13", "*131", "*14", "*15", "*16", "*16", "*16", "*1721", "*18", "*99",
        ]);
        let script = Script::code(&mut self.minds);
        self.tally.note("codes");
        self.dials(at, code, &user, script);
    }

    fn power_cut(&mut self) {
        let phones = |world: &World, at: usize| world.site.hosts[at].kind == Kind::Phone;
        let at = self.dice.below(self.site.hosts.len());
        if !phones(self, at) {
            return;
        }
        self.tally.note("power cuts");
        let wait = self.dice.between(500, 40_000);
        self.site.hosts[at].dead_until = (self.mono + wait).0;
        self.peers.iter_mut().filter(|peer| peer.host == at).for_each(|peer| peer.dead = true);
        self.after(wait, Due::Trouble(Trouble::Power(at)));
    }

    /// The process dies. Its media legs and connections are gone, and what is sent to it is lost.
    fn die(&mut self) {
        self.tally.note("deaths of the process");
        (self.is_down, self.died) = (true, self.mono);
        (self.sound, self.shadow) = (Sound::default(), None);
        self.watches.clear();
        // Whoever has still to answer does so by a new connection.
        self.pipes.iter_mut().for_each(|pipe| pipe.age += 1);
        self.stalled_until = self.mono + self.dice.between(10, 3_000);
        self.at(self.stalled_until, Due::Trouble(Trouble::Rebirth));
    }

    /// Another process takes over the switch as it was stored.
    fn rise(&mut self) -> Result<(), Fault> {
        self.is_down = false;
        self.referee.nobody_since(self.died, self.mono);
        // What was begun while nobody listened was no connection: the rest of it does not arrive either.
        self.pipes.iter_mut().for_each(|pipe| pipe.age += 1);
        self.switch = postcard::from_bytes(&stored(&self.switch)).expect("what was written can be read");
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.dice.bits().to_le_bytes());
        self.give(Input::Restart { seed, incomplete: false })
    }

    /// Now and then the switch is stored, to be lost a while later.
    pub(super) fn begin_shadow(&mut self) {
        if self.shadow.is_none() && self.dice.chance(self.crashes) {
            let most = 1 + self.dice.below(60);
            let stored = stored(&self.switch);
            self.shadow = Some(Shadow { stored, inputs: Vec::new(), outputs: Vec::new(), most });
        }
    }

    /// The switch is lost, restored as it was stored, and given again what came in since: it must say the same.
    pub(super) fn end_shadow(&mut self) -> Result<(), Fault> {
        let Some(shadow) = self.shadow.take_if(|shadow| shadow.inputs.len() >= shadow.most) else {
            return Ok(());
        };
        let mut restored: Switch =
            postcard::from_bytes(&shadow.stored).expect("what was written can be read");
        let mut outputs = Vec::new();
        for (input, now) in shadow.inputs {
            restored.handle(input, now);
            while let Some(output) = restored.poll_output() {
                outputs.extend(stored(&output));
            }
        }
        self.tally.note("crashes");
        let call_id = self.current.clone();
        if outputs != shadow.outputs {
            return Err(Fault { call_id, what: "a restored switch said something else".to_owned() });
        }
        if stored(&restored) != stored(&self.switch) {
            return Err(Fault { call_id, what: "a restored switch is another".to_owned() });
        }
        self.switch = restored;
        Ok(())
    }
}
