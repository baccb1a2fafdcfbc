//! Streams: one reading and one writing task each, behind bounded queues.
//!
//! Strangers get few streams and little time, so that they cannot crowd out the trunks.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::hep::{Hep, Path, Place};
use super::{Arrival, Peer, PeerOf};
use crate::sip::{Flow, ListenerId, Transport};

/// Most streams in all.
const MOST: usize = 2_000;
/// Most streams from hosts that are no friends.
const MOST_STRANGERS: usize = 64;
/// A stranger's stream that says nothing for this long is closed.
const STRANGER_IDLE: Duration = Duration::from_secs(10);
/// A friend's stream that says nothing for this long is closed; keep-alives count as saying something.
const FRIEND_IDLE: Duration = Duration::from_secs(3_600);
/// A peer that takes no connection for this long is unreachable.
const CONNECT: Duration = Duration::from_secs(4);
/// Messages that may wait for one slow peer.
const QUEUE: usize = 256;
/// Bytes read at once.
const CHUNK: usize = 16 << 10;

/// All streams, opened by either side.
pub(super) struct Streams {
    writers: BTreeMap<Flow, mpsc::Sender<Bytes>>,
    events: mpsc::Receiver<Event>,
    report: mpsc::Sender<Event>,
    peer_of: PeerOf,
    copies: Option<Hep>,
    strangers: Arc<AtomicUsize>,
}

enum Event {
    Opened(Flow, mpsc::Sender<Bytes>),
    Chunk(Flow, Bytes),
    Closed(Flow),
}

impl Streams {
    pub(super) fn new(peer_of: PeerOf, copies: Option<Hep>) -> Streams {
        let (report, events) = mpsc::channel(QUEUE);
        Streams {
            writers: BTreeMap::new(),
            events,
            report,
            peer_of,
            copies,
            strangers: Arc::new(AtomicUsize::new(0)),
        }
    }

