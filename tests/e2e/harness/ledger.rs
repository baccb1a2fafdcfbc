//! The ledger's rows, read as any other program would, and what must hold of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

/// One call as the ledger has it; all times in milliseconds.
#[derive(Clone, Debug)]
pub struct Call {
    pub sip_call_id: String,
    pub trunk: String,
    pub practice: Option<String>,
    pub line: String,
    pub band: i64,
    pub ddi: String,
    pub cli: Option<String>,
    pub arrived: i64,
    pub waited: i64,
    pub lasted: i64,
    pub outcome: String,
    pub agent: Option<String>,
    pub ended_by: Option<String>,
    pub code: Option<i64>,
    pub disposition: Option<String>,
    pub segments: Vec<Segment>,
}

/// One stage of a call; offsets in milliseconds from arrival.
#[derive(Clone, Debug)]
pub struct Segment {
    pub stage: String,
    pub agent: Option<String>,
    pub result: Option<String>,
    pub target: Option<String>,
    pub from: i64,
    pub to: i64,
}

impl Call {
    /// Outcome and who ended it, in one phrase.
    pub fn end(&self) -> (&str, Option<&str>) {
        (&self.outcome, self.ended_by.as_deref())
    }

    pub fn stages(&self, stage: &str) -> Vec<&Segment> {
        self.segments.iter().filter(|segment| segment.stage == stage).collect()
    }

    /// Who was rung, and what came of it, in order.
    pub fn presentations(&self) -> Vec<(&str, &str)> {
        let presented = self.stages("presented");
        presented.iter().map(|s| (s.agent.as_deref().unwrap(), s.result.as_deref().unwrap())).collect()
    }
}

/// All rows, in order of writing; none while there is no database.
pub fn read(path: &Path) -> Vec<Call> {
    // The file's schema comes after the file.
    let Ok(db) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE) else {
        return Vec::new();
    };
    let Ok(mut calls) = db.prepare("SELECT * FROM calls ORDER BY id") else { return Vec::new() };
    let mut segments = db.prepare("SELECT * FROM segments WHERE call = ? ORDER BY seq").unwrap();
    let calls = calls.query_map([], |row| {
        let id: i64 = row.get("id")?;
        let segments = segments.query_map([id], segment)?.collect::<Result<_, _>>()?;
        call(row, segments)
    });
    calls.unwrap().collect::<Result<_, _>>().unwrap()
}

fn call(row: &Row<'_>, segments: Vec<Segment>) -> rusqlite::Result<Call> {
    Ok(Call {
        sip_call_id: row.get("sip_call_id")?,
        trunk: row.get("trunk")?,
        practice: row.get("practice")?,
        line: row.get("line")?,
        band: row.get("band")?,
        ddi: row.get("ddi")?,
        cli: row.get("cli")?,
        arrived: row.get("arrived_ms")?,
        waited: row.get("waited_ms")?,
        lasted: row.get("lasted_ms")?,
        outcome: row.get("outcome")?,
        agent: row.get("agent")?,
        ended_by: row.get("ended_by")?,
        code: row.get("code")?,
        disposition: row.get("disposition")?,
        segments,
    })
}

fn segment(row: &Row<'_>) -> rusqlite::Result<Segment> {
    Ok(Segment {
        stage: row.get("stage")?,
        agent: row.get("agent")?,
        result: row.get("result")?,
        target: row.get("target")?,
        from: row.get("from_ms")?,
        to: row.get("to_ms")?,
    })
}

/// What holds of every ledger: one row a call, stages that fit together, agents who do one thing at a time.
pub fn assert_sound(calls: &[Call]) {
    let ids: BTreeSet<_> = calls.iter().map(|call| &call.sip_call_id).collect();
    assert_eq!(ids.len(), calls.len(), "one row a call");
    let mut busy: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    for call in calls {
        assert_stages(call);
        // Whoever handed a caller on may be busy elsewhere before that is done.
        for segment in call.segments.iter().filter(|segment| segment.stage != "transfer") {
            if let Some(agent) = &segment.agent {
                let at = |offset: i64| call.arrived + offset;
                busy.entry(agent).or_default().push((at(segment.from), at(segment.to)));
            }
        }
    }
    for (agent, mut spans) in busy {
        spans.sort_unstable();
        for pair in spans.windows(2) {
            // Arrivals are rounded to the millisecond.
            assert!(pair[1].0 >= pair[0].1 - 1, "{agent} does two things at once: {pair:?}");
        }
    }
}

fn assert_stages(call: &Call) {
    assert_eq!(call.code.is_some(), call.outcome == "refused", "{call:#?}");
    if call.outcome == "refused" {
        assert!(call.segments.is_empty(), "a call that was turned away had no stages: {call:#?}");
        return;
    }
    let queue = call.stages("queue");
    assert!(!queue.is_empty() && queue[0].from == 0, "a call waits from its arrival: {call:#?}");
    assert_eq!(queue[0].to, call.waited, "the wait is the first stay in the line: {call:#?}");
    assert!(call.segments.iter().all(|s| 0 <= s.from && s.from <= s.to && s.to <= call.lasted), "{call:#?}");
    assert_eq!(call.segments.iter().map(|s| s.to).max(), Some(call.lasted), "{call:#?}");
    let presented = call.stages("presented");
    for pair in presented.windows(2).filter(|_| call.band > 0) {
        assert!(pair[0].to <= pair[1].from, "one phone rings at a time for a routine call: {call:#?}");
    }
    for presentation in &presented {
        let inside = queue.iter().any(|stay| stay.from <= presentation.from && presentation.to <= stay.to);
        assert!(inside, "phones ring while the caller waits: {call:#?}");
    }
    let talks = call.stages("talk");
    let answered: Vec<_> = presented.iter().filter(|s| s.result.as_deref() == Some("answered")).collect();
    // In one millisecond a talk may begin, end and be resumed: what an answer explains needs no transfer in vain.
    let mut answers = answered.into_iter().peekable();
    for talk in &talks {
        let begun = answers.next_if(|answer| (&answer.agent, answer.to) == (&talk.agent, talk.from));
        let resumed = || {
            let mut handed = call.stages("transfer").into_iter();
            handed.any(|transfer| (&transfer.agent, transfer.to) == (&talk.agent, talk.from))
        };
        assert!(
            begun.is_some() || resumed(),
            "a talk begins with an answer, or a transfer in vain: {call:#?}"
        );
    }
    assert_eq!(answers.next().map(|answer| answer.from), None, "an answer begins a talk: {call:#?}");
    assert_eq!(call.outcome == "answered", !talks.is_empty(), "{call:#?}");
    assert_eq!(call.agent, talks.last().and_then(|talk| talk.agent.clone()), "{call:#?}");
}
