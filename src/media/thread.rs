//! One media thread: it waits for packets, orders and due frames, and lets the engine decide.
//!
//! Receiving is batched, since one wake often finds packets of many calls; sending is not, since on Linux
//! `sendmmsg` costs as much a packet as `sendto` and would only delay the first of a batch.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};

use crate::call::media::{Command, Event};
use crate::media::clip::Clip;
use crate::media::counters::{Counters, Published};
use crate::media::engine::{Engine, MAX_DATAGRAM, Out};
use crate::media::ports::BoundPort;
use crate::rng::Seed;
use crate::time::Mono;

/// Datagrams taken in one system call.
const BATCH: usize = 32;
/// Batches taken from one port before the others and the due frames get their turn.
const BATCHES_A_TURN: usize = 4;
/// How long orders may lie while the thread is awake, as long as a frame lasts: a wake for each would cost more than
/// the order.
const GLANCE: Duration = Duration::from_millis(20);
/// How long after the latest order the thread stays awake with nothing to do: where one came, others follow.
const LINGER: Duration = Duration::from_secs(1);
/// So many packets go out before whoever else wants the core gets it: a slot of 100 takes a millisecond, which the
/// control thread, where both share a core, would wait for an agent's next caller to ring.
const SENDS_A_TURN: u32 = 8;
const WAKE: Token = Token(usize::MAX);

/// The rest of the process's hold on a media thread; dropping it stops and joins the thread.
#[derive(Debug)]
pub(super) struct Handle {
    orders: Sender<Order>,
    waker: Waker,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What a thread is told.
#[derive(Debug)]
pub(super) enum Order {
    Command(Command),
    /// What later commands mean by their clips.
    Clips(Arc<[Clip]>),
}

#[derive(Debug, Default)]
struct Shared {
    /// The thread sleeps until it is woken; otherwise it looks at its orders every [`GLANCE`].
    asleep: AtomicBool,
    stop: AtomicBool,
    counters: Published,
}

impl Handle {
    pub(super) fn start(
        number: u8,
        ports: Vec<BoundPort>,
        clips: Arc<[Clip]>,
        dead_after: Duration,
        report: Arc<dyn Fn(u8, Event) + Send + Sync>,
    ) -> io::Result<Handle> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let numbers: Vec<u16> = ports.iter().map(|port| port.number).collect();
        let mut sockets = Vec::with_capacity(ports.len());
        for (position, port) in ports.into_iter().enumerate() {
            let mut socket = UdpSocket::from_std(port.socket);
            poll.registry().register(&mut socket, Token(position), Interest::READABLE)?;
            sockets.push(socket);
        }
        let mut seed = Seed::default();
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        let (orders, queue) = channel();
        let shared = Arc::new(Shared::default());
        let over_ipv6 = sockets.first().is_some_and(|s| s.local_addr().is_ok_and(|a| a.is_ipv6()));
        let worker = Worker {
            engine: Engine::new(&numbers, clips, dead_after, seed),
            outlet: Outlet { sockets, over_ipv6, number, report, sent: 0 },
            queue,
            shared: shared.clone(),
            epoch: Instant::now(),
            lingers_until: Mono::default(),
        };
        let thread =
            thread::Builder::new().name(format!("media-{number}")).spawn(move || worker.run(poll))?;
        Ok(Handle { orders, waker, shared, thread: Some(thread) })
    }

    pub(super) fn send(&self, order: Order) {
        // Fails only when the thread has died, which `running` tells.
        let _ = self.orders.send(order);
        fence(Ordering::SeqCst);
        if self.shared.asleep.swap(false, Ordering::SeqCst) {
            self.wake();
        }
    }

    pub(super) fn counters(&self) -> Counters {
        self.shared.counters.load()
    }

    pub(super) fn running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Ends the thread, as if it had died.
    #[cfg(test)]
    pub(super) fn end(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "media thread cannot be woken");
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.wake();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("media thread panicked");
        }
    }
}

/// What the thread owns.
struct Worker {
    engine: Engine,
    outlet: Outlet,
    queue: Receiver<Order>,
    shared: Arc<Shared>,
    epoch: Instant,
    lingers_until: Mono,
}

