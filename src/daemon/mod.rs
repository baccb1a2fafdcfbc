//! The driver of the switch in real time: sockets, media threads, ledger and clock around one machine.
//!
//! One thread drives it. [`Daemon::select`] waits for whatever comes first, `apply` gives it to the
//! switch and carries out what the switch wants. The switch never waits for any of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};

use crate::call::media::Event as MediaEvent;
use crate::call::record::{CallRecord, PromiseRecord};
use crate::config::{Collector, Deployment, HepSettings, Listen, StoredCli};
use crate::flight;
use crate::id::PromiseId;
use crate::ledger::{self, CliStorage, Keep, Ledger, News};
use crate::media::{self, BindError, ClipError, Media};
use crate::net::hep::{self, Hep};
use crate::net::{Arrival, Bind, Net};
use crate::rng::Seed;
use crate::sip::{Listener, Transport};
use crate::switch::following::Removed;
use crate::switch::{Event, Input, Output, Refused, Switch};
use crate::time::{Now, Wall};
use crate::web::{Ask, Web};

mod clock;
pub mod inherit;
mod journal;
mod ladder;
mod notify;
mod pace;
mod past;
mod reload;
mod slice;
#[cfg(test)]
mod tests;
mod trace;
mod web;

use trace::Traces;

pub use clock::Clock;
pub use past::Past;
pub use reload::{Reload, Verdict};

/// How long the last BYEs may wait for their answers once every call is over.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often it looks whether they have them.
const GLANCE: Duration = Duration::from_millis(20);
/// How long the last copies and traces may take to leave: no call is looked after meanwhile.
const EXPORTS_FOR: Duration = Duration::from_millis(500);
/// How often the daemon looks after itself.
const ROUND: Duration = Duration::from_secs(1);
/// Arrivals handled together, before the timers and orders are looked at again.
const BATCH: usize = 32;

/// What an operator wants of the running daemon.
#[derive(Debug)]
pub enum Order {
    /// Run on this configuration from now on.
    Reload(Box<Reload>),
    /// No new calls but emergencies; end when the others are over.
    Drain,
    /// Hang up and end.
    Stop,
    /// Let this program take our place, and go on with all calls.
    HandOver(PathBuf),
}

/// Somebody who watches the daemon's calls.
pub trait Observer {
    /// Something happened.
    fn event(&mut self, event: &Event);
    /// A call is over.
    fn record(&mut self, _record: &CallRecord) {}
}

/// Nobody watches.
impl Observer for () {
    fn event(&mut self, _event: &Event) {}
}

/// Why the daemon could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A SIP socket could not be bound.
    #[error("{0}")]
    Sip(io::Error),
    /// A media port could not be bound.
    #[error(transparent)]
    Ports(#[from] BindError),
    /// A media thread could not be started.
    #[error("cannot start the media threads: {0}")]
    Media(io::Error),
    /// A clip could not be read.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// The ledger's thread could not be started.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The flight log is another daemon's.
    #[error(transparent)]
    Flight(flight::Error),
    /// The system gave no random seed.
    #[error("the system gives no randomness: {0}")]
    Randomness(getrandom::Error),
    /// A media thread died; its calls have no audio.
    #[error("a media thread died")]
    MediaDied,
}

/// A running daemon.
pub struct Daemon<O: Observer> {
    switch: Switch,
    net: Net,
    peers: reload::Peers,
    media: Media,
    media_events: mpsc::UnboundedReceiver<MediaEvent>,
    ledger: Ledger,
    promises: mpsc::UnboundedReceiver<News>,
    /// Where promises go whose lines are gone, by the line's name.
    removed: BTreeMap<String, Removed>,
    /// Promises that are over, even if the ledger has them as open.
    settled: BTreeSet<PromiseId>,
    flight: Option<past::Flight>,
    traces: Option<Traces>,
    manager: notify::Manager,
    clock: Clock,
    orders: mpsc::Receiver<Order>,
    observer: O,
    /// The version of the plan in force.
    plan_version: Arc<str>,
    web: Option<Web>,
    /// What the interface wants to know.
    asks: mpsc::Receiver<Ask>,
    /// When the last inputs came.
    at: Wall,
    journal: journal::Journal,
    over: Option<Instant>,
    failed: Option<Failure>,
    next_round: Instant,
    alarm: Pin<Box<Sleep>>,
    /// What is about to be handled.
    batch: Vec<Input>,
    pace: pace::Pace,
}

