//! What happened, as it is kept: the switch's events with the plan that was in force.
//!
//! Their words come from the names of [`Event`] itself: `BackInLine` is of the kind `back-in-line`. What they tell of
//! call, line, trunk, agent and rule has a column of its own, the rest is a JSON object, durations in milliseconds.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::acd::Availability;
use crate::switch::Event;
use crate::time::Wall;

/// Whether it is kept. Whoever is turned away at the door may be anybody, as often as they like: they are counted. That an
/// agent's phone rings, or that the agent talks, the call's own events tell.
pub(super) fn is_kept(event: &Event) -> bool {
    use Availability::{Ringing, Talking};
    !matches!(event, Event::TurnedAway { .. } | Event::Availability { state: Ringing(_) | Talking(_), .. })
}

/// When and under which plan it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Circumstances {
    /// Its number in the run. It grows, but not always by one: each life of a run begins with the microseconds since
    /// 1970, so that none takes the numbers of one before.
    pub(super) seq: i64,
    pub(super) at: Wall,
    /// The version of the plan in force.
    pub(super) plan: String,
}

/// One event, as its row has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EventRow {
    pub(super) circumstances: Circumstances,
    pub(super) kind: String,
    pub(super) call: Option<u64>,
    pub(super) line: Option<String>,
    pub(super) trunk: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) detail: String,
    pub(super) referral: Option<ReferralRow>,
}

/// What it says of a referral.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReferralRow {
    pub(super) referral: u64,
    pub(super) pathway: String,
    pub(super) agent: String,
    /// `None` as long as the pathway has not answered.
    pub(super) outcome: Option<String>,
}

impl EventRow {
    pub(super) fn of(circumstances: Circumstances, event: &Event) -> EventRow {
        let (variant, mut fields) = match serde_json::to_value(event) {
            Ok(Value::Object(outer)) => match outer.into_iter().next() {
                Some((variant, Value::Object(fields))) => (variant, fields),
                Some((variant, _)) => (variant, Map::new()),
                None => Default::default(),
            },
            Ok(Value::String(variant)) => (variant, Map::new()),
            _ => Default::default(),
        };
        let mut text = |key: &str| match fields.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let [line, trunk, agent, rule] = ["line", "trunk", "agent", "rule"].map(&mut text);
        let call = fields.remove("call").and_then(|call| call.as_u64());
        EventRow {
            circumstances,
            kind: kebab(&variant),
            call,
            line,
            trunk,
            agent,
            rule,
            detail: in_milliseconds(Value::Object(fields)).to_string(),
            referral: referral(event),
        }
    }
}

fn referral(event: &Event) -> Option<ReferralRow> {
    let (referral, pathway, agent, outcome) = match event {
        Event::Referred { referral, pathway, agent } => (referral, pathway, agent, None),
        Event::ReferralEnded { referral, pathway, agent, outcome } => {
            (referral, pathway, agent, Some(outcome.word().to_owned()))
        }
        _ => return None,
    };
    Some(ReferralRow { referral: referral.0, pathway: pathway.clone(), agent: agent.clone(), outcome })
}

/// `BackInLine` as `back-in-line`.
fn kebab(name: &str) -> String {
    name.char_indices().fold(String::new(), |mut kebab, (at, letter)| {
        if letter.is_ascii_uppercase() && at > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
        kebab
    })
}

/// With each duration as a number, its key ending in `_ms`.
fn in_milliseconds(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let fields = fields.into_iter().map(|(key, value)| match milliseconds(&value) {
        Some(number) => (format!("{key}_ms"), number.into()),
        None => (key, in_milliseconds(value)),
    });
    Value::Object(fields.collect())
}

fn milliseconds(value: &Value) -> Option<u64> {
    let fields = value.as_object().filter(|fields| fields.len() == 2)?;
    Some(fields.get("secs")?.as_u64()? * 1_000 + fields.get("nanos")?.as_u64()? / 1_000_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;
    use crate::acd::pathway::Outcome;
    use crate::acd::{Band, Cause};
    use crate::call::record::Outcome as Ended;
    use crate::id::{CallId, ReferralId};
    use crate::switch::Seen;

    fn row(event: &Event) -> EventRow {
        EventRow::of(Circumstances { seq: 1, at: Wall(2), plan: "p".into() }, event)
    }

    /// These words are stored.
    #[test]
    fn an_event_is_of_the_kind_of_its_name_and_what_has_no_column_is_in_the_detail() {
        let (call, line, agent) = (CallId(7), "elm-tree".to_owned(), "asha".to_owned());
        let rule = "monday".to_owned();
        let waited = Duration::from_millis(1_234_567);
        let seen = Seen { waiting: 9, longest_wait: Some(waited), ..Seen::default() };
        let trunk = "elm-tree-trunk".to_owned();
        let (line, why) = (|| line.clone(), rule.clone());
        let cases = [
            (
                Event::Arrived { call, trunk: trunk.clone(), line: line(), band: Band::ROUTINE, waiting: 3 },
                ("arrived", r#"{"band":1,"waiting":3}"#),
            ),
            (Event::Presented { call, agent: agent.clone() }, ("presented", "{}")),
            (
                Event::Missed { call, agent: agent.clone(), cause: Cause::NoAnswer },
                ("missed", r#"{"cause":"NoAnswer"}"#),
            ),
            (Event::Bridged { call, agent, waited }, ("bridged", r#"{"waited_ms":1234567}"#)),
            (
                Event::EntryRefused { trunk, line: line(), rule: Some(rule.clone()), why },
                ("entry-refused", r#"{"why":"monday"}"#),
            ),
            (
                Event::Rule { line: line(), rule, on: true, seen },
                (
                    "rule",
                    r#"{"on":true,"seen":{"agents_free":0,"agents_logged_in":0,"estimated_wait":null,"longest_wait_ms":1234567,"waiting":9}}"#,
                ),
            ),
            (
                Event::Ended { call, outcome: Ended::Abandoned, waited },
                ("ended", r#"{"outcome":"Abandoned","waited_ms":1234567}"#),
            ),
            (Event::Reloaded, ("reloaded", "{}")),
        ];
        for (event, (kind, detail)) in cases {
            let row = row(&event);
            assert_eq!((row.kind.as_str(), row.detail.as_str()), (kind, detail), "{event:?}");
        }
        let row = row(&Event::Announced { call, rule: "busy".into() });
        assert_eq!((row.call, row.rule.as_deref(), row.line), (Some(7), Some("busy"), None));
    }

    #[test]
    fn a_referral_has_its_own_row_until_it_is_answered() {
        let (referral, pathway, agent) = (ReferralId(3), "pharmacy".to_owned(), "asha".to_owned());
        let opened = row(&Event::Referred { referral, pathway: pathway.clone(), agent: agent.clone() });
        let ended = row(&Event::ReferralEnded { referral, pathway, agent, outcome: Outcome::Declined });
        assert_eq!(opened.referral.unwrap().outcome, None);
        assert_eq!(ended.referral.unwrap().outcome.as_deref(), Some("declined"));
        assert_eq!(row(&Event::Drained).referral, None);
    }
}
