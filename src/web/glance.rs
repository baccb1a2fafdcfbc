//! What is shown to all who look: asked of the control thread at most four times a second, however many they are.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::sleep;

use super::problem::Problem;

/// How long an answer is shown before it is asked for again.
const LASTS: Duration = Duration::from_millis(250);

/// The latest answer to a question, and when it was asked.
pub(super) struct Glance<T> {
    kept: Mutex<Option<(Instant, T)>>,
    lasts: Duration,
}

impl<T> Default for Glance<T> {
    fn default() -> Glance<T> {
        Glance::lasting(LASTS)
    }
}

impl<T> Glance<T> {
    fn lasting(lasts: Duration) -> Glance<T> {
        Glance { kept: Mutex::default(), lasts }
    }
}

impl<T: Clone> Glance<T> {
    /// The answer as it is, or was a moment ago. One that will not do is not shown, but asked for when its time is over.
    pub(super) async fn at(
        &self,
        will_do: impl Fn(&T) -> bool,
        asking: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        loop {
            let mut kept = self.kept.lock().await;
            if let Some((asked, answer)) = kept.as_ref() {
                let left = self.lasts.saturating_sub(asked.elapsed());
                if !left.is_zero() {
                    if will_do(answer) {
                        return Ok(answer.clone());
                    }
                    // Meanwhile others are shown what will do for them.
                    drop(kept);
                    sleep(left).await;
                    continue;
                }
            }
            let asked = Instant::now();
            let answer = asking.await?;
            *kept = Some((asked, answer.clone()));
            return Ok(answer);
        }
    }

    /// Whoever looks from now on sees what has changed.
    pub(super) async fn forget(&self) {
        *self.kept.lock().await = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::Cell;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn many_who_look_ask_once_until_its_time_is_over_or_something_is_changed() {
        for (lasts, seen) in [(HOUR, [1, 1, 2, 2]), (Duration::ZERO, [1, 2, 3, 4])] {
            let (glance, times) = (Glance::lasting(lasts), Cell::new(0));
            let look = || {
                glance.at(|_| true, async {
                    times.set(times.get() + 1);
                    Ok(times.get())
                })
            };
            let before = [look().await.unwrap(), look().await.unwrap()];
            glance.forget().await;
            let after = [look().await.unwrap(), look().await.unwrap()];
            assert_eq!([before, after].concat(), seen, "{lasts:?}");
        }
    }

    #[tokio::test]
    async fn who_waits_for_a_newer_answer_holds_nobody_up() {
        let glance = Glance::lasting(HOUR);
        assert_eq!(glance.at(|_| true, async { Ok(1) }).await.unwrap(), 1);
        tokio::select! {
            biased;
            newer = glance.at(|&answer| answer > 1, async { Ok(2) }) => panic!("{newer:?} too soon"),
            other = glance.at(|_| true, async { Ok(3) }) => assert_eq!(other.unwrap(), 1),
        }
    }

    #[tokio::test]
    async fn who_waits_for_a_newer_answer_gets_it_when_it_is_time() {
        let (lasts, begun) = (Duration::from_millis(10), Instant::now());
        let glance = Glance::lasting(lasts);
        assert_eq!(glance.at(|_| true, async { Ok(1) }).await.unwrap(), 1);
        assert_eq!(glance.at(|&answer| answer > 1, async { Ok(2) }).await.unwrap(), 2);
        assert!(begun.elapsed() >= lasts);
    }

    #[tokio::test]
    async fn a_question_without_an_answer_leaves_nothing_to_see() {
        let glance = Glance::<u8>::default();
        assert!(glance.at(|_| true, async { Err(Problem::gone()) }).await.is_err());
        assert_eq!(glance.at(|_| true, async { Ok(1) }).await.unwrap(), 1);
    }
}
