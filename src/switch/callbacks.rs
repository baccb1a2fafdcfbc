//! Promised callbacks: what is written down of each, the call that is made for one that is due, and its end.
//!
//! The exchange says when a promise is due and to which agent; here it has a number, a trunk and a record. A
//! promise is made once its record is safe, and every change of it is written.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd::callback::{self, Miss, Number, Outcome, Promise, Request, State};
use crate::acd::{Band, Callback};
use crate::call::Purpose;
use crate::call::record::{PromiseOutcome, PromiseRecord};
use crate::id::{CallId, PracticeId, PromiseId, TrunkId};
use crate::sip::Flow;
use crate::time::{Mono, Wall};

use super::dial::Patient;
use super::{Event, Output, Switch};

/// By how much the revisions of promises jump when some that were written may be forgotten.
const FORGOTTEN_REVISIONS: u32 = 1_000;

/// How patients are called back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackPlan {
    /// Where calls to patients go; `None` when nobody can be called.
    pub via: Option<Flow>,
    /// By [`TrunkId`]: where they go for the callers of one trunk.
    pub by_trunk: Vec<Option<Flow>>,
    /// The number that patients are shown; `None` for the one that they had dialled.
    pub shown: Option<String>,
    /// How the numbers begin that may be called.
    pub numbers: Vec<String>,
    /// How long a patient's phone rings.
    pub ring_for: Duration,
}

impl CallbackPlan {
    /// Where a patient is called who had called by this trunk.
    pub fn via(&self, trunk: TrunkId) -> Option<Flow> {
        self.by_trunk.get(trunk.index()).copied().flatten().or(self.via)
    }

    /// Whether a number may be called: whoever sets a caller's number must not make us call any other.
    pub fn allows(&self, number: &str) -> bool {
        let digits = number.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        digits && self.numbers.iter().any(|begin| number.starts_with(begin.as_str()))
    }
}

/// A promise that is not settled, as the switch knows it beside the exchange.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dossier {
    pub(super) record: PromiseRecord,
    pub(super) trunk: TrunkId,
    pub(super) practice: Option<PracticeId>,
}

/// What became of a promise, for those who watch.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallbackNews {
    /// A caller was promised to be called back.
    Promised,
    /// It comes from an earlier run.
    Restored,
    /// The patient is being called.
    Dialled,
    /// The patient has answered.
    Reached,
    /// The patient was not reached this time.
    Missed(Miss),
    /// It should have been kept by now.
    Escalated,
    /// It is settled.
    Ended(PromiseOutcome),
}

/// What was counted of promised callbacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackCounters {
    /// Promises made.
    pub promised: u64,
    /// Promises of an earlier run that were taken up again.
    pub restored: u64,
    /// Times that a patient was dialled.
    pub dialled: u64,
    /// Patients who answered.
    pub reached: u64,
    /// Dials in vain.
    pub missed: u64,
    /// Promises that were not kept by their breach time.
    pub escalated: u64,
    /// Promises that are settled, however it went.
    pub ended: u64,
    /// Of these, those that failed: patients not reached, promises expired or of a line that is gone.
    pub failed: u64,
    /// Promises that were not made because they could not be written down, or were too many.
    pub not_made: u64,
}

impl Switch {
    /// Promises that are not settled.
    pub fn promises(&self) -> usize {
        self.promises.len()
    }

    /// Promises a callback to a caller who has confirmed it; `None` when there are too many.
    pub(super) fn promise(&mut self, id: CallId) -> Option<(PromiseId, bool)> {
        let call = self.calls.get(&id)?;
        let (caller, number) = (call.key?, call.cli.as_deref().and_then(Number::new)?);
        let (line, band, arrived) = (call.line, call.band, call.since);
        let request = Request { line, caller, number: number.clone(), band, arrived };
        let promise = self.exchange.promise(request, self.now.mono).ok()?;
        let (trunk, practice) = (call.trunk, call.practice);
        let new = !self.promises.contains_key(&promise);
        let made = self.exchange.callbacks().get(promise)?;
        let record = PromiseRecord {
            promise,
            call: id,
            line: self.line_name(line),
            trunk: self.trunk_name(trunk),
            practice: self.practice_name(practice),
            band: made.request.band,
            ddi: self.calls.get(&id).map_or_else(String::new, |call| call.ddi.clone()),
            number: Some(number.as_str().to_owned()),
            cli: None,
            arrived: self.wall_of(made.request.arrived),
            promised: self.now.wall,
            next: self.now.wall,
            breach: self.wall_of(made.breach),
            expires: self.wall_of(made.expires),
            missed: 0,
            escalated: false,
            revision: 0,
            settled: None,
        };
        let dossier = self.promises.entry(promise).or_insert(Dossier { record, trunk, practice });
        dossier.record.band = made.request.band;
        let arrived = made.request.arrived;
        self.promises.get_mut(&promise)?.record.arrived = self.wall_of(arrived);
        self.write_promise(promise);
        Some((promise, new))
    }

