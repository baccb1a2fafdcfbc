//! Where copies of what happens go.

use std::net::SocketAddr;

use super::super::deployment::HepSettings;
use super::super::sink::Sink;
use super::super::table::shown;
use super::super::written::Hep;

/// Longest key, in bytes: with the longest message it still has room in a datagram.
const LONGEST_KEY: usize = 128;

/// Where copies of SIP messages go; nowhere, unless that is written.
pub(super) fn hep(written: &Hep, sink: &mut Sink) -> Option<HepSettings> {
    if let Some(key) = &written.key
        && !(1..=LONGEST_KEY).contains(&key.get_ref().len())
    {
        sink.error(key.span(), format!("`key` must have 1 to {LONGEST_KEY} bytes"));
    }
    let text = written.to.as_ref()?;
    let to =
        text.get_ref().parse::<SocketAddr>().ok().filter(|to| to.port() != 0 && !to.ip().is_unspecified());
    if to.is_none() {
        let message = format!("\"{}\" is not an IP address and a port", shown(text.get_ref()));
        sink.error(text.span(), message).help("write \"192.0.2.9:9060\" or \"[2001:db8::9]:9060\"");
    }
    let key = written.key.as_ref().map(|key| key.get_ref().clone());
    Some(HepSettings { to: to?, capture_id: written.capture_id, key })
}
