//! What is shown to all who look: asked of the control thread at most four times a second, however many they are.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::sleep;

use super::problem::Problem;

/// How long an answer is shown before it is asked for again.
pub(super) const LASTS: Duration = Duration::from_millis(250);

/// The latest answer to a question, and when it was asked.
pub(super) struct Glance<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Glance<T> {
    fn default() -> Glance<T> {
        Glance(Mutex::default())
    }
}

impl<T: Clone> Glance<T> {
    /// The answer as it is, or was a moment ago. One that will not do is not shown, but asked for when its time is over.
    pub(super) async fn at(
        &self,
        will_do: impl Fn(&T) -> bool,
        asking: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let mut kept = self.0.lock().await;
        if let Some((asked, answer)) = kept.as_ref() {
            let left = LASTS.saturating_sub(asked.elapsed());
            if !left.is_zero() {
                if will_do(answer) {
                    return Ok(answer.clone());
                }
                sleep(left).await;
            }
        }
        let asked = Instant::now();
        let answer = asking.await?;
        *kept = Some((asked, answer.clone()));
        Ok(answer)
    }

    /// Whoever looks from now on sees what has changed.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn many_who_look_ask_once_until_something_is_changed() {
        let (glance, times) = (Glance::default(), Cell::new(0));
        let ask = async || {
            times.set(times.get() + 1);
            Ok(times.get())
        };
        let begun = Instant::now();
        for _ in 0..3 {
            let seen = glance.at(|_| true, ask()).await.unwrap();
            assert!(seen == 1 || begun.elapsed() >= LASTS);
        }
        glance.forget().await;
        let before = times.get();
        assert_eq!(glance.at(|_| true, ask()).await.unwrap(), before + 1);
    }

    #[tokio::test]
    async fn what_will_not_do_is_asked_for_again_but_not_sooner() {
        let glance = Glance::default();
        let begun = Instant::now();
        assert_eq!(glance.at(|_| true, async { Ok(1) }).await.unwrap(), 1);
        assert_eq!(glance.at(|&answer| answer > 1, async { Ok(2) }).await.unwrap(), 2);
        assert!(begun.elapsed() >= LASTS);
    }

    #[tokio::test]
    async fn a_question_without_an_answer_leaves_nothing_to_see() {
        let glance = Glance::<u8>::default();
        assert!(glance.at(|_| true, async { Err(Problem::gone()) }).await.is_err());
        assert_eq!(glance.at(|_| true, async { Ok(1) }).await.unwrap(), 1);
    }
}
