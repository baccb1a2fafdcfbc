//! Copies of SIP messages for a collector such as Homer, each in a datagram of HEP3.
//!
//! A thread of its own makes and sends them. Whoever has a message only puts it into a queue of fixed size: what finds
//! no room there is counted and dropped, so no call waits for a copy, nor for a collector that is slow or gone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::sip::Transport;

mod datagram;
mod streams;

use streams::Streams;

pub(super) use streams::Place;

/// Messages, and their bytes, that may wait to be copied.
const QUEUE: usize = 8_192;
const QUEUE_BYTES: usize = 16 << 20;
/// How long messages gather before they are copied: a thread that sleeps need not be woken for each.
const GATHER: Duration = Duration::from_millis(20);

/// Where copies go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The collector.
    pub to: SocketAddr,
    /// What it knows us by.
    pub capture_id: u32,
    /// What it lets us in by.
    pub key: Option<String>,
}

/// What became of copies.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sent to the collector.
    pub sent: u64,
    /// Not sent: no room in the queue, or the network refused them.
    pub dropped: u64,
}

/// Takes messages to be copied; clones share the queue.
#[derive(Clone, Debug)]
pub struct Hep {
    queue: SyncSender<Told>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Bytes in the queue.
    waiting: AtomicUsize,
    sent: AtomicU64,
    dropped: AtomicU64,
}

/// Who sent something to whom.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
}

#[derive(Debug)]
enum Told {
    /// A whole message.
    Message { at: Instant, transport: Transport, path: Path, bytes: Bytes },
    /// What came of a stream.
    Chunk { at: Instant, path: Path, bytes: Bytes, place: Place },
    /// Nothing more comes of this stream.
    Closed(Path),
    /// Everything before this is copied when this is dropped.
    End { _done: SyncSender<()> },
}

impl Hep {
    /// Begins to copy.
    pub fn start(settings: Settings) -> io::Result<Hep> {
        let any: IpAddr =
            if settings.to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(settings.to)?;
        let (queue, told) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let copier = Copier { socket, settings, shared: Arc::clone(&shared), streams: Streams::default() };
        thread::Builder::new().name("hep".to_owned()).spawn(move || copier.run(&told))?;
        Ok(Hep { queue, shared })
    }

    /// What became of copies so far.
    pub fn counters(&self) -> Counters {
        let Shared { sent, dropped, .. } = &*self.shared;
        Counters { sent: sent.load(Ordering::Relaxed), dropped: dropped.load(Ordering::Relaxed) }
    }

    /// Has a whole message copied.
    pub(super) fn message(&self, at: Instant, transport: Transport, path: Path, bytes: &Bytes) {
        if is_sip(bytes) {
            self.tell(bytes.len(), Told::Message { at, transport, path, bytes: bytes.clone() });
        }
    }

    /// Has the messages in this part of a stream copied; false when it was dropped.
    pub(super) fn chunk(&self, path: Path, bytes: &Bytes, place: Place) -> bool {
        let told = Told::Chunk { at: Instant::now(), path, bytes: bytes.clone(), place };
        self.tell(bytes.len(), told)
    }

    /// Forgets a stream.
    pub(super) fn closed(&self, path: Path) {
        // Should it find no room, the stream is forgotten when there are too many of them.
        let _ = self.queue.try_send(Told::Closed(path));
    }

    /// What this gives hangs up once all that was told so far is copied.
    pub fn end(&self) -> Option<Receiver<()>> {
        let (done, ended) = sync_channel(0);
        self.queue.try_send(Told::End { _done: done }).ok().map(|()| ended)
    }

    fn tell(&self, length: usize, told: Told) -> bool {
        let Shared { waiting, dropped, .. } = &*self.shared;
        let fits = waiting.fetch_add(length, Ordering::Relaxed) + length <= QUEUE_BYTES;
        let taken = fits && self.queue.try_send(told).is_ok();
        if !taken {
            waiting.fetch_sub(length, Ordering::Relaxed);
            dropped.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }
}

/// Keep-alives and noise are no messages; nor are copies, should they be sent to where they come from.
fn is_sip(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.first().is_some_and(u8::is_ascii_uppercase) && !text.starts_with(b"HEP3")
}

struct Copier {
    socket: UdpSocket,
    settings: Settings,
    shared: Arc<Shared>,
    streams: Streams,
}

impl Copier {
    fn run(mut self, queue: &Receiver<Told>) {
        while let Ok(first) = queue.recv() {
            if !matches!(first, Told::End { .. }) {
                thread::sleep(GATHER);
            }
            let clocks = Clocks { instant: Instant::now(), system: SystemTime::now() };
            self.take(first, &clocks);
            queue.try_iter().for_each(|told| self.take(told, &clocks));
        }
    }

    fn take(&mut self, told: Told, clocks: &Clocks) {
        let length = match &told {
            Told::Message { bytes, .. } | Told::Chunk { bytes, .. } => bytes.len(),
            Told::Closed(_) | Told::End { .. } => 0,
        };
        self.shared.waiting.fetch_sub(length, Ordering::Relaxed);
        match told {
            Told::Message { at, transport, path, bytes } => {
                self.send(transport, path, clocks.since_1970(at), &bytes);
            }
            Told::Chunk { at, path, bytes, place } => {
                let mut messages = Vec::new();
                self.streams.take(path, &bytes, place, |message| messages.push(message));
                for message in messages {
                    self.send(Transport::Tcp, path, clocks.since_1970(at), &message);
                }
            }
            Told::Closed(path) => self.streams.close(path),
            Told::End { .. } => {}
        }
    }

    fn send(&self, transport: Transport, path: Path, at: Duration, message: &[u8]) {
        let datagram = datagram::of(&self.settings, transport, path, at, message);
        let sent = datagram.is_some_and(|datagram| self.socket.send(&datagram).is_ok());
        let count = if sent { &self.shared.sent } else { &self.shared.dropped };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The same instant by both clocks.
struct Clocks {
    instant: Instant,
    system: SystemTime,
}

impl Clocks {
    fn since_1970(&self, at: Instant) -> Duration {
        let at = match self.instant.checked_duration_since(at) {
            Some(before) => self.system.checked_sub(before),
            None => self.system.checked_add(at.duration_since(self.instant)),
        };
        at.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
