//! The show: callers come as the story tells, the screen follows the daemon, and at the end all hang up.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::dice::Dice;
use super::hub::{Hub, News};
use super::phone::agent::Agent;
use super::phone::caller::{Caller, Script};
use super::phone::{self, Phone, Report, Voice};
use super::proof::Proof;
use super::screen::Screen;
use super::stage::{self, Sockets, Source};
use super::story::{self, Cast, Visit};
use crate::daemon::Order;
use crate::switch::Event;

/// Length of one morning when there is no other.
const MORNING: Duration = Duration::from_secs(60);
/// How long calls that are up may go on once no more come.
const GRACE: Duration = Duration::from_secs(8);
/// How long hanging up may take.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long the last reports of phones are waited for.
const LAST_REPORTS: Duration = Duration::from_secs(1);
/// Most callers at one time.
const MOST: usize = 100;

/// Player of the story's dice; agents and callers have the numbers above.
const STORY: u64 = 0;
const FIRST_AGENT: u64 = 1;
const FIRST_CALLER: u64 = 1 << 32;

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
    seed: u64,
    begin: Instant,
    phase: Phase,
    /// Length of a morning, and how many there are; `None` for no end.
    length: Duration,
    mornings: Option<u32>,
    told: u32,
    visits: VecDeque<Visit>,
    dice: Dice,
    cast: Cast,
    sources: Vec<Source>,
    hub: Hub,
    draining: bool,
    arrived: u64,
    phones: JoinSet<io::Result<()>>,
    closing: watch::Sender<bool>,
    reporter: mpsc::UnboundedSender<Report>,
    reports: mpsc::UnboundedReceiver<Report>,
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
    Stopped,
}

enum Action {
    News(Option<News>),
    Report(Report),
    Interrupt,
    Wake,
}

