//! Sockets that stay open while a new program takes this one's place in the same process.
//!
//! Descriptors are told to the new program as numbers, in the environment, hence `unsafe`. Why it is
//! sound: the numbers are believed only when the same process wrote them, and `exec` keeps the process; they are
//! read once, before any thread is started or anything else opened, so nobody else can own them; and each is looked
//! up in the kernel's table first, to be an open socket.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{self, Command};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{SockType, getsockopt, sockopt};

/// Names the process and its descriptors: `812:5,6,9`.
const VARIABLE: &str = "HEARKEN_SOCKETS";

/// Open sockets by the address that they are bound to.
#[derive(Debug, Default)]
pub struct Inherited {
    udp: BTreeMap<SocketAddr, UdpSocket>,
    tcp: BTreeMap<SocketAddr, TcpListener>,
}

impl Inherited {
    /// Takes over what the program before left open. Call it first of all.
    pub fn take() -> Inherited {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        let mut inherited = Inherited::default();
        let listed = env::var(VARIABLE).unwrap_or_default();
        let Some((process, numbers)) = listed.split_once(':') else { return inherited };
        if process != process::id().to_string() || TAKEN.swap(true, Ordering::SeqCst) {
            return inherited;
        }
        for number in numbers.split(',').filter_map(|number| number.parse::<RawFd>().ok()) {
            if number > 2 && is_socket(number) {
                // SAFETY: see the head of this file.
                let socket = unsafe { OwnedFd::from_raw_fd(number) };
                inherited.keep(socket);
            }
        }
        inherited
    }

    /// Whether nothing was handed over to this process.
    pub fn is_empty(&self) -> bool {
        self.udp.is_empty() && self.tcp.is_empty()
    }

    fn keep(&mut self, socket: OwnedFd) {
        // Not for the children of this process.
        let _ = fcntl(&socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
        match getsockopt(&socket, sockopt::SockType) {
            Ok(SockType::Datagram) => {
                let socket = UdpSocket::from(socket);
                if let Ok(address) = socket.local_addr() {
                    self.udp.insert(address, socket);
                }
            }
            Ok(SockType::Stream) => {
                let socket = TcpListener::from(socket);
                if let Ok(address) = socket.local_addr() {
                    self.tcp.insert(address, socket);
                }
            }
            _ => {}
        }
    }

    /// The socket at this address, inherited or new.
    pub fn udp(&mut self, address: SocketAddr) -> io::Result<UdpSocket> {
        self.udp.remove(&address).map_or_else(|| UdpSocket::bind(address), Ok)
    }

    /// The listening socket at this address, inherited or new.
    pub fn tcp(&mut self, address: SocketAddr) -> io::Result<TcpListener> {
        self.tcp.remove(&address).map_or_else(|| TcpListener::bind(address), Ok)
    }
}

fn is_socket(number: RawFd) -> bool {
    let link = fs::read_link(format!("/proc/self/fd/{number}"));
    link.is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
}

/// Puts `program`, with our own arguments, into our place, these sockets with it. Comes back only when it cannot.
pub(super) fn replace(program: &Path, sockets: &[RawFd]) -> io::Error {
    mark(sockets, FdFlag::empty());
    let numbers: Vec<String> = sockets.iter().map(RawFd::to_string).collect();
    let listed = format!("{}:{}", process::id(), numbers.join(","));
    let error = Command::new(program).args(env::args_os().skip(1)).env(VARIABLE, listed).exec();
    mark(sockets, FdFlag::FD_CLOEXEC);
    error
}

fn mark(sockets: &[RawFd], flags: FdFlag) {
    for &socket in sockets {
        // SAFETY: those who gave the number still hold the socket.
        let socket = unsafe { BorrowedFd::borrow_raw(socket) };
        let _ = fcntl(socket, FcntlArg::F_SETFD(flags));
    }
}