enum Action {
    Arrival(Arrival),
    Media(MediaEvent),
    Ledger(News),
    Order(Order),
    Wake,
    Ask(Ask),
}

impl<O: Observer> Daemon<O> {
    /// Binds every socket and starts every thread; calls that the daemon before left go on. Callers are answered
    /// once [`Daemon::run`] runs. Must be called within a runtime.
    pub fn start(
        mut deployment: Deployment,
        mut past: Past,
        orders: mpsc::Receiver<Order>,
        observer: O,
    ) -> Result<Daemon<O>, Failure> {
        let clips = reload::read_clips(&mut deployment)?;
        let Deployment { mut plan, listen, media, ledger, removed, web, hep, telemetry, node, .. } =
            deployment;
        let (sip_ports, media_ports) = past.ports();
        let bind = |listen: &Listen| Bind {
            transport: listen.transport,
            address: listen.bind,
            known_as: listen.advertise,
        };
        let mut binds: Vec<_> = listen.iter().map(bind).collect();
        for (bind, port) in binds.iter_mut().zip(sip_ports) {
            if bind.address.port() == 0 {
                bind.address.set_port(port);
            }
        }
        let peers = reload::Peers::of(&plan);
        let asked = peers.clone();
        let net =
            Net::bind(&binds, |bind| past.socket(bind), move |host| asked.peer(host), hep.and_then(copies));
        let net = net.map_err(Failure::Sip)?;
        let advertised = |bound: &SocketAddr, advertise: Option<IpAddr>| {
            SocketAddr::new(advertise.unwrap_or(bound.ip()), bound.port())
        };
        plan.sip.listeners = net
            .addresses()
            .iter()
            .zip(&listen)
            .map(|(bound, listen)| Listener {
                transport: listen.transport,
                advertised: advertised(bound, listen.advertise),
            })
            .collect();
        let settings = media::Settings {
            address: media.bind,
            threads: u8::try_from(media.threads).unwrap_or(u8::MAX),
            shared_ports: u16::try_from(media.shared_ports).unwrap_or(u16::MAX),
            spill_ports: u16::try_from(media.spill_ports).unwrap_or(u16::MAX),
            first_port: media.first_port,
            before: media_ports,
            clips,
            dead_after: media.dead_after,
        };
        let bound = media::bind(settings, |address| past.inherited.udp(address))?;
        plan.media.threads = bound.ports();
        let (report, media_events) = mpsc::unbounded_channel();
        let report = Box::new(move |_, event| {
            let _ = report.send(event);
        });
        let media = bound.start(report).map_err(Failure::Media)?;
        past.compare_ports(&plan);
        let handed_over = past.handed_over;
        let (tell, promises) = mpsc::unbounded_channel();
        let ledger_path = ledger.path.clone();
        let settings = ledger::Settings {
            run: past.left.as_ref().map(|left| left.run.ledger),
            path: ledger.path,
            cli: match ledger.cli {
                StoredCli::Hash => CliStorage::Hash,
                StoredCli::Plain => CliStorage::Plain,
                StoredCli::None => CliStorage::None,
            },
            key_path: ledger.key_path,
            spool: ledger.spool,
            side_file: ledger.side_file,
            keep: Keep { all: ledger.keep, practices: ledger.keep_of },
        };
        let ledger = Ledger::open_with(settings, Box::new(move |news| drop(tell.send(news))))?;
        past.record_given_up(&ledger);
        let clock = past
            .left
            .as_ref()
            .map_or_else(Clock::default, |left| Clock::continuing(&left.run, left.now, handed_over));
        let left = past.left.take();
        let switch = match &left {
            Some(left) => left.switch.clone(),
            None => Switch::new(plan.clone(), seed()?, clock.now()),
        };
        let place = (ledger.run(), ledger_path);
        let (web, asks) = match web {
            Some(settings) => web::start(settings, &node.zone, place, (&switch, clock.now())),
            None => (None, mpsc::channel(1).1),
        };
        let traces = telemetry.and_then(|to| traces(to, &node.name, ledger.run()));
        let settled = past.settled();
        let flight = past.begin(left.as_deref(), &clock, &switch, &settled, &ledger);
        if let (Some(web), Some(flight)) = (&web, &flight) {
            web.show_ladders(Arc::new(flight.ladders(ledger.run())));
        }
        let mut daemon = Daemon {
            switch,
            net,
            peers,
            media,
            media_events,
            ledger,
            promises,
            removed,
            settled: settled.iter().map(|promise| promise.promise).collect(),
            flight,
            traces,
            manager: notify::Manager::of_environment(),
            plan_version: Arc::default(),
            orders,
            observer,
            web,
            asks,
            at: clock.now().wall,
            clock,
            journal: journal::Journal::default(),
            over: None,
            failed: None,
            next_round: Instant::now() + ROUND,
            alarm: Box::pin(sleep(Duration::ZERO)),
            batch: Vec::new(),
            pace: pace::Pace::new(Instant::now()),
        };
        daemon.plan_version = reload::version(daemon.switch.plan());
        settled.into_iter().for_each(|promise| daemon.promise_to_ledger(promise));
        if let Some(left) = left {
            daemon.resume(*left, handed_over, plan)?;
        }
        Ok(daemon)
    }