    pub(super) fn accept_on(&self, listener: ListenerId, socket: TcpListener) {
        let (report, peer_of, strangers) =
            (self.report.clone(), self.peer_of.clone(), self.strangers.clone());
        let copies = self.copies.clone();
        tokio::spawn(async move {
            loop {
                let Ok((stream, remote)) = socket.accept().await else {
                    // Out of descriptors: wait for some to be given back.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let known = peer_of(remote.ip().to_canonical()) != Peer::Stranger;
                let stranger = if known { None } else { Guest::admit(&strangers) };
                if stranger.is_none() && !known {
                    continue;
                }
                let flow = Flow { transport: Transport::Tcp, listener, remote };
                let (report, queue) = (report.clone(), mpsc::channel(QUEUE));
                if report.send(Event::Opened(flow, queue.0)).await.is_err() {
                    return;
                }
                tokio::spawn(serve(flow, stream, queue.1, report, stranger, copies.clone()));
            }
        });
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Arrival> {
        while let Poll::Ready(Some(event)) = self.events.poll_recv(context) {
            if let Some(arrival) = self.take(event) {
                return Poll::Ready(arrival);
            }
        }
        Poll::Pending
    }

    pub(super) fn try_next(&mut self) -> Option<Arrival> {
        while let Ok(event) = self.events.try_recv() {
            if let Some(arrival) = self.take(event) {
                return Some(arrival);
            }
        }
        None
    }

    fn take(&mut self, event: Event) -> Option<Arrival> {
        match event {
            Event::Opened(flow, writer) if self.writers.len() < MOST => {
                self.writers.insert(flow, writer);
                None
            }
            // Dropping the writer ends the stream.
            Event::Opened(..) => None,
            Event::Chunk(flow, bytes) => {
                self.writers.contains_key(&flow).then_some(Arrival::Chunk(flow, bytes))
            }
            // Told even when it was we who closed it: above, a half-read message may still lie about.
            Event::Closed(flow) => {
                self.writers.remove(&flow);
                Some(Arrival::Closed(flow))
            }
        }
    }

    /// Queues a message, opening the stream when there is none; `false` when the peer's queue was full.
    pub(super) fn send(&mut self, flow: Flow, bytes: Bytes) -> bool {
        if self.writers.len() >= MOST && !self.writers.contains_key(&flow) {
            return false;
        }
        let writer = self.writers.entry(flow).or_insert_with(|| {
            let (writer, queue) = mpsc::channel(QUEUE);
            tokio::spawn(open(flow, queue, self.report.clone(), self.copies.clone()));
            writer
        });
        match writer.try_send(bytes) {
            Ok(()) => true,
            Err(_) => {
                self.close(flow);
                false
            }
        }
    }

    /// How many there are at each listener.
    pub(super) fn open(&self) -> BTreeMap<ListenerId, usize> {
        let mut open = BTreeMap::new();
        self.writers.keys().for_each(|flow| *open.entry(flow.listener).or_default() += 1);
        open
    }

    pub(super) fn close(&mut self, flow: Flow) {
        self.writers.remove(&flow);
    }
}

/// One of the few places for strangers, given back when dropped.
struct Guest(Arc<AtomicUsize>);

impl Guest {
    fn admit(strangers: &Arc<AtomicUsize>) -> Option<Guest> {
        let place = strangers.fetch_add(1, Ordering::Relaxed);
        let guest = Guest(strangers.clone());
        (place < MOST_STRANGERS).then_some(guest)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn open(flow: Flow, queue: mpsc::Receiver<Bytes>, report: mpsc::Sender<Event>, copies: Option<Hep>) {
    let socket = if flow.remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let connected = async { timeout(CONNECT, socket?.connect(flow.remote)).await.map_err(io::Error::other)? };
    match connected.await {
        Ok(stream) => serve(flow, stream, queue, report, None, copies).await,
        Err(_) => {
            let _ = report.send(Event::Closed(flow)).await;
        }
    }
}

async fn serve(
    flow: Flow,
    stream: TcpStream,
    queue: mpsc::Receiver<Bytes>,
    report: mpsc::Sender<Event>,
    stranger: Option<Guest>,
    copies: Option<Hep>,
) {
    let _ = stream.set_nodelay(true);
    // Nobody has to be told of a stream whose own address the kernel has already forgotten.
    let local = copies.and_then(|hep| Some((hep, stream.local_addr().ok()?)));
    let copies = local.map(|(hep, local)| Copies { hep, theirs: Path { from: flow.remote, to: local } });
    let (reader, writer) = stream.into_split();
    let idle = if stranger.is_some() { STRANGER_IDLE } else { FRIEND_IDLE };
    tokio::select! {
        () = read(flow, reader, &report, idle, copies.as_ref()) => {}
        () = write(writer, queue, copies.as_ref()) => {}
    }
    if let Some(Copies { hep, theirs }) = copies {
        hep.closed(theirs);
    }
    let _ = report.send(Event::Closed(flow)).await;
}

/// Where copies of one stream go.
struct Copies {
    hep: Hep,
    /// The way that the peer's messages come.
    theirs: Path,
}

async fn read(
    flow: Flow,
    mut reader: OwnedReadHalf,
    report: &mpsc::Sender<Event>,
    idle: Duration,
    copies: Option<&Copies>,
) {
    let mut buffer = BytesMut::new();
    let mut place = Place::First;
    loop {
        buffer.reserve(CHUNK);
        match timeout(idle, reader.read_buf(&mut buffer)).await {
            Ok(Ok(1..)) => {}
            _ => return,
        }
        let chunk = buffer.split().freeze();
        if let Some(Copies { hep, theirs }) = copies {
            place = if hep.chunk(*theirs, &chunk, place) { Place::Next } else { Place::AfterGap };
        }
        if report.send(Event::Chunk(flow, chunk)).await.is_err() {
            return;
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Bytes>, copies: Option<&Copies>) {
    while let Some(bytes) = queue.recv().await {
        if writer.write_all(&bytes).await.is_err() {
            return;
        }
        if let Some(Copies { hep, theirs: Path { from, to } }) = copies {
            hep.message(Instant::now(), Transport::Tcp, Path { from: *to, to: *from }, &bytes);
        }
    }
}
