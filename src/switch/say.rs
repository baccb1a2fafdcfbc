//! What is said to callers and agents over the music; the answer of an agent cuts it short.

use crate::acd::announce::What;
use crate::call::leg::Side;
use crate::call::media::Command;
use crate::call::speech::{self, Prompt};
use crate::call::{Call, Stage};
use crate::id::{CallId, ClipId, LegId};

use super::{Event, Switch};

const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

impl Switch {
    /// Says prompts to a leg, in place of what is being said to it; gives the number of the announcement.
    pub(super) fn say(&mut self, leg: LegId, prompts: &[Prompt]) -> u32 {
        self.say_clips(leg, speech::clips(prompts, self.plan.media.prompts));
        self.last_said
    }

    /// Lets a waiting caller hear clips once; `false` for one who hears nothing of them, as one who is being asked
    /// something.
    pub(super) fn play_once(&mut self, call: CallId, clips: Vec<ClipId>) -> bool {
        match self.calls.get(&call) {
            Some(call @ &Call { stage: Stage::Waiting { .. }, caller: Some(caller), .. }) => {
                !Switch::is_asked(call) && self.say_clips(caller, clips)
            }
            _ => false,
        }
    }

    /// Tells a waiting caller how things stand.
    pub(super) fn tell(&mut self, call: CallId, what: &[What]) {
        let mut clips = Vec::new();
        for what in what {
            let prompts = match *what {
                What::Position(position) => speech::position(position),
                What::Wait { from, to } => speech::estimate(MINUTE * from, MINUTE * to),
                What::Offer => self.offer(call),
            };
            clips.extend(speech::clips(&prompts, self.plan.media.prompts));
        }
        if self.play_once(call, clips)
            && what.contains(&What::Offer)
            && let Some(rule) = self.exchange.offered_by(call)
        {
            self.emit(Event::Offered { call, rule: self.rule_name(rule) });
        }
    }

    /// An announcement came to its end.
    pub(super) fn said(&mut self, leg: LegId, id: u32) {
        match self.legs.get(&leg).map(|leg| (leg.side, leg.call)) {
            Some((Side::Code(_), _)) => self.end_code_call(leg),
            Some((Side::Caller, call)) => {
                self.read(call, id);
                self.end_goodbye(call);
            }
            Some((Side::Agent(_), call)) => self.end_goodbye(call),
            None => {}
        }
    }

    /// Whether there was anything to say, and somebody to hear it.
    fn say_clips(&mut self, leg: LegId, clips: Vec<ClipId>) -> bool {
        let thread = self.legs.get(&leg).map(|leg| leg.audio.thread).filter(|_| !clips.is_empty());
        if let Some(thread) = thread {
            self.last_said = self.last_said.wrapping_add(1);
            self.media(thread, Command::Say { leg, id: self.last_said, clips });
        }
        thread.is_some()
    }
}
