//! What the daemon before left, and how its calls go on in this one.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::call::record::{CallRecord, PromiseRecord};
use crate::config::{Deployment, FlightSettings};
use crate::flight::{self, Kept, Left, Opened, Recorder, Run, Stopped};
use crate::ledger::Ledger;
use crate::net::{self, Bind};
use crate::sip::Transport;
use crate::switch::following::Removed;
use crate::switch::plan::{Plan, ThreadPorts};
use crate::switch::{Input, Output, Switch};
use crate::time::Now;

use super::clock::boot;
use super::inherit::{self, Inherited};
use super::ladder::Log;
use super::{Clock, Daemon, Failure, Observer, seed, slice};

/// How long a daemon must have lived for its beginning to have gone well.
const PROBATION: Duration = Duration::from_secs(5);
/// Records that are kept until the ledger has settled them; beyond them the oldest are its own affair.
const MOST_UNSETTLED: usize = 20_000;

/// How long the ledger may take to write what it has before the switch goes on without that.
const LEDGER_FOR: Duration = Duration::from_millis(500);

/// What the daemon before left.
#[derive(Default)]
pub struct Past {
    opened: Option<Opened>,
    pub(super) inherited: Inherited,
    pub(super) left: Option<Box<Left>>,
    /// Promises that the daemon before had settled, which the ledger may still have as open.
    settled: Vec<PromiseRecord>,
    /// It was the same process, which saw to it that nothing was lost.
    pub(super) handed_over: bool,
    /// Calls that cannot go on, and the run that they belong to.
    given_up: Option<(i64, Vec<CallRecord>)>,
}

impl Past {
    /// Opens the flight log of a deployment and reads what lies there. When calls are to go on, the deployment's
    /// plan has the ids that they know from now on.
    ///
    /// # Errors
    /// Only when another daemon writes to the log: anything else is logged, and the daemon begins without calls.
    pub fn open(deployment: &mut Deployment, inherited: Inherited) -> Result<Past, Failure> {
        let Some(FlightSettings { directory, keep_for, keep_size, snapshot_every }) =
            deployment.flight.clone()
        else {
            return Ok(Past { inherited, ..Past::default() });
        };
        let opened = match flight::open(flight::Settings { directory, keep_for, keep_size, snapshot_every }) {
            Ok(opened) => opened,
            Err(error @ flight::Error::Locked(_)) => return Err(Failure::Flight(error)),
            Err(error) => {
                tracing::error!(%error, "there is no flight log: a crash would end all calls");
                return Ok(Past { inherited, ..Past::default() });
            }
        };
        let begun = Instant::now();
        let mut left = match opened.left() {
            Ok(left) => left,
            Err(error) => {
                complain(&error);
                None
            }
        };
        if let Some(left) = &left {
            tracing::warn!(
                calls = left.switch.calls(),
                inputs = left.inputs,
                took = ?begun.elapsed(),
                "the daemon before did not end in good order: its calls are taken over"
            );
            let all = left.switch.plan().acd.lines.iter().map(|line| (line.name.clone(), Removed::Drain));
            let removed = all.chain(deployment.removed.clone()).collect();
            deployment.plan = deployment.plan.clone().following(left.switch.plan(), &removed);
        }
        let settled = left.as_mut().map(|left| std::mem::take(&mut left.promises)).unwrap_or_default();
        let handed_over = !inherited.is_empty();
        Ok(Past {
            opened: Some(opened),
            inherited,
            left: left.map(Box::new),
            settled,
            handed_over,
            given_up: None,
        })
    }

    /// Whether there are calls, or a life of the switch, to go on with.
    pub fn goes_on(&self) -> bool {
        self.left.is_some()
    }

    /// A socket of the daemon before, or a new one.
    pub(super) fn socket(&mut self, bind: Bind) -> io::Result<net::Opened> {
        Ok(match bind.transport {
            Transport::Udp => net::Opened::Udp(self.inherited.udp(bind.address)?),
            Transport::Tcp => net::Opened::Tcp(self.inherited.tcp(bind.address)?),
        })
    }

