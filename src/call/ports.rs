//! Which local UDP port a leg's media uses: many legs share a port and are told apart by remote address.
//!
//! A leg whose remote address is known (an offer came) takes a shared port on which that address is free.
//! A leg that must offer first does not know it yet: until its phone answers it only *hopes* for the address
//! that this phone used last time, or for any. What is hoped for belongs to nobody: a phone that answers there
//! gets it. No two legs ever hold the same port and address.

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
    /// How much of it is this leg's.
    pub share: Share,
}

/// What part of a port is a leg's.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Share {
    /// All of it.
    Whole,
    /// What comes from this address.
    Remote(#[serde(with = "crate::octets::address")] SocketAddr),
    /// Nothing yet: the phone has not answered, and may do so from this address.
    Hoped(Option<SocketAddr>),
}

/// The ports of one media thread.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ports {
    shared: Vec<u16>,
    /// Free ports, the one given back longest ago first: a late packet of its last leg finds nobody there.
    spill: VecDeque<u16>,
    spills: usize,
    taken: BTreeSet<(u16, SocketAddr)>,
    /// What legs hope for, each of them by one leg.
    hoped: BTreeSet<(u16, SocketAddr)>,
    /// How many legs are on each shared port, to spread them.
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
            spills: ports.spill.len(),
            taken: BTreeSet::new(),
            hoped: BTreeSet::new(),
            load: ports.shared.iter().map(|&port| (port, 0)).collect(),
        }
    }

    /// A port for a caller's leg: shared where `remote` is free, else, or when the caller did not say, a spill
    /// port. Half of those are for the phones that routine callers wait for: one who could never be
    /// connected had better be turned away.
    pub fn for_caller(&mut self, remote: Option<SocketAddr>, band: Band) -> Option<Held> {
        match remote.and_then(|remote| Some((self.least_loaded(Some(remote))?, remote))) {
            Some((port, remote)) => {
                self.taken.insert((port, remote));
                Some(self.share(port, Share::Remote(remote)))
            }
            None => self.spill_port(self.reserve() + self.spills / 2, band),
        }
    }

    /// A port for a leg that rings a phone, whose remote address is not known before it answers.
    ///
    /// `last` is where the phone's media came from last time. If that is another leg's on every shared port,
    /// only a spill port will do. A phone that is new gets a spill port too, while half of them are free.
    pub fn for_phone(&mut self, last: Option<SocketAddr>, band: Band) -> Option<Held> {
        if last.is_none() && self.spill.len() > self.spills / 2 {
            return self.alone(band);
        }
        let Some(port) = self.least_loaded(last) else { return self.alone(band) };
        if let Some(remote) = last {
            self.hoped.insert((port, remote));
        }
        Some(self.share(port, Share::Hoped(last)))
    }

    /// A spill port for one leg alone.
    pub fn alone(&mut self, band: Band) -> Option<Held> {
        self.spill_port(self.reserve(), band)
    }

    /// Gives a held port the remote address that was really negotiated.
    ///
    /// # Errors
    /// When the address is another leg's on that port; nothing has changed then.
    pub fn settle(&mut self, held: Held, remote: SocketAddr) -> Result<Held, Taken> {
        if matches!(held.share, Share::Whole) || held.share == Share::Remote(remote) {
            return Ok(held);
        }
        if !self.taken.insert((held.port, remote)) {
            return Err(Taken { port: held.port, remote });
        }
        self.forget(held);
        Ok(Held { share: Share::Remote(remote), ..held })
    }

    /// Gives a port back.
    pub fn release(&mut self, held: Held) {
        self.forget(held);
        match self.load.get_mut(&held.port) {
            Some(load) if held.share != Share::Whole => *load = load.saturating_sub(1),
            _ => self.spill.push_back(held.port),
        }
    }

    /// How many legs are on shared ports, and how many spill ports are free.
    pub fn usage(&self) -> (usize, usize) {
        (self.load.values().sum(), self.spill.len())
    }

    /// Whether no leg holds any of them.
    pub fn all_free(&self) -> bool {
        let shares = self.load.values().sum::<usize>() + self.taken.len() + self.hoped.len();
        shares == 0 && self.spill.len() == self.spills
    }

    /// The shared port with the fewest legs on which nobody has, or hopes for, `remote`.
    fn least_loaded(&self, remote: Option<SocketAddr>) -> Option<u16> {
        let free = |port: u16| {
            remote.is_none_or(|remote| {
                !self.taken.contains(&(port, remote)) && !self.hoped.contains(&(port, remote))
            })
        };
        let mut by_load: Vec<_> = self.shared.iter().map(|&port| (self.load[&port], port)).collect();
        by_load.sort_unstable();
        by_load.into_iter().map(|(_, port)| port).find(|&port| free(port))
    }

    fn share(&mut self, port: u16, share: Share) -> Held {
        *self.load.entry(port).or_default() += 1;
        Held { port, share }
    }

    fn forget(&mut self, held: Held) {
        match held.share {
            Share::Remote(remote) => self.taken.remove(&(held.port, remote)),
            Share::Hoped(Some(remote)) => self.hoped.remove(&(held.port, remote)),
            Share::Hoped(None) | Share::Whole => false,
        };
    }

    /// One in eight, kept for emergency calls.
    fn reserve(&self) -> usize {
        self.spills.div_ceil(8)
    }

    /// A spill port, unless a call of routine would leave no more than `kept`.
    fn spill_port(&mut self, kept: usize, band: Band) -> Option<Held> {
        if band != Band::EMERGENCY && self.spill.len() <= kept {
            return None;
        }
        self.spill.pop_front().map(|port| Held { port, share: Share::Whole })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const EMERGENCY: Band = Band::EMERGENCY;

    fn ports(shared: &[u16], spill: u16) -> Ports {
        let spill = (0..spill).map(|n| 30000 + 2 * n).collect();
        Ports::new(&ThreadPorts { shared: shared.to_vec(), spill })
    }

    fn remote(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 9], port))
    }

    #[test]
    fn one_address_never_holds_a_port_twice() {
        let mut ports = ports(&[20000, 20002], 2);
        let held: Vec<_> = (0..4).map(|_| ports.for_caller(Some(remote(6000)), EMERGENCY).unwrap()).collect();
        assert_eq!(held.iter().map(|held| held.port).collect::<Vec<_>>(), [20000, 20002, 30000, 30002]);
        assert_eq!(ports.for_caller(Some(remote(6000)), EMERGENCY), None);
        ports.release(held[0]);
        assert_eq!(ports.for_caller(Some(remote(6000)), EMERGENCY), Some(held[0]));
    }

    #[test]
    fn different_addresses_share_evenly() {
        let mut ports = ports(&[20000, 20002], 0);
        let held: Vec<_> =
            (0..100).map(|n| ports.for_caller(Some(remote(n)), EMERGENCY).unwrap().port).collect();
        assert_eq!(held.iter().filter(|&&port| port == 20000).count(), 50);
    }

    #[test]
    fn a_wrong_guess_settles_unless_the_address_is_anothers() {
        let mut ports = ports(&[20000], 0);
        let first = ports.for_caller(Some(remote(1)), EMERGENCY).unwrap();
        let guessed = ports.for_phone(Some(remote(2)), EMERGENCY).unwrap();
        assert!(ports.settle(guessed, remote(1)).is_err());
        let settled = ports.settle(guessed, remote(3)).unwrap();
        ports.release(first);
        ports.release(settled);
        assert_eq!(ports.usage(), (0, 0));
        assert!(ports.taken.is_empty() && ports.hoped.is_empty());
    }

    #[test]
    fn what_is_hoped_for_is_avoided_but_goes_to_the_phone_that_answers_there() {
        let mut ports = ports(&[20000, 20002], 0);
        let hoping = ports.for_phone(Some(remote(1)), EMERGENCY).unwrap();
        let caller = ports.for_caller(Some(remote(1)), EMERGENCY).unwrap();
        assert_ne!(hoping.port, caller.port);
        assert_eq!(ports.for_phone(Some(remote(1)), EMERGENCY), None, "both ports are spoken for");
        let other = ports.for_phone(Some(remote(2)), EMERGENCY).unwrap();
        assert_eq!(other.port, hoping.port);
        assert_eq!(ports.settle(other, remote(1)).unwrap().share, Share::Remote(remote(1)));
        assert!(ports.settle(hoping, remote(1)).is_err());
        assert!(ports.settle(hoping, remote(2)).is_ok());
    }

    #[test]
    fn a_new_phone_rings_on_a_spill_port_until_half_are_gone_and_then_on_a_shared_one() {
        let mut ports = ports(&[20000], 4);
        let held: Vec<_> = (0..4).map(|_| ports.for_phone(None, EMERGENCY).unwrap()).collect();
        assert_eq!(held.iter().map(|held| held.port).collect::<Vec<_>>(), [30000, 30002, 20000, 20000]);
        assert!(ports.settle(held[2], remote(5)).is_ok());
        assert!(ports.settle(held[3], remote(5)).is_err());
        assert!(ports.settle(held[3], remote(6)).is_ok());
    }

    #[test]
    fn routine_callers_leave_spill_ports_to_phones_and_both_leave_some_to_emergencies() {
        let mut ports = ports(&[], 16);
        let mut count =
            |take: fn(&mut Ports) -> Option<Held>| std::iter::from_fn(|| take(&mut ports)).count();
        assert_eq!(count(|ports| ports.for_caller(Some(remote(1)), Band::ROUTINE)), 6);
        assert_eq!(count(|ports| ports.for_phone(None, Band::ROUTINE)), 8);
        assert_eq!(count(|ports| ports.for_caller(None, EMERGENCY)), 2);
    }
}
