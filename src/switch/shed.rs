//! How many new calls to turn away so that those that were taken are served in time.
//!
//! A call taken is work promised: most of it comes later, with the answer and the BYE. So the share of new calls
//! that is turned away follows slowly what new calls had to wait for their turn, and does not jump.
//!
//! What counts is the least wait of a while, not the longest: when the machine stalls, many wait, but when more was
//! taken than can be served, all do.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Mono;

/// A new call that has waited this long is turned away whatever the share: its sender repeats it after twice this.
const PATIENCE: Duration = Duration::from_millis(250);
/// How often the share is moved.
const WINDOW: Duration = Duration::from_millis(50);
/// Where the least wait of a window was over this, the share, in thousandths, is moved by so much.
const MOVES: [(Duration, i32); 2] = [(LONG, 8), (Duration::from_millis(2), -4)];
/// Nobody has waited to speak of.
const IDLE: i32 = -15;
/// A wait that shows that more calls were taken than can be served.
const LONG: Duration = Duration::from_millis(20);
/// While waits are this long, the share also nears what is really turned away, patience included: that leaves
/// just what can be served.
const FAR_TOO_LONG: Duration = Duration::from_millis(100);
/// In how many windows it comes near.
const NEARING: i32 = 10;
/// For how long repetitions of a request that was turned away may still be on their way: T4.
const ON_THE_WAY: Duration = Duration::from_secs(5);
/// Most calls that are remembered as turned away.
const MOST_REMEMBERED: usize = 50_000;

/// What share of new calls is turned away.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Shed {
    /// Of a thousand.
    share: i32,
    /// Thousandths of a refusal that are due.
    due: i32,
    /// The least wait of a new call in this window.
    least: Option<Duration>,
    /// New calls asked about in this window, and those of them turned away.
    asked: i32,
    refused: i32,
    window: Mono,
    /// Digests of the calls turned away lately, oldest first: were a repetition taken, an agent would be rung for a
    /// caller who has been told that there is no room.
    lately: VecDeque<(Mono, u64)>,
    known: BTreeSet<u64>,
}

impl Shed {
    /// A datagram came, and if it begins a call, it has waited this long for its turn.
    pub(super) fn observe(&mut self, waited: Option<Duration>, now: Mono) {
        self.least = self.least.into_iter().chain(waited).min();
        let passed = now.since(self.window);
        if passed < WINDOW {
            return;
        }
        let least = self.least.unwrap_or_default();
        let step = MOVES.into_iter().find(|&(wait, _)| least > wait).map_or(IDLE, |(_, step)| step);
        if least > FAR_TOO_LONG && self.asked > 0 {
            let really = self.refused.saturating_mul(1_000) / self.asked;
            self.share += (really - self.share) / NEARING;
        }
        // Windows in which nothing came at all were idle.
        let idle = i32::try_from(passed.as_millis() / WINDOW.as_millis() - 1).unwrap_or(i32::MAX);
        self.share = (self.share + step).saturating_add(idle.saturating_mul(IDLE)).clamp(0, 1_000);
        (self.window, self.least, self.asked, self.refused) = (now, None, 0, 0);
    }

    /// Whether a new call, told by a digest, that had to wait this long is one of those to turn away.
    pub(super) fn refuses(&mut self, call: u64, waited: Duration, now: Mono) -> bool {
        while let Some(&(at, old)) = self.lately.front()
            && (now.since(at) > ON_THE_WAY || self.lately.len() >= MOST_REMEMBERED)
        {
            self.lately.pop_front();
            self.known.remove(&old);
        }
        if self.known.contains(&call) {
            return true;
        }
        let refused = self.is_due(waited);
        if refused && self.known.insert(call) {
            self.lately.push_back((now, call));
        }
        refused
    }

    fn is_due(&mut self, waited: Duration) -> bool {
        self.due += self.share;
        let due = self.due >= 1_000;
        self.due -= if due { 1_000 } else { 0 };
        let refused = due || waited > PATIENCE;
        self.asked += 1;
        self.refused += i32::from(refused);
        refused
    }

