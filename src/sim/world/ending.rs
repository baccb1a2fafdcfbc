//! How a world ends: everybody hangs up, and nothing may be left.

use std::time::Duration;

use crate::acd::Band;
use crate::call::record::Outcome;
use crate::switch::Input;

use super::peer::script::Deed;
use super::peer::{Phase, Tick};
use super::referee::Fault;
use super::{Due, World};

/// The codes of refusals that no record is made of: the call was not admitted, or is known already.
const UNRECORDED: [u16; 6] = [403, 404, 416, 420, 482, 481];

impl World {
    pub(super) fn live(&mut self) -> Result<(), Fault> {
        let last = self
            .queue
            .iter()
            .filter(|event| matches!(event.0.due, Due::Call(_)))
            .map(|event| event.0.at)
            .max();
        self.until(last.unwrap_or(self.mono) + Duration::from_secs(60))?;
        self.closing = true;
        self.weather.clears_up();
        self.wave_goodbye();
        self.until(self.mono + Duration::from_secs(150))?;
        for _ in 0..10 {
            if self.switch.calls() + self.switch.promises() == 0 {
                break;
            }
            self.wave_goodbye();
            self.until(self.mono + Duration::from_secs(60))?;
        }
        let (calls, promises) = (self.switch.calls(), self.switch.promises());
        if calls + promises > 0 {
            return Err(fault("", format!("{calls} calls and {promises} promises never end")));
        }
        self.judge_trunks()?;
        self.current.clear();
        self.give(Input::Stop)?;
        self.until(self.mono + Duration::from_secs(150))?;
        self.judge()
    }

    /// Every trunk answers again, and is known to.
    fn judge_trunks(&self) -> Result<(), Fault> {
        let probed = self.switch.plan().probed_trunks().next().is_some();
        let board = self.switch.board(self.now());
        match board.trunks.iter().find(|trunk| trunk.health != "up") {
            Some(trunk) if probed && !self.draining => {
                Err(fault("", format!("{} answers, and counts as {}", trunk.name, trunk.health)))
            }
            _ => Ok(()),
        }
    }

    /// Whoever still talks or waits hangs up.
    fn wave_goodbye(&mut self) {
        for id in 0..self.peers.len() {
            if matches!(self.peers[id].phase, Phase::Up | Phase::Calling) && !self.peers[id].dead {
                let wait = self.dice.between(0, 20_000);
                self.after(wait, Due::Tick(id, Tick::Do(Deed::Leave)));
            }
        }
    }

    fn judge(&mut self) -> Result<(), Fault> {
        self.tally.millis =
            u64::try_from(self.mono.since(crate::time::Mono(1_000_000)).as_millis()).unwrap_or(0);
        *self.tally.seen.entry("answered").or_default() += self.books.answered();
        self.switch.check_invariants();
        self.referee.finished(self.mono)?;
        self.books.finished().map_err(|(call_id, what)| Fault { call_id, what })?;
        let left = self.switch.leftovers();
        if !left.is_empty() {
            return Err(fault("", format!("left in the switch: {}", left.join(", "))));
        }
        self.judge_cases()?;
        if let Some(leg) = self.sound.legs().next() {
            return Err(fault("", format!("the stream of {leg} was never closed")));
        }
        for peer in &self.peers {
            let lost = peer.dead || peer.forgetful;
            if peer.is_up() && !lost && !self.referee.any_spoilt() {
                let what = format!("a far end was left alone: {:?}", peer.phase);
                return Err(fault(&peer.call_id, what));
            }
        }
        self.judge_records()
    }

    /// The switch has every case that is not closed, with who was said to have it, and no other.
    fn judge_cases(&self) -> Result<(), Fault> {
        let has: Vec<_> = self.switch.cases_shown().into_iter().map(|case| (case.id, case.holder)).collect();
        let open: Vec<_> =
            self.books.open_cases().map(|(case, holder)| (case, holder.map(str::to_owned))).collect();
        if has != open {
            return Err(fault("", format!("the open cases are {open:?}, but the switch has {has:?}")));
        }
        match self.books.referrals().next() {
            Some(referral) => Err(fault("", format!("{referral:?} never ended"))),
            None => Ok(()),
        }
    }

    /// Each call that was taken, or refused by what its line takes, has one record that fits; nothing else has.
    fn judge_records(&self) -> Result<(), Fault> {
        for (call_id, taken) in &self.referee.taken {
            let record = self.books.record_of(call_id);
            let is_code = self.by_call_id.get(call_id).is_some_and(|&id| self.is_of_phone(id));
            let success = taken.code < 300;
            let silent = is_code
                || UNRECORDED.contains(&taken.code)
                || (taken.code == 503 && self.stalled)
                || self.referee.any_spoilt();
            match record {
                None if !silent => return Err(fault(call_id, format!("{taken:?}, but no record"))),
                // What a spoilt copy of its INVITE came to is not told from here.
                Some(_) if self.referee.is_tainted(call_id) => {}
                Some(record) => {
                    let refused = matches!(record.outcome, Outcome::Refused { code } if code == taken.code);
                    if refused == success || (record.band == Band::EMERGENCY) != taken.emergency {
                        return Err(fault(call_id, format!("{taken:?}, but {:?}", record.outcome)));
                    }
                }
                None => {}
            }
            let full = self.draining || self.switch.counters().no_port > 0;
            if taken.emergency && !success && !full && !self.referee.any_spoilt() {
                return Err(fault(call_id, format!("an emergency was refused: {}", taken.code)));
            }
        }
        let stray = self.books.recorded().find(|call_id| !self.referee.taken.contains_key(*call_id));
        match stray.filter(|_| !self.referee.any_spoilt()) {
            Some(call_id) => Err(fault(call_id, "a record of a call that never came".to_owned())),
            None => Ok(()),
        }
    }

    fn is_of_phone(&self, peer: usize) -> bool {
        self.site.hosts[self.peers[peer].host].kind == super::Kind::Phone
    }
}

fn fault(call_id: &str, what: String) -> Fault {
    Fault { call_id: call_id.to_owned(), what }
}
