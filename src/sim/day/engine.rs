//! One hub's day: the exchange that routes real calls, with callers and agents who follow the load model.
//!
//! Whatever the exchange asks for is done by made-up people on virtual time; it decides everything else itself.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use super::callbacks::Promised;
use super::dice::{Dice, Purpose};
use super::rota;
use super::source::{Recorded, Source};
use super::tally::{End, Sample, Tally, millis};
use crate::acd::announce::What;
use crate::acd::redial::CallerKey;
use crate::acd::{Band, Entry, Exchange, Guide, Input, Newcomer, Output, WayOut};
use crate::calendar::{Local, TimeOfDay};
use crate::config::Deployment;
use crate::config::workload::{Answering, Callers, Load};
use crate::id::{AgentId, CallId, LineId, PracticeId, PromiseId};
use crate::time::{Mono, Now, earlier};

/// How long the day goes on for those who wait at its end.
const AFTERWARDS: Duration = Duration::from_secs(3 * 3_600);
const MINUTE: Duration = Duration::from_secs(60);
/// Bits of a call's number that say where it is kept.
const SLOT_BITS: u32 = 24;

/// What may happen next.
#[derive(Copy, Clone, Debug)]
pub(super) enum Event {
    /// The next caller of a source comes.
    Caller { source: u16, key: u64 },
    /// The next call of the ledger comes.
    Recorded(u32),
    /// Somebody who gave up calls again.
    Redial(Person),
    /// A caller has no more patience.
    GiveUp(CallId),
    /// A phone is picked up, if it still rings for that presentation.
    PickUp { agent: AgentId, ring: Ring },
    /// A talk ends.
    Done { agent: AgentId, call: CallId },
    /// A patient who is called back picks up, or does not.
    Patient { agent: AgentId, call: CallId, reached: bool },
    /// The next step of the rota.
    Rota(u32),
    /// A full minute, to take stock.
    Minute,
}

/// Somebody who calls.
#[derive(Copy, Clone, Debug)]
pub(super) struct Person {
    pub(super) source: u16,
    pub(super) key: u64,
    /// Calls before this one.
    pub(super) attempt: u16,
    /// Which call of the ledger it is.
    recorded: Option<u32>,
}

/// Which presentation of a call it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Ring {
    call: CallId,
    nth: u32,
}

#[derive(Copy, Clone, Debug)]
struct Due {
    at: Mono,
    number: u64,
    event: Event,
}

/// A call that is not over.
#[derive(Copy, Clone, Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) person: Person,
    /// The promise that it stands for: nobody is on the phone.
    pub(super) promise: Option<PromiseId>,
    pub(super) arrived: Mono,
    /// When its caller has no more patience, and whether that is among what is due: most are answered before.
    pub(super) patient_until: Mono,
    pub(super) watched: bool,
    pub(super) presented: u32,
    pub(super) talking: bool,
}

/// Where a source's calls join.
pub(super) struct Way<'a> {
    pub(super) line: LineId,
    pub(super) practice: Option<PracticeId>,
    pub(super) band: Band,
    pub(super) callers: &'a Callers,
    /// Whether a callback may be offered.
    pub(super) callable: bool,
}

/// One hub's day.
pub(super) struct Engine<'a> {
    load: &'a Load,
    copy: u32,
    pub(super) exchange: Exchange,
    sources: Vec<Source<'a>>,
    recorded: &'a [Recorded],
    pub(super) ways: Vec<Way<'a>>,
    rota: Vec<(Mono, Input)>,
    due: BinaryHeap<Reverse<Due>>,
    number: u64,
    calls: Vec<Option<Call>>,
    vacant: Vec<u32>,
    /// Calls and promises that are not over, and callers who will call again.
    pub(super) open: usize,
    pub(super) promised: BTreeMap<PromiseId, Promised>,
    /// How long the phone of a patient rings who is called back.
    pub(super) ring_patients_for: Duration,
    /// By agent, then seats of destinations: what rings there.
    pub(super) rings: Vec<Option<Ring>>,
    answering: Vec<&'a Answering>,
    emergency_lines: Vec<bool>,
    pub(super) tally: &'a mut Tally,
}

