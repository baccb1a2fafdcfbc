//! Where copies of what happens go.

use std::net::SocketAddr;

use super::super::deployment::{Collector, HepSettings};
use super::super::sink::Sink;
use super::super::table::shown;
use super::super::written::{Hep, Telemetry};

/// Longest key, in bytes: with the longest message it still has room in a datagram.
const LONGEST_KEY: usize = 128;

/// Where a collector of OpenTelemetry listens for HTTP, unless it is told otherwise.
const OTLP_PORT: u16 = 4_318;

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

/// Where traces of calls go; nowhere, unless that is written.
pub(super) fn telemetry(written: &Telemetry, sink: &mut Sink) -> Option<Collector> {
    let text = written.otlp.as_ref()?;
    let collector = collector(text.get_ref());
    if collector.is_none() {
        let message = format!("\"{}\" is no address of a collector", shown(text.get_ref()));
        let draft = sink.error(text.span(), message);
        draft.help("write \"http://127.0.0.1:4318\"; for https, run a collector on this host that speaks it");
    }
    collector
}

/// The parts of `http://HOST:PORT/PATH`.
fn collector(url: &str) -> Option<Collector> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let colon = authority.rfind(':').filter(|&colon| !authority[colon..].contains(']'));
    let (host, port) = match colon {
        Some(colon) => (&authority[..colon], authority[colon + 1..].parse().ok()?),
        None => (authority, OTLP_PORT),
    };
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    let fits = !host.is_empty() && host.bytes().all(of_host) && port != 0;
    let clean = path.bytes().all(|byte| byte.is_ascii_graphic());
    let path = path.trim_end_matches('/').to_owned();
    (fits && clean).then(|| Collector { host: host.to_owned(), port, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_collector_is_taken_apart() {
        let parts =
            |url| collector(url).map(|Collector { host, port, path }| format!("{host} {port} {path}"));
        let cases = [
            ("http://127.0.0.1:4318", Some("127.0.0.1 4318 ")),
            ("http://otel.example/", Some("otel.example 4318 ")),
            ("http://[::1]:99/tempo/otlp/", Some("[::1] 99 /tempo/otlp")),
            ("http://[::1]", Some("[::1] 4318 ")),
            ("https://127.0.0.1:4318", None),
            ("127.0.0.1:4318", None),
            ("http://:4318", None),
            ("http://a:b", None),
            ("http://user:secret@host:1", None),
            ("http://host/a b", None),
            ("http://host/\r\nX: y", None),
        ];
        for (url, expected) in cases {
            assert_eq!(parts(url).as_deref(), expected, "{url}");
        }
    }
}
