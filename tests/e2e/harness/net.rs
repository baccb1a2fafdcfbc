//! Loopback addresses that one test has to itself.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// A /24 of loopback addresses. The last byte says who is there.
#[derive(Copy, Clone, Debug)]
pub struct Net(u8, u8);

impl Net {
    /// Addresses that no other running test has: by process, and by count within it.
    pub fn new() -> Net {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let process = std::process::id();
        let [second, third] = [process % 240, (process / 240 + COUNT.fetch_add(1, Ordering::Relaxed)) % 250];
        Net(10 + second as u8, third as u8)
    }

    fn host(self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.0, self.1, last)
    }

    /// The daemon.
    pub fn hub(self) -> Ipv4Addr {
        self.host(1)
    }

    /// The surgery's trunk.
    pub fn surgery(self) -> Ipv4Addr {
        self.host(2)
    }

    /// The emergency trunk.
    pub fn emergency(self) -> Ipv4Addr {
        self.host(9)
    }

    /// The phone of an agent.
    pub fn agent(self, number: u8) -> Ipv4Addr {
        self.host(20 + number)
    }

    /// Whoever collects what the daemon tells of itself.
    pub fn collector(self) -> Ipv4Addr {
        self.host(240)
    }

    /// Somebody who is on no trunk.
    pub fn stranger(self) -> Ipv4Addr {
        self.host(250)
    }

    /// The whole, as a capture filter.
    pub fn filter(self) -> String {
        format!("net 127.{}.{}.0/24", self.0, self.1)
    }
}

/// A port at `host` that was free just now; only this test uses the address, so it stays free.
pub fn reserve(host: Ipv4Addr) -> SocketAddr {
    UdpSocket::bind((host, 0)).unwrap().local_addr().unwrap()
}
