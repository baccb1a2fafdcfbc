//! The stages of a call as they happen, to be recorded when it is over.
//!
//! Bounded: a caller who waits for hours while phones are missed keeps the first and the latest stages.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::record::{Presentation, Segment, Stage as Recorded};
use crate::acd;
use crate::id::AgentId;
use crate::time::Mono;

/// Most segments kept of one call.
const MAX_SEGMENTS: usize = 400;

/// What happened to one caller so far, by offset from arrival.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timeline {
    arrived: Mono,
    done: Vec<(Span, What)>,
    queue: Option<Duration>,
    presented: Vec<(Duration, AgentId)>,
    dial: Option<(Duration, AgentId)>,
    talk: Option<(Duration, AgentId)>,
    transfer: Option<(Duration, AgentId, String)>,
}

type Span = (Duration, Duration);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum What {
    Queue,
    Presented(AgentId, Presentation),
    Dial(AgentId),
    Talk(AgentId),
    Transfer(AgentId, String),
}

impl Timeline {
    /// A caller who arrived at `arrived` and waits since.
    pub fn new(arrived: Mono) -> Timeline {
        Timeline {
            arrived,
            done: Vec::new(),
            queue: Some(Duration::ZERO),
            presented: Vec::new(),
            dial: None,
            talk: None,
            transfer: None,
        }
    }

    /// An agent's phone begins to ring.
    pub fn presented(&mut self, agent: AgentId, now: Mono) {
        self.presented.push((now.since(self.arrived), agent));
    }

    /// The presentation to an agent ended without a talk.
    pub fn presentation_over(&mut self, agent: AgentId, result: Presentation, now: Mono) {
        if let Some(position) = self.presented.iter().position(|&(_, presented)| presented == agent) {
            let (from, agent) = self.presented.remove(position);
            self.push(from, now, What::Presented(agent, result));
        }
    }

    /// The agent answered: the wait is over, and so is every other presentation.
    pub fn connected(&mut self, agent: AgentId, now: Mono) {
        self.answered(agent, now);
        self.close_dial(now);
        self.talk = Some((now.since(self.arrived), agent));
    }

    /// The agent answered, and the patient is dialled.
    pub fn dialled(&mut self, agent: AgentId, now: Mono) {
        self.answered(agent, now);
        self.dial = Some((now.since(self.arrived), agent));
    }

    /// The patient is dialled no more.
    pub fn dial_over(&mut self, now: Mono) {
        self.close_dial(now);
    }

    /// The agent hands the caller on, who waits again.
    pub fn handed_on(&mut self, agent: AgentId, to: String, now: Mono) {
        self.back_in_line(now);
        self.transfer = Some((now.since(self.arrived), agent, to));
    }

    /// That is done, or has come to nothing.
    pub fn transfer_over(&mut self, now: Mono) {
        if let Some((from, agent, to)) = self.transfer.take() {
            self.push(from, now, What::Transfer(agent, to));
        }
    }

    /// The caller waits no longer, though nobody answered.
    pub fn left_line(&mut self, now: Mono) {
        self.close_queue(now);
    }

    /// The talk was cut by no wish of the caller, who waits again.
    pub fn back_in_line(&mut self, now: Mono) {
        self.close_dial(now);
        self.close_talk(now);
        self.queue = Some(now.since(self.arrived));
    }

    /// The seats of destinations have other ids from now on.
    pub fn renumber(&mut self, seat_of: impl Fn(AgentId) -> AgentId) {
        let talk = self.talk.iter_mut().chain(&mut self.dial).map(|(_, agent)| agent);
        let done = self.done.iter_mut().filter_map(|(_, what)| match what {
            What::Presented(agent, _) | What::Dial(agent) | What::Talk(agent) | What::Transfer(agent, _) => {
                Some(agent)
            }
            What::Queue => None,
        });
        let presented = self.presented.iter_mut().map(|(_, agent)| agent);
        let transfer = self.transfer.iter_mut().map(|(_, agent, _)| agent);
        talk.chain(done).chain(presented).chain(transfer).for_each(|agent| *agent = seat_of(*agent));
    }

    /// The call is over: all segments in order of their beginning, with names from the plan.
    pub fn finish(mut self, result: Presentation, now: Mono, plan: &acd::Plan) -> Vec<Segment> {
        self.close_presentations(result, now);
        self.close_queue(now);
        self.close_dial(now);
        self.close_talk(now);
        self.transfer_over(now);
        let name = |agent: AgentId| plan.name_of(agent);
        let mut segments: Vec<_> = self
            .done
            .into_iter()
            .map(|((from, to), what)| {
                let stage = match what {
                    What::Queue => Recorded::Queue,
                    What::Presented(agent, result) => Recorded::Presented { agent: name(agent), result },
                    What::Dial(agent) => Recorded::Dial { agent: name(agent) },
                    What::Talk(agent) => Recorded::Talk { agent: name(agent) },
                    What::Transfer(agent, to) => Recorded::Transfer { agent: name(agent), to },
                };
                Segment { stage, from, to }
            })
            .collect();
        // The wait comes before the presentations inside it, even one that began in the same instant.
        segments.sort_by_key(|segment| (segment.from, segment.stage != Recorded::Queue, segment.to));
        segments
    }