    /// Whether all is well, and a call that has waited this long need not ask.
    pub(super) fn is_idle(&self, waited: Duration) -> bool {
        self.share == 0 && waited <= LONG && self.lately.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share after each of so many windows in which the longest wait was this.
    fn after(shed: &mut Shed, windows: u64, wait: u64) -> i32 {
        for _ in 0..windows {
            let now = shed.window + WINDOW;
            shed.observe(Some(Duration::from_millis(wait)), now);
        }
        shed.share
    }

    #[test]
    fn a_short_burst_turns_nobody_away() {
        let mut shed = Shed::default();
        assert_eq!(after(&mut shed, 100, 20), 0);
        assert!(shed.is_idle(LONG));
    }

    #[test]
    fn while_some_need_not_wait_a_stall_turns_nobody_away() {
        let mut shed = Shed::default();
        for _ in 0..100 {
            shed.observe(Some(Duration::from_millis(1)), shed.window);
            after(&mut shed, 1, 200);
        }
        assert_eq!(shed.share, 0);
    }

    #[test]
    fn the_share_rises_while_new_calls_wait_and_falls_slowly() {
        let mut shed = Shed::default();
        assert_eq!(after(&mut shed, 100, 50), 800);
        assert_eq!(after(&mut shed, 100, 50), 1_000);
        assert_eq!(after(&mut shed, 10, 10), 960);
        assert_eq!(after(&mut shed, 10, 0), 810);
    }

    #[test]
    fn far_too_long_waits_bring_the_share_near_to_what_is_really_turned_away() {
        let mut shed = Shed::default();
        for _ in 0..5 {
            // Of ten calls, patience turns four away.
            for n in 0..10 {
                shed.is_due(if n < 4 { 2 * PATIENCE } else { Duration::ZERO });
            }
            after(&mut shed, 1, 251);
        }
        assert!((150..400).contains(&shed.share), "{}", shed.share);
        let before = shed.share;
        let _ = (0..1_000).filter(|_| shed.is_due(PATIENCE)).count();
        assert!(after(&mut shed, 1, 250) - before <= 8);
    }

    #[test]
    fn a_long_silence_counts_as_so_many_windows_without_wait() {
        let mut shed = Shed::default();
        after(&mut shed, 10, 150);
        let later = shed.window + 1_000 * WINDOW;
        shed.observe(None, later);
        assert!(shed.is_idle(LONG));
    }

    #[test]
    fn refusals_are_spread_evenly_over_the_calls() {
        let mut shed = Shed { share: 250, ..Shed::default() };
        let refused: Vec<_> = (0..1_000).filter(|_| shed.is_due(Duration::ZERO)).collect();
        assert_eq!(refused.len(), 250);
        assert!(refused.windows(2).all(|pair| pair[1] - pair[0] == 4));
    }

    #[test]
    fn a_call_that_has_waited_too_long_is_refused_whatever_the_share() {
        assert!(Shed::default().is_due(PATIENCE + Duration::from_millis(1)));
        assert!(!Shed::default().is_due(PATIENCE));
    }

    #[test]
    fn a_repetition_of_a_call_that_was_turned_away_is_turned_away_too() {
        let (mut shed, soon) = (Shed::default(), Mono(1_000) + ON_THE_WAY);
        assert!(shed.refuses(7, 2 * PATIENCE, Mono(1_000)));
        assert!(!shed.refuses(8, Duration::ZERO, Mono(1_000)));
        assert!(shed.refuses(7, Duration::ZERO, soon) && !shed.is_idle(Duration::ZERO));
        assert!(!shed.refuses(7, Duration::ZERO, soon + LONG));
        assert!(shed.lately.is_empty() && shed.known.is_empty());
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let mut shed = Shed::default();
        for call in 0..MOST_REMEMBERED as u64 + 100 {
            assert!(shed.refuses(call, 2 * PATIENCE, Mono(0)));
        }
        assert_eq!((shed.lately.len(), shed.known.len()), (MOST_REMEMBERED, MOST_REMEMBERED));
    }
}
