//! A trace of each call for a collector of OpenTelemetry: what the ledger has of it, as spans.
//!
//! A thread of its own makes and posts them. The daemon only puts a call that is over into a queue of fixed size: what
//! finds no room there is counted and dropped, so no call waits for a collector that is slow or gone.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::call::record::CallRecord;
use crate::config::Collector;
use crate::id::CallId;
use crate::switch::Event;
use crate::time::Wall;

mod post;
mod spans;

/// Calls, and what rules did to them, that may wait.
const QUEUE: usize = 4_096;
/// How long calls gather before they are posted, and most of them in one post.
const GATHER: Duration = Duration::from_secs(1);
const MOST: usize = 256;
/// How often a post is tried, and how long it rests in between.
const TRIES: u32 = 3;
const REST: Duration = Duration::from_secs(1);
/// Calls that are remembered: those that rules spoke to, and those posted, whose record may come again.
const REMEMBERED: usize = 10_000;
/// Most rules that are noted of one call.
const MOST_RULES: usize = 16;

/// What became of traces.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// Taken by the collector.
    pub(super) sent: u64,
    /// Not taken by it, or no room in the queue.
    pub(super) dropped: u64,
}

/// Takes calls that are over.
#[derive(Debug)]
pub(super) struct Traces {
    queue: SyncSender<Told>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    sent: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug)]
enum Told {
    /// A call is over.
    Call(Box<CallRecord>),
    /// A rule did something to a caller.
    Rule(CallId, Spoke),
    /// Everything before this was posted, or given up, when this is dropped.
    End { _done: SyncSender<()> },
}

/// What a rule did to a caller, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spoke {
    at: Wall,
    what: &'static str,
    rule: String,
}

impl Traces {
    /// Begins to post calls of this run of the ledger.
    pub(super) fn start(to: Collector, node: &str, run: i64) -> io::Result<Traces> {
        let (queue, told) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let poster = Poster {
            to,
            node: node.to_owned(),
            run,
            shared: Arc::clone(&shared),
            spoken: BTreeMap::new(),
            posted: BTreeSet::new(),
            well: true,
        };
        thread::Builder::new().name("traces".to_owned()).spawn(move || poster.run(&told))?;
        Ok(Traces { queue, shared })
    }

    /// What became of traces so far.
    pub(super) fn counters(&self) -> Counters {
        let Shared { sent, dropped } = &*self.shared;
        Counters { sent: sent.load(Ordering::Relaxed), dropped: dropped.load(Ordering::Relaxed) }
    }

    /// A call is over.
    pub(super) fn call(&self, record: &CallRecord) {
        // Nobody behind the queue is to see a number.
        let record = CallRecord { cli: None, ..record.clone() };
        if self.queue.try_send(Told::Call(Box::new(record))).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Something happened; what a rule does to a caller is part of the trace.
    pub(super) fn event(&self, at: Wall, event: &Event) {
        let (call, what, rule) = match event {
            Event::Announced { call, rule } => (*call, "announced", rule.clone()),
            Event::Offered { call, rule } => (*call, "callback offered", rule.clone()),
            _ => return,
        };
        // A trace without it is still a trace.
        let _ = self.queue.try_send(Told::Rule(call, Spoke { at, what, rule }));
    }

    /// What this gives hangs up once all that was told so far is posted.
    pub(super) fn end(&self) -> Option<Receiver<()>> {
        let (done, ended) = sync_channel(0);
        self.queue.try_send(Told::End { _done: done }).ok().map(|()| ended)
    }
}

struct Poster {
    to: Collector,
    node: String,
    run: i64,
    shared: Arc<Shared>,
    spoken: BTreeMap<CallId, Vec<Spoke>>,
    posted: BTreeSet<CallId>,
    /// Whether the last post was taken.
    well: bool,
}

impl Poster {
    fn run(mut self, queue: &Receiver<Told>) {
        while let Ok(first) = queue.recv() {
            let until = Instant::now() + GATHER;
            let (mut spans, mut calls, mut next) = (Vec::new(), 0, Some(first));
            let mut end = None;
            while let Some(told) = next.take() {
                match told {
                    Told::Call(record) => calls += u64::from(self.take(&record, &mut spans)),
                    Told::Rule(call, spoke) => self.note(call, spoke),
                    Told::End { _done } => end = Some(_done),
                }
                if calls < MOST as u64 && end.is_none() {
                    next = queue.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
                }
            }
            if calls > 0 {
                let tries = if end.is_some() { 1 } else { TRIES };
                self.post(&spans::request(&self.node, spans), calls, tries);
            }
        }
    }

    fn note(&mut self, call: CallId, spoke: Spoke) {
        let spoken = self.spoken.entry(call).or_default();
        if spoken.len() < MOST_RULES {
            spoken.push(spoke);
        }
        if self.spoken.len() > REMEMBERED {
            self.spoken.pop_first();
        }
    }

    /// Makes spans of a call, unless it has been posted: a disposition that is given late has the record come again.
    fn take(&mut self, record: &CallRecord, spans: &mut Vec<serde_json::Value>) -> bool {
        let spoken = self.spoken.remove(&record.call).unwrap_or_default();
        if !self.posted.insert(record.call) {
            return false;
        }
        if self.posted.len() > REMEMBERED {
            self.posted.pop_first();
        }
        spans::add(self.run, record, &spoken, spans);
        true
    }

    fn post(&mut self, request: &serde_json::Value, calls: u64, tries: u32) {
        let body = request.to_string();
        let mut taken = post::post(&self.to, &body);
        for _ in 1..tries {
            if taken.is_ok() {
                break;
            }
            thread::sleep(REST);
            taken = post::post(&self.to, &body);
        }
        let count = if taken.is_ok() { &self.shared.sent } else { &self.shared.dropped };
        count.fetch_add(calls, Ordering::Relaxed);
        let well = taken.is_ok();
        match taken {
            Ok(()) if !self.well => tracing::info!("the collector takes traces again"),
            Err(error) if self.well => {
                tracing::warn!(%error, "the collector takes no traces: they are dropped")
            }
            _ => {}
        }
        self.well = well;
    }
}

#[cfg(test)]
mod tests;
