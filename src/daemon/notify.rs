//! What the service manager is told (sd_notify(3)): that the daemon is ready, alive, or about to end. Where there is no
//! manager, nothing.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

/// Where the manager listens, if there is one.
#[derive(Debug)]
pub(super) struct Manager(Option<UnixDatagram>);

impl Manager {
    /// The manager that started this process.
    pub(super) fn of_environment() -> Manager {
        let socket = env::var_os("NOTIFY_SOCKET").map(|name| connect(&name));
        let socket = socket
            .transpose()
            .inspect_err(|error| tracing::warn!(%error, "the service manager is not there"));
        Manager(socket.ok().flatten())
    }

    /// Callers are answered.
    pub(super) fn ready(&self) {
        self.tell("READY=1");
    }

    /// The control thread does its work; without this for `WatchdogSec` it is killed and started anew.
    pub(super) fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// The end is near.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    fn tell(&self, state: &str) {
        if let Some(socket) = &self.0 {
            // It must not hold up a call; the next word will do.
            let _ = socket.send(state.as_bytes());
        }
    }
}

fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(Path::new(name))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn hears(listener: &UnixDatagram, name: &OsStr) {
        let manager = Manager(Some(connect(name).unwrap()));
        manager.ready();
        manager.alive();
        manager.stopping();
        for expected in ["READY=1", "WATCHDOG=1", "STOPPING=1"] {
            let mut buffer = [0; 64];
            let length = listener.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], expected.as_bytes());
        }
    }

    #[test]
    fn the_manager_hears_it_at_a_path_and_at_an_abstract_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        hears(&UnixDatagram::bind(&path).unwrap(), path.as_os_str());
        let name = format!("hearken-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        hears(&UnixDatagram::bind_addr(&address).unwrap(), OsStr::new(&format!("@{name}")));
    }

    #[test]
    fn a_manager_that_reads_nothing_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let _silent = UnixDatagram::bind(&path).unwrap();
        let manager = Manager(Some(connect(path.as_os_str()).unwrap()));
        (0..100_000).for_each(|_| manager.alive());
    }
}
