//! What must hold after every input; checked in debug builds and by the tests.

use std::collections::BTreeSet;

use super::{Switch, Timer};
use crate::acd;
use crate::acd::callback::State as Kept;
use crate::acd::cases::Cases;
use crate::acd::pathway::Subject;
use crate::call::leg::{Side, State};
use crate::call::ports::Share;
use crate::call::transfer::Transfer;
use crate::call::{Ringing, Stage};

impl Switch {
    /// Panics when the switch contradicts itself. For debug builds and tests only.
    pub fn check_invariants(&self) {
        let mut owned = BTreeSet::new();
        for (id, call) in &self.calls {
            assert_eq!(*id, call.id);
            assert!(call.caller.is_some() || call.made_for.is_some(), "a call has its caller's leg");
            if let Some(caller) = call.caller {
                let leg = self.legs.get(&caller).expect("the caller's leg of a call exists");
                assert_eq!((leg.call, leg.side), (*id, Side::Caller));
                let dials = matches!(call.stage, Stage::Dialling { .. });
                assert_eq!(
                    dials,
                    matches!(leg.state, State::Inviting { withdrawn: false, .. }),
                    "{:?}",
                    call.stage
                );
                assert_eq!(leg.audio.thread, call.thread, "both legs of a call are on one media thread");
            }
            let talking = match call.stage {
                Stage::Talking { leg, agent }
                | Stage::Dialling { leg, agent }
                | Stage::Parting { leg, agent, .. } => Some(Ringing { leg, agent }),
                Stage::Waiting { .. } | Stage::Leaving { .. } | Stage::Transferring(_) => None,
            };
            if let Stage::Transferring(transfer) = &call.stage {
                let Transfer { by, leg, ringing, .. } = &**transfer;
                assert_eq!(ringing.len(), 1, "a caller on the way rings on one phone");
                let stage = self.exchange.distributor().stage(*id);
                let on_line = leg.is_some();
                assert_eq!(stage, Some(acd::Stage::Transferring { by: *by, on_line }));
                if let Some(referral) = transfer.referral {
                    let known = self.pathways.get(referral).map(|referral| referral.of);
                    assert_eq!(known, Some(Subject::Call(*id)), "{referral} is this caller's");
                }
                if let Some(leg) = leg.and_then(|leg| self.legs.get(&leg)) {
                    assert_eq!((leg.call, leg.side, leg.audio.thread), (*id, Side::Agent(*by), call.thread));
                    assert!(matches!(leg.state, State::Up { .. }) && owned.insert(*by));
                } else {
                    assert!(!on_line, "the leg of the agent who hands the caller on exists");
                }
            }
            for &Ringing { leg, agent } in call.ringing().iter().chain(&talking) {
                let leg = self.legs.get(&leg).expect("the agent's leg of a call exists");
                assert_eq!((leg.call, leg.side), (*id, Side::Agent(agent)));
                assert!(owned.insert(agent), "an agent has one presentation or talk at most");
                assert_eq!(leg.audio.thread, call.thread, "both legs of a call are on one media thread");
                let ringing = talking.is_none();
                assert_eq!(ringing, matches!(leg.state, State::Inviting { withdrawn: false, .. }));
            }
        }
        for (id, leg) in &self.legs {
            assert_eq!(*id, leg.id);
            match &leg.state {
                State::Up { dialog, .. } => {
                    assert_eq!(self.by_tag.get(dialog.local_tag()), Some(id));
                    let code = matches!(leg.side, Side::Code(_));
                    assert!(code != self.calls.contains_key(&leg.call), "a leg that is up belongs to a call");
                }
                State::Inviting { tx, .. } => assert!(self.client_txs.contains_key(tx)),
            }
            assert!(leg.asked.iter().all(|tx| self.client_txs.contains_key(tx)));
            assert!(leg.owed.iter().all(|tx| self.server_txs.get(tx) == Some(id)));
        }
        assert_eq!(
            self.by_tag.len(),
            self.legs.values().filter(|leg| matches!(leg.state, State::Up { .. })).count()
        );
        self.check_deadlines();
        self.check_cases();
        self.check_promises();
        let held: usize = self.ports.iter().map(|ports| ports.usage().0).sum();
        assert_eq!(held, self.legs.values().filter(|leg| leg.audio.held.share != Share::Whole).count());
        assert_eq!(
            self.exchange.distributor().call_count(),
            self.calls.values().filter(|call| !matches!(call.stage, Stage::Leaving { .. })).count(),
            "the distributor knows every call that is not on its way out, and no other"
        );
        assert_eq!(
            self.routine_calls,
            self.calls.values().filter(|call| call.is_limited()).count(),
            "calls that count against the limit"
        );
    }