    /// The SIP and media ports that were bound before, to be bound again where the system chose them.
    pub(super) fn ports(&self) -> (Vec<u16>, Vec<ThreadPorts>) {
        let Some(left) = &self.left else { return Default::default() };
        let plan = left.switch.plan();
        let listeners = plan.sip.listeners.iter().map(|listener| listener.advertised.port());
        (listeners.collect(), plan.media.threads.clone())
    }

    /// Calls cannot go on at other addresses than those that their peers were told.
    pub(super) fn compare_ports(&mut self, plan: &Plan) {
        let others = |left: &mut Box<Left>| {
            let before = left.switch.plan();
            before.sip.listeners != plan.sip.listeners || before.media.threads != plan.media.threads
        };
        let Some(left) = self.left.take_if(others) else { return };
        tracing::error!(
            calls = left.switch.calls(),
            "addresses or ports are not what they were: the calls of the daemon before are given up"
        );
        let Left { mut switch, now, run, mut records, .. } = *left;
        // For their records; nobody can be told.
        switch.handle(Input::Stop, now);
        while let Some(output) = switch.poll_output() {
            if let Output::Record(record) = output {
                records.push(*record);
            }
        }
        self.given_up = Some((run.ledger, records));
    }

    /// Gives what is known of calls that were given up to the ledger. No log holds it from here on.
    pub(super) fn record_given_up(&mut self, ledger: &Ledger) {
        let Some((run, records)) = self.given_up.take() else { return };
        records.into_iter().for_each(|record| ledger.write_of(run, record));
        ledger.flush(LEDGER_FOR);
    }

    /// Takes out what the daemon before had settled.
    pub(super) fn settled(&mut self) -> Vec<PromiseRecord> {
        std::mem::take(&mut self.settled)
    }

    /// Begins a segment of the log.
    pub(super) fn begin(
        self,
        left: Option<&Left>,
        clock: &Clock,
        switch: &Switch,
        settled: &[PromiseRecord],
        ledger: &Ledger,
    ) -> Option<Flight> {
        let opened = self.opened?;
        let unsettled = left.map_or(&[][..], |left| &left.records).iter().collect();
        let kept = Kept { switch, unsettled, promises: settled.iter().collect() };
        // It is still as it was when it was told something last.
        let now = left.map_or_else(|| clock.now(), |left| left.now);
        let run = Run { ledger: ledger.run(), boot: boot(), zero: clock.zero() };
        let directory = opened.directory().to_owned();
        let recorder = match opened.record(run, &kept, now) {
            Ok(recorder) => recorder,
            Err(error) => {
                tracing::error!(%error, "there is no flight log: a crash would end all calls");
                return None;
            }
        };
        let begun = Some(Instant::now());
        Some(Flight { recorder, directory, unsettled: VecDeque::new(), begun })
    }
}

fn complain(error: &Stopped) {
    tracing::error!(%error, "the calls of the daemon before cannot be taken over: beginning without any");
    if let Stopped::Differs { batch, output, .. } = error {
        tracing::debug!(output = ?batch.outputs.get(*output), "what comes out now");
    }
}

/// What went to the ledger and is nowhere else.
enum Given {
    Call(CallRecord),
    /// A promise that is over.
    Promise(PromiseRecord),
}

/// The log that is being written, and what the ledger may not have yet.
pub(super) struct Flight {
    pub(super) recorder: Recorder,
    directory: PathBuf,
    /// By their number among all that went to the ledger.
    unsettled: VecDeque<(u64, Given)>,
    /// When it began, until that is long enough ago.
    begun: Option<Instant>,
}

impl Flight {
    /// What may be read of it while it is written.
    pub(super) fn ladders(&self, run: i64) -> Log {
        Log { directory: self.directory.clone(), run }
    }

    /// Something went to the ledger.
    fn gave(&mut self, given: Given, ledger: &Ledger) {
        let (sent, settled) = ledger.progress();
        self.forget_settled(settled);
        self.unsettled.push_back((sent, given));
        if self.unsettled.len() > MOST_UNSETTLED {
            self.unsettled.pop_front();
        }
    }

    fn forget_settled(&mut self, settled: u64) {
        while self.unsettled.front().is_some_and(|&(number, _)| number <= settled) {
            self.unsettled.pop_front();
        }
    }

