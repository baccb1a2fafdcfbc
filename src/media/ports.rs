//! The UDP ports of all threads, bound before any thread starts so that the plan can name them.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use nix::sys::socket::{setsockopt, sockopt};

use crate::media::Settings;
use crate::switch::plan::ThreadPorts;

/// Room asked of the kernel for each port and way: some 20,000 packets, as the kernel counts them.
const BUFFER_BYTES: usize = 16 << 20;

/// A bound, non-blocking socket.
#[derive(Debug)]
pub(super) struct BoundPort {
    pub(super) number: u16,
    pub(super) socket: UdpSocket,
}

/// The ports of one thread.
#[derive(Debug)]
pub(super) struct BoundPorts {
    pub(super) shared: Vec<BoundPort>,
    pub(super) spill: Vec<BoundPort>,
}

/// Why the media ports cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The settings ask for no thread, or for no port.
    #[error("media needs at least one thread and one port for each thread")]
    Nothing,
    /// The ports would run past 65534.
    #[error("{needed} even ports from {first_port} upward do not fit below 65536")]
    TooMany {
        /// The lowest.
        first_port: u16,
        /// How many.
        needed: u32,
    },
    /// One port cannot be bound.
    #[error("media port {address}: {reason}")]
    Port {
        /// Which.
        address: SocketAddr,
        /// Why.
        reason: io::Error,
    },
}

/// Binds the ports of all threads.
pub(super) fn bind(
    settings: &Settings,
    mut open: impl FnMut(SocketAddr) -> io::Result<UdpSocket>,
) -> Result<Vec<BoundPorts>, BindError> {
    let threads = u32::from(settings.threads);
    let needed = threads * (u32::from(settings.shared_ports) + u32::from(settings.spill_ports));
    if needed == 0 {
        return Err(BindError::Nothing);
    }
    let mut numbers: Box<dyn Iterator<Item = u16>> = match again(settings) {
        Some(numbers) => Box::new(numbers.into_iter()),
        None => numbers(settings.first_port, needed)?,
    };
    let mut take = |count: u16| -> Result<Vec<BoundPort>, BindError> {
        let numbers = numbers.by_ref().take(count.into());
        numbers.map(|number| bind_one(SocketAddr::new(settings.address, number), &mut open)).collect()
    };
    let shared = (0..threads).map(|_| take(settings.shared_ports)).collect::<Result<Vec<_>, _>>()?;
    let spill = (0..threads).map(|_| take(settings.spill_ports)).collect::<Result<Vec<_>, _>>()?;
    Ok(shared.into_iter().zip(spill).map(|(shared, spill)| BoundPorts { shared, spill }).collect())
}

/// The ports of an earlier process in the order of binding, if they are as many as are needed now.
fn again(settings: &Settings) -> Option<Vec<u16>> {
    let Settings { threads, shared_ports, spill_ports, first_port, before, .. } = settings;
    let fits = |of: &ThreadPorts| {
        of.shared.len() == usize::from(*shared_ports) && of.spill.len() == usize::from(*spill_ports)
    };
    if *first_port != 0 || before.len() != usize::from(*threads) || !before.iter().all(fits) {
        return None;
    }
    let (shared, spill) = (before.iter().flat_map(|of| &of.shared), before.iter().flat_map(|of| &of.spill));
    Some(shared.chain(spill).copied().collect())
}

/// Even ports from `first_port` upward (RFC 3550, 11), or zeros when the system is to choose.
fn numbers(first_port: u16, needed: u32) -> Result<Box<dyn Iterator<Item = u16>>, BindError> {
    if first_port == 0 {
        return Ok(Box::new(std::iter::repeat(0)));
    }
    let first = u32::from(first_port).next_multiple_of(2);
    if first + 2 * (needed - 1) > u32::from(u16::MAX) {
        return Err(BindError::TooMany { first_port, needed });
    }
    Ok(Box::new((first..).step_by(2).map_while(|number| u16::try_from(number).ok())))
}

fn bind_one(
    address: SocketAddr,
    open: &mut impl FnMut(SocketAddr) -> io::Result<UdpSocket>,
) -> Result<BoundPort, BindError> {
    let mut bind = || {
        let socket = open(address)?;
        socket.set_nonblocking(true)?;
        // Past the system's limit only with privilege; without it, as much as the limit allows.
        if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER_BYTES).is_err() {
            setsockopt(&socket, sockopt::RcvBuf, &BUFFER_BYTES)?;
        }
        if setsockopt(&socket, sockopt::SndBufForce, &BUFFER_BYTES).is_err() {
            setsockopt(&socket, sockopt::SndBuf, &BUFFER_BYTES)?;
        }
        let number = socket.local_addr()?.port();
        Ok(BoundPort { number, socket })
    };
    bind().map_err(|reason| BindError::Port { address, reason })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn first(first_port: u16, needed: u32) -> Vec<u16> {
        numbers(first_port, needed).unwrap().take(needed as usize).collect()
    }

    #[test]
    fn ports_are_even_and_ascend() {
        assert_eq!(first(10_000, 3), [10_000, 10_002, 10_004]);
        assert_eq!(first(10_001, 2), [10_002, 10_004]);
        assert_eq!(first(65_534, 1), [65_534]);
        assert_eq!(first(0, 2), [0, 0]);
    }

    #[test]
    fn ports_that_do_not_fit_are_refused() {
        for (first_port, needed) in [(65_534, 2), (65_535, 1), (2, 32_768)] {
            assert!(matches!(numbers(first_port, needed), Err(BindError::TooMany { .. })), "{first_port}");
        }
    }
}