impl Worker {
    fn run(mut self, mut poll: Poll) {
        let mut events = Events::with_capacity(1_024);
        let mut inlet = Inlet::new();
        let (mut ready, mut unread) = (Vec::new(), Vec::new());
        while !self.shared.stop.load(Ordering::Acquire) {
            let patience = self.patience(!ready.is_empty());
            match poll.poll(&mut events, patience) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::error!(%error, "media thread cannot wait for packets");
                    return;
                }
            }
            for event in &events {
                if event.token() != WAKE {
                    ready.push(event.token().0);
                }
            }
            self.take_orders();
            for position in ready.drain(..) {
                if self.take_packets(position, &mut inlet) == Left::Some {
                    unread.push(position);
                }
                self.engine.tick(self.now(), &mut self.outlet);
            }
            std::mem::swap(&mut ready, &mut unread);
            self.engine.tick(self.now(), &mut self.outlet);
            self.shared.counters.store(self.engine.counters());
        }
    }

    fn now(&self) -> Mono {
        Mono(u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// How long to wait for packets; for ever only after saying so and finding no order that came before.
    fn patience(&mut self, packets_waiting: bool) -> Option<Duration> {
        if packets_waiting {
            return Some(Duration::ZERO);
        }
        let now = self.now();
        if let Some(due) = self.engine.next_due() {
            return Some(due.since(now).min(GLANCE));
        }
        if now < self.lingers_until {
            return Some(GLANCE);
        }
        self.shared.asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.take_orders();
        self.engine.next_due().map(|due| due.since(self.now()).min(GLANCE))
    }

    fn take_orders(&mut self) {
        while let Ok(order) = self.queue.try_recv() {
            let now = self.now();
            self.lingers_until = now + LINGER;
            match order {
                Order::Command(command) => self.engine.command(command, now),
                Order::Clips(clips) => self.engine.set_clips(clips),
            }
        }
    }

    /// Hands the datagrams waiting at a port to the engine.
    fn take_packets(&mut self, position: usize, inlet: &mut Inlet) -> Left {
        for _ in 0..BATCHES_A_TURN {
            let now = self.now();
            let Some(socket) = self.outlet.sockets.get(position) else { return Left::Nothing };
            let descriptor = socket.as_raw_fd();
            let (engine, outlet) = (&mut self.engine, &mut self.outlet);
            let taken = inlet.take(descriptor, |source, datagram| {
                engine.receive(position, source, datagram, now, outlet);
            });
            match taken {
                Ok(BATCH) | Err(Errno::EINTR) => {}
                // A short batch has emptied the port; what comes later is announced anew.
                Ok(_) | Err(Errno::EAGAIN) => return Left::Nothing,
                Err(error) => {
                    tracing::debug!(%error, "receiving failed");
                    return Left::Nothing;
                }
            }
        }
        Left::Some
    }
}

/// Whether datagrams may be left at a port.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Left {
    Nothing,
    Some,
}

/// Sockets to send from, and the way back to the core.
struct Outlet {
    sockets: Vec<UdpSocket>,
    over_ipv6: bool,
    number: u8,
    report: Arc<dyn Fn(u8, Event) + Send + Sync>,
    /// Packets since the core was last offered to others.
    sent: u32,
}

impl Out for Outlet {
    fn packet(&mut self, port: usize, to: SocketAddr, packet: &[u8]) -> bool {
        let to = match to {
            SocketAddr::V4(v4) if self.over_ipv6 => {
                SocketAddr::new(IpAddr::V6(v4.ip().to_ipv6_mapped()), v4.port())
            }
            SocketAddr::V6(v6) if !self.over_ipv6 => SocketAddr::new(v6.ip().to_canonical(), v6.port()),
            as_is => as_is,
        };
        self.sent += 1;
        if self.sent == SENDS_A_TURN {
            self.sent = 0;
            thread::yield_now();
        }
        // Audio is perishable: what the kernel does not take at once is lost, and counted by the engine.
        self.sockets.get(port).is_some_and(|socket| socket.send_to(packet, to).is_ok())
    }

    fn event(&mut self, event: Event) {
        (self.report)(self.number, event);
    }
}

/// Room for one batch of datagrams, reused for every system call.
struct Inlet {
    headers: MultiHeaders<SockaddrStorage>,
    bytes: Box<[[u8; MAX_DATAGRAM + 1]; BATCH]>,
}

impl Inlet {
    fn new() -> Inlet {
        Inlet {
            headers: MultiHeaders::preallocate(BATCH, None),
            bytes: Box::new([[0; MAX_DATAGRAM + 1]; BATCH]),
        }
    }

    /// Takes up to [`BATCH`] datagrams and says how many; one too long arrives cut to a byte too many.
    fn take(
        &mut self,
        descriptor: std::os::fd::RawFd,
        mut each: impl FnMut(SocketAddr, &[u8]),
    ) -> nix::Result<usize> {
        let mut rooms = self.bytes.each_mut().map(|bytes| [IoSliceMut::new(bytes)]);
        let taken = recvmmsg(descriptor, &mut self.headers, &mut rooms, MsgFlags::MSG_DONTWAIT, None)?;
        let mut count = 0;
        for message in taken {
            count += 1;
            let Some(source) = message.address.as_ref().and_then(socket_address) else { continue };
            each(source, message.iovs().next().unwrap_or_default());
        }
        Ok(count)
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::V4((*v4).into()));
    }
    address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into()))
}
