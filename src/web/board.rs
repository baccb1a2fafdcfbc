//! The board as it is shown: written once for all who look.

use axum::body::Bytes;
use serde::Serialize;

use super::day::{Counts, Trend};
use super::problem::Problem;
use super::{Ask, Shared, Version, locked};
use crate::switch::board::{Agent, Board, Emergencies, Line, Pathway, Promised, Stack, Trunk};

/// Before and after a board in a stream.
const FRAME: (&str, &str) = ("data: ", "\n\n");

/// A board as it was sent, and what had happened by then.
#[derive(Clone)]
pub(super) struct Shown {
    /// With [`FRAME`].
    framed: Bytes,
    seq: u64,
}

impl Shown {
    /// As it is read by itself.
    pub(super) fn json(&self) -> Bytes {
        self.framed.slice(FRAME.0.len()..self.framed.len() - FRAME.1.len())
    }

    /// As the data of a server-sent event.
    pub(super) fn data(&self) -> Bytes {
        self.framed.clone()
    }
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
        let asking = async {
            let seq = locked(&self.news).last();
            let board = self.ask(Ask::Board).await?;
            Ok(Shown { framed: self.written(&board, seq)?.into(), seq })
        };
        self.board.at(|shown| shown.seq >= after, asking).await
    }

    /// Something has changed of which no news tells: whoever watches is sent another board.
    pub(super) async fn show_anew(&self) {
        self.board.forget().await;
        self.newest.send_modify(|_| {});
    }

    fn written(&self, board: &Board, seq: u64) -> Result<Vec<u8>, Problem> {
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
        let mut framed = FRAME.0.as_bytes().to_vec();
        serde_json::to_writer(&mut framed, &written).map_err(|_| Problem::gone())?;
        framed.extend(FRAME.1.as_bytes());
        Ok(framed)
    }
}