    fn close_presentations(&mut self, result: Presentation, now: Mono) {
        for (from, agent) in std::mem::take(&mut self.presented) {
            self.push(from, now, What::Presented(agent, result));
        }
    }

    fn answered(&mut self, agent: AgentId, now: Mono) {
        self.presentation_over(agent, Presentation::Answered, now);
        self.close_presentations(Presentation::AnsweredElsewhere, now);
        self.close_queue(now);
    }

    fn close_dial(&mut self, now: Mono) {
        if let Some((from, agent)) = self.dial.take() {
            self.push(from, now, What::Dial(agent));
        }
    }

    fn close_queue(&mut self, now: Mono) {
        if let Some(from) = self.queue.take() {
            self.push(from, now, What::Queue);
        }
    }

    fn close_talk(&mut self, now: Mono) {
        if let Some((from, agent)) = self.talk.take() {
            self.push(from, now, What::Talk(agent));
        }
    }

    fn push(&mut self, from: Duration, now: Mono, what: What) {
        if self.done.len() >= MAX_SEGMENTS {
            self.done.remove(MAX_SEGMENTS / 2);
        }
        self.done.push(((from, now.since(self.arrived)), what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::Cause;

    fn plan() -> acd::Plan {
        let agent = |name: &str| acd::Agent { name: name.into(), logged_in: true, ..acd::Agent::default() };
        acd::Plan { agents: vec![agent("asha"), agent("ben")], ..acd::Plan::default() }
    }

    #[test]
    fn a_missed_and_an_answered_presentation_lie_inside_the_wait() {
        let mut timeline = Timeline::new(Mono(0));
        timeline.presented(AgentId(0), Mono(0));
        timeline.presentation_over(AgentId(0), Presentation::Missed(Cause::Busy), Mono(2_000));
        timeline.presented(AgentId(1), Mono(2_000));
        timeline.connected(AgentId(1), Mono(5_000));
        let segments = timeline.finish(Presentation::Withdrawn, Mono(9_000), &plan());
        let at = |n: u64| Duration::from_micros(n);
        let stages: Vec<_> = segments.iter().map(|s| (s.stage.clone(), s.from, s.to)).collect();
        assert_eq!(
            stages,
            [
                (Recorded::Queue, at(0), at(5_000)),
                (
                    Recorded::Presented { agent: "asha".into(), result: Presentation::Missed(Cause::Busy) },
                    at(0),
                    at(2_000)
                ),
                (
                    Recorded::Presented { agent: "ben".into(), result: Presentation::Answered },
                    at(2_000),
                    at(5_000)
                ),
                (Recorded::Talk { agent: "ben".into() }, at(5_000), at(9_000)),
            ]
        );
    }

    #[test]
    fn a_caller_put_back_waits_again() {
        let mut timeline = Timeline::new(Mono(0));
        timeline.presented(AgentId(0), Mono(10));
        timeline.connected(AgentId(0), Mono(20));
        timeline.back_in_line(Mono(30));
        let segments = timeline.finish(Presentation::CallerGone, Mono(40), &plan());
        assert_eq!(segments.iter().filter(|segment| segment.stage == Recorded::Queue).count(), 2);
    }

    #[test]
    fn of_phones_that_ring_at_once_the_others_were_answered_elsewhere() {
        let mut timeline = Timeline::new(Mono(0));
        timeline.presented(AgentId(0), Mono(0));
        timeline.presented(AgentId(1), Mono(0));
        timeline.connected(AgentId(1), Mono(3_000));
        let segments = timeline.finish(Presentation::Withdrawn, Mono(9_000), &plan());
        let results: Vec<_> = segments
            .iter()
            .filter_map(|segment| match &segment.stage {
                Recorded::Presented { agent, result } => Some((agent.as_str(), *result)),
                _ => None,
            })
            .collect();
        assert_eq!(results, [("ben", Presentation::Answered), ("asha", Presentation::AnsweredElsewhere)]);
    }

    #[test]
    fn a_thousand_misses_keep_the_list_bounded() {
        let mut timeline = Timeline::new(Mono(0));
        for n in 0..1_000 {
            timeline.presented(AgentId(0), Mono(n));
            timeline.presentation_over(AgentId(0), Presentation::Missed(Cause::NoAnswer), Mono(n + 1));
        }
        assert!(timeline.finish(Presentation::CallerGone, Mono(2_000), &plan()).len() <= MAX_SEGMENTS);
    }
}
