//! A call as spans of OTLP in JSON: the whole of it, and each stage as a child. No number is in them.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

use super::Spoke;
use crate::call::record::{CallRecord, Outcome, Segment, Stage};
use crate::ledger::words::{self, Kind};
use crate::octets::hex;

/// `SPAN_KIND_INTERNAL` and `SPAN_KIND_SERVER`.
const INTERNAL: u32 = 1;
const SERVER: u32 = 2;
/// `STATUS_CODE_UNSET` and `STATUS_CODE_ERROR`.
const UNSET: u32 = 0;
const ERROR: u32 = 2;

/// An `ExportTraceServiceRequest`.
pub(super) fn request(node: &str, spans: Vec<Value>) -> Value {
    let resource = [
        text("service.name", "hearken"),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("service.instance.id", node),
    ];
    let scope = json!({ "name": "hearken", "version": env!("CARGO_PKG_VERSION") });
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{ "scope": scope, "spans": spans }],
    }] })
}

/// Adds the spans of a call. Their ids follow from the run of the ledger and the number of the call, so that whoever has
/// one finds the other.
pub(super) fn add(run: i64, record: &CallRecord, spoken: &[Spoke], spans: &mut Vec<Value>) {
    let trace = hex(&digest(format!("{run}/{}", record.call).as_bytes())[..16]);
    let span = |at: usize| hex(&digest(format!("{trace}/{at}").as_bytes())[..8]);
    let arrived = u64::try_from(record.arrived.0).unwrap_or(0) * 1_000_000;
    let nanos =
        |offset: Duration| (arrived + u64::try_from(offset.as_nanos()).unwrap_or(u64::MAX / 2)).to_string();
    let events = spoken.iter().map(|Spoke { at, what, rule }| {
        let at = u64::try_from(at.0).unwrap_or(0) * 1_000_000;
        json!({ "timeUnixNano": at.to_string(), "name": what, "attributes": [text("hearken.rule", rule)] })
    });
    let failed = matches!(record.outcome, Outcome::Lost { .. } | Outcome::Refused { .. });
    spans.push(json!({
        "traceId": trace,
        "spanId": span(0),
        "name": "call",
        "kind": SERVER,
        "startTimeUnixNano": nanos(Duration::ZERO),
        "endTimeUnixNano": nanos(record.lasted),
        "attributes": attributes(record, spoken),
        "events": events.collect::<Vec<_>>(),
        "status": { "code": if failed { ERROR } else { UNSET } },
    }));
    for (at, Segment { stage, from, to }) in record.segments.iter().enumerate() {
        spans.push(json!({
            "traceId": trace,
            "spanId": span(at + 1),
            "parentSpanId": span(0),
            "name": words::stage(stage),
            "kind": INTERNAL,
            "startTimeUnixNano": nanos(*from),
            "endTimeUnixNano": nanos(*to),
            "attributes": of_stage(stage),
        }));
    }
}

fn attributes(record: &CallRecord, spoken: &[Spoke]) -> Vec<Value> {
    let mut all = vec![
        text("hearken.call", &record.call.to_string()),
        text("sip.call_id", &record.sip_call_id),
        text("hearken.trunk", &record.trunk),
        text("hearken.line", &record.line),
        json!({ "key": "hearken.band", "value": { "intValue": record.band.0.to_string() } }),
        text("hearken.outcome", Kind::of(&record.outcome).word()),
        json!({ "key": "hearken.waited", "value": { "doubleValue": record.waited.as_secs_f64() } }),
    ];
    all.extend(record.practice.as_ref().map(|practice| text("hearken.practice", practice)));
    let (agent, why, code) = words::particulars(&record.outcome);
    all.extend(agent.map(|agent| text("hearken.agent", agent)));
    all.extend(why.map(|why| text("hearken.ended_by", why)));
    all.extend(code.map(|code| json!({ "key": "sip.status", "value": { "intValue": code.to_string() } })));
    if !spoken.is_empty() {
        let rules: Vec<_> = spoken.iter().map(|spoke| json!({ "stringValue": spoke.rule })).collect();
        all.push(json!({ "key": "hearken.rules", "value": { "arrayValue": { "values": rules } } }));
    }
    all
}

fn of_stage(stage: &Stage) -> Vec<Value> {
    match stage {
        Stage::Queue => Vec::new(),
        Stage::Presented { agent, result } => {
            vec![text("hearken.agent", agent), text("hearken.result", words::result(*result))]
        }
        Stage::Dial { agent } | Stage::Talk { agent } => vec![text("hearken.agent", agent)],
        Stage::Transfer { agent, to } => vec![text("hearken.agent", agent), text("hearken.to", to)],
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
