//! What guides an exchange beside the plan of lines, teams and agents.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd::announce::Schedule;
use crate::acd::estimate;
use crate::calendar::Calendar;
use crate::policy::rules::RuleBook;

/// Rules, calendar, and what callers are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    /// The overflow rules.
    pub rules: RuleBook,
    /// The windows that they speak of.
    pub calendar: Calendar,
    /// By [`crate::id::LineId`]: what callers who wait are told, and when.
    pub announcements: Vec<Option<Schedule>>,
    /// How much proof an estimate needs.
    pub estimates: estimate::Settings,
    /// For how long the place of a caller who gave up is kept.
    pub redial_window: Duration,
}