    /// The SIP addresses bound, in the order of the configuration.
    pub fn addresses(&self) -> Vec<(Transport, SocketAddr)> {
        let transports = self.switch.plan().sip.listeners.iter().map(|listener| listener.transport);
        transports.zip(self.net.addresses().iter().copied()).collect()
    }

    /// Runs until an order ends it; everything is written and closed then.
    pub async fn run(mut self) -> Result<O, Failure> {
        self.manager.ready();
        // All threads that the daemon has run by now.
        slice::set(true);
        while !self.is_over() {
            let action = self.select().await;
            let asked = matches!(action, Action::Ask(_));
            self.apply(action);
            // However many arrivals there are, whoever asks is answered between two batches.
            self.answer_one();
            let now = Instant::now();
            self.look_after_itself(now);
            if asked {
                // However many ask, the sockets are looked at before the next of them is answered.
                tokio::task::yield_now().await;
            } else if let Some(pause) = self.pace.pause(now) {
                // The whole thread sleeps: streams, timers and orders gather as well.
                std::thread::sleep(pause);
                if !self.asks.is_empty() {
                    // Those who ask come after those who called meanwhile.
                    tokio::task::yield_now().await;
                }
            }
        }
        self.count();
        self.end_exports();
        self.media.stop();
        let closed = self.ledger.close();
        tracing::info!(?closed, "the ledger is closed");
        // Not before every record is safe: whoever is started next has those that are not from the log.
        if let Some(flight) = self.flight.take().filter(|_| self.failed.is_none() && closed.waiting == 0) {
            flight.recorder.end(self.clock.now());
        }
        match self.failed {
            Some(failure) => Err(failure),
            None => Ok(self.observer),
        }
    }