/// The exchange of a deployment, as a load's day begins.
pub(super) fn exchange(deployment: &Deployment, load: &Load) -> Exchange {
    let plan = &deployment.plan;
    let midnight = Local { date: load.date, time: TimeOfDay::MIDNIGHT };
    let wall = plan.guide.calendar.instant(midnight, None) + load.from;
    // Rules on trial decide nothing.
    let guide = Guide { trial: None, ..plan.guide.clone() };
    Exchange::new(plan.acd.clone(), guide, Now { mono: Mono(0) + load.from, wall })
}

impl<'a> Engine<'a> {
    pub(super) fn new(
        deployment: &'a Deployment,
        load: &'a Load,
        exchange: Exchange,
        recorded: &'a [Recorded],
        copy: u32,
        seed: u64,
        tally: &'a mut Tally,
    ) -> Engine<'a> {
        let plan = &deployment.plan;
        let trunk = |id: crate::id::TrunkId| &plan.ingress.trunks[id.index()];
        let way = |id, callers| Way {
            line: trunk(id).line,
            practice: trunk(id).practice,
            band: if trunk(id).emergency { Band::EMERGENCY } else { Band::ROUTINE },
            callers,
            callable: !trunk(id).emergency && plan.callbacks.via(id).is_some(),
        };
        let ways = match load.ledger {
            None => load.calls.iter().map(|calls| way(calls.trunk, &*calls.callers)).collect(),
            Some(_) => (0u32..)
                .map(crate::id::TrunkId)
                .zip(&plan.ingress.trunks)
                .map(|(id, _)| way(id, &*load.patients))
                .collect(),
        };
        let people = rota::answering(&plan.acd, load);
        let of_destinations = plan.acd.destinations.iter().zip(&load.destinations);
        let seats = of_destinations.flat_map(|(destination, answering)| {
            std::iter::repeat_n(answering, destination.capacity as usize)
        });
        let answering: Vec<&Answering> = people.into_iter().chain(seats).collect();
        let mut emergency_lines = vec![false; plan.acd.lines.len()];
        for trunk in plan.ingress.trunks.iter().filter(|trunk| trunk.emergency) {
            emergency_lines[trunk.line.index()] = true;
        }
        let sources = load.calls.iter().map(|calls| Source::new(calls, copy, seed, load.from, load.to));
        Engine {
            copy,
            exchange,
            sources: sources.collect(),
            recorded,
            ways,
            rota: rota::steps(&plan.acd, load),
            due: BinaryHeap::new(),
            number: 0,
            calls: Vec::new(),
            vacant: Vec::new(),
            open: 0,
            promised: BTreeMap::new(),
            ring_patients_for: plan.callbacks.ring_for,
            rings: vec![None; answering.len()],
            answering,
            emergency_lines,
            tally,
            load,
        }
    }

    /// Runs the day, or its part up to `end`; asks `tick` at each full minute whether to go on.
    pub(super) fn run(mut self, end: Option<Duration>, tick: &mut dyn FnMut(Mono) -> bool) {
        let begin = Mono(0) + self.load.from;
        let end = Mono(0) + end.unwrap_or(self.load.to + AFTERWARDS);
        for (agent, state, since) in self.exchange.distributor().agents() {
            self.tally.turn(agent, &state, since);
        }
        for source in 0..self.sources.len() {
            self.next_caller(source as u16);
        }
        if let Some(first) = self.recorded.first() {
            self.push(Mono(0) + first.at, Event::Recorded(0));
        }
        if let Some(first) = self.rota.first() {
            self.push(first.0, Event::Rota(0));
        }
        self.push(begin, Event::Minute);
        let mut now = begin;
        self.drain(now);
        loop {
            let next = self.due.peek().map(|due| due.0.at);
            let deadline = self.exchange.poll_timeout();
            let Some(at) = earlier(next, deadline).filter(|&at| at < end) else { break };
            now = at;
            if deadline.is_some_and(|deadline| deadline <= at) {
                self.exchange.handle_timeout(at);
                self.tally.events += 1;
            } else if let Some(Reverse(due)) = self.due.pop() {
                if let Event::Minute = due.event {
                    if !tick(now) {
                        break;
                    }
                    if self.open == 0 && now >= Mono(0) + self.load.to {
                        break;
                    }
                }
                self.take(due.event, now);
            }
            self.drain(now);
        }
        self.close(now);
    }

    /// Those who wait still are counted as such.
    fn close(&mut self, now: Mono) {
        let waits = |call: &&Call| !call.talking && call.promise.is_none();
        let waiting: Vec<Call> = self.calls.iter().flatten().filter(waits).copied().collect();
        for call in waiting {
            self.sample(call.person, call.arrived, now, End::Waiting);
        }
        self.close_promises(now);
        self.tally.close(now);
    }

    fn take(&mut self, event: Event, now: Mono) {
        match event {
            Event::Caller { source, key } => {
                self.next_caller(source);
                self.arrive(Person { source, key, attempt: 0, recorded: None }, now);
            }
            Event::Recorded(at) => {
                if let Some(next) = self.recorded.get(at as usize + 1) {
                    self.push(Mono(0) + next.at, Event::Recorded(at + 1));
                }
                if let Some(call) = self.recorded.get(at as usize) {
                    let source = call.trunk.0 as u16;
                    self.arrive(Person { source, key: call.caller, attempt: 0, recorded: Some(at) }, now);
                }
            }
            Event::Redial(person) => {
                self.open -= 1;
                self.arrive(person, now);
            }
            Event::GiveUp(call) => self.give_up(call, now),
            Event::PickUp { agent, ring } => {
                if self.rings[agent.index()] == Some(ring) {
                    self.tell(Input::Answer { agent, call: ring.call }, now);
                }
            }
            Event::Done { agent, call } => {
                self.tell(Input::Finish { agent, call }, now);
                self.over(call, now);
            }
            Event::Patient { agent, call, reached } => self.patient(call, agent, reached, now),
            Event::Rota(at) => {
                if let Some(next) = self.rota.get(at as usize + 1) {
                    let due = next.0;
                    self.push(due, Event::Rota(at + 1));
                }
                // Somebody who is paused for misses cannot go on a break, and so on: then nothing changes.
                let _ = self.exchange.handle(self.rota[at as usize].1.clone(), now);
                self.tally.events += 1;
            }
            Event::Minute => self.minute(now),
        }
    }

    /// What made-up people do always fits what the exchange asked of them.
    pub(super) fn tell(&mut self, input: Input, now: Mono) {
        let taken = self.exchange.handle(input, now);
        debug_assert_eq!(taken, Ok(()));
        self.tally.events += 1;
    }

    fn next_caller(&mut self, source: u16) {
        if let Some((at, key)) = self.sources[usize::from(source)].next() {
            self.push(at, Event::Caller { source, key });
        }
    }

    /// Somebody is at the door: the line takes the call, or the trunk has it back.
    fn arrive(&mut self, person: Person, now: Mono) {
        if person.attempt == 0 && self.counts(now) {
            self.tally.people += 1;
        }
        let way = &self.ways[usize::from(person.source)];
        let (band, line, callers, callable) = (way.band, way.line, way.callers, way.callable);
        let newcomer = Newcomer { practice: way.practice, ..Newcomer::new(line, band) };
        let key = Some(caller_key(person.key));
        self.tally.events += 1;
        if let Entry::Refuse { .. } = self.exchange.entry(&newcomer, key, now) {
            return self.sample(person, now, now, End::Refused);
        }
        let mut dice = Dice::new(person.key, Purpose::Patience, person.attempt.into());
        let patience = match person.recorded.and_then(|at| self.recorded.get(at as usize)) {
            Some(call) if call.gave_up => call.waited,
            Some(call) => dice.time_beyond(&callers.patience, call.waited),
            None => dice.time(&callers.patience),
        };
        let id = self.seat(Call {
            id: CallId(0),
            person,
            promise: None,
            arrived: now,
            patient_until: now + patience,
            watched: false,
            presented: 0,
            talking: false,
        });
        let taken = self.exchange.arrive(id, newcomer, key, now);
        debug_assert_eq!(taken, Ok(()));
        if callable {
            self.exchange.set_callable(id);
        }
        self.drain(now);
        if self.call(id).is_some_and(|call| call.presented == 0) {
            self.watch(id);
        }
    }

    /// The caller's patience is among what is due from now on.
    fn watch(&mut self, id: CallId) {
        if let Some(call) =
            self.call(id).filter(|call| !call.talking && !call.watched && call.promise.is_none())
        {
            call.watched = true;
            let at = call.patient_until;
            self.push(at, Event::GiveUp(id));
        }
    }

    fn give_up(&mut self, id: CallId, now: Mono) {
        let Some(Call { person, arrived, .. }) = self.call(id).filter(|call| !call.talking).copied() else {
            return;
        };
        self.tell(Input::Abandon { call: id }, now);
        self.sample(person, arrived, now, End::Abandoned);
        self.over(id, now);
        // The redials of a ledger are calls of their own in it.
        let callers = self.ways[usize::from(person.source)].callers;
        let mut dice = Dice::new(person.key, Purpose::Redial, person.attempt.into());
        if person.recorded.is_none() && dice.is(callers.redial) {
            self.open += 1;
            let again = Person { attempt: person.attempt.saturating_add(1), ..person };
            self.push(now + dice.time(&callers.redial_after), Event::Redial(again));
        }
    }

    /// Does what the exchange asks for.
    fn drain(&mut self, now: Mono) {
        while let Some(output) = self.exchange.poll_output() {
            match output {
                Output::Present { call, agent } => self.ring(call, agent, now),
                Output::Withdraw { call, agent, .. } => {
                    self.rings[agent.index()] = None;
                    self.watch(call);
                }
                Output::Connect { call, agent } => self.connect(call, agent, now),
                Output::Availability { agent, state } => self.tally.turn(agent, &state, now),
                Output::Release { call, way, .. } => {
                    if let Some(call) = self.over(call, now)
                        && !(way == WayOut::Callback && self.asked_at_the_end(call, now))
                    {
                        self.sample(call.person, call.arrived, now, End::Released);
                    }
                }
                Output::Tell { call, what } if what.contains(&What::Offer) => self.offered(call, now),
                Output::Callback(news) => self.callback(news, now),
                // Nobody hands a caller on.
                Output::Returned { .. }
                | Output::Rule { .. }
                | Output::Disagreement(_)
                | Output::Announce { .. }
                | Output::Tell { .. } => {}
            }
        }
    }

    fn ring(&mut self, id: CallId, agent: AgentId, now: Mono) {
        let Some(call) = self.call(id) else { return };
        call.presented += 1;
        let (person, nth, patient_until) = (call.person, call.presented, call.patient_until);
        let ring = Ring { call: id, nth };
        self.rings[agent.index()] = Some(ring);
        let answering = self.answering[agent.index()];
        let mut dice = Dice::new(person.key, Purpose::PickUp, u32::from(person.attempt) << 16 | nth & 0xffff);
        if dice.is(answering.no_answer) {
            return self.watch(id);
        }
        let at = now + dice.time(&answering.pick_up);
        self.push(at, Event::PickUp { agent, ring });
        if at >= patient_until {
            self.watch(id);
        }
    }

    fn connect(&mut self, id: CallId, agent: AgentId, now: Mono) {
        self.rings[agent.index()] = None;
        let Some(&mut Call { person, arrived, .. }) = self.call(id) else { return };
        self.sample(person, arrived, now, End::Answered);
        self.talk(id, person, agent, arrived, now);
    }

    /// Somebody whose call arrived then talks with an agent from now on.
    pub(super) fn talk(&mut self, id: CallId, person: Person, agent: AgentId, arrived: Mono, now: Mono) {
        if let Some(call) = self.call(id) {
            call.talking = true;
        }
        if self.counts(arrived) {
            self.tally.reached += 1;
        }
        let known = person.recorded.and_then(|at| self.recorded.get(at as usize)?.talked);
        let callers = self.ways[usize::from(person.source)].callers;
        let talk = known.unwrap_or_else(|| Dice::new(person.key, Purpose::Talk, 0).time(&callers.talk));
        let talk = talk.mul_f64(self.answering[agent.index()].talk_times);
        self.push(now + talk, Event::Done { agent, call: id });
    }

    fn minute(&mut self, now: Mono) {
        let at_end = now + MINUTE;
        self.push(at_end, Event::Minute);
        let distributor = self.exchange.distributor();
        let (mut waiting, mut emergencies) = (0, 0);
        for (line, emergency) in (0u32..).map(LineId).zip(&self.emergency_lines) {
            let standing = distributor.waiting_count(line) + distributor.presented_count(line);
            *(if *emergency { &mut emergencies } else { &mut waiting }) += standing as u32;
        }
        self.tally.minute(now, waiting, emergencies);
    }

    fn counts(&self, arrived: Mono) -> bool {
        arrived >= Mono(0) + self.load.count_from
    }

    pub(super) fn sample(&mut self, person: Person, arrived: Mono, now: Mono, end: End) {
        self.sample_of(person, arrived, now.since(arrived), end);
    }

    pub(super) fn sample_of(&mut self, person: Person, arrived: Mono, waited: Duration, end: End) {
        if self.counts(arrived) {
            self.tally.samples.push(Sample {
                arrived: millis(arrived.since(Mono(0))),
                waited: millis(waited),
                source: person.source,
                copy: self.copy as u16,
                end,
            });
        }
    }

    pub(super) fn call(&mut self, id: CallId) -> Option<&mut Call> {
        self.calls.get_mut(slot(id))?.as_mut().filter(|call| call.id == id)
    }

    /// Gives a call its number and keeps it.
    pub(super) fn seat(&mut self, call: Call) -> CallId {
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.calls.push(None);
            self.calls.len() as u32 - 1
        });
        self.number += 1;
        let id = CallId(self.number << SLOT_BITS | u64::from(slot));
        self.calls[slot as usize] = Some(Call { id, ..call });
        self.open += 1;
        id
    }

    /// A call is over; its caller's number can be called from now on.
    pub(super) fn over(&mut self, id: CallId, now: Mono) -> Option<Call> {
        let call = self.forget(id)?;
        if call.promise.is_none() {
            self.exchange.hung_up(caller_key(call.person.key), now);
        }
        Some(call)
    }

    pub(super) fn forget(&mut self, id: CallId) -> Option<Call> {
        self.call(id)?;
        self.open -= 1;
        self.vacant.push(slot(id) as u32);
        self.calls[slot(id)].take()
    }

    pub(super) fn push(&mut self, at: Mono, event: Event) {
        self.number += 1;
        self.due.push(Reverse(Due { at, number: self.number, event }));
    }
}

fn slot(id: CallId) -> usize {
    (id.0 & ((1 << SLOT_BITS) - 1)) as usize
}

pub(super) fn caller_key(key: u64) -> CallerKey {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&key.to_be_bytes());
    CallerKey(bytes)
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Due) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
