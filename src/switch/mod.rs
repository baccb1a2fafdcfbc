//! The switch: the one machine that owns every transaction, dialog, call, line and agent.
//!
//! [`Switch::handle`] changes it, [`Switch::poll_output`] drains what the world must do,
//! [`Switch::poll_timeout`] says when to wake it. It reads no clock, opens no socket, takes no lock and
//! draws no randomness but from the generator seeded at construction: the same inputs at the same times
//! give the same outputs, byte for byte.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::acd::callback::Miss;
use crate::acd::cases::Cases;
use crate::acd::pathway::Pathways;
use crate::acd::{Availability, Exchange, Place};
use crate::call::Call;
use crate::call::leg::Leg;
use crate::call::ports::Ports;
use crate::call::record::CallRecord;
use crate::id::{AgentId, CallId, CaseId, DestinationId, LegId, LineId, PromiseId, RuleId, TrunkId};
use crate::rng::{Rng, Seed};
use crate::sip::Flow;
use crate::sip::dialog::Dialog;
use crate::sip::transaction::{self, ClientTx, ServerTx, Transactions};
use crate::sip::wire::{Framer, Limits};
use crate::time::{Deadlines, Mono, Now};

mod agents;
mod arrive;
pub mod board;
pub mod callbacks;
mod case_call;
mod cases;
pub mod codes;
mod desk;
mod dial;
mod dispose;
mod door;
mod drain;
mod end;
pub mod following;
mod health;
mod hold;
mod indialog;
mod invariants;
pub mod io;
mod legs;
pub mod orders;
mod pathways;
pub mod plan;
mod refer;
mod reload;
mod restart;
mod say;
mod shed;
mod transfer;
mod waits;
mod wish;

use health::Peer;
pub use io::{AgentOrder, Counters, Event, Input, Output, PathwayOrder, Seen};
pub use io::{CallerOrder, CaseNews, CaseOrder};
pub use orders::{Order, Refused, ToAgent, WithCase};
use plan::Plan;

#[cfg(test)]
mod tests;

/// By how many milliseconds the wall clock may stray before rules are told.
const CLOCK_TOLERANCE_MS: u64 = 500;

/// A process's first promise has the number of its beginning in milliseconds, times two to this, and as many random bits:
/// promises outlive the run, and a clock that goes wrong must not give two of them one number.
const PROMISE_BITS: u32 = 20;

/// All of call control as one deterministic state machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Switch {
    plan: Plan,
    rng: Rng,
    limits: Limits,
    now: Now,
    transactions: Transactions,
    framers: BTreeMap<Flow, Framer>,
    exchange: Exchange,
    pathways: Pathways,
    /// By [`StackId`].
    stacks: Vec<Cases>,
    /// Of every open case what a clinician must know.
    case_files: BTreeMap<CaseId, cases::File>,
    last_case: u64,
    /// The case that each clinician has taken by phone.
    in_hand: BTreeMap<AgentId, CaseId>,
    /// One instant on both clocks, as the exchange last learnt it.
    clock: Now,
    /// Makes callers known again without keeping their numbers.
    cli_key: Seed,
    calls: BTreeMap<CallId, Call>,
    legs: BTreeMap<LegId, Leg>,
    /// Promised callbacks that are not settled.
    promises: BTreeMap<PromiseId, callbacks::Dossier>,
    by_tag: BTreeMap<String, LegId>,
    client_txs: BTreeMap<ClientTx, Ask>,
    server_txs: BTreeMap<ServerTx, LegId>,
    /// Dialogs of calls that are over, by the INVITE whose 2xx must be acknowledged before our BYE.
    farewells: BTreeMap<ServerTx, Box<Dialog>>,
    /// Dialogs of legs that are gone, by the INVITE of ours within them that has no final response.
    reinvited: BTreeMap<ClientTx, Box<Dialog>>,
    deadlines: Deadlines<Timer>,
    ports: Vec<Ports>,
    /// Where agents' phones are.
    phone_hosts: BTreeSet<IpAddr>,
    /// Where each agent's media came from last time.
    heard_from: BTreeMap<AgentId, SocketAddr>,
    /// Phones that have answered OPTIONS at least once.
    seen: BTreeSet<AgentId>,
    /// Phones that were seen and are not there now.
    absent: BTreeSet<AgentId>,
    /// What is known of the trunks that are asked whether they are there.
    #[serde(default)]
    trunks: BTreeMap<TrunkId, health::Health>,
    /// Agents in wrap-up, and the call that each has done with.
    wrapping_up: BTreeMap<AgentId, CallId>,
    /// Of those calls the ones that are over.
    recent: BTreeMap<CallId, Box<CallRecord>>,
    drain: drain::Drain,
    shed: shed::Shed,
    last_call: u64,
    last_leg: u64,
    /// The number of the last announcement.
    last_said: u32,
    routine_calls: usize,
    outputs: VecDeque<Output>,
    counters: Counters,
}

