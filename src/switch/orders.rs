//! Orders of people, by name: what each means, whether it fits, and those that concern callers.
//!
//! An order that does not fit changes nothing, and whoever gave it is told why.

use crate::acd::{self, Availability, Band, pathway};
use crate::call::media::Command;
use crate::call::record::EndedBy;
use crate::call::{Call, Stage, Wish};
use crate::id::{AgentId, CallId, CaseId, LineId, ReferralId};

use super::transfer::Unwilling;
use super::{AgentOrder, CallerOrder, CaseOrder, Event, Input, PathwayOrder, Switch, board};

/// Why an order is not obeyed; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is nobody and nothing of that name or number.
    #[error("{0}")]
    Unknown(String),
    /// Things are in no state for that.
    #[error("{0}")]
    NotNow(String),
}

/// An order as people give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// To an agent, by name.
    Agent(String, ToAgent),
    /// A caller.
    Caller(CallerOrder),
    /// The caller whom this agent talks with is an emergency.
    FlagOf(String),
    /// This agent does something with a case.
    Case(String, WithCase),
    /// So many patients can be sent to this pathway now.
    Report(String, u32),
    /// The pathway takes over the patient of this referral.
    Acknowledge(ReferralId),
    /// It does not.
    Decline(ReferralId),
}

/// What an agent is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToAgent {
    /// Start work.
    LogIn,
    /// Stop work.
    LogOut,
    /// Take no calls, for a reason.
    Pause(String),
    /// Take calls again.
    Resume,
    /// Be ready before the wrap-up is over.
    EndWrapUp,
    /// Have a longer wrap-up.
    ExtendWrapUp,
    /// Say by code how the call ended.
    Dispose(String),
    /// Hand the caller on to whom this name means.
    Transfer(String),
}

/// What a clinician does with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WithCase {
    /// Takes the most urgent one.
    TakeNext,
    /// Takes this one.
    Take(CaseId),
    /// Puts it back.
    GiveBack(CaseId),
    /// Closes it by the code of a disposition.
    Close(CaseId, String),
    /// Refers it to the pathway of this name.
    Refer(CaseId, String),
}

impl Refused {
    fn unknown(why: impl Into<String>) -> Refused {
        Refused::Unknown(why.into())
    }

    fn not_now(why: impl Into<String>) -> Refused {
        Refused::NotNow(why.into())
    }
}

impl From<Unwilling> for Refused {
    fn from(Unwilling { code, why }: Unwilling) -> Refused {
        if code == 404 { Refused::unknown(why) } else { Refused::not_now(why) }
    }
}

impl From<pathway::Refused> for Refused {
    fn from(refused: pathway::Refused) -> Refused {
        match refused {
            pathway::Refused::UnknownPathway(_) | pathway::Refused::UnknownReferral(_) => {
                Refused::unknown(refused.to_string())
            }
            pathway::Refused::AlreadyReferred | pathway::Refused::Closed(_) => {
                Refused::not_now(refused.to_string())
            }
        }
    }
}

