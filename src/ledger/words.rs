//! The words that the database and reports use for outcomes and stages.
//!
//! They are stored, so a word never changes its meaning; the CHECKs of the schema list the same ones.

use crate::acd::callback::Miss;
use crate::acd::{Cause, Leaving};
use crate::call::record::{EndedBy, Outcome, Presentation, PromiseOutcome, Stage};

use super::Error;

/// An outcome without its particulars.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person answered.
    Answered,
    /// The caller gave up.
    Abandoned,
    /// Turned away at the door.
    Refused,
    /// Ended without answer and without the caller's wish.
    Lost,
    /// Led out of the line.
    Released,
    /// Left the line for a promised callback.
    Promised,
    /// A call that we made, and did not reach the patient.
    Unreached,
    /// A call that we were to make, and did not.
    Withdrawn,
}

impl Kind {
    const ALL: [Kind; 8] = [
        Kind::Answered,
        Kind::Abandoned,
        Kind::Refused,
        Kind::Lost,
        Kind::Released,
        Kind::Promised,
        Kind::Unreached,
        Kind::Withdrawn,
    ];

    /// The kind of an outcome.
    pub fn of(outcome: &Outcome) -> Kind {
        match outcome {
            Outcome::Answered { .. } => Kind::Answered,
            Outcome::Abandoned => Kind::Abandoned,
            Outcome::Refused { .. } => Kind::Refused,
            Outcome::Lost { .. } => Kind::Lost,
            Outcome::Released { .. } => Kind::Released,
            Outcome::Promised => Kind::Promised,
            Outcome::Unreached { .. } => Kind::Unreached,
            Outcome::Withdrawn => Kind::Withdrawn,
        }
    }

    /// Its stored word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Answered => "answered",
            Kind::Abandoned => "abandoned",
            Kind::Refused => "refused",
            Kind::Lost => "lost",
            Kind::Released => "released",
            Kind::Promised => "promised",
            Kind::Unreached => "unreached",
            Kind::Withdrawn => "withdrawn",
        }
    }

    /// The kind that a stored word means.
    pub(super) fn named(word: &str) -> Result<Kind, Error> {
        let found = Kind::ALL.into_iter().find(|kind| kind.word() == word);
        found.ok_or_else(|| Error::Meaningless { column: "outcome", value: word.to_owned() })
    }
}

/// Who answered last, the stored word of what ended the call or kept it from being answered, and the code of a refusal.
pub(crate) fn particulars(outcome: &Outcome) -> (Option<&str>, Option<&'static str>, Option<u16>) {
    match outcome {
        Outcome::Answered { agent, ended_by: by } => (Some(agent), Some(ended_by(*by)), None),
        Outcome::Abandoned | Outcome::Promised | Outcome::Withdrawn => (None, None, None),
        Outcome::Refused { code } => (None, None, Some(*code)),
        Outcome::Lost { ended_by: by } => (None, Some(ended_by(*by)), None),
        Outcome::Released { why } => (None, Some(leaving(*why)), None),
        Outcome::Unreached { why } => (None, Some(miss(*why)), None),
    }
}

/// The stored word of what ended a call.
fn ended_by(ended_by: EndedBy) -> &'static str {
    match ended_by {
        EndedBy::Caller => "caller",
        EndedBy::Agent => "agent",
        EndedBy::DeadMedia => "dead-media",
        EndedBy::DeadPeer => "dead-peer",
        EndedBy::Shutdown => "shutdown",
        EndedBy::Supervisor => "supervisor",
    }
}

/// The stored word of why a caller was led out of a line.
fn leaving(why: Leaving) -> &'static str {
    match why {
        Leaving::WaitedTooLong => "waited-too-long",
        Leaving::NobodyAtWork => "nobody-at-work",
    }
}

/// The stored word of why a patient was not reached.
fn miss(why: Miss) -> &'static str {
    match why {
        Miss::Busy => "busy",
        Miss::NoAnswer => "no-answer",
        Miss::Failed => "failed",
    }
}

/// The stored word of how a promised callback ended, and of why the patient was not reached.
pub(crate) fn promise_outcome(outcome: PromiseOutcome) -> (&'static str, Option<&'static str>) {
    match outcome {
        PromiseOutcome::Reached => ("reached", None),
        PromiseOutcome::Unreached(why) => ("unreached", Some(miss(why))),
        PromiseOutcome::Expired => ("expired", None),
        PromiseOutcome::Cancelled => ("cancelled", None),
        PromiseOutcome::OwnCall => ("own-call", None),
        PromiseOutcome::Merged => ("merged", None),
        PromiseOutcome::LineGone => ("line-gone", None),
    }
}

