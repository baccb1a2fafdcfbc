//! Callers who ring again, told by the stored form of their numbers.

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

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
}

/// 128 bits of a hash of a stored number, which no two numbers share: a month of numbers as they are would be large.
type Number = u128;

/// The last call of a number, in milliseconds.
struct Last {
    arrived: i64,
    gave_up: Option<i64>,
}

impl Callers {
    pub(super) fn new(redials_within: Duration) -> Callers {
        let redials_within = i64::try_from(redials_within.as_millis()).unwrap_or(i64::MAX);
        Callers { redials_within, last: HashMap::new() }
    }

    /// What the call is, and remembers it. Calls that we made are nobody's.
    pub(super) fn see(&mut self, call: &CallRow<'_>) -> Again {
        let Some(cli) = call.cli.filter(|_| call.is_callers()) else { return Again::Unknown };
        let arrived = call.arrived.0;
        let ended = arrived.saturating_add_unsigned(call.lasted);
        let gave_up = (call.kind == Kind::Abandoned).then_some(ended);
        let this = Last { arrived, gave_up };
        let Some(last) = self.last.insert(number(cli), this) else { return Again::First };
        let redials = |gave_up| (0..=self.redials_within).contains(&arrived.saturating_sub(gave_up));
        match last.gave_up {
            _ if arrived.saturating_sub(last.arrived) > REPEATS_WITHIN => Again::First,
            Some(gave_up) if redials(gave_up) => Again::Redial,
            _ => Again::Repeat,
        }
    }
}

fn number(cli: &str) -> Number {
    let digest = Sha256::digest(cli.as_bytes());
    digest.iter().take(16).fold(0, |number, &byte| number << 8 | Number::from(byte))
}
