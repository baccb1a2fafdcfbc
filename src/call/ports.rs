//! Which local UDP port a leg's media uses: many legs share a port and are told apart by remote address.
//!
//! A leg whose remote address is known (an offer came) takes a shared port on which that address is free.
//! A leg that must offer first does not know it yet: it reserves the address that the same phone used
//! last time, or takes a spill port of its own. No two legs ever hold the same port and address.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::media::ThreadPorts;
use crate::acd::Band;

/// A port held by a leg; give it back with [`Ports::release`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The local UDP port.
    pub port: u16,
    /// The remote address that is this leg's on a shared port; `None`: the whole port is this leg's.
    pub remote: Option<SocketAddr>,
}

/// The ports of one media thread.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ports {
    shared: Vec<u16>,
    /// Free ports, the one given back longest ago first: a late packet of its last leg finds nobody there.
    spill: VecDeque<u16>,
    taken: BTreeSet<(u16, SocketAddr)>,
    /// Spill ports kept for emergency calls: one in eight.
    reserve: usize,
    /// How many legs hold each shared port, to spread them.
    load: BTreeMap<u16, usize>,
}

/// The remote address is another leg's on that port.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{remote} already belongs to another leg on port {port}")]
pub struct Taken {
    /// The local port.
    pub port: u16,
    /// The remote address.
    pub remote: SocketAddr,
}

impl Ports {
    /// All ports free.
    pub fn new(ports: &ThreadPorts) -> Ports {
        Ports {
            shared: ports.shared.clone(),
            spill: ports.spill.iter().copied().collect(),
            taken: BTreeSet::new(),
            reserve: ports.spill.len().div_ceil(8),
            load: ports.shared.iter().map(|&port| (port, 0)).collect(),
        }
    }

    /// A port for a leg that will use `remote`: shared where the address is free, else a spill port.
    pub fn take(&mut self, remote: SocketAddr, band: Band) -> Option<Held> {
        let free = |port: &&u16| !self.taken.contains(&(**port, remote));
        let Some(&port) = self.shared.iter().filter(free).min_by_key(|port| (self.load[*port], **port))
        else {
            return self.take_exclusive(band);
        };
        self.taken.insert((port, remote));
        *self.load.entry(port).or_default() += 1;
        Some(Held { port, remote: Some(remote) })
    }

    /// A port for one leg alone; the last ones are for emergency calls.
    pub fn take_exclusive(&mut self, band: Band) -> Option<Held> {
        if band != Band::EMERGENCY && self.spill.len() <= self.reserve {
            return None;
        }
        self.spill.pop_front().map(|port| Held { port, remote: None })
    }

    /// A port for a leg whose remote address is not known yet: the `guess` from the phone's last call, or
    /// a port of its own, or at least one told apart by the phone's signalling address until it answers.
    pub fn take_guessing(
        &mut self,
        guess: Option<SocketAddr>,
        signalling: SocketAddr,
        band: Band,
    ) -> Option<Held> {
        match guess {
            Some(remote) => self.take(remote, band),
            None => self.take_exclusive(band).or_else(|| self.take(signalling, band)),
        }
    }

    /// Moves a held port to the remote address that was really negotiated.
    pub fn settle(&mut self, held: Held, remote: SocketAddr) -> Result<Held, Taken> {
        let Some(old) = held.remote else { return Ok(held) };
        if old == remote {
            return Ok(held);
        }
        if !self.taken.insert((held.port, remote)) {
            return Err(Taken { port: held.port, remote });
        }
        self.taken.remove(&(held.port, old));
        Ok(Held { port: held.port, remote: Some(remote) })
    }

    /// Gives a port back.
    pub fn release(&mut self, held: Held) {
        match held.remote {
            None => {
                self.spill.push_back(held.port);
            }
            Some(remote) => {
                if self.taken.remove(&(held.port, remote))
                    && let Some(load) = self.load.get_mut(&held.port)
                {
                    *load = load.saturating_sub(1);
                }
            }
        }
    }

    /// How many legs hold a shared port, and how many spill ports are free.
    pub fn usage(&self) -> (usize, usize) {
        (self.taken.len(), self.spill.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const EMERGENCY: Band = Band::EMERGENCY;

    fn ports() -> Ports {
        Ports::new(&ThreadPorts { shared: vec![20000, 20002], spill: vec![30000, 30002] })
    }

    fn remote(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 9], port))
    }

    #[test]
    fn one_address_never_holds_a_port_twice() {
        let mut ports = ports();
        let held: Vec<_> = (0..4).map(|_| ports.take(remote(6000), EMERGENCY).unwrap()).collect();
        assert_eq!(held.iter().map(|held| held.port).collect::<Vec<_>>(), [20000, 20002, 30000, 30002]);
        assert_eq!(ports.take(remote(6000), EMERGENCY), None);
        ports.release(held[0]);
        assert_eq!(ports.take(remote(6000), EMERGENCY), Some(held[0]));
    }

    #[test]
    fn different_addresses_share_evenly() {
        let mut ports = ports();
        let held: Vec<_> = (0..100).map(|n| ports.take(remote(n), EMERGENCY).unwrap().port).collect();
        assert_eq!(held.iter().filter(|&&port| port == 20000).count(), 50);
    }

    #[test]
    fn a_wrong_guess_settles_unless_the_address_is_anothers() {
        let mut ports = Ports::new(&ThreadPorts { shared: vec![20000], spill: vec![] });
        let first = ports.take(remote(1), EMERGENCY).unwrap();
        let guessed = ports.take_guessing(Some(remote(2)), remote(5060), EMERGENCY).unwrap();
        assert!(ports.settle(guessed, remote(1)).is_err());
        let settled = ports.settle(guessed, remote(3)).unwrap();
        ports.release(first);
        ports.release(settled);
        assert_eq!(ports.usage(), (0, 0));
    }

    #[test]
    fn without_a_guess_the_port_is_exclusive_while_any_is_left() {
        let mut ports = ports();
        assert_eq!(ports.take_guessing(None, remote(5060), EMERGENCY).unwrap().remote, None);
        assert_eq!(ports.take_guessing(None, remote(5060), EMERGENCY).unwrap().remote, None);
        let shared = ports.take_guessing(None, remote(5060), EMERGENCY).unwrap();
        assert_eq!(shared.port, 20000);
        assert!(ports.settle(shared, remote(5)).is_ok());
    }

    #[test]
    fn the_last_spill_ports_are_for_emergencies() {
        let mut ports = Ports::new(&ThreadPorts { shared: vec![], spill: (0..16).collect() });
        let routine = std::iter::from_fn(|| ports.take(remote(1), Band::ROUTINE)).count();
        let emergency = std::iter::from_fn(|| ports.take(remote(1), EMERGENCY)).count();
        assert_eq!((routine, emergency), (14, 2));
    }
}
