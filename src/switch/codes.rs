//! Feature codes: agents who log in and out, pause and come back by dialling from their own phones.
//!
//! The phone that dials is known by the address that its INVITE came from and, where several agents share
//! that address behind one PBX, by the user in From. Only an agent's own state can be changed so.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd;
use crate::acd::Band;
use crate::call::leg::{Leg, Side};
use crate::call::media::Command;
use crate::call::speech::Prompt;
use crate::id::{AgentId, CallId, LegId};
use crate::sip::Flow;
use crate::sip::message::Request;
use crate::sip::transaction::ServerTx;
use crate::sip::uri::Uri;

use super::arrive::Refusal;
use super::{Switch, Timer};

/// How long an agent who dialled a code may stay on the line to hear what came of it.
const CODE_CALL: Duration = Duration::from_secs(10);

/// What agents dial to change their own state, or to say how a call ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codes {
    /// By the number dialled; `pause` also followed by a digit of `reasons`, `dispose` by the code of a disposition.
    pub dialled: Vec<(String, Code)>,
    /// Reasons of a pause, by the digit dialled behind its code.
    pub reasons: Vec<(char, String)>,
    /// By how much a wrap-up is extended.
    pub extension: Duration,
}

/// What one code does.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// Starts work.
    LogIn,
    /// Stops work.
    LogOut,
    /// Takes no calls, for a reason.
    Pause,
    /// Takes calls again, after a pause, a miss or a wrap-up.
    Ready,
    /// Makes the wrap-up longer.
    Extend,
    /// Says how the call, or the case in hand, ended, clinically.
    Dispose,
    /// Takes the most urgent case, or has the one in hand: the patient is called.
    TakeCase,
    /// Puts the case in hand back.
    GiveBack,
}

impl Codes {
    /// The code that was dialled, and the reason or disposition behind it.
    fn find<'a>(&'a self, dialled: &'a str) -> Option<(Code, Option<&'a str>)> {
        self.dialled.iter().find_map(|(number, code)| {
            let rest = dialled.strip_prefix(number.as_str())?;
            let mut digits = rest.chars();
            match (digits.next(), digits.next(), code) {
                (None, None, _) => Some((*code, None)),
                (Some(digit), None, Code::Pause) => {
                    let reason = self.reasons.iter().find(|(of, _)| *of == digit)?;
                    Some((*code, Some(reason.1.as_str())))
                }
                (Some(_), _, Code::Dispose) => Some((*code, Some(rest))),
                _ => None,
            }
        })
    }
}

impl Switch {
    /// Serves a call of an agent's phone to a feature code; `false` when it is none.
    pub(super) fn serve_code(
        &mut self,
        tx: ServerTx,
        flow: Flow,
        request: &Request,
    ) -> Result<bool, Refusal> {
        let Some(dialled) = request.uri.user().filter(|_| self.phone_hosts.contains(&flow.remote.ip()))
        else {
            return Ok(false);
        };
        let Some((code, reason)) = self.plan.codes.find(&dialled) else { return Ok(false) };
        let reason = reason.map(str::to_owned);
        let agent = self.dialling(flow, request).ok_or(Refusal::new(403))?;
        self.last_call += 1;
        let whose = (CallId(self.last_call), Side::Code(agent));
        let leg = self.take_up(tx, flow, request, Band::ROUTINE, whose)?;
        let id = leg.id;
        self.legs.insert(id, leg);
        self.remember_owed(tx, id);
        self.deadlines.set(Timer::CodeCall(id), self.now.mono + CODE_CALL);
        let prompts = self.do_code(agent, code, reason);
        if let Some((thread, stream)) =
            self.legs.get(&id).and_then(|leg| Some((leg.audio.thread, leg.stream()?)))
        {
            self.media(thread, Command::Set(stream));
        }
        let case = self.in_hand.get(&agent).copied().filter(|_| code == Code::TakeCase);
        if !case.is_some_and(|case| self.call_patient(id, (agent, case), &prompts)) {
            self.say(id, &prompts);
        }
        Ok(true)
    }

    /// Whose phone dials.
    fn dialling(&self, flow: Flow, request: &Request) -> Option<AgentId> {
        let from = request.headers.from()?;
        let user = from.uri().user();
        let here: Vec<_> = (0u32..)
            .map(AgentId)
            .zip(&self.plan.phones)
            .zip(&self.plan.acd.agents)
            .filter(|((_, phone), known)| !known.gone && phone.flow.remote.ip() == flow.remote.ip())
            .map(|(here, _)| here)
            .collect();
        let named = here.iter().find(|(_, phone)| {
            Uri::parse(&phone.uri).is_ok_and(|uri| uri.user().is_some() && uri.user() == user)
        });
        match (named, &here[..]) {
            (Some((agent, _)), _) | (None, [(agent, _)]) => Some(*agent),
            _ => None,
        }
    }

    /// Does what the code says, and what is then true of the agent.
    fn do_code(&mut self, agent: AgentId, code: Code, reason: Option<String>) -> Vec<Prompt> {
        use acd::Input;
        let mut order = |input| self.exchange.handle(input, self.now.mono).is_ok();
        let (done, prompt) = match code {
            Code::Dispose => {
                let noted = self.dispose(agent, &reason.unwrap_or_default()).is_ok();
                return vec![if noted { Prompt::Noted } else { Prompt::NotRecognised }];
            }
            Code::TakeCase => return self.take_case_by_phone(agent),
            Code::GiveBack => {
                let given = self.give_back_in_hand(agent);
                return vec![if given { Prompt::Noted } else { Prompt::NotRecognised }];
            }
            Code::LogIn => (order(Input::LogIn { agent }), Prompt::YouAreLoggedIn),
            Code::LogOut => (order(Input::LogOut { agent }), Prompt::YouAreLoggedOut),
            Code::Pause => {
                let reason = acd::PauseReason::Chosen(reason.unwrap_or_else(|| "pause".to_owned()));
                (order(Input::Pause { agent, reason }), Prompt::YouArePaused)
            }
            Code::Ready => {
                let resumed = order(Input::Resume { agent });
                (order(Input::EndWrapUp { agent }) || resumed, Prompt::YouAreReady)
            }
            Code::Extend => {
                (order(Input::ExtendWrapUp { agent, by: self.plan.codes.extension }), Prompt::YouArePaused)
            }
        };
        if done {
            return vec![prompt];
        }
        // It did not fit (a log-in twice) and changed nothing: the agent hears how things stand.
        vec![match self.exchange.distributor().availability(agent) {
            Some(acd::Availability::LoggedOut) | None => Prompt::YouAreLoggedOut,
            Some(acd::Availability::Paused(_) | acd::Availability::WrapUp) => Prompt::YouArePaused,
            Some(_) => Prompt::YouAreReady,
        }]
    }

    /// The agent has heard it, or had the time to.
    pub(super) fn end_code_call(&mut self, leg: LegId) {
        if let Some(Leg { side: Side::Code(_), .. }) = self.legs.get(&leg) {
            self.hang_up(leg);
        }
    }
}