/// Why a request of ours was sent, to know what its response means.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Ask {
    /// The INVITE that presents a call to an agent, or rings a patient's phone.
    Invite(LegId),
    /// A re-INVITE that passes a change of direction across the bridge.
    Reinvite(LegId),
    /// An OPTIONS that asks whether a silent leg's dialog still stands.
    Probe(LegId),
    /// An OPTIONS that asks whether an agent's phone is there.
    Health(AgentId),
    /// An OPTIONS that asks whether a trunk is there.
    TrunkHealth(TrunkId),
}

/// Deadlines of the switch's own; those of transactions and of the distributor are theirs.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Timer {
    /// The phone has given no sign of life.
    Unreachable(LegId),
    /// The patient's phone has rung for as long as it may.
    Unanswered(LegId),
    /// The probe of a silent leg has no answer.
    Probe(LegId),
    /// A re-INVITE of ours has no final response.
    Reinvite(LegId),
    /// A leg that could not be taken off hold for glare is tried again.
    Resume(LegId),
    /// An agent's phone has not said that it is there. It comes before the next question of the same instant, with
    /// which the phone would be given time again.
    PhoneSilent(AgentId),
    /// An agent's phone is to be asked whether it is there.
    AskPhone(AgentId),
    /// A trunk has not said that it is there; it too comes before the next question.
    TrunkSilent(TrunkId),
    /// A trunk is to be asked whether it is there.
    AskTrunk(TrunkId),
    /// A destination has not said for long how long its callers wait.
    ReportStale(DestinationId),
    /// An agent who dialled a feature code has had time to hear what came of it.
    CodeCall(LegId),
    /// A caller on the way out, or an agent whose patient is not to be had, has had time to hear why.
    Goodbye(CallId),
    /// A caller has not confirmed a callback, or the ledger has not written it.
    Wish(CallId),
    /// The drain has lasted as long as it may.
    Drain,
}

impl Switch {
    /// A switch that runs on `plan`, with no calls, at `now`.
    pub fn new(plan: Plan, seed: Seed, now: Now) -> Switch {
        let timing = transaction::Timing { t1: plan.sip.t1, t2: plan.sip.t2, t4: plan.sip.t4 };
        let phone_hosts = plan.phone_hosts();
        let mut transactions = Transactions::new(timing);
        // What is left of the room under a flood is for emergencies and for the phones that answer them.
        let reserved = plan.ingress.emergency_hosts().chain(phone_hosts.iter().copied()).collect();
        transactions.set_room(Transactions::ROOM, reserved);
        let mut rng = Rng::new(seed);
        let mut cli_key = Seed::default();
        for part in cli_key.chunks_mut(8) {
            part.copy_from_slice(&rng.bits().to_le_bytes()[..part.len()]);
        }
        let mut switch = Switch {
            rng,
            limits: Limits::default(),
            now,
            transactions,
            framers: BTreeMap::new(),
            exchange: Exchange::new(plan.acd.clone(), plan.guide.clone(), now),
            stacks: Vec::new(),
            case_files: BTreeMap::new(),
            last_case: 0,
            in_hand: BTreeMap::new(),
            pathways: Pathways::new(plan.pathways.clone(), pathways::FRESH_FOR),
            clock: now,
            cli_key,
            calls: BTreeMap::new(),
            legs: BTreeMap::new(),
            promises: BTreeMap::new(),
            by_tag: BTreeMap::new(),
            client_txs: BTreeMap::new(),
            server_txs: BTreeMap::new(),
            farewells: BTreeMap::new(),
            reinvited: BTreeMap::new(),
            deadlines: Deadlines::default(),
            ports: plan.media.threads.iter().map(Ports::new).collect(),
            phone_hosts,
            heard_from: BTreeMap::new(),
            seen: BTreeSet::new(),
            absent: BTreeSet::new(),
            trunks: BTreeMap::new(),
            wrapping_up: BTreeMap::new(),
            recent: BTreeMap::new(),
            drain: drain::Drain::Open,
            shed: shed::Shed::default(),
            last_call: 0,
            last_leg: 0,
            last_said: 0,
            routine_calls: 0,
            outputs: VecDeque::new(),
            counters: Counters::default(),
            plan,
        };
        switch.replan_stacks();
        switch.number_promises();
        switch.watch_peers();
        switch
    }