impl<W: Write> Show<W> {
    /// Puts the agents at their phones and begins; `length` is how long callers come.
    pub(super) fn begin(
        hub: Hub,
        people: People,
        seed: u64,
        length: Option<Duration>,
        screen: Screen<W>,
    ) -> io::Result<Show<W>> {
        let People { phones, sources, emergency_lines, cast } = people;
        let begin = Instant::now();
        let (reporter, reports) = mpsc::unbounded_channel();
        let proof = Proof::new(phones.iter().map(|phone| phone.name.clone()));
        let signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
        let mornings = length.map(|length| u32::try_from(length.as_secs() / MORNING.as_secs()).unwrap_or(u32::MAX).max(1));
        let mut show = Show {
            seed,
            begin,
            phase: Phase::Open { until: length.map(|length| begin + length) },
            length: length.zip(mornings).map_or(MORNING, |(length, mornings)| length / mornings),
            mornings,
            told: 0,
            visits: VecDeque::new(),
            dice: Dice::new(seed, STORY),
            cast,
            sources,
            hub,
            draining: false,
            arrived: 0,
            phones: JoinSet::new(),
            closing: watch::Sender::new(false),
            reporter,
            reports,
            proof,
            screen,
            signals,
        };
        let emergency_lines = Arc::new(emergency_lines);
        for (nth, phone) in phones.into_iter().enumerate() {
            let dice = Dice::new(seed, FIRST_AGENT + nth as u64);
            let places = (phone.sockets.sip.local_addr()?, phone.sockets.rtp.local_addr()?);
            let agent = Agent::new((nth, &phone.name), places, Arc::clone(&emergency_lines), dice);
            show.live(agent, phone.sockets);
        }
        Ok(show)
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
            self.call_those_due(now)?;
            self.move_on(now);
            while self.phones.try_join_next().is_some() {}
        }
        let last = tokio::time::Instant::now() + LAST_REPORTS;
        while !self.proof.is_complete()
            && let Ok(Some(report)) = tokio::time::timeout_at(last, self.reports.recv()).await
        {
            self.proof.report(report);
        }
        Ok((self.hub, self.proof, self.screen))
    }

    async fn select(&mut self) -> Action {
        let wake = self.next_wake();
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            biased;
            Some(()) = interrupt.recv() => Action::Interrupt,
            Some(()) = terminate.recv() => Action::Interrupt,
            news = self.hub.news.recv() => Action::News(news),
            Some(report) = self.reports.recv() => Action::Report(report),
            () = tokio::time::sleep_until(wake.into()) => Action::Wake,
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

    fn next_wake(&self) -> Instant {
        match self.phase {
            Phase::Open { until } => {
                let next = match self.visits.front() {
                    Some(visit) => self.morning_begins(self.told.saturating_sub(1)) + visit.at,
                    None => self.morning_begins(self.told),
                };
                until.map_or(next, |until| until.min(next))
            }
            Phase::Draining { until } | Phase::Closing { until } => until,
            Phase::Stopped => Instant::now() + MORNING,
        }
    }

    fn morning_begins(&self, nth: u32) -> Instant {
        self.begin + self.length * nth
    }

    fn call_those_due(&mut self, now: Instant) -> io::Result<()> {
        if !matches!(self.phase, Phase::Open { .. }) {
            return Ok(());
        }
        let more = self.mornings.is_none_or(|mornings| self.told < mornings);
        if self.visits.is_empty() && more && now >= self.morning_begins(self.told) {
            self.visits = story::morning(&self.cast, self.length, &mut self.dice).into();
            self.told += 1;
        }
        let begun = self.morning_begins(self.told.saturating_sub(1));
        while let Some(visit) = self.visits.pop_front_if(|visit| begun + visit.at <= now) {
            if self.proof.up() < MOST {
                self.call(&visit, now)?;
            }
        }
        Ok(())
    }

    fn call(&mut self, visit: &Visit, now: Instant) -> io::Result<()> {
        let nth = self.proof.calls();
        let Some(source) = self.sources.get(visit.trunk) else { return Ok(()) };
        let sockets = Sockets::open(source.host)?;
        let script = Script {
            dialled: source.dialled.clone(),
            // Numbers that are set aside for drama.
            number: format!("+447700900{:03}", nth % 1_000),
            hub: self.hub.address,
            patience: visit.patience,
            talk: visit.talk,
            voice: Voice::of_caller(usize::try_from(nth).unwrap_or_default()),
        };
        let voice = script.voice;
        let places = (sockets.sip.local_addr()?, sockets.rtp.local_addr()?);
        let caller = Caller::new(script, places, Dice::new(self.seed, FIRST_CALLER + nth), now);
        self.proof.placed(caller.call_id(), voice);
        self.live(caller, sockets);
        Ok(())
    }

    fn live(&mut self, phone: impl Phone + Send + 'static, sockets: Sockets) {
        self.phones.spawn(phone::live(phone, sockets, self.closing.subscribe(), self.reporter.clone()));
    }

    /// What Ctrl-C does: the first time no more calls come, the second time all hang up.
    fn hurry(&mut self, now: Instant) {
        self.phase = match self.phase {
            Phase::Open { .. } => Phase::Open { until: Some(now) },
            Phase::Draining { .. } => Phase::Draining { until: now },
            Phase::Closing { .. } => Phase::Closing { until: now },
            Phase::Stopped => Phase::Stopped,
        };
    }

    fn move_on(&mut self, now: Instant) {
        let at = now.saturating_duration_since(self.begin);
        self.phase = match self.phase {
            Phase::Open { until: Some(until) } if until <= now => {
                let calls = self.proof.up();
                let grace = GRACE.as_secs();
                self.screen.note(at, &format!("no more callers; the {calls} calls that are up have {grace} s to finish"));
                Phase::Draining { until: now + GRACE }
            }
            Phase::Draining { until } if until <= now => {
                if self.proof.up() > 0 {
                    self.screen.note(at, "the end: everybody hangs up");
                }
                self.closing.send_replace(true);
                Phase::Closing { until: now + FAREWELL }
            }
            Phase::Closing { until } if until <= now => {
                self.hub.order(Order::Stop);
                Phase::Stopped
            }
            phase => phase,
        };
        // A call on its way would be turned away by a daemon that drains.
        if !matches!(self.phase, Phase::Open { .. }) && !self.draining && self.arrived >= self.proof.calls() {
            self.draining = true;
            self.hub.order(Order::Drain);
        }
    }
}
