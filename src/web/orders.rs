//! Orders as clients send them: what each body holds, and what is ordered by it.

use std::time::Duration;

use serde::Deserialize;

use super::problem::Problem;
use crate::acd::Band;
use crate::id::{CallId, CaseId, ReferralId};
use crate::switch::{CallerOrder, Order, Refused, ToAgent, WithCase};

/// Longest text of a reason or name.
const LONGEST: usize = 100;
/// By how much a caller may count as having come earlier, at most.
const MOST_CREDIT: u64 = 24 * 3_600;

/// In the place of a case's number: the most urgent one.
const NEXT: &str = "next";

/// What is ordered; the path names of whom.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    LogIn,
    LogOut,
    Pause,
    Resume,
    WrapUp,
    Disposition,
    Transfer,
    /// By an agent, of the caller on the line or another.
    Red,
    Prioritise,
    Move,
    HangUp,
    /// By a supervisor.
    Emergency,
    Report,
    Acknowledge,
    Decline,
    TakeCase,
    GiveBackCase,
    CloseCase,
    ReferCase,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum WrapUp {
    End(bool),
    Extend(bool),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct To {
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pathway {
    pathway: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Red {
    #[serde(default)]
    call: Option<Whole>,
}

/// A whole number; JSON knows no difference between 60 and 60.0.
#[derive(Copy, Clone, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Whole(pub(super) u64);

impl TryFrom<f64> for Whole {
    type Error = &'static str;

    fn try_from(number: f64) -> Result<Whole, &'static str> {
        const LARGEST: f64 = 9_007_199_254_740_992.0;
        let fits = number.fract() == 0.0 && (0.0..=LARGEST).contains(&number);
        if fits { Ok(Whole(number as u64)) } else { Err("it is no whole number of a fit size") }
    }
}

impl Whole {
    fn fit<T: TryFrom<u64>>(self, key: &str) -> Result<T, Problem> {
        T::try_from(self.0).map_err(|_| Problem::bad(format!("`{key}` is too large")))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Priority {
    Band(Whole),
    CreditS(Whole),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    line: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Capacity {
    capacity: Whole,
}

/// The order in a request: `of` is the name or number in the path, `by` the agent who asks.
pub(super) fn order(verb: Verb, of: &str, by: Option<&str>, body: &[u8]) -> Result<Order, Problem> {
    let agent = |what| Order::Agent(of.to_owned(), what);
    let case_order = |what| match by {
        Some(name) => Ok(Order::Case(name.to_owned(), what)),
        None => Err(Problem::conflict("you are signed in, but not as an agent")),
    };
    Ok(match verb {
        Verb::LogIn => nothing(body).map(|()| agent(ToAgent::LogIn))?,
        Verb::LogOut => nothing(body).map(|()| agent(ToAgent::LogOut))?,
        Verb::Resume => nothing(body).map(|()| agent(ToAgent::Resume))?,
        Verb::Pause => agent(ToAgent::Pause(text("reason", read::<Reason>(body)?.reason)?)),
        Verb::WrapUp => match read(body)? {
            WrapUp::End(true) => agent(ToAgent::EndWrapUp),
            WrapUp::Extend(true) => agent(ToAgent::ExtendWrapUp),
            WrapUp::End(false) | WrapUp::Extend(false) => {
                return Err(Problem::bad("send {\"end\": true} or {\"extend\": true}"));
            }
        },
        Verb::Disposition => agent(ToAgent::Dispose(text("code", read::<Code>(body)?.code)?)),
        Verb::Transfer => agent(ToAgent::Transfer(text("to", read::<To>(body)?.to)?)),
        Verb::Red => match if body.is_empty() { None } else { read::<Red>(body)?.call } {
            Some(Whole(call)) => Order::Caller(CallerOrder::Flag(CallId(call))),
            None => Order::FlagOf(of.to_owned()),
        },
        Verb::Prioritise => Order::Caller(match read(body)? {
            Priority::Band(Whole(0)) => {
                return Err(Problem::bad("band 0 is for emergencies: use `emergency`"));
            }
            Priority::Band(band) => CallerOrder::Rank(call(of)?, Band(band.fit("band")?)),
            Priority::CreditS(Whole(seconds)) if seconds <= MOST_CREDIT => {
                CallerOrder::Credit(call(of)?, Duration::from_secs(seconds))
            }
            Priority::CreditS(_) => return Err(Problem::bad("`credit_s` is at most a day")),
        }),
        Verb::Move => Order::Caller(CallerOrder::Move(call(of)?, text("line", read::<Line>(body)?.line)?)),
        Verb::HangUp => {
            // It is for the audit, which has the body.
            text("reason", read::<Reason>(body)?.reason)?;
            Order::Caller(CallerOrder::HangUp(call(of)?))
        }
        Verb::Emergency => {
            nothing(body)?;
            Order::Caller(CallerOrder::Flag(call(of)?))
        }
        Verb::Report => Order::Report(of.to_owned(), read::<Capacity>(body)?.capacity.fit("capacity")?),
        Verb::Acknowledge => nothing(body).and_then(|()| referral(of)).map(Order::Acknowledge)?,
        Verb::Decline => nothing(body).and_then(|()| referral(of)).map(Order::Decline)?,
        Verb::TakeCase => {
            nothing(body)?;
            case_order(if of == NEXT { WithCase::TakeNext } else { WithCase::Take(case(of)?) })?
        }
        Verb::GiveBackCase => {
            nothing(body)?;
            case_order(WithCase::GiveBack(case(of)?))?
        }
        Verb::CloseCase => {
            let code = text("code", read::<Code>(body)?.code)?;
            case_order(WithCase::Close(case(of)?, code))?
        }
        Verb::ReferCase => {
            let pathway = text("pathway", read::<Pathway>(body)?.pathway)?;
            case_order(WithCase::Refer(case(of)?, pathway))?
        }
    })
}

/// Why an order was not obeyed, as clients are told.
pub(super) fn refused(refused: Refused) -> Problem {
    match refused {
        Refused::Unknown(why) => Problem::not_found(why),
        Refused::NotNow(why) => Problem::conflict(why),
    }
}

/// The number of a call in a path.
pub(super) fn call(text: &str) -> Result<CallId, Problem> {
    let id = text.parse().map(CallId);
    id.map_err(|_| Problem::not_found("the number of a call is a whole number"))
}

fn case(text: &str) -> Result<CaseId, Problem> {
    let id = text.parse().map(CaseId);
    id.map_err(|_| Problem::not_found("the number of a case is a whole number"))
}

fn referral(text: &str) -> Result<ReferralId, Problem> {
    let id = text.parse().map(ReferralId);
    id.map_err(|_| Problem::not_found("the number of a referral is a whole number"))
}

fn nothing(body: &[u8]) -> Result<(), Problem> {
    if body.is_empty() { Ok(()) } else { read::<Nothing>(body).map(drop) }
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::bad(format!("the body is not as described: {error}")))
}

fn text(key: &str, text: String) -> Result<String, Problem> {
    let fits =
        !text.trim().is_empty() && text.chars().count() <= LONGEST && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(Problem::bad(format!("`{key}` is a text of 1 to {LONGEST} letters"))) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_body_is_read_strictly() {
        let asha = |what| Order::Agent("asha".into(), what);
        let with_case = |what| Order::Case("ben".into(), what);
        let cases: [(Verb, &str, &str, Order); 14] = [
            (Verb::LogIn, "asha", "", asha(ToAgent::LogIn)),
            (Verb::LogIn, "asha", "{}", asha(ToAgent::LogIn)),
            (Verb::Pause, "asha", r#"{"reason":"lunch"}"#, asha(ToAgent::Pause("lunch".into()))),
            (Verb::WrapUp, "asha", r#"{"end":true}"#, asha(ToAgent::EndWrapUp)),
            (Verb::Transfer, "asha", r#"{"to":"ben"}"#, asha(ToAgent::Transfer("ben".into()))),
            (Verb::Red, "asha", "", Order::FlagOf("asha".into())),
            (Verb::Red, "asha", r#"{"call":7}"#, Order::Caller(CallerOrder::Flag(CallId(7)))),
            (
                Verb::Prioritise,
                "7",
                r#"{"credit_s":60}"#,
                Order::Caller(CallerOrder::Credit(CallId(7), Duration::from_secs(60))),
            ),
            (Verb::Decline, "3", "", Order::Decline(ReferralId(3))),
            (Verb::TakeCase, "next", "", with_case(WithCase::TakeNext)),
            (Verb::TakeCase, "3", "{}", with_case(WithCase::Take(CaseId(3)))),
            (Verb::GiveBackCase, "3", "", with_case(WithCase::GiveBack(CaseId(3)))),
            (Verb::CloseCase, "3", r#"{"code":"21"}"#, with_case(WithCase::Close(CaseId(3), "21".into()))),
            (Verb::ReferCase, "3", r#"{"pathway":"p"}"#, with_case(WithCase::Refer(CaseId(3), "p".into()))),
        ];
        for (verb, of, body, expected) in cases {
            assert_eq!(order(verb, of, Some("ben"), body.as_bytes()).unwrap(), expected, "{verb:?} {body}");
        }
        let wrong = [
            (Verb::LogIn, r#"{"x":1}"#),
            (Verb::Pause, "{}"),
            (Verb::Pause, r#"{"reason":" "}"#),
            (Verb::Pause, r#"{"reason":"a\nb"}"#),
            (Verb::WrapUp, r#"{"end":false}"#),
            (Verb::WrapUp, r#"{"end":true,"extend":true}"#),
            (Verb::Prioritise, r#"{"band":0}"#),
            (Verb::Prioritise, r#"{"credit_s":86401}"#),
            (Verb::HangUp, "{}"),
            (Verb::Report, r#"{"capacity":-1}"#),
            (Verb::Emergency, "no"),
            (Verb::TakeCase, r#"{"x":1}"#),
            (Verb::CloseCase, "{}"),
            (Verb::ReferCase, r#"{"pathway":""}"#),
        ];
        for (verb, body) in wrong {
            assert_eq!(
                order(verb, "7", Some("ben"), body.as_bytes()).unwrap_err().status().as_u16(),
                400,
                "{verb:?} {body}"
            );
        }
        let status = |verb, of, by| order(verb, of, by, b"").unwrap_err().status().as_u16();
        assert_eq!(status(Verb::Emergency, "x", None), 404);
        assert_eq!(status(Verb::GiveBackCase, "next", Some("ben")), 404, "only to take one");
        assert_eq!(status(Verb::TakeCase, "next", None), 409, "whose would it be?");
    }
}