    /// Takes a snapshot; gives how long that held up the switch.
    fn snapshot(&mut self, switch: &Switch, ledger: &Ledger, now: Now) -> Duration {
        let (_, settled) = ledger.progress();
        self.forget_settled(settled);
        let mut kept = Kept::of(switch);
        for (_, given) in &self.unsettled {
            match given {
                Given::Call(record) => kept.unsettled.push(record),
                Given::Promise(promise) => kept.promises.push(promise),
            }
        }
        self.recorder.snapshot(&kept, now)
    }
}

impl<O: Observer> Daemon<O> {
    /// Lets the calls of the daemon before go on.
    pub(super) fn resume(&mut self, left: Left, handed_over: bool, plan: Plan) -> Result<(), Failure> {
        for record in left.records {
            self.give_to_ledger(record);
        }
        // Whether these left the machine is not known. If they did, they are repetitions, which SIP absorbs.
        for output in left.last.outputs {
            if let Output::Send { flow, bytes } = output {
                self.net.send(flow, bytes);
            }
        }
        if plan != *self.switch.plan() {
            tracing::info!("the configuration has changed since: it is taken over");
            self.batch.push(Input::Reload(Box::new(plan)));
            // Nobody was there since the last input: what was due meanwhile is for the restart to judge.
            self.feed_at(left.now, |_, _| {});
        }
        // A part of the log may be missing that nobody could note: the disk was full, or slow, or had no power.
        let incomplete = !handed_over || left.incomplete;
        self.batch.push(Input::Restart { seed: seed()?, incomplete });
        self.feed(|_, _| {});
        // What was promised in that part is in the ledger alone.
        self.ledger.ask_for_promises();
        Ok(())
    }

    /// Gives a record to the ledger, and keeps it until it is settled there.
    pub(super) fn give_to_ledger(&mut self, record: CallRecord) {
        match &mut self.flight {
            Some(flight) => {
                self.ledger.write(record.clone());
                flight.gave(Given::Call(record), &self.ledger);
            }
            None => self.ledger.write(record),
        }
    }

    /// Gives a promise to the ledger. One that is over is nowhere else: it is kept until it is settled there, so that
    /// nobody is called back twice.
    pub(super) fn promise_to_ledger(&mut self, promise: PromiseRecord) {
        if let Some(flight) = self.flight.as_mut().filter(|_| promise.settled.is_some()) {
            self.ledger.write_promise(promise.clone());
            flight.gave(Given::Promise(promise), &self.ledger);
        } else {
            self.ledger.write_promise(promise);
        }
    }

    /// Lets another program take our place. Comes back only when that cannot be: then all goes on as before.
    pub(super) fn hand_over(&mut self, program: &Path) {
        let Some(flight) = &mut self.flight else {
            return tracing::error!("without a flight log calls cannot be handed over: nothing is done");
        };
        if self.switch.is_draining() {
            return tracing::error!("the daemon is about to end, and hands nothing over: this one goes on");
        }
        let begun = Instant::now();
        // What it has need not be handed over; what it has not, is.
        self.ledger.flush(LEDGER_FOR);
        flight.snapshot(&self.switch, &self.ledger, self.clock.now());
        if !flight.recorder.flush() {
            return tracing::error!(
                "the flight log cannot be written, so nothing is handed over: this one goes on"
            );
        }
        // It is no attempt to resume that died.
        flight::resumed(&flight.directory);
        tracing::info!(calls = self.switch.calls(), took = ?begun.elapsed(), "handing over to the new program");
        self.end_exports();
        let sockets = [self.net.descriptors(), self.media.descriptors()].concat();
        slice::set(false);
        let error = inherit::replace(program, &sockets);
        slice::set(true);
        tracing::error!(%error, program = %program.display(), "it cannot be started: this one goes on");
    }

    /// Takes a snapshot when it is time to.
    pub(super) fn keep_state(&mut self) {
        let Some(flight) = &mut self.flight else { return };
        if flight.begun.is_some_and(|begun| begun.elapsed() >= PROBATION) {
            flight.begun = None;
            flight::resumed(&flight.directory);
        }
        if flight.recorder.wants_snapshot() {
            let held = flight.snapshot(&self.switch, &self.ledger, self.clock.now());
            tracing::debug!(?held, calls = self.switch.calls(), "snapshot");
        }
    }
}
