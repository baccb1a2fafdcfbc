//! What must be true of calls, agents and records over a whole run, told from events alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::acd::{Availability, Band};
use crate::call::record::{CallRecord, CaseRecord, Outcome};
use crate::id::{CallId, CaseId, ReferralId};
use crate::switch::{CaseNews, Event};

/// Where a call stands, as events tell.
#[derive(Clone, Debug)]
struct Known {
    call_id: String,
    band: Band,
    /// Names of the agents whose phones ring for it.
    rung: BTreeSet<String>,
    talks: Option<String>,
    /// Who handed it on, until another agent talks with it or it waits again.
    handed_on_by: Option<String>,
    ever_answered: bool,
    ended: bool,
}

impl Known {
    /// A call of ours, with those whose phones are part of it.
    fn made_by_us(rung: impl Into<BTreeSet<String>>) -> Known {
        Known {
            call_id: String::new(),
            band: Band::ROUTINE,
            rung: rung.into(),
            talks: None,
            handed_on_by: None,
            ever_answered: false,
            ended: false,
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    calls: BTreeMap<CallId, Known>,
    agents: BTreeMap<String, Availability>,
    /// The place that each caller got.
    places: BTreeMap<CallId, i64>,
    /// By Call-ID of the caller's leg.
    records: BTreeMap<String, CallRecord>,
    recorded: BTreeSet<CallId>,
    /// As they were written down last.
    cases: BTreeMap<CaseId, CaseRecord>,
    /// The band of the case whose patient an agent has just begun to call.
    dialled: BTreeMap<String, Band>,
    /// Those that no pathway has answered yet.
    referrals: BTreeSet<ReferralId>,
    answered: u64,
}

impl Books {
    /// The Call-ID of the caller of a call.
    pub(super) fn call_id(&self, call: CallId) -> Option<&str> {
        self.calls.get(&call).map(|known| known.call_id.as_str())
    }

    /// The calls that an agent answered.
    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    /// Something was said of a call or an agent; `call_id` is of the message that has just come in.
    pub(super) fn event(&mut self, event: &Event, call_id: &str) -> Result<(), String> {
        match event {
            Event::Arrived { call, band, .. } => {
                let (call_id, band) = (call_id.to_owned(), *band);
                let known = Known { call_id, band, ..Known::made_by_us([]) };
                must(self.calls.insert(*call, known).is_none(), || format!("{call} arrived twice"))
            }
            Event::Presented { call, agent } => self.presented(*call, agent),
            Event::Missed { call, agent, .. } => {
                self.known(*call)?.rung.remove(agent);
                Ok(())
            }
            Event::Bridged { call, agent, .. } => {
                let known = self.known(*call)?;
                must(known.talks.is_none(), || format!("{call} was bridged twice"))?;
                must(known.rung.contains(agent), || {
                    format!("{call} was answered by {agent}, who was not rung")
                })?;
                known.rung.clear();
                known.talks = Some(agent.clone());
                known.handed_on_by = None;
                known.ever_answered = true;
                self.answered += 1;
                Ok(())
            }
            Event::BackInLine { call, agent, .. } => {
                let known = self.known(*call)?;
                let was = known.talks.take().or(known.handed_on_by.take());
                // The agent of a call that we make waits for the patient before there is a talk.
                let waited = known.call_id.is_empty() && was.is_none() && known.rung.remove(agent);
                let fits = waited || was.as_ref() == Some(agent);
                must(fits, || format!("{call} lost {agent}, but talked to {was:?}"))
            }
            Event::HandedOn { call, agent, to } => {
                let known = self.known(*call)?;
                if to == "emergency" {
                    // A line of emergency trunks alone: whoever waits there is one.
                    known.band = Band::EMERGENCY;
                }
                let was = known.talks.take().or(known.handed_on_by.take());
                must(was.as_ref() == Some(agent), || {
                    format!("{call} was handed on by {agent}, not by {was:?}")
                })?;
                known.handed_on_by = was;
                Ok(())
            }
            Event::HandedBack { call, agent, .. } => {
                let by = self.known(*call)?.handed_on_by.clone();
                must(by.as_ref() == Some(agent), || {
                    format!("{call} was handed back to {agent}, not to {by:?}")
                })
            }
            Event::Flagged { call, .. } => {
                self.known(*call)?.band = Band::EMERGENCY;
                Ok(())
            }
            Event::Ended { call, outcome, .. } => {
                let known = self.known(*call)?;
                known.ended = true;
                let answered = matches!(outcome, Outcome::Answered { .. });
                let fits = answered == known.ever_answered;
                must(fits, || format!("{call} ended as {outcome:?}"))
            }
            Event::Case { case, news: CaseNews::Dialled, .. } => {
                let case = self.cases.get(case).ok_or_else(|| format!("{case:?} was never written"))?;
                let by = case.holder.as_ref().ok_or_else(|| format!("nobody has {case:?}"))?;
                self.dialled.insert(by.clone(), case.band);
                Ok(())
            }
            Event::Referred { referral, .. } => {
                must(self.referrals.insert(*referral), || format!("{referral} was made twice"))
            }
            Event::ReferralEnded { referral, .. } => {
                must(self.referrals.remove(referral), || format!("{referral} ended, but was never made"))
            }
            Event::Availability { agent, state } => {
                if let Availability::Talking(call) = state {
                    // A call to the patient of a case begins with the clinician, and has the case's band.
                    let band = self.dialled.remove(agent);
                    let known = || Known {
                        band: band.unwrap_or(Band::ROUTINE),
                        ..Known::made_by_us([agent.clone()])
                    };
                    self.calls.entry(*call).or_insert_with(known);
                }
                self.agents.insert(agent.clone(), state.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A case was written down: as a new one, or once more with what has become of it.
    pub(super) fn case(&mut self, record: CaseRecord) -> Result<(), String> {
        let case = record.case;
        let Some(before) = self.cases.get(&case) else {
            let fits = record.revision == 1 && record.closed.is_none() && record.number.is_some();
            must(fits, || format!("a case does not begin so: {record:?}"))?;
            self.known(record.call)?;
            self.cases.insert(case, record);
            return Ok(());
        };
        must(before.closed.is_none(), || format!("{case:?} is closed, but something happened to it"))?;
        must(record.revision == before.revision + 1, || format!("{record:?} does not follow {before:?}"))?;
        must(!before.breached || record.breached, || format!("{case:?} was late, and is not any more"))?;
        self.cases.insert(case, record);
        Ok(())
    }

    /// The cases that are not closed, and who has each.
    pub(super) fn open_cases(&self) -> impl Iterator<Item = (CaseId, Option<&str>)> {
        let open = self.cases.values().filter(|case| case.closed.is_none());
        open.map(|case| (case.case, case.holder.as_deref()))
    }

    /// The referrals that no pathway has answered yet.
    pub(super) fn referrals(&self) -> impl Iterator<Item = ReferralId> {
        self.referrals.iter().copied()
    }

    /// The agents who talk with somebody.
    pub(super) fn talking(&self) -> impl Iterator<Item = &str> {
        let talks = |(_, state): &(&String, &Availability)| matches!(state, Availability::Talking(_));
        self.agents.iter().filter(talks).map(|(name, _)| name.as_str())
    }

    /// A caller joined its line in this place.
    pub(super) fn stands(&mut self, call: CallId, place: Option<i64>) {
        self.places.extend(place.map(|place| (call, place)));
    }

    /// A caller who joined a line was given this place. A promised callback joined none, and gets another when it is late.
    pub(super) fn stands_anew(&mut self, call: CallId, place: Option<i64>) {
        if let (Some(known), Some(place)) = (self.places.get_mut(&call), place) {
            *known = place;
        }
    }

    /// A caller waits again, now in this place.
    pub(super) fn still_stands(&self, call: CallId, place: Option<i64>) -> Result<(), String> {
        let (Some(place), Some(&before)) = (place, self.places.get(&call)) else { return Ok(()) };
        must(place == before, || format!("{call} was put back in place {place}, but had {before}"))
    }

    fn presented(&mut self, call: CallId, agent: &str) -> Result<(), String> {
        let busy = self
            .calls
            .iter()
            .find(|(other, known)| **other != call && !known.ended && known.talks.as_deref() == Some(agent));
        if let Some((other, _)) = busy.filter(|_| agent.starts_with("agent")) {
            return Err(format!("{agent} was rung for {call} while talking to {other}"));
        }
        // A call that we make begins with the agent.
        self.calls.entry(call).or_insert_with(|| Known::made_by_us([]));
        let known = self.known(call)?;
        must(known.talks.is_none(), || format!("{agent} was rung for {call}, which is talking"))?;
        known.rung.insert(agent.to_owned());
        Ok(())
    }

    /// An input was dealt with: nobody is free, or rung for a routine caller, while an emergency waits.
    pub(super) fn settled(&self) -> Result<(), (String, String)> {
        // The agent of a call that we make talks before the patient does.
        let rung = |call: CallId| {
            let states = [Availability::Ringing(call), Availability::Talking(call)];
            self.agents.values().any(|state| states.contains(state))
        };
        let waiting = self.calls.iter().find(|(call, known)| {
            let served = known.ended || known.talks.is_some() || known.handed_on_by.is_some();
            known.band == Band::EMERGENCY && !served && !rung(**call)
        });
        let Some((call, known)) = waiting else { return Ok(()) };
        let could = self.agents.iter().find(|(_, state)| match state {
            Availability::Free => true,
            Availability::Ringing(other) => {
                self.calls.get(other).is_some_and(|other| other.band != Band::EMERGENCY)
            }
            _ => false,
        });
        match could {
            Some((agent, state)) => {
                Err((known.call_id.clone(), format!("emergency {call} waits while {agent} is {state:?}")))
            }
            None => Ok(()),
        }
    }

    fn known(&mut self, call: CallId) -> Result<&mut Known, String> {
        match self.calls.get_mut(&call) {
            Some(known) if !known.ended => Ok(known),
            Some(_) => Err(format!("{call} is over, but something happened to it")),
            None => Err(format!("{call} never arrived, but something happened to it")),
        }
    }

    /// A call was written down.
    pub(super) fn record(&mut self, record: &CallRecord, any_spoilt: bool) -> Result<(), String> {
        let call = record.call;
        must(record.waited <= record.lasted, || format!("{call} waited longer than it lasted"))?;
        let in_order = record.segments.iter().all(|part| part.from <= part.to && part.to <= record.lasted);
        must(in_order, || format!("{call} has a stage outside of it: {record:?}"))?;
        // A record comes again with what an agent says of the call after its end.
        let again = !self.recorded.insert(call);
        must(!again || record.disposition.is_some(), || format!("{call} was written down twice"))?;
        if record.promise.is_some() || record.case.is_some() {
            return Ok(());
        }
        let before = self.records.insert(record.sip_call_id.clone(), record.clone());
        must(before.is_none() || again || any_spoilt, || {
            format!("two records of one call: {before:?}, {record:?}")
        })
    }

    /// The record of a call.
    pub(super) fn record_of(&self, call_id: &str) -> Option<&CallRecord> {
        self.records.get(call_id)
    }

    /// The Call-IDs of all records.
    pub(super) fn recorded(&self) -> impl Iterator<Item = &str> {
        self.records.keys().map(String::as_str)
    }

    /// Everything is over: each call ended, and nobody rings or talks.
    pub(super) fn finished(&self) -> Result<(), (String, String)> {
        for (call, known) in &self.calls {
            if !known.ended {
                return Err((known.call_id.clone(), format!("{call} never ended")));
            }
            if !self.recorded.contains(call) {
                return Err((known.call_id.clone(), format!("{call} was never written down")));
            }
        }
        for (agent, state) in &self.agents {
            if matches!(state, Availability::Ringing(_) | Availability::Talking(_)) {
                return Err((String::new(), format!("{agent} is still {state:?}")));
            }
        }
        Ok(())
    }
}

fn must(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
