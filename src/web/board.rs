//! The board as it is shown: asked for when somebody looks, at most four times a second for all who do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::day::{Counts, Trend};
use super::problem::Problem;
use super::{Ask, Shared, Version, locked};
use crate::switch::board::{Agent, Board, Emergencies, Line, Pathway, Promised, Stack, Trunk};

/// How long a board is shown before another is asked for.
pub(super) const LASTS: Duration = Duration::from_millis(250);

/// A board as it was sent, what had happened by then, and when it was asked for.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) json: Arc<str>,
    pub(super) seq: u64,
    asked: Instant,
}

/// As it is written.
#[derive(Serialize)]
struct Written<'a> {
    at: String,
    seq: u64,
    draining: bool,
    plan: WrittenPlan,
    lines: Vec<WrittenLine<'a>>,
    emergencies: Emergencies,
    agents: &'a [Agent],
    trunks: &'a [Trunk],
    pathways: &'a [Pathway],
    callbacks: Promised,
    stacks: &'a [Stack],
    trend: Vec<Trend>,
}

#[derive(Serialize)]
struct WrittenPlan {
    version: u64,
    since: String,
}

#[derive(Serialize)]
struct WrittenLine<'a> {
    #[serde(flatten)]
    line: &'a Line,
    target_s: f64,
    today: Counts,
}

impl Shared {
    /// The board as it is, or was a moment ago; but not before the news of this number.
    pub(super) async fn board(&self, after: u64) -> Result<Shown, Problem> {
        let mut kept = self.board.lock().await;
        if let Some(shown) = kept.as_ref() {
            let left = LASTS.saturating_sub(shown.asked.elapsed());
            if !left.is_zero() {
                if shown.seq >= after {
                    return Ok(shown.clone());
                }
                tokio::time::sleep(left).await;
            }
        }
        let (asked, seq) = (Instant::now(), locked(&self.news).last());
        let board = self.ask(Ask::Board).await?;
        let shown = Shown { json: self.written(&board, seq)?.into(), seq, asked };
        *kept = Some(shown.clone());
        Ok(shown)
    }

    /// Something has changed of which no news tells: whoever watches is sent another board.
    pub(super) async fn show_anew(&self) {
        *self.board.lock().await = None;
        self.newest.send_modify(|_| {});
    }

    fn written(&self, board: &Board, seq: u64) -> Result<String, Problem> {
        let plans = locked(&self.plans).clone();
        let plan = plans.map_or_else(
            || WrittenPlan { version: 1, since: self.since.rfc3339() },
            |plans| {
                let Version { version, at: since, .. } = plans.version();
                WrittenPlan { version, since }
            },
        );
        let mut day = locked(&self.day);
        let trend = day.trend(board.at);
        let lines = board.lines.iter().map(|line| WrittenLine {
            line,
            target_s: day.target(line.emergency).as_secs_f64(),
            today: day.of(&line.name),
        });
        let written = Written {
            at: board.at.rfc3339(),
            seq,
            draining: board.draining,
            plan,
            lines: lines.collect(),
            emergencies: board.emergencies,
            agents: &board.agents,
            trunks: &board.trunks,
            pathways: &board.pathways,
            callbacks: board.callbacks,
            stacks: &board.stacks,
            trend,
        };
        serde_json::to_string(&written).map_err(|_| Problem::gone())
    }
}