impl Switch {
    /// What an order means; an error when it names what is not there.
    pub fn meant(&self, order: Order) -> Result<Input, Refused> {
        let agent = |name: &str| {
            let known = self.plan.acd.agent_named(name);
            known.ok_or_else(|| Refused::unknown(format!("there is no agent `{name}`")))
        };
        let pathway = |name: &str| {
            let known = self.plan.pathway_named(name);
            known.ok_or_else(|| Refused::unknown(format!("there is no pathway `{name}`")))
        };
        Ok(match order {
            Order::Case(name, what) => {
                let agent = agent(&name)?;
                let home = self.exchange.distributor().availability(agent) == Some(Availability::LoggedOut);
                if home && matches!(what, WithCase::TakeNext | WithCase::Take(_)) {
                    // Nobody would give it back.
                    return Err(Refused::not_now("the agent is logged-out"));
                }
                Input::Case(match what {
                    WithCase::TakeNext => CaseOrder::Take(agent),
                    WithCase::Take(case) => CaseOrder::TakeThis(agent, case),
                    WithCase::GiveBack(case) => CaseOrder::GiveBack(agent, case),
                    WithCase::Close(case, code) => CaseOrder::Close(agent, case, code),
                    WithCase::Refer(case, to) => CaseOrder::Refer(agent, case, pathway(&to)?),
                })
            }
            Order::Agent(name, what) => {
                let agent = agent(&name)?;
                Input::Agent(match what {
                    ToAgent::LogIn => AgentOrder::LogIn(agent),
                    ToAgent::LogOut => AgentOrder::LogOut(agent),
                    ToAgent::Pause(reason) => AgentOrder::Pause(agent, reason),
                    ToAgent::Resume => AgentOrder::Resume(agent),
                    ToAgent::EndWrapUp => AgentOrder::EndWrapUp(agent),
                    ToAgent::ExtendWrapUp => AgentOrder::ExtendWrapUp(agent),
                    ToAgent::Dispose(code) => AgentOrder::Dispose(agent, code),
                    ToAgent::Transfer(to) => AgentOrder::Transfer(agent, to),
                })
            }
            Order::Caller(order) => Input::Caller(order),
            Order::FlagOf(name) => Input::Caller(CallerOrder::Flag(self.talks_with(agent(&name)?)?)),
            Order::Report(name, free) => Input::Pathway(PathwayOrder::Report(pathway(&name)?, free)),
            Order::Acknowledge(referral) => Input::Pathway(PathwayOrder::Acknowledge(referral)),
            Order::Decline(referral) => Input::Pathway(PathwayOrder::Decline(referral)),
        })
    }

    /// The caller whom an agent talks with.
    pub(super) fn talks_with(&self, agent: AgentId) -> Result<CallId, Refused> {
        match self.exchange.distributor().availability(agent) {
            Some(Availability::Talking(call)) => Ok(call),
            _ => Err(Refused::not_now("the agent talks with nobody")),
        }
    }

    /// Gives the exchange an order; an error says why it is not obeyed.
    pub(super) fn instruct(&mut self, input: acd::Input) -> Result<(), Refused> {
        self.exchange.handle(input, self.now.mono).map_err(|refused| self.refused(refused))
    }

    /// Why the distributor does not obey.
    fn refused(&self, refused: acd::Refused) -> Refused {
        match refused {
            acd::Refused::WrongState(agent) => {
                let state = self.exchange.distributor().availability(agent).map(board::shown);
                let state = state.map_or("not known", |(state, ..)| state);
                Refused::not_now(format!("the agent is {state}"))
            }
            acd::Refused::UnknownCall(_) | acd::Refused::NotInPlan(_) => {
                Refused::unknown(refused.to_string())
            }
            acd::Refused::NotWaiting(_) => Refused::not_now("the caller does not wait"),
            acd::Refused::DuplicateCall(_) | acd::Refused::NotTheirs { .. } | acd::Refused::NobodyFree => {
                Refused::not_now(refused.to_string())
            }
        }
    }

    pub(super) fn caller_order(&mut self, order: CallerOrder) -> Result<(), Refused> {
        match order {
            CallerOrder::Flag(call) => self.flag(call),
            CallerOrder::Rank(call, band) => self.rank(call, band),
            CallerOrder::Credit(call, credit) => {
                self.waiting(call)?;
                let (_, place) = self.place(call).ok_or_else(gone)?;
                self.instruct(acd::Input::Credit { call, credit: place.credit().saturating_add(credit) })
            }
            CallerOrder::Move(call, line) => self.move_to(call, &line),
            CallerOrder::HangUp(call) => {
                let known = self.calls.get(&call).ok_or_else(gone)?;
                let dialled = known.promise().is_some() && matches!(known.stage, Stage::Dialling { .. });
                if known.caller.is_none() || dialled {
                    return Err(Refused::not_now("nobody is on the phone yet"));
                }
                self.end_call(call, EndedBy::Supervisor);
                Ok(())
            }
        }
    }

    /// A caller's own call.
    fn own_call(&self, id: CallId) -> Result<&Call, Refused> {
        let call = self.calls.get(&id).ok_or_else(gone)?;
        match (&call.stage, call.made_for) {
            (_, Some(_)) => Err(Refused::not_now("this is a call to a patient")),
            (Stage::Leaving { .. }, None) => Err(Refused::not_now("the caller is leaving the line")),
            (_, None) => Ok(call),
        }
    }

