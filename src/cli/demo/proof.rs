//! The proof that nobody was lost: what the phones met with, held against what the daemon recorded.
//!
//! Only calls that are up are remembered one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::phone::{AgentReport, CallerEnd, CallerReport, Report, Voice};
use crate::call::record::{CallRecord, Outcome, Stage};

/// How soon after the answer a caller should hear something.
const SOON: Duration = Duration::from_millis(100);
/// A call or talk that was shorter proves nothing about its sound.
const SHORT: Duration = Duration::from_millis(200);

/// What was seen so far.
#[derive(Debug)]
pub(super) struct Proof {
    agents: BTreeMap<String, usize>,
    /// Calls whose record or whose caller's report is still to come, by Call-ID.
    up: BTreeMap<String, Up>,
    /// Talks in which the caller heard the agent, and the agent has not reported.
    half: BTreeSet<(usize, Voice)>,
    /// Callers whom agents heard, and whose own report is still to come.
    heard: BTreeSet<(usize, Voice)>,
    tally: Tally,
}

#[derive(Debug)]
struct Up {
    voice: Voice,
    recorded: Option<Recorded>,
    report: Option<CallerReport>,
}

/// What a record says, as far as phones can confirm it.
#[derive(Debug)]
struct Recorded {
    lasted: Duration,
    /// Who talked with the caller, when that was long enough to be heard.
    agent: Option<usize>,
}

/// The sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    placed: u64,
    recorded: u64,
    /// Records that the daemon itself calls lost.
    lost: u64,
    /// Calls that were not answered as calls.
    unserved: u64,
    /// Records of no call that was up, or of one a second time.
    strange: u64,
    listening: u64,
    soon: u64,
    deaf: u64,
    talks: u64,
    mutual: u64,
    sent: u64,
    received: u64,
}

/// The sums, and whether all is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    tally: Tally,
    unfinished: usize,
    in_ledger: u64,
}

impl Proof {
    /// Nothing seen yet; the agents by position.
    pub(super) fn new(agents: impl IntoIterator<Item = String>) -> Proof {
        let agents = agents.into_iter().zip(0..).collect();
        let (up, half, heard) = Default::default();
        Proof { agents, up, half, heard, tally: Tally::default() }
    }

    /// A caller calls.
    pub(super) fn placed(&mut self, call_id: &str, voice: Voice) {
        self.tally.placed += 1;
        self.half.retain(|(_, caller)| *caller != voice);
        self.heard.retain(|(_, caller)| *caller != voice);
        self.up.insert(call_id.to_owned(), Up { voice, recorded: None, report: None });
    }

    /// Calls placed so far.
    pub(super) fn calls(&self) -> u64 {
        self.tally.placed
    }

    /// Calls of which something is still to come.
    pub(super) fn up(&self) -> usize {
        self.up.len()
    }

    /// Whether nothing more is to come.
    pub(super) fn is_complete(&self) -> bool {
        self.up.is_empty() && self.half.is_empty()
    }

    /// The daemon recorded a call.
    pub(super) fn record(&mut self, record: &CallRecord) {
        self.tally.recorded += 1;
        let agent = match &record.outcome {
            Outcome::Answered { agent, .. } if talked(record, agent) >= SHORT => {
                self.agents.get(agent).copied()
            }
            Outcome::Lost { .. } => {
                self.tally.lost += 1;
                None
            }
            _ => None,
        };
        match self.up.get_mut(&record.sip_call_id) {
            Some(up @ Up { recorded: None, .. }) => {
                up.recorded = Some(Recorded { lasted: record.lasted, agent })
            }
            _ => self.tally.strange += 1,
        }
        self.settle(&record.sip_call_id);
    }

    /// A phone tells of a call.
    pub(super) fn report(&mut self, report: Report) {
        match report {
            Report::Caller(report) => self.caller(report),
            Report::Agent(report) => self.agent(&report),
        }
    }

    fn caller(&mut self, report: CallerReport) {
        self.tally.sent += report.ear.sent;
        self.tally.received += report.ear.received;
        let call_id = report.call_id.clone();
        match report.end {
            CallerEnd::Over => {
                if let Some(up) = self.up.get_mut(&call_id) {
                    up.report = Some(report);
                }
                self.settle(&call_id);
            }
            CallerEnd::TurnedAway(_) | CallerEnd::Unanswered => {
                self.tally.unserved += 1;
                self.up.remove(&call_id);
            }
        }
    }

