//! Stretches of time in which windows are open, over all that a lint looks at.

use std::time::Duration;

use crate::calendar::Calendar;
use crate::id::{PracticeId, WindowId};
use crate::time::Wall;

/// How far ahead lints look: a leap year and a month.
pub(super) const HORIZON: Duration = Duration::from_secs(400 * 24 * 3600);

/// Stretches in order, each from its first instant to the one after its last; none touches the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spans(pub(super) Vec<(Wall, Wall)>);

impl Spans {
    /// When a window is open within the horizon.
    pub(super) fn of(
        calendar: &Calendar,
        window: WindowId,
        practice: Option<PracticeId>,
        from: Wall,
    ) -> Spans {
        let end = from + HORIZON;
        let mut spans = Vec::new();
        let mut start = from;
        while start < end {
            let change = calendar.next_change(window, practice, start).filter(|&next| next > start);
            let next = change.map_or(end, |next| next.min(end));
            if calendar.covers(window, practice, start) {
                spans.push((start, next));
            }
            start = next;
        }
        Spans::default().with(&Spans(spans))
    }

    pub(super) fn whole(from: Wall) -> Spans {
        Spans(vec![(from, from + HORIZON)])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is in both.
    pub(super) fn within(&self, other: &Spans) -> Spans {
        let mut both = Vec::new();
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(&&(from, to)), Some(&&(other_from, other_to))) = (mine.peek(), theirs.peek()) {
            let (start, end) = (from.max(other_from), to.min(other_to));
            if start < end {
                both.push((start, end));
            }
            if to <= other_to {
                mine.next();
            } else {
                theirs.next();
            }
        }
        Spans(both)
    }

    /// What is in either.
    pub(super) fn with(&self, other: &Spans) -> Spans {
        let mut all: Vec<_> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        let mut joined: Vec<(Wall, Wall)> = Vec::with_capacity(all.len());
        for (from, to) in all {
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        Spans(joined)
    }

    /// What is in this one and not in the other.
    pub(super) fn without(&self, other: &Spans) -> Spans {
        let mut gaps = Vec::new();
        let mut start = Wall(i64::MIN);
        for &(from, to) in &other.0 {
            if start < from {
                gaps.push((start, from));
            }
            start = to;
        }
        gaps.push((start, Wall(i64::MAX)));
        self.within(&Spans(gaps))
    }

    /// How long all of it is, in milliseconds.
    pub(super) fn length(&self) -> i64 {
        self.0.iter().map(|(from, to)| to.0 - from.0).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans() -> impl Strategy<Value = Spans> {
        prop::collection::vec((0i64..40, 1i64..8), 0..6).prop_map(|spans| {
            let spans = spans.into_iter().map(|(from, length)| (Wall(from), Wall(from + length)));
            let each = spans.map(|span| Spans(vec![span]));
            each.fold(Spans::default(), |all, one| all.with(&one))
        })
    }

    fn holds(spans: &Spans, at: i64) -> bool {
        spans.0.iter().any(|&(from, to)| (from.0..to.0).contains(&at))
    }

    proptest! {
        #[test]
        fn spans_are_sets_of_instants(one in spans(), other in spans()) {
            for at in 0..50 {
                let (mine, theirs) = (holds(&one, at), holds(&other, at));
                prop_assert_eq!(holds(&one.with(&other), at), mine || theirs);
                prop_assert_eq!(holds(&one.within(&other), at), mine && theirs);
                prop_assert_eq!(holds(&one.without(&other), at), mine && !theirs);
            }
            prop_assert_eq!(one.without(&one), Spans::default());
        }
    }
}