    /// A promise that was not made after all.
    pub(super) fn unpromise(&mut self, promise: PromiseId) {
        // Refused when it is settled already.
        let _ = self.exchange.keep(callback::Input::Cancel { promise }, self.now.mono);
    }

    pub(super) fn callback(&mut self, news: Callback) {
        match news {
            Callback::Due { promise } => self.make_call(promise),
            Callback::Undue { call } => self.withdraw_call(call),
            Callback::Dial { call, agent } => {
                self.reserve(call, agent);
                self.dial_patient(call);
            }
            Callback::Excuse { call, .. } => self.excuse(call),
            Callback::Escalated { promise } => {
                if let Some(dossier) = self.promises.get_mut(&promise) {
                    dossier.record.escalated = true;
                    self.counters.callbacks.escalated += 1;
                    self.write_promise(promise);
                    self.tell_of(promise, CallbackNews::Escalated);
                }
            }
            Callback::Ended { promise, outcome } => self.settle_promise(promise, outcome_of(outcome)),
        }
    }

    /// A promise is due: a call without a caller stands in its line.
    fn make_call(&mut self, promise: PromiseId) {
        let Some(due) = self.exchange.callbacks().get(promise) else { return };
        let (line, band) = (due.request.line, due.request.band);
        let Some(Dossier { record, trunk, practice }) = self.promises.get(&promise).cloned() else { return };
        let thread = (0..self.ports.len()).min_by_key(|&thread| (self.ports[thread].usage().0, thread));
        self.last_call += 1;
        let id = CallId(self.last_call);
        let patient = Patient { trunk, practice, line, band, ddi: record.ddi, number: record.number };
        let thread = thread.and_then(|thread| u8::try_from(thread).ok()).unwrap_or(0);
        let call = self.made_call(id, Purpose::Promise(promise), patient, thread);
        self.calls.insert(id, call);
        if self.exchange.stand(promise, id, practice, self.now.mono) != Ok(true) {
            self.calls.remove(&id);
        }
    }

    /// The agent waits: the patient is dialled, if the exchange still says so.
    fn dial_patient(&mut self, call: CallId) {
        let Some(promise) = self.exchange.stands_for(call) else { return };
        if self.exchange.keep(callback::Input::Dial { promise }, self.now.mono).is_err() {
            return;
        }
        let Some(Dossier { record, trunk, .. }) = self.promises.get(&promise) else { return };
        let callee = record.number.clone().and_then(|number| self.callee(*trunk, &record.ddi, number));
        self.counters.callbacks.dialled += 1;
        self.tell_of(promise, CallbackNews::Dialled);
        if !callee.is_some_and(|callee| self.dial(call, callee)) {
            self.patient_missed(call, Miss::Failed);
        }
    }

    /// The patient of a call has answered.
    pub(super) fn patient_reached(&mut self, call: CallId) {
        let Some(promise) = self.exchange.stands_for(call) else { return };
        let _ = self.exchange.keep(callback::Input::Reach { promise }, self.now.mono);
        self.counters.callbacks.reached += 1;
        self.tell_of(promise, CallbackNews::Reached);
    }

    /// The patient of a call was not reached.
    pub(super) fn missed(&mut self, call: CallId, why: Miss) {
        let Some(promise) = self.exchange.stands_for(call) else { return };
        self.counters.callbacks.missed += 1;
        self.tell_of(promise, CallbackNews::Missed(why));
        let _ = self.exchange.keep(callback::Input::Miss { promise, why }, self.now.mono);
        let next = match self.exchange.callbacks().get(promise).map(|promise| promise.state) {
            Some(State::Promised { not_before }) => self.wall_of(not_before),
            _ => self.now.wall,
        };
        if let Some(dossier) = self.promises.get_mut(&promise) {
            dossier.record.missed += 1;
            dossier.record.next = next;
            self.write_promise(promise);
        }
    }

    /// The one end of a promise.
    fn settle_promise(&mut self, promise: PromiseId, outcome: PromiseOutcome) {
        let Some(Dossier { mut record, .. }) = self.promises.remove(&promise) else { return };
        self.counters.callbacks.ended += 1;
        self.counters.callbacks.failed += u64::from(outcome.is_failure());
        record.settled = Some((outcome, self.now.wall));
        record.revision += 1;
        let line = record.line.clone();
        self.outputs.push_back(Output::Promise(Box::new(record)));
        self.emit(Event::Callback { promise, line, news: CallbackNews::Ended(outcome) });
        if outcome == PromiseOutcome::Merged {
            self.follow_merges();
        }
    }