/// The stored word of a stage.
pub(super) fn stage(stage: &Stage) -> &'static str {
    match stage {
        Stage::Queue => "queue",
        Stage::Presented { .. } => "presented",
        Stage::Dial { .. } => "dial",
        Stage::Talk { .. } => "talk",
        Stage::Transfer { .. } => "transfer",
    }
}

/// The stored word of what came of a presentation.
pub(super) fn result(result: Presentation) -> &'static str {
    match result {
        Presentation::Answered => "answered",
        Presentation::Missed(Cause::Busy) => "busy",
        Presentation::Missed(Cause::Rejected) => "rejected",
        Presentation::Missed(Cause::NoAnswer) => "no-answer",
        Presentation::Missed(Cause::Unreachable) => "unreachable",
        Presentation::Missed(Cause::Failed) => "failed",
        Presentation::CallerGone => "caller-gone",
        Presentation::Withdrawn => "withdrawn",
        Presentation::AnsweredElsewhere => "answered-elsewhere",
        Presentation::Recalled => "recalled",
    }
}

const ENDED_BY: [EndedBy; 6] = [
    EndedBy::Caller,
    EndedBy::Agent,
    EndedBy::DeadMedia,
    EndedBy::DeadPeer,
    EndedBy::Shutdown,
    EndedBy::Supervisor,
];

const RESULTS: [Presentation; 10] = [
    Presentation::Answered,
    Presentation::Missed(Cause::Busy),
    Presentation::Missed(Cause::Rejected),
    Presentation::Missed(Cause::NoAnswer),
    Presentation::Missed(Cause::Unreachable),
    Presentation::Missed(Cause::Failed),
    Presentation::CallerGone,
    Presentation::Withdrawn,
    Presentation::AnsweredElsewhere,
    Presentation::Recalled,
];

/// An outcome from its columns.
pub(super) fn to_outcome(
    word: String,
    agent: Option<String>,
    by: Option<String>,
    code: Option<u16>,
) -> Result<Outcome, Error> {
    match (Kind::named(&word)?, agent, by, code) {
        (Kind::Answered, Some(agent), Some(by), _) => {
            Ok(Outcome::Answered { agent, ended_by: to_ended_by(by)? })
        }
        (Kind::Abandoned, ..) => Ok(Outcome::Abandoned),
        (Kind::Refused, _, _, Some(code)) => Ok(Outcome::Refused { code }),
        (Kind::Lost, _, Some(by), _) => Ok(Outcome::Lost { ended_by: to_ended_by(by)? }),
        (Kind::Released, _, Some(by), _) => Ok(Outcome::Released { why: to_leaving(by)? }),
        (Kind::Promised, ..) => Ok(Outcome::Promised),
        (Kind::Unreached, _, Some(by), _) => Ok(Outcome::Unreached { why: to_miss(by)? }),
        (Kind::Withdrawn, ..) => Ok(Outcome::Withdrawn),
        _ => Err(Error::Meaningless { column: "outcome", value: word }),
    }
}

/// A stage from its columns.
pub(super) fn to_stage(
    word: String,
    agent: Option<String>,
    result: Option<String>,
    target: Option<String>,
) -> Result<Stage, Error> {
    let result = result.map(to_result).transpose()?;
    match (word.as_str(), agent, result, target) {
        ("queue", ..) => Ok(Stage::Queue),
        ("presented", Some(agent), Some(result), _) => Ok(Stage::Presented { agent, result }),
        ("dial", Some(agent), ..) => Ok(Stage::Dial { agent }),
        ("talk", Some(agent), ..) => Ok(Stage::Talk { agent }),
        ("transfer", Some(agent), _, Some(to)) => Ok(Stage::Transfer { agent, to }),
        _ => Err(Error::Meaningless { column: "stage", value: word }),
    }
}

fn to_ended_by(word: String) -> Result<EndedBy, Error> {
    let found = ENDED_BY.into_iter().find(|&by| ended_by(by) == word);
    found.ok_or(Error::Meaningless { column: "ended_by", value: word })
}

fn to_leaving(word: String) -> Result<Leaving, Error> {
    let found = [Leaving::WaitedTooLong, Leaving::NobodyAtWork].into_iter().find(|&why| leaving(why) == word);
    found.ok_or(Error::Meaningless { column: "ended_by", value: word })
}

fn to_miss(word: String) -> Result<Miss, Error> {
    let found = [Miss::Busy, Miss::NoAnswer, Miss::Failed].into_iter().find(|&why| miss(why) == word);
    found.ok_or(Error::Meaningless { column: "ended_by", value: word })
}

fn to_result(word: String) -> Result<Presentation, Error> {
    let found = RESULTS.into_iter().find(|&presentation| result(presentation) == word);
    found.ok_or(Error::Meaningless { column: "result", value: word })
}
