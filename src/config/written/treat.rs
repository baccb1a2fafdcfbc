//! Hear and treat, as written: where patients are sent, how calls end clinically.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::deployment::CountsAs;
use super::super::sink::{Sink, Span};
use super::super::table::{List, Table};
use super::{hours, or, secs};
use crate::acd::pathway::Kind;

/// `[pathway.NAME]`
pub(in super::super) struct Pathway {
    pub(in super::super) kind: Kind,
    pub(in super::super) address: Option<Spanned<String>>,
    pub(in super::super) capacity: u32,
    pub(in super::super) ring_for: Spanned<Duration>,
    pub(in super::super) acknowledge_within: Duration,
    pub(in super::super) hours: Option<Spanned<String>>,
}

/// `[stack.NAME]`
pub(in super::super) struct Stack {
    pub(in super::super) header: Span,
    pub(in super::super) teams: Option<List<String>>,
    pub(in super::super) breach_within: Duration,
    pub(in super::super) emergency_breach_within: Duration,
}

/// `[disposition.CODE]`
pub(in super::super) struct Disposition {
    pub(in super::super) words: Option<Spanned<String>>,
    pub(in super::super) counts_as: Option<CountsAs>,
}

pub(super) fn disposition(table: &mut Table<'_, '_>, sink: &mut Sink) -> Disposition {
    let choices = [("advice", CountsAs::Advice), ("referral", CountsAs::Referral)];
    Disposition {
        words: table.needed_text("words", sink),
        counts_as: table.choice("counts-as", &choices, sink),
    }
}

pub(super) fn pathway(table: &mut Table<'_, '_>, sink: &mut Sink) -> Pathway {
    let ring_for = table.duration("ring-for", secs(3)..=secs(180), sink);
    Pathway {
        kind: table.choice("kind", &Kind::WORDS, sink).unwrap_or(Kind::Other),
        address: table.text("address", sink),
        capacity: or(table.number("capacity", 1..=1_000, sink), 1),
        ring_for: ring_for.unwrap_or_else(|| Spanned::new(0..0, secs(20))),
        acknowledge_within: or(table.duration("acknowledge-within", secs(10)..=hours(24), sink), secs(900)),
        hours: table.text("hours", sink),
    }
}

pub(super) fn stack(table: &mut Table<'_, '_>, sink: &mut Sink) -> Stack {
    let within = secs(60)..=hours(72);
    Stack {
        header: table.header().unwrap_or_default(),
        teams: table.texts("teams", sink),
        breach_within: or(table.duration("breach-within", within.clone(), sink), hours(2)),
        emergency_breach_within: or(table.duration("emergency-breach-within", within, sink), secs(900)),
    }
}