    async fn select(&mut self) -> Action {
        let deadline = self.switch.poll_timeout().map(|at| self.clock.instant(at));
        // Once every call is over, the end is near: look often.
        let round = if self.over.is_some() { Instant::now() + GLANCE } else { self.next_round };
        let wake = deadline.map_or(round, |at| at.min(round)).into();
        // Most deadlines are cleared before they are due: it costs less to wake in vain than to move the alarm
        // each time.
        if wake < self.alarm.deadline() || self.alarm.is_elapsed() {
            self.alarm.as_mut().reset(wake);
        }
        tokio::select! {
            biased;
            Some(order) = self.orders.recv() => Action::Order(order),
            Some(event) = self.media_events.recv() => Action::Media(event),
            Some(news) = self.promises.recv() => Action::Ledger(news),
            arrival = self.net.next() => Action::Arrival(arrival),
            Some(ask) = self.asks.recv() => Action::Ask(ask),
            () = &mut self.alarm => Action::Wake,
        }
    }

    fn apply(&mut self, action: Action) {
        let first = match action {
            Action::Arrival(arrival) => input(arrival),
            Action::Media(event) => Input::Media(event),
            Action::Ledger(News::Kept(promise)) => Input::Kept(promise),
            Action::Ledger(News::Open(promises)) => match self.still_open(promises) {
                promises if promises.is_empty() => return,
                promises => Input::Promises(promises),
            },
            Action::Ledger(News::Cases(cases)) => Input::Cases(cases),
            Action::Order(Order::Reload(reload)) => return self.reload(*reload),
            Action::Order(Order::Drain) => {
                self.manager.stopping();
                Input::Drain
            }
            Action::Order(Order::Stop) => {
                self.manager.stopping();
                Input::Stop
            }
            Action::Order(Order::HandOver(program)) => return self.hand_over(&program),
            Action::Ask(ask) => return self.answer(ask),
            Action::Wake => Input::Wake,
        };
        self.batch.push(first);
        while self.batch.len() < BATCH {
            let Some(arrival) = self.net.try_next() else { break };
            self.batch.push(input(arrival));
        }
        self.feed(|_, _| {});
    }

    /// Gives the batch to the switch, once it is written down, and carries out what the switch wants; `also` sees each
    /// event.
    fn feed(&mut self, also: impl FnMut(&mut Daemon<O>, &Event)) {
        self.feed_at(self.clock.now(), also);
    }

    /// The same at an instant; gives what was against the last input, if that was an order.
    fn feed_at(&mut self, now: Now, mut also: impl FnMut(&mut Daemon<O>, &Event)) -> Option<Refused> {
        let mut refused = None;
        let mut batch = std::mem::take(&mut self.batch);
        self.at = now.wall;
        self.pace.served(batch.len(), BATCH);
        if let Some(flight) = &mut self.flight {
            batch.iter().for_each(|input| flight.recorder.input(input, now));
            flight.recorder.commit();
        }
        for input in batch.drain(..) {
            refused = self.switch.obey(input, now).err();
            self.drain_outputs(&mut also);
        }
        self.net.flush();
        self.batch = batch;
        if let Some(flight) = &mut self.flight {
            flight.recorder.handled(now);
        }
        refused
    }

    /// Promises of earlier runs without those that are over; those whose lines are gone since pass to the lines that
    /// take their callers.
    fn still_open(&self, mut promises: Vec<PromiseRecord>) -> Vec<PromiseRecord> {
        promises.retain(|promise| !self.settled.contains(&promise.promise));
        for promise in &mut promises {
            if let Some(Removed::Remap(to)) = self.removed.get(&promise.line) {
                promise.line.clone_from(to);
            }
        }
        promises
    }

    /// Carries out what the switch wants, in order; `also` sees each event.
    fn drain_outputs(&mut self, also: &mut impl FnMut(&mut Daemon<O>, &Event)) {
        while let Some(output) = self.switch.poll_output() {
            if let Some(flight) = &mut self.flight {
                flight.recorder.output(&output);
            }
            match output {
                Output::Send { flow, bytes } => self.net.send(flow, bytes),
                Output::Close { flow } => self.net.close(flow),
                Output::Media { thread, command } => self.media.send(thread, command),
                Output::Record(record) => {
                    self.observer.record(&record);
                    if let Some(traces) = &self.traces {
                        traces.call(&record);
                    }
                    self.give_to_ledger(*record);
                }
                Output::Promise(promise) => self.promise_to_ledger(*promise),
                Output::Case(case) => self.ledger.write_case(*case),
                Output::Event(event) => {
                    also(self, &event);
                    self.tell(&event);
                    self.ledger.write_event(self.at, &self.plan_version, event);
                }
            }
        }
    }