    /// Promises have numbers from here on that no other run, and none before, has given out.
    fn number_promises(&mut self) {
        let millis = u64::try_from(self.now.wall.0).unwrap_or(0);
        let random = self.rng.bits() & ((1 << PROMISE_BITS) - 1);
        self.exchange.number_promises_from(PromiseId((millis << PROMISE_BITS) | random));
    }

    /// Changes the switch by one input. Deadlines that passed before it fire first, each at its own time; but before
    /// [`Input::Restart`] nobody was there to meet them, and time stood still.
    pub fn handle(&mut self, input: Input, now: Now) {
        // What does not fit changes nothing.
        let _ = self.obey(input, now);
    }

    /// The same for somebody who wants to know whether an order was obeyed; what is no order always is.
    pub fn obey(&mut self, input: Input, now: Now) -> Result<(), Refused> {
        match &input {
            Input::Restart { .. } => self.wake_up(now),
            _ => self.run_deadlines(now),
        }
        self.now = now;
        self.follow_clock();
        let mut obeyed = Ok(());
        match input {
            Input::Datagram { flow, bytes, waited } => self.datagram(flow, &bytes, waited),
            Input::Chunk { flow, bytes } => self.chunk(flow, &bytes),
            Input::Closed { flow } => self.closed(flow),
            Input::Media(event) => self.media_event(event),
            Input::Agent(order) => obeyed = self.agent_order(order),
            Input::Caller(order) => obeyed = self.caller_order(order),
            Input::Pathway(order) => obeyed = self.pathway_order(order),
            Input::Case(order) => obeyed = self.case_order(order),
            Input::Reload(plan) => self.reload(*plan),
            Input::Promises(promises) => self.restore_promises(promises),
            Input::Cases(cases) => self.restore_cases(cases),
            Input::Kept(promise) => self.kept(promise),
            Input::Drain => self.begin_drain(),
            Input::Stop => self.stop(),
            Input::Restart { seed, incomplete } => self.restart(seed, incomplete),
            Input::Wake => {}
        }
        self.pump();
        if cfg!(debug_assertions) {
            self.check_invariants();
        }
        obeyed
    }