    fn agent(&mut self, AgentReport { agent, ear }: &AgentReport) {
        self.tally.sent += ear.sent;
        self.tally.received += ear.received;
        for caller in ear.voices().filter(|voice| !voice.is_agent()) {
            if self.half.remove(&(*agent, caller)) {
                self.tally.mutual += 1;
            } else {
                self.heard.insert((*agent, caller));
            }
        }
    }

    /// Counts a call once both its record and its caller's report are there.
    fn settle(&mut self, call_id: &str) {
        let complete = |up: &Up| up.recorded.is_some() && up.report.is_some();
        if !self.up.get(call_id).is_some_and(complete) {
            return;
        }
        let Some(Up { voice, recorded: Some(recorded), report: Some(report) }) = self.up.remove(call_id)
        else {
            return;
        };
        if recorded.lasted >= SHORT {
            self.tally.listening += 1;
            self.tally.soon += u64::from(report.first_sound.is_some_and(|after| after <= SOON));
            self.tally.deaf += u64::from(report.first_sound.is_none());
        }
        let Some(agent) = recorded.agent else { return };
        self.tally.talks += 1;
        if report.ear.heard(Voice::of_agent(agent)) {
            if self.heard.remove(&(agent, voice)) {
                self.tally.mutual += 1;
            } else {
                self.half.insert((agent, voice));
            }
        }
    }

    /// What it comes to, with so many different calls in the ledger.
    pub(super) fn verdict(&self, in_ledger: u64) -> Verdict {
        Verdict { tally: self.tally.clone(), unfinished: self.up.len(), in_ledger }
    }
}

/// How long a caller talked with an agent.
fn talked(record: &CallRecord, name: &str) -> Duration {
    let talks = record.segments.iter().filter(|segment| match &segment.stage {
        Stage::Talk { agent } => agent == name,
        Stage::Queue | Stage::Presented { .. } | Stage::Dial { .. } | Stage::Transfer { .. } => false,
    });
    talks.map(|segment| segment.to.saturating_sub(segment.from)).sum()
}

