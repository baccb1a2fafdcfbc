//! Callers who ring again, told by the stored form of their numbers.

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::super::is_hash;
use super::super::words::Kind;
use super::rows::CallRow;

/// A call within this time of another by the same number is a repeat call, in milliseconds.
pub(super) const REPEATS_WITHIN: i64 = 24 * 3_600_000;

/// Whether a caller had rung before.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// The number is not stored, so nobody can tell.
    Unknown,
    /// Not in the 24 hours before.
    First,
    /// Once at least in the 24 hours before.
    Repeat,
    /// The same, and the last time the caller gave up, so short a time ago that this call goes on with it.
    Redial,
}

/// Who has rung; calls are given in order of arrival.
pub(super) struct Callers {
    redials_within: i64,
    /// By the stored number: nobody sees its order.
    last: HashMap<Number, Last>,
    /// How many there may be before those are forgotten whose time is over: a month of callers would fill the memory,
    /// and each look-up would wait for it.
    most: usize,
}

/// How many callers are remembered before any is forgotten.
const FEW: usize = 4_096;

/// 128 bits of a hash of a stored number, which no two numbers share.
type Number = u128;

/// The last call of a number, in milliseconds.
struct Last {
    arrived: i64,
    gave_up: Option<i64>,
}

impl Callers {
    pub(super) fn new(redials_within: Duration) -> Callers {
        let redials_within = i64::try_from(redials_within.as_millis()).unwrap_or(i64::MAX);
        Callers { redials_within, last: HashMap::new(), most: FEW }
    }

    /// What the call is, and remembers it. Calls that we made are nobody's.
    pub(super) fn see(&mut self, call: &CallRow<'_>) -> Again {
        let Some(cli) = call.cli.filter(|_| call.is_callers()) else { return Again::Unknown };
        let arrived = call.arrived.0;
        let ended = arrived.saturating_add_unsigned(call.lasted);
        let gave_up = (call.kind == Kind::Abandoned).then_some(ended);
        let this = Last { arrived, gave_up };
        if self.last.len() >= self.most {
            self.last.retain(|_, last| arrived.saturating_sub(last.arrived) <= REPEATS_WITHIN);
            self.most = FEW.max(2 * self.last.len());
        }
        let Some(last) = self.last.insert(number(cli), this) else { return Again::First };
        let redials = |gave_up| (0..=self.redials_within).contains(&arrived.saturating_sub(gave_up));
        match last.gave_up {
            _ if arrived.saturating_sub(last.arrived) > REPEATS_WITHIN => Again::First,
            Some(gave_up) if redials(gave_up) => Again::Redial,
            _ => Again::Repeat,
        }
    }
}

/// Of a stored hash its beginning; what is stored in another form is hashed here.
fn number(cli: &str) -> Number {
    if is_hash(cli)
        && let Ok(number) = Number::from_str_radix(&cli[..32], 16)
    {
        return number;
    }
    let digest = Sha256::digest(cli.as_bytes());
    digest.iter().take(16).fold(0, |number, &byte| number << 8 | Number::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::Band;
    use crate::id::CallId;
    use crate::ledger::report::CallKey;
    use crate::time::Wall;

    #[test]
    fn callers_are_remembered_for_a_day_and_no_more_of_them_than_a_day_has() {
        let mut callers = Callers::new(Duration::from_secs(1_200));
        let mut again = |cli: &str, arrived: i64| {
            let call = CallRow {
                key: CallKey { run: 1, call: CallId(1) },
                arrived: Wall(arrived),
                waited: 0,
                lasted: 0,
                trunk: "elm-tree",
                practice: None,
                line: "elm-tree",
                band: Band::ROUTINE,
                cli: Some(cli),
                kind: Kind::Answered,
                agent: None,
                promise: None,
                case: None,
                disposition: None,
            };
            (callers.see(&call), callers.last.len())
        };
        let hash = |caller: i64| format!("{caller:032x}{:032x}", 0);
        // A new caller each ten seconds: 8,640 a day.
        for call in 0..100_000 {
            assert!(again(&hash(call), call * 10_000).1 <= 3 * 8_641, "{call}");
        }
        let end = 99_999 * 10_000;
        assert_eq!(again(&hash(99_999 - 8_640), end).0, Again::Repeat);
        assert_eq!(again(&hash(99_999 - 8_641), end).0, Again::First);
    }
}
