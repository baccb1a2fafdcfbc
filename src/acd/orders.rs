//! What a supervisor orders of callers: another priority class, another line.
//!
//! Either way the caller keeps its arrival, and its place among those of its class.

use std::cmp::Reverse;

use super::classes::ClassId;
use super::distributor::Distributor;
use super::place::Place;
use super::{Band, Refused, Stage, Withdrawal};
use crate::id::{AgentId, CallId, LineId};
use crate::time::Mono;

impl Distributor {
    /// The caller gets another priority class. Talking, it has it only should it have to wait again.
    pub(super) fn rank(&mut self, call: CallId, band: Band, now: Mono) -> Result<(), Refused> {
        let caller = self.calls.get_mut(&call).ok_or(Refused::UnknownCall(call))?;
        let (old, practice, in_line) = (caller.place, caller.practice, caller.stage.is_in_line());
        if band == old.band || old.band == Band::EMERGENCY {
            return Ok(());
        }
        caller.place = Place { band, ..old };
        let place = caller.place;
        if band == Band::EMERGENCY {
            caller.out = None;
            for agent in &caller.rung {
                // No emergency takes the phone back any more.
                self.ringing.remove(&(Reverse(self.seats[agent.index()].since), *agent));
            }
        }
        if !in_line {
            return Ok(());
        }
        let (stage, old_class) = (caller.stage, caller.class.take());
        let queue = &mut self.queues[caller.line.index()];
        queue.remove(old, practice, stage);
        queue.insert(place, practice, stage);
        let outside = if band == Band::EMERGENCY { self.leave_destinations(call, now) } else { Vec::new() };
        self.stand_anew(call, (old_class, old), now);
        self.look_again(call, outside, now);
        Ok(())
    }

    /// The caller waits in another line, in the place it has.
    pub(super) fn move_to(
        &mut self,
        call: CallId,
        (line, band): (LineId, Band),
        now: Mono,
    ) -> Result<(), Refused> {
        if self.plan.lines.get(line.index()).is_none_or(|known| known.gone.is_some()) {
            return Err(Refused::NotInPlan(line.to_string()));
        }
        let caller = self.calls.get(&call).ok_or(Refused::UnknownCall(call))?;
        if !caller.stage.is_in_line() || caller.place.callback {
            return Err(Refused::NotWaiting(call));
        }
        if caller.line == line {
            return Ok(());
        }
        self.give_back(call);
        let Some(caller) = self.calls.get_mut(&call) else { return Err(Refused::UnknownCall(call)) };
        let (from, practice) = (std::mem::replace(&mut caller.line, line), caller.practice);
        let (old, old_class) = (caller.place, caller.class.take());
        let stage = std::mem::replace(&mut caller.stage, Stage::Waiting);
        let rung = std::mem::take(&mut caller.rung);
        caller.place.band = old.band.min(band);
        (caller.out, caller.waits_since) = (None, now);
        let place = caller.place;
        self.queues[from.index()].remove(old, practice, stage);
        self.queues[line.index()].insert(place, practice, Stage::Waiting);
        self.stir(from);
        self.stir(line);
        self.hush(call, &rung, Withdrawal::AgentGone, now);
        self.stand_anew(call, (old_class, old), now);
        self.look_again(call, rung, now);
        self.announce(call);
        Ok(())
    }

    /// Puts a caller whose place or line is another now into its class, and out of the one where it stood.
    pub(super) fn stand_anew(&mut self, call: CallId, (class, place): (Option<ClassId>, Place), now: Mono) {
        // In before out: the practice has somebody waiting all the time.
        self.line_up(call, now);
        if let Some(class) = class {
            self.classes.remove(class, place);
        }
        self.set_caller_deadline(call, now);
        self.to_lead_out.insert(call);
    }

    /// The caller may be within reach of agents who are free, and others have just become so: each takes whom it takes
    /// next.
    fn look_again(&mut self, call: CallId, mut freed: Vec<AgentId>, now: Mono) {
        if let Some(class) = self.calls.get(&call).and_then(|caller| caller.class) {
            freed.extend(self.classes.of(class).teams.iter().flat_map(|&team| self.free.of(team).all()));
        }
        freed.sort_unstable();
        freed.dedup();
        self.seek_callers(freed, now);
        self.seek_agents(call, now);
    }

    /// The seats of destinations that ring for a caller stop; gives them.
    fn leave_destinations(&mut self, call: CallId, now: Mono) -> Vec<AgentId> {
        self.give_back(call);
        let Some(caller) = self.calls.get_mut(&call) else { return Vec::new() };
        let is_outside = |agent: &AgentId| self.seats[agent.index()].destination.is_some();
        let (outside, inside): (Vec<_>, Vec<_>) =
            std::mem::take(&mut caller.rung).into_iter().partition(is_outside);
        caller.rung = inside;
        if caller.rung.is_empty() && caller.stage == Stage::Presented {
            self.restage(call, Stage::Waiting);
        }
        self.hush(call, &outside, Withdrawal::AgentGone, now);
        outside
    }
}