    /// Another promise may have become part of one: its place may be an older one now, and its line another.
    pub(super) fn follow_merges(&mut self) {
        let promises: Vec<_> = self.exchange.callbacks().promises().cloned().collect();
        for Promise { id, request, .. } in promises {
            let (line, arrived) = (self.line_name(request.line), self.wall_of(request.arrived));
            let Some(Dossier { record, .. }) = self.promises.get_mut(&id) else { continue };
            let moved = record.arrived.0.abs_diff(arrived.0) > 1_000;
            if record.line != line || record.band != request.band || moved {
                (record.line, record.band, record.arrived) = (line, request.band, arrived);
                self.write_promise(id);
            }
        }
    }

    /// Takes up promises of an earlier run.
    pub(super) fn restore_promises(&mut self, records: Vec<PromiseRecord>) {
        for record in records {
            let promise = record.promise;
            if self.promises.contains_key(&promise) {
                continue;
            }
            let line = self.plan.acd.line_named(&record.line);
            let trunks = &self.plan.ingress.trunks;
            let of_line = || (0u32..).map(TrunkId).zip(trunks).find(|(_, trunk)| Some(trunk.line) == line);
            let named = self.plan.ingress.trunk_named(&record.trunk);
            let trunk = named.or_else(|| Some(of_line()?.0)).unwrap_or(TrunkId(0));
            let practice = trunks.get(trunk.index()).and_then(|trunk| trunk.practice);
            let number = record.number.as_deref().and_then(Number::new);
            let mono = |wall: Wall| self.mono_of(wall);
            let restored = line.zip(number).map(|(line, number)| Promise {
                id: promise,
                request: Request {
                    line,
                    caller: self.key_of(number.as_str()),
                    number,
                    band: Band(record.band.0.max(1)),
                    arrived: mono(record.arrived),
                },
                state: State::Promised { not_before: mono(record.next) },
                missed: record.missed,
                breach: mono(record.breach),
                escalated: record.escalated,
                expires: mono(record.expires),
            });
            self.promises.insert(promise, Dossier { record, trunk, practice });
            match restored {
                Some(restored) => {
                    self.counters.callbacks.restored += 1;
                    self.tell_of(promise, CallbackNews::Restored);
                    self.exchange.readmit(restored, self.now.mono);
                }
                None => self.settle_promise(promise, PromiseOutcome::LineGone),
            }
        }
        self.pump();
        self.follow_merges();
    }

    /// Lets the ledger have a promise as it stands.
    fn write_promise(&mut self, promise: PromiseId) {
        if let Some(dossier) = self.promises.get_mut(&promise) {
            dossier.record.revision += 1;
            self.outputs.push_back(Output::Promise(Box::new(dossier.record.clone())));
        }
    }

    /// Lets the ledger have every promise again, of which the newest revisions may not have reached it. When inputs were
    /// lost it may also have newer ones, which are forgotten here: what goes on is what this switch knows.
    pub(super) fn write_promises(&mut self, incomplete: bool) {
        let promises: Vec<PromiseId> = self.promises.keys().copied().collect();
        for promise in promises {
            if let Some(dossier) = self.promises.get_mut(&promise).filter(|_| incomplete) {
                dossier.record.revision = dossier.record.revision.saturating_add(FORGOTTEN_REVISIONS);
            }
            self.write_promise(promise);
        }
    }

    pub(super) fn tell_of(&mut self, promise: PromiseId, news: CallbackNews) {
        let line = self.promises.get(&promise).map_or_else(String::new, |known| known.record.line.clone());
        self.emit(Event::Callback { promise, line, news });
    }

    /// What the wall clock shows, or will, at an instant.
    pub(super) fn wall_of(&self, at: Mono) -> Wall {
        self.now.wall_of(at)
    }

    /// The instant at which the wall clock showed, or will show, this; the first there is for one long past.
    pub(super) fn mono_of(&self, wall: Wall) -> Mono {
        let ahead = i128::from(wall.0.saturating_sub(self.now.wall.0)) * 1_000;
        Mono(u64::try_from((i128::from(self.now.mono.0) + ahead).max(0)).unwrap_or(u64::MAX))
    }
}

fn outcome_of(outcome: Outcome) -> PromiseOutcome {
    match outcome {
        Outcome::Reached => PromiseOutcome::Reached,
        Outcome::GaveUp { why, .. } => PromiseOutcome::Unreached(why),
        Outcome::Expired => PromiseOutcome::Expired,
        Outcome::Cancelled => PromiseOutcome::Cancelled,
        Outcome::AnsweredByOwnCall => PromiseOutcome::OwnCall,
        Outcome::Merged => PromiseOutcome::Merged,
    }
}
