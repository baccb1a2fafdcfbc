//! Which windows are open, looked up once for each stretch of time in which that cannot change.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RuleBook;
use crate::calendar::{Calendar, Hours};
use crate::time::{Mono, Now, Wall};

/// The two clocks are taken to agree unless they differ by more than this: then the wall clock was set.
const SLACK: Duration = Duration::from_millis(100);

/// The hours of every window that a book asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Openings {
    /// By position in the book's openings.
    hours: Vec<Hours>,
    /// The latest instant of the wall clock at which any was looked up.
    asked: Wall,
    /// The next boundary of any, on both clocks.
    next: Option<(Mono, Wall)>,
}

impl Openings {
    pub(super) fn new(book: &RuleBook, calendar: &Calendar, now: Now) -> Openings {
        let look = |&(window, practice): &_| calendar.at(window, practice, now.wall);
        let hours = book.openings.iter().map(look).collect();
        let mut openings = Openings { hours, asked: now.wall, next: None };
        openings.aim(now);
        openings
    }

    pub(super) fn is_open(&self, opening: usize) -> bool {
        self.hours[opening].open
    }

    /// When the next boundary is due.
    pub(super) fn due(&self) -> Option<Mono> {
        self.next.map(|(mono, _)| mono)
    }

    /// Goes over the next boundary, at its own time; gives the openings that turned.
    pub(super) fn pass(&mut self, book: &RuleBook, calendar: &Calendar) -> Vec<usize> {
        let Some((mono, wall)) = self.next else { return Vec::new() };
        self.look(book, calendar, Now { mono, wall })
    }

    /// Follows the wall clock, which may have been set forward or back; gives the openings that turned.
    pub(super) fn follow(&mut self, book: &RuleBook, calendar: &Calendar, now: Now) -> Vec<usize> {
        if now.wall + SLACK < self.asked || self.next.is_some_and(|(_, wall)| wall + SLACK < now.wall) {
            return self.look(book, calendar, now);
        }
        if let Some((mono, wall)) = self.next {
            let seen = now.mono + ahead(wall, now.wall);
            if seen.since(mono) > SLACK || mono.since(seen) > SLACK {
                self.next = Some((seen, wall));
            }
        }
        Vec::new()
    }

    fn look(&mut self, book: &RuleBook, calendar: &Calendar, now: Now) -> Vec<usize> {
        let back = now.wall < self.asked;
        self.asked = now.wall;
        let mut turned = Vec::new();
        for (position, (&(window, practice), hours)) in book.openings.iter().zip(&mut self.hours).enumerate()
        {
            if back || hours.until <= now.wall {
                let was_open = hours.open;
                *hours = calendar.at(window, practice, now.wall);
                if hours.open != was_open {
                    turned.push(position);
                }
            }
        }
        self.aim(now);
        turned
    }

    fn aim(&mut self, now: Now) {
        let boundary = self.hours.iter().map(|hours| hours.until).filter(|&until| until > now.wall).min();
        self.next = boundary.map(|wall| (now.mono + ahead(wall, now.wall), wall));
    }
}

/// How far `then` lies ahead, by the wall clock.
fn ahead(then: Wall, now: Wall) -> Duration {
    Duration::from_millis(u64::try_from(then.0.saturating_sub(now.0)).unwrap_or(0))
}