    fn tell(&mut self, event: &Event) {
        journal::event(event);
        self.observer.event(event);
        if let Some(traces) = &self.traces {
            traces.event(self.at, event);
        }
        self.show(self.at, event);
        match event {
            Event::Drained => self.over = Some(Instant::now()),
            Event::Reloaded => self.plan_version = reload::version(self.switch.plan()),
            // An emergency came after the last call of a drain.
            Event::Arrived { .. } => self.over = None,
            _ => {}
        }
    }

    fn count(&mut self) {
        let counters = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            self.switch.counters(),
            self.switch.transaction_counters(),
            self.net.counters(),
            self.media.counters(),
            self.ledger.counters(),
            self.flight.as_ref().map(|flight| flight.recorder.counters()),
            self.net.copies().map(Hep::counters),
            self.traces.as_ref().map(Traces::counters),
        );
        self.journal.counters(self.switch.calls(), counters);
    }

    /// Lets what was told to collectors leave, if that is soon.
    fn end_exports(&self) {
        let until = Instant::now() + EXPORTS_FOR;
        let ends = [self.net.copies().and_then(Hep::end), self.traces.as_ref().and_then(Traces::end)];
        for end in ends.into_iter().flatten() {
            let _ = end.recv_timeout(until.saturating_duration_since(Instant::now()));
        }
    }

    fn is_over(&self) -> bool {
        self.over.is_some_and(|since| self.switch.is_quiet() || since.elapsed() >= FAREWELL)
    }

    fn look_after_itself(&mut self, now: Instant) {
        self.keep_state();
        if now < self.next_round {
            return;
        }
        self.next_round = now + ROUND;
        self.manager.alive();
        if self.journal.is_due(now) {
            self.count();
            self.journal.holidays(&self.switch.plan().guide.calendar, self.clock.now().wall);
        }
        if self.failed.is_none() && !self.media.running() {
            // It would connect people who cannot hear each other. Every caller is hung up and recorded first.
            self.failed = Some(Failure::MediaDied);
            if self.flight.is_some() {
                tracing::error!("a media thread died: ending; whoever starts this anew resumes its calls");
                self.over = Some(now - FAREWELL);
                return;
            }
            tracing::error!("a media thread died: hanging up and ending");
            self.apply(Action::Order(Order::Stop));
        }
    }
}

fn input(arrival: Arrival) -> Input {
    match arrival {
        Arrival::Datagram { flow, bytes, read } => Input::Datagram { flow, bytes, waited: read.elapsed() },
        Arrival::Chunk(flow, bytes) => Input::Chunk { flow, bytes },
        Arrival::Closed(flow) => Input::Closed { flow },
    }
}

/// What copies SIP messages. Calls are worth more: without it the daemon goes on.
fn copies(HepSettings { to, capture_id, key }: HepSettings) -> Option<Hep> {
    let copies = Hep::start(hep::Settings { to, capture_id, key });
    copies
        .inspect_err(|error| tracing::error!(%error, %to, "SIP messages cannot be copied to the collector"))
        .ok()
}

/// What traces calls; likewise.
fn traces(to: Collector, node: &str, run: i64) -> Option<Traces> {
    let traces = Traces::start(to, node, run);
    traces.inspect_err(|error| tracing::error!(%error, "calls cannot be traced")).ok()
}

/// A seed from the operating system.
fn seed() -> Result<Seed, Failure> {
    let mut seed = Seed::default();
    getrandom::fill(&mut seed).map_err(Failure::Randomness)?;
    Ok(seed)
}