    /// The next thing that the world must do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to wake the switch with [`Input::Wake`], if nothing else comes first.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let own = [self.deadlines.next(), self.pathways.poll_timeout()];
        let own = own.into_iter().chain(self.stacks.iter().map(Cases::poll_timeout));
        [self.transactions.poll_timeout(), self.exchange.poll_timeout()]
            .into_iter()
            .chain(own)
            .flatten()
            .min()
    }

    /// Calls that are up, waiting or talking.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Every agent's name and availability.
    pub fn agents(&self) -> impl Iterator<Item = (String, Availability)> {
        self.exchange.distributor().agents().map(|(agent, state, _)| (self.agent_name(agent), state))
    }

    /// The line of a call that is not over, and its place there.
    pub fn place(&self, call: CallId) -> Option<(LineId, Place)> {
        self.exchange.distributor().place(call)
    }

    /// Whether nothing is left to wait for: no call, no leg, no request without its final response.
    pub fn is_quiet(&self) -> bool {
        self.calls.is_empty() && self.legs.is_empty() && !self.transactions.awaits_response()
    }

    /// Whether nothing at all is left: quiet, every transaction over, every port free.
    pub fn is_empty(&self) -> bool {
        self.leftovers().is_empty()
    }

    /// What is left, by name, for tests that expect nothing.
    pub fn leftovers(&self) -> Vec<&'static str> {
        let parts = [
            ("calls", self.calls.is_empty()),
            ("legs", self.legs.is_empty()),
            ("tags", self.by_tag.is_empty()),
            ("transactions", self.transactions.is_empty()),
            ("requests of ours", self.client_txs.is_empty() && self.reinvited.is_empty()),
            ("requests of others", self.server_txs.is_empty() && self.farewells.is_empty()),
            ("deadlines", self.deadlines.is_empty()),
            ("ports", self.ports.iter().all(Ports::all_free)),
        ];
        parts.into_iter().filter(|(_, empty)| !empty).map(|(name, _)| name).collect()
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What the transaction layer counted.
    pub fn transaction_counters(&self) -> &transaction::Counters {
        self.transactions.counters()
    }

    /// The plan it runs on.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Tells the exchange when the wall clock was set; drift is told as well, once it can be noticed.
    fn follow_clock(&mut self) {
        let passed = self.now.mono.since(self.clock.mono);
        let expected = self.clock.wall + passed;
        if expected.0.abs_diff(self.now.wall.0) > CLOCK_TOLERANCE_MS {
            self.clock = self.now;
            self.exchange.set_clock(self.now);
        }
    }

    /// Fires every deadline up to `now`, in order of time across all floors.
    fn run_deadlines(&mut self, now: Now) {
        self.transactions.woken_at(now.mono);
        while let Some(at) = self.poll_timeout().filter(|&at| at <= now.mono) {
            let late = now.mono.since(at);
            let late_ms = i64::try_from(late.as_millis()).unwrap_or(i64::MAX);
            self.now = Now { mono: at, wall: crate::time::Wall(now.wall.0.saturating_sub(late_ms)) };
            self.transactions.handle_timeout(at);
            self.exchange.handle_timeout(at);
            self.pathways.handle_timeout(at);
            self.stacks.iter_mut().for_each(|stack| stack.handle_timeout(at));
            while let Some((_, timer)) = self.deadlines.pop_due(at) {
                match timer {
                    Timer::Unreachable(leg) => self.phone_is_dead(leg),
                    Timer::Unanswered(leg) => self.patient_is_silent(leg, Miss::NoAnswer),
                    Timer::Probe(leg) => self.peer_is_dead(leg),
                    Timer::Reinvite(leg) => self.reinvite_is_late(leg),
                    Timer::Resume(leg) => self.resume(leg),
                    Timer::AskPhone(agent) => self.ask_peer(Peer::Phone(agent)),
                    Timer::AskTrunk(trunk) => self.ask_peer(Peer::Trunk(trunk)),
                    Timer::PhoneSilent(agent) => self.peer_is_absent(Peer::Phone(agent)),
                    Timer::TrunkSilent(trunk) => self.peer_is_absent(Peer::Trunk(trunk)),
                    Timer::ReportStale(destination) => self.forget_report(destination),
                    Timer::CodeCall(leg) => self.end_code_call(leg),
                    Timer::Goodbye(call) => self.end_goodbye(call),
                    Timer::Wish(call) => self.wish_timed_out(call),
                    Timer::Drain => self.stop(),
                }
            }
            self.pump();
        }
    }

    /// Lets the floors below speak until they have nothing more to say.
    fn pump(&mut self) {
        loop {
            if let Some(output) = self.transactions.poll_output() {
                match output {
                    transaction::Output::Send { flow, bytes } => {
                        self.outputs.push_back(Output::Send { flow, bytes })
                    }
                    transaction::Output::Event(event) => self.transaction_event(event),
                }
            } else if let Some(output) = self.exchange.poll_output() {
                self.exchange_output(output);
            } else if let Some(ended) = self.pathways.poll_output() {
                self.referral_ended(ended);
            } else if let Some(breached) = self.stacks.iter_mut().find_map(Cases::poll_output) {
                self.case_breached(breached);
            } else {
                break;
            }
        }
    }

    fn transaction_event(&mut self, event: transaction::Event) {
        use transaction::Event::*;
        match event {
            Request { tx, flow, request } => self.request(tx, flow, request),
            Ack { request, .. } => self.ack(&request),
            Cancelled { tx } => self.cancelled(tx),
            Response { tx, flow, response } => self.response(tx, flow, response),
            Failed { tx, .. } => self.request_failed(tx),
            Unacknowledged { tx } => {
                if let Some(&leg) = self.server_txs.get(&tx) {
                    self.forget_owed(tx, leg);
                    self.peer_is_dead(leg);
                } else if let Some(dialog) = self.farewells.remove(&tx) {
                    self.say_bye(*dialog);
                }
            }
        }
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn agent_name(&self, agent: AgentId) -> String {
        self.plan.acd.name_of(agent)
    }

    fn rule_name(&self, rule: RuleId) -> String {
        self.plan.guide.rules.rule_name(rule).to_owned()
    }

    fn line_name(&self, line: LineId) -> String {
        self.plan.acd.lines.get(line.index()).map_or_else(|| line.to_string(), |line| line.name.clone())
    }
}