impl Verdict {
    /// Whether no call was lost and everybody heard whom they should.
    ///
    /// Sound that came later than it should is shown and does not count: a busy computer does that.
    pub(super) fn is_good(&self) -> bool {
        let Tally { placed, recorded, lost, unserved, strange, deaf, talks, mutual, .. } = self.tally;
        let each_has_one = recorded == placed && self.in_ledger == placed && self.unfinished == 0;
        each_has_one && lost + unserved + strange + deaf == 0 && mutual == talks
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { placed, lost, unserved, listening, soon, talks, mutual, sent, received, .. } = self.tally;
        writeln!(
            f,
            "Sound: the phones sent {sent} RTP packets and received {received}; {soon} of {listening} callers heard \
             something within {} ms of the answer; in {mutual} of {talks} talks both sides heard each other.",
            SOON.as_millis()
        )?;
        write!(f, "Calls: {placed} placed, {} in the ledger", self.in_ledger)?;
        if self.is_good() {
            write!(f, ", each with exactly one outcome; none was lost.")
        } else {
            let Tally { recorded, strange, deaf, .. } = self.tally;
            write!(
                f,
                "; NOT ALL IS WELL: {recorded} recorded, {lost} lost, {unserved} refused or not answered, {strange} \
                 records of no call, {deaf} callers heard nothing, {} calls without an end.",
                self.unfinished
            )
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::acd::Band;
    use crate::call::record::{EndedBy, Segment};
    use crate::cli::demo::phone::Ear;
    use crate::id::CallId;
    use crate::time::Wall;

    const CALL: &str = "a@127.0.0.2";

    fn record(outcome: Outcome, talked_ms: u64) -> CallRecord {
        let (from, to) = (Duration::from_secs(1), Duration::from_millis(1_000 + talked_ms));
        CallRecord {
            call: CallId(1),
            sip_call_id: CALL.into(),
            promise: None,
            case: None,
            trunk: "elm-tree".into(),
            practice: None,
            line: "elm-tree".into(),
            band: Band::ROUTINE,
            ddi: "+442079460101".into(),
            cli: None,
            arrived: Wall(0),
            waited: from,
            lasted: to,
            segments: vec![Segment { stage: Stage::Talk { agent: "ben".into() }, from, to }],
            outcome,
            disposition: None,
        }
    }

    fn answered() -> CallRecord {
        record(Outcome::Answered { agent: "ben".into(), ended_by: EndedBy::Agent }, 3_000)
    }

    fn caller(end: CallerEnd, first_sound: Option<u64>, voices: &[Voice]) -> Report {
        let first_sound = first_sound.map(Duration::from_millis);
        Report::Caller(CallerReport { call_id: CALL.into(), end, first_sound, ear: Ear::of(voices) })
    }

    fn agent(voices: &[Voice]) -> Report {
        Report::Agent(AgentReport { agent: 1, ear: Ear::of(voices) })
    }

    /// A proof in which one call was placed.
    fn placed() -> Proof {
        let mut proof = Proof::new(["asha".to_owned(), "ben".to_owned()]);
        proof.placed(CALL, Voice::of_caller(0));
        proof
    }

    fn after(reports: Vec<Report>, records: &[CallRecord]) -> Verdict {
        let mut proof = placed();
        reports.into_iter().for_each(|report| proof.report(report));
        records.iter().for_each(|record| proof.record(record));
        proof.verdict(1)
    }

    #[test]
    fn a_call_in_which_both_heard_each_other_is_good_in_any_order() {
        let told =
            || vec![caller(CallerEnd::Over, Some(20), &[Voice::of_agent(1)]), agent(&[Voice::of_caller(0)])];
        let mut late = placed();
        late.record(&answered());
        assert_eq!((late.up(), late.is_complete()), (1, false));
        told().into_iter().for_each(|report| late.report(report));
        assert!(late.is_complete());
        for verdict in [late.verdict(1), after(told(), &[answered()])] {
            assert!(verdict.is_good(), "{verdict}");
            let text = verdict.to_string();
            assert!(text.contains("sent 20 RTP packets and received 20; 1 of 1 callers"), "{text}");
            assert!(text.contains("in 1 of 1 talks"), "{text}");
        }
    }

    #[test]
    fn whatever_goes_wrong_is_not_good() {
        let over = |voices: &[Voice]| caller(CallerEnd::Over, Some(20), voices);
        let (ben, us) = (&[Voice::of_agent(1)], &[Voice::of_caller(0)]);
        let lost = record(Outcome::Lost { ended_by: EndedBy::DeadPeer }, 0);
        let cases = [
            ("no record", after(vec![over(ben), agent(us)], &[])),
            ("no report", after(vec![agent(us)], &[answered()])),
            ("two records", after(vec![over(ben), agent(us)], &[answered(), answered()])),
            ("the agent heard another", after(vec![over(ben), agent(&[Voice::of_caller(1)])], &[answered()])),
            ("the caller heard another", after(vec![over(&[Voice::of_agent(0)]), agent(us)], &[answered()])),
            ("nothing heard", after(vec![caller(CallerEnd::Over, None, ben), agent(us)], &[answered()])),
            ("lost", after(vec![over(&[])], &[lost])),
            ("turned away", after(vec![caller(CallerEnd::TurnedAway(503), None, &[])], &[])),
            ("unanswered", after(vec![caller(CallerEnd::Unanswered, None, &[])], &[])),
        ];
        for (what, verdict) in cases {
            assert!(
                !verdict.is_good() && verdict.to_string().contains("NOT ALL IS WELL"),
                "{what}: {verdict}"
            );
        }
    }

    #[test]
    fn a_call_that_is_not_in_the_ledger_is_not_good() {
        let mut proof = placed();
        proof.record(&record(Outcome::Abandoned, 0));
        proof.report(caller(CallerEnd::Over, Some(20), &[]));
        assert!(proof.verdict(1).is_good() && !proof.verdict(0).is_good());
    }

    #[test]
    fn late_sound_is_shown_and_a_short_talk_proves_nothing() {
        let short = record(Outcome::Answered { agent: "ben".into(), ended_by: EndedBy::Caller }, 50);
        let verdict = after(vec![caller(CallerEnd::Over, Some(101), &[])], &[short]);
        assert!(verdict.is_good());
        let text = verdict.to_string();
        assert!(text.contains("0 of 1 callers") && text.contains("in 0 of 0 talks"), "{text}");
    }
}
