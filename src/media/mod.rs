//! Media threads: few ports, many calls.
//!
//! Each thread owns a handful of UDP ports, tells legs apart by port and source address, relays between the
//! two legs of a call, and plays clips to those who wait. [`bind`] opens the ports, so that the plan can name
//! them; [`Bound::start`] starts the threads; [`Media`] takes orders and never blocks.
//!
//! | file | holds |
//! |---|---|
//! | `clip`, `resample`, `prompts` | WAV files read once and encoded once per codec |
//! | `playlist`, `pacer` | what a leg hears next; when each leg's next frame is due |
//! | `leg`, `engine` | the legs of one thread and the whole per-packet logic, free of sockets and clocks |
//! | `ports`, `thread` | sockets bound; one thread's loop of waiting, receiving and sending |
//! | `counters` | what was moved and what was dropped, and why |
//!
//! It never mixes, repairs or generates audio other than clips and silence, and holds no jitter buffer:
//! packets between two people are passed on as they came.

mod clip;
mod counters;
mod engine;
mod leg;
mod pacer;
mod playlist;
mod ports;
mod prompts;
mod resample;
mod thread;

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::Arc;
use std::time::Duration;

use crate::call::media::{Command, Event};
use crate::switch::plan::ThreadPorts;

pub use clip::{Clip, ClipError, ClipFault, MAX_LENGTH};
pub use counters::Counters;
pub use ports::BindError;
pub use prompts::{read_prompts, shipped_prompts};

use ports::{BoundPort, BoundPorts};
use thread::Handle;

/// What the media threads are made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The local address of every port.
    pub address: IpAddr,
    /// How many threads, at least one.
    pub threads: u8,
    /// Ports of each thread that many legs share.
    pub shared_ports: u16,
    /// Ports of each thread for legs whose remote address is taken on every shared port, or that latch.
    pub spill_ports: u16,
    /// The lowest port; the others are the even ports above it, the shared ones of all threads before the
    /// spill ports of all. Zero leaves the choice to the operating system.
    pub first_port: u16,
    /// When the system chooses: the ports of an earlier process, to be had again. Nothing, or of this same shape.
    pub before: Vec<ThreadPorts>,
    /// By `ClipId`.
    pub clips: Vec<Clip>,
    /// How long a leg that should send may be silent before it is reported; zero for ever.
    pub dead_after: Duration,
}

/// Where reports go: called on the media thread with its number, so it must not block.
pub type Report = Box<dyn Fn(u8, Event) + Send + Sync>;

/// Opens the ports of all threads; packets wait in them until [`Bound::start`].
///
/// `open` gives a socket that is bound to an address.
pub fn bind(
    settings: Settings,
    open: impl FnMut(SocketAddr) -> io::Result<UdpSocket>,
) -> Result<Bound, BindError> {
    let ports = ports::bind(&settings, open)?;
    Ok(Bound { ports, clips: settings.clips.into(), dead_after: settings.dead_after })
}

/// Open ports, no threads yet.
#[derive(Debug)]
pub struct Bound {
    /// By thread.
    ports: Vec<BoundPorts>,
    clips: Arc<[Clip]>,
    dead_after: Duration,
}

impl Bound {
    /// The ports of each thread, for the plan.
    pub fn ports(&self) -> Vec<ThreadPorts> {
        let numbers = |ports: &[BoundPort]| ports.iter().map(|port| port.number).collect();
        self.ports
            .iter()
            .map(|ports| ThreadPorts { shared: numbers(&ports.shared), spill: numbers(&ports.spill) })
            .collect()
    }

    /// Starts one operating system thread for each media thread.
    ///
    /// Fails when the system grants no poller, thread or randomness.
    pub fn start(self, report: Report) -> io::Result<Media> {
        let report: Arc<dyn Fn(u8, Event) + Send + Sync> = report.into();
        let all = self.ports.iter().flat_map(|ports| ports.shared.iter().chain(&ports.spill));
        let descriptors = all.map(|port| port.socket.as_raw_fd()).collect();
        let mut threads = Vec::with_capacity(self.ports.len());
        for (number, BoundPorts { shared, spill }) in (0u8..).zip(self.ports) {
            let ports = shared.into_iter().chain(spill).collect();
            threads.push(Handle::start(number, ports, self.clips.clone(), self.dead_after, report.clone())?);
        }
        Ok(Media { threads, descriptors })
    }
}

/// The running media threads; dropping it stops and joins them.
#[derive(Debug)]
pub struct Media {
    threads: Vec<Handle>,
    descriptors: Vec<RawFd>,
}

impl Media {
    /// Queues an order and returns at once; orders to one thread are carried out in sequence.
    ///
    /// An order to a thread that does not exist, or has failed, is dropped.
    pub fn send(&self, thread: u8, command: Command) {
        match self.threads.get(usize::from(thread)) {
            Some(handle) => handle.send(thread::Order::Command(command)),
            None => tracing::error!(thread, "order to a media thread that does not exist"),
        }
    }

    /// What later orders mean by their clips, by `ClipId`; what is being heard goes on.
    pub fn set_clips(&self, clips: Vec<Clip>) {
        let clips: Arc<[Clip]> = clips.into();
        for handle in &self.threads {
            handle.send(thread::Order::Clips(clips.clone()));
        }
    }

    /// The descriptors of all ports, open for as long as this lives.
    pub fn descriptors(&self) -> &[RawFd] {
        &self.descriptors
    }

    /// What all threads have moved and dropped since they started, at most one loop old.
    pub fn counters(&self) -> Counters {
        self.threads.iter().map(Handle::counters).sum()
    }

    /// Whether every thread is alive; one that died takes its calls' audio with it, so restart the daemon.
    pub fn running(&self) -> bool {
        self.threads.iter().all(Handle::running)
    }

    /// Ends the first thread, as if it had died.
    #[cfg(test)]
    pub(crate) fn end_one(&self) {
        self.threads.iter().take(1).for_each(Handle::end);
    }

    /// Stops the threads and waits for them.
    pub fn stop(self) {
        drop(self);
    }
}

#[cfg(test)]
mod tests;
