//! The show: callers come as the story tells, the screen follows the daemon, and at the end all hang up.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::crowd::Crowd;
use super::dice::{self, Dice};
use super::hub::{Hub, News};
use super::phone::Report;
use super::proof::Proof;
use super::screen::Screen;
use super::stage::{self, Source};
use super::story::{Cast, Mornings};
use crate::daemon::Order;
use crate::switch::Event;

/// How long calls that are up may go on once no more come.
const GRACE: Duration = Duration::from_secs(8);
/// How long hanging up may take.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long each of the last reports of phones is waited for.
const LAST_REPORTS: Duration = Duration::from_secs(1);
/// How long the daemon may take to end after its last order.
const STOP: Duration = Duration::from_secs(60);
/// Most callers at one time.
const MOST: usize = 100;

/// Who takes part.
pub(super) struct People {
    /// The agents' phones.
    pub(super) phones: Vec<stage::Phone>,
    /// Where callers come from, by trunk.
    pub(super) sources: Vec<Source>,
    /// Lines whose callers agents never miss.
    pub(super) emergency_lines: BTreeSet<String>,
    /// Who is there to call and to answer.
    pub(super) cast: Cast,
}

/// A running show.
pub(super) struct Show<W> {
    begin: Instant,
    phase: Phase,
    mornings: Mornings,
    crowd: Crowd,
    hub: Hub,
    /// Whether the daemon was told to drain.
    draining: bool,
    arrived: u64,
    proof: Proof,
    screen: Screen<W>,
    signals: [Signal; 2],
}

/// How far the show is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Callers come, until this time if there is an end.
    Open { until: Option<Instant> },
    /// Calls that are up may go on.
    Draining { until: Instant },
    /// All hang up.
    Closing { until: Instant },
    /// The daemon was told to stop.
    Stopped { until: Instant },
}

enum Action {
    News(Option<News>),
    Report(Report),
    Interrupt,
    Wake,
}

impl<W: Write> Show<W> {
    /// Seats the agents and begins; `length` is how long callers come.
    pub(super) fn begin(
        hub: Hub,
        people: People,
        seed: u64,
        length: Option<Duration>,
        screen: Screen<W>,
    ) -> io::Result<Show<W>> {
        let People { phones, sources, emergency_lines, cast } = people;
        let proof = Proof::new(phones.iter().map(|phone| phone.name.clone()));
        let mut crowd = Crowd::new(seed, hub.address, sources);
        crowd.seat(phones, emergency_lines)?;
        let begin = Instant::now();
        Ok(Show {
            begin,
            phase: Phase::Open { until: length.map(|length| begin + length) },
            mornings: Mornings::new(cast, length, Dice::new(seed, dice::STORY), begin),
            crowd,
            hub,
            draining: false,
            arrived: 0,
            proof,
            screen,
            signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?],
        })
    }

    /// Goes on until the daemon has ended; gives back what was seen.
    pub(super) async fn go_on(mut self) -> io::Result<(Hub, Proof, Screen<W>)> {
        loop {
            let action = self.select().await;
            let now = Instant::now();
            match action {
                Action::News(Some(news)) => self.news(news),
                Action::News(None) => break,
                Action::Report(report) => self.proof.report(report),
                Action::Interrupt => self.hurry(now),
                Action::Wake => {}
            }
            if self.screen.is_gone() {
                self.hurry(now);
            }
            self.call_those_due(now)?;
            if !self.move_on(now) {
                return Err(io::Error::other("the daemon does not end"));
            }
        }
        while !self.proof.is_complete()
            && let Some(report) = self.crowd.last_report(LAST_REPORTS).await
        {
            self.proof.report(report);
        }
        Ok((self.hub, self.proof, self.screen))
    }

    async fn select(&mut self) -> Action {
        let wake = match self.phase {
            Phase::Open { until } => [until, self.mornings.next()].into_iter().flatten().min(),
            Phase::Draining { until } | Phase::Closing { until } | Phase::Stopped { until } => Some(until),
        };
        let asleep = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            biased;
            Some(()) = interrupt.recv() => Action::Interrupt,
            Some(()) = terminate.recv() => Action::Interrupt,
            news = self.hub.news.recv() => Action::News(news),
            report = self.crowd.report() => Action::Report(report),
            () = asleep => Action::Wake,
        }
    }

    fn news(&mut self, news: News) {
        match news {
            News::Event(at, event) => {
                self.arrived += u64::from(matches!(event, Event::Arrived { .. }));
                self.screen.event(at.saturating_duration_since(self.begin), &event);
            }
            News::Record(record) => self.proof.record(&record),
        }
    }

    fn call_those_due(&mut self, now: Instant) -> io::Result<()> {
        if !matches!(self.phase, Phase::Open { .. }) {
            return Ok(());
        }
        while let Some(visit) = self.mornings.due(now) {
            if self.proof.up() < MOST
                && let Some(placed) = self.crowd.call(self.proof.calls(), &visit, now)?
            {
                self.proof.placed(&placed.call_id, placed.voice);
            }
        }
        Ok(())
    }

    /// What Ctrl-C does: the first time no more calls come, the second time all hang up.
    fn hurry(&mut self, now: Instant) {
        self.phase = match self.phase {
            Phase::Open { .. } => Phase::Open { until: Some(now) },
            Phase::Draining { .. } => Phase::Draining { until: now },
            later => later,
        };
    }

    /// Takes the steps that are due; false when the daemon does not end.
    fn move_on(&mut self, now: Instant) -> bool {
        let at = now.saturating_duration_since(self.begin);
        let calls = self.proof.up();
        self.phase = match self.phase {
            Phase::Open { until: Some(until) } if until <= now => {
                let grace = GRACE.as_secs();
                let text = format!("no more callers; those who are up, {calls}, have {grace} s to finish");
                self.screen.note(at, &text);
                Phase::Draining { until: now + GRACE }
            }
            Phase::Draining { until } if until <= now => {
                if calls > 0 {
                    self.screen.note(at, &format!("the end: {calls} callers hang up"));
                }
                self.crowd.send_home();
                Phase::Closing { until: now + FAREWELL }
            }
            Phase::Closing { until } if until <= now => {
                self.hub.order(Order::Stop);
                Phase::Stopped { until: now + STOP }
            }
            Phase::Stopped { until } if until <= now => return false,
            phase => phase,
        };
        // A call on its way would be turned away by a daemon that drains.
        if !matches!(self.phase, Phase::Open { .. }) && !self.draining && self.arrived >= self.proof.calls() {
            self.draining = true;
            self.hub.order(Order::Drain);
        }
        true
    }
}