    /// Nothing is waited for on behalf of what is gone.
    fn check_deadlines(&self) {
        for timer in self.deadlines.keys() {
            let lives = match timer {
                Timer::Unreachable(leg)
                | Timer::Unanswered(leg)
                | Timer::Probe(leg)
                | Timer::Reinvite(leg)
                | Timer::Resume(leg)
                | Timer::CodeCall(leg) => self.legs.contains_key(&leg),
                Timer::Goodbye(call) | Timer::Wish(call) => self.calls.contains_key(&call),
                Timer::AskPhone(agent) | Timer::PhoneSilent(agent) => agent.index() < self.plan.phones.len(),
                Timer::ReportStale(destination) => destination.index() < self.plan.acd.destinations.len(),
                Timer::Drain => self.drain.is_on(),
            };
            assert!(lives, "{timer:?} belongs to nobody");
        }
    }

    /// Each case has one file and is on one stack; each referral belongs to a caller on the way, or to a case.
    fn check_cases(&self) {
        let open = || self.stacks.iter().flat_map(Cases::all);
        assert_eq!(open().count(), self.case_files.len(), "cases and files");
        for (id, file) in &self.case_files {
            let case = self.stacks.get(file.stack.index()).and_then(|stack| stack.get(*id));
            let case = case.expect("a file is of an open case");
            if let Some(referral) = file.referral {
                let known = self.pathways.get(referral).expect("the referral of a case awaits an answer");
                assert_eq!((known.of, Some(known.from)), (Subject::Case(*id), case.holder));
            }
        }
        for (agent, case) in &self.in_hand {
            let file = self.case_files.get(case).expect("a case in hand is open");
            let held = self.stacks.get(file.stack.index()).and_then(|stack| stack.get(*case));
            assert_eq!(held.and_then(|case| case.holder), Some(*agent), "{case} is in hand");
        }
        for (id, referral) in self.pathways.awaiting() {
            let known = match referral.of {
                Subject::Call(call) => self.calls.get(&call).and_then(|call| match &call.stage {
                    Stage::Transferring(transfer) => transfer.referral,
                    _ => None,
                }),
                Subject::Case(case) => self.case_files.get(&case).and_then(|file| file.referral),
            };
            assert_eq!(known, Some(id), "{:?} has this referral", referral.of);
        }
    }

    /// Each promise is in one state; one that is on its way has one call, and no call was made for any other.
    fn check_promises(&self) {
        let book = self.exchange.callbacks();
        assert!(
            book.promises().map(|promise| promise.id).eq(self.promises.keys().copied()),
            "promises and records"
        );
        let mut standing = BTreeSet::new();
        for call in self.calls.values().filter(|call| call.promise().is_some()) {
            let Some(promise) = self.exchange.stands_for(call.id) else {
                let over = matches!(call.stage, Stage::Parting { .. } | Stage::Leaving { .. });
                assert!(over, "{} is made for nothing", call.id);
                continue;
            };
            assert_eq!(call.promise(), Some(promise));
            assert!(standing.insert(promise), "{promise} has two calls");
            let state = book.get(promise).map(|promise| promise.state);
            let fits = match call.stage {
                // A patient whose agent was lost in mid-talk waits for another.
                Stage::Waiting { .. } if call.caller.is_some() => matches!(state, Some(Kept::Talking { .. })),
                Stage::Waiting { .. } => state == Some(Kept::Due),
                Stage::Dialling { .. } => matches!(state, Some(Kept::Dialling { .. })),
                Stage::Talking { .. } | Stage::Transferring(_) => matches!(state, Some(Kept::Talking { .. })),
                Stage::Leaving { .. } | Stage::Parting { .. } => false,
            };
            assert!(fits, "{promise} is {state:?} while its call is {:?}", call.stage);
        }
        for promise in book.promises() {
            let waits = matches!(promise.state, Kept::Promised { .. });
            assert_eq!(waits, !standing.contains(&promise.id), "{} is {:?}", promise.id, promise.state);
        }
    }
}