    /// A caller who waits, and is not just being asked something.
    fn waiting(&self, id: CallId) -> Result<&Call, Refused> {
        let call = self.own_call(id)?;
        match call.stage {
            Stage::Waiting { .. } if Switch::is_asked(call) => {
                Err(Refused::not_now("the caller is being asked whether to be called back"))
            }
            Stage::Waiting { .. } => Ok(call),
            _ => Err(Refused::not_now("the caller does not wait")),
        }
    }

    /// The caller is an emergency from now on, whatever trunk the call came by.
    fn flag(&mut self, id: CallId) -> Result<(), Refused> {
        let call = self.own_call(id)?;
        if call.band == Band::EMERGENCY {
            return Err(Refused::not_now("this is an emergency already"));
        }
        // Who talks has somebody, and who is handed on is on the way to somebody.
        let waits = matches!(call.stage, Stage::Waiting { .. });
        let to = self.plan.red_flag_line.filter(|&to| waits && to != call.line);
        match to {
            Some(line) => self.wait_in(id, line, Band::EMERGENCY),
            None => {
                self.instruct(acd::Input::Rank { call: id, band: Band::EMERGENCY })?;
                self.is_emergency_now(id);
                Ok(())
            }
        }
    }

    /// What follows from being an emergency: nothing is asked of the caller any more, and it counts against no limit.
    pub(super) fn is_emergency_now(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        self.routine_calls = self.routine_calls.saturating_sub(usize::from(call.is_limited()));
        call.becomes_emergency();
        let (wish, line, asked) = (call.wish, call.line, Switch::is_asked(call));
        let listens = call.caller.filter(|_| wish != Wish::Unasked).map(|leg| (call.thread, leg));
        if let Wish::Keeping { promise, new: true } = wish {
            self.unpromise(promise);
        }
        self.end_wish(id);
        if let Some((thread, leg)) = listens {
            self.media(thread, Command::Listen { leg, on: false });
        }
        if asked {
            self.hush(id);
        }
        self.emit(Event::Flagged { call: id, line: self.line_name(line) });
    }

    fn rank(&mut self, id: CallId, band: Band) -> Result<(), Refused> {
        let call = self.waiting(id)?;
        if call.band == Band::EMERGENCY || band == Band::EMERGENCY {
            return Err(Refused::not_now("an emergency stays one, and is made by flagging it"));
        }
        self.instruct(acd::Input::Rank { call: id, band })?;
        if let Some(call) = self.calls.get_mut(&id) {
            call.band = band;
        }
        Ok(())
    }

    /// The caller waits in the line of this name.
    fn move_to(&mut self, id: CallId, name: &str) -> Result<(), Refused> {
        let line = self.plan.acd.line_named(name);
        let line = line.ok_or_else(|| Refused::unknown(format!("there is no line `{name}`")))?;
        let call = self.waiting(id)?;
        if call.line == line {
            return Err(Refused::not_now("the caller waits there already"));
        }
        // What a supervisor ranked stays so ranked in another line.
        let band = if self.band_of(line) == Band::EMERGENCY { Band::EMERGENCY } else { call.band };
        self.wait_in(id, line, band)
    }

    /// The caller waits in another line in this class, and hears what is heard there.
    fn wait_in(&mut self, id: CallId, line: LineId, band: Band) -> Result<(), Refused> {
        self.instruct(acd::Input::Move { call: id, line, band })?;
        let Some(call) = self.calls.get_mut(&id) else { return Ok(()) };
        let (from, was, caller) = (std::mem::replace(&mut call.line, line), call.band, call.caller);
        if band == Band::EMERGENCY && was != band {
            self.is_emergency_now(id);
        }
        let (from, to) = (self.line_name(from), self.line_name(line));
        self.emit(Event::Moved { call: id, from, to });
        caller.into_iter().for_each(|leg| self.entertain(leg));
        Ok(())
    }
}

fn gone() -> Refused {
    Refused::unknown("the call is over, or never was")
}
