//! Offer and answer of one audio stream (RFC 3264) in SDP (RFC 8866).
//!
//! Reduced to what a G.711 call needs, written as plain lines. A description with more media than that is answered with the others declined (port 0), as RFC 3264, 6 demands.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::grammar::push_number;
use super::session::{Media, Session};
use crate::audio::{Codec, Direction};

/// A peer's description, reduced to its first usable audio stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Where the peer receives RTP.
    pub remote: SocketAddr,
    /// The encodings we know, with their payload types, in the peer's order.
    pub codecs: Vec<(u8, Codec)>,
    /// Payload type of telephone-event (RFC 4733).
    pub dtmf: Option<u8>,
    /// As the peer states it, from the peer's side.
    pub direction: Direction,
    lines: Vec<MediaLine>,
    audio_at: usize,
}

/// What an answer must repeat of a media line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct MediaLine {
    kind: String,
    proto: String,
    formats: String,
}

/// Why a description is of no use.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSdp {
    /// Not SDP: 400.
    #[error("the session description cannot be read")]
    Syntax,
    /// No RTP/AVP audio stream with a port: 488.
    #[error("no RTP/AVP audio stream is offered")]
    NoAudio,
    /// The connection address is no IP address: 488.
    #[error("the connection address is not an IP address")]
    NoAddress,
    /// No encoding in common: 488.
    #[error("no encoding in common")]
    NoCodec,
}

/// Our side of one stream, as written into an offer or an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    /// Where peers send media.
    pub address: IpAddr,
    /// The RTP port.
    pub port: u16,
    /// Identifies the session (`o=`); stays for the life of a leg.
    pub session: u64,
    /// Goes up by one whenever the description changes (RFC 3264, 8).
    pub version: u64,
}

/// What an offer and its answer settled.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// Where to send.
    #[serde(with = "crate::octets::address")]
    pub remote: SocketAddr,
    /// What both send.
    pub codec: Codec,
    /// Payload type of `codec`.
    pub payload_type: u8,
    /// Payload type of telephone-event, where agreed.
    pub dtmf: Option<u8>,
    /// From our side.
    pub direction: Direction,
}

/// Payload type of telephone-event in our own offers.
const OUR_DTMF: u8 = 101;

impl Description {
    /// Reads a body of type `application/sdp`.
    pub fn parse(body: &[u8]) -> Result<Description, BadSdp> {
        let text = as_utf8(body);
        let session = Session::read(&text)?;
        let usable =
            |media: &&Media<'_>| media.kind == "audio" && media.port != 0 && media.proto == "RTP/AVP";
        let audio_at = session.medias.iter().position(|media| usable(&media)).ok_or(BadSdp::NoAudio)?;
        let audio = &session.medias[audio_at];
        let (codecs, dtmf) = formats(audio);
        if codecs.is_empty() {
            return Err(BadSdp::NoCodec);
        }
        let address = address(&session, audio)?;
        let mut direction = direction(&session, audio);
        if address.is_unspecified() {
            // The old way to hold (RFC 3264, 8.4): nothing may be sent to it.
            direction = direction.within(Direction::SendOnly);
        }
        let lines = session.medias.iter().map(MediaLine::of).collect();
        let remote = SocketAddr::new(address, audio.port);
        Ok(Description { remote, codecs, dtmf, direction, lines, audio_at })
    }

    /// Chooses for an answer to this offer: the first of `ours` that the peer has, unless nothing fits.
    pub fn choose(&self, ours: &[Codec], allowed: Direction) -> Result<Agreed, BadSdp> {
        let common = |codec: &Codec| self.codecs.iter().find(|(_, theirs)| theirs == codec).copied();
        let (payload_type, codec) = ours.iter().find_map(common).ok_or(BadSdp::NoCodec)?;
        let direction = self.direction.reversed().within(allowed);
        Ok(Agreed { remote: self.remote, codec, payload_type, dtmf: self.dtmf, direction })
    }

    /// Reads this as the answer to an offer of `ours`, made with direction `offered`.
    pub fn settle(&self, ours: &[Codec], offered: Direction) -> Result<Agreed, BadSdp> {
        let known = |(_, codec): &&(u8, Codec)| ours.contains(codec);
        let &(payload_type, codec) = self.codecs.iter().find(known).ok_or(BadSdp::NoCodec)?;
        let direction = self.direction.reversed().within(offered);
        Ok(Agreed { remote: self.remote, codec, payload_type, dtmf: self.dtmf, direction })
    }

    /// The answer to this offer.
    pub fn answer(&self, local: &Local, agreed: &Agreed) -> Bytes {
        let mut text = head(local);
        for (at, line) in self.lines.iter().enumerate() {
            if at == self.audio_at {
                audio(
                    &mut text,
                    local.port,
                    &[(agreed.payload_type, agreed.codec)],
                    agreed.dtmf,
                    agreed.direction,
                );
            } else {
                let _ = write!(text, "m={} 0 {} {}\r\n", line.kind, line.proto, line.formats);
            }
        }
        text.into()
    }
}

/// An offer of `codecs`, in that order, with telephone-event.
pub fn offer(local: &Local, codecs: &[Codec], direction: Direction) -> Bytes {
    let mut text = head(local);
    let formats: Vec<_> = codecs.iter().map(|&codec| (codec.static_payload_type(), codec)).collect();
    audio(&mut text, local.port, &formats, Some(OUR_DTMF), direction);
    text.into()
}

/// An offer that keeps what was agreed before, for a change of direction only.
pub fn reoffer(local: &Local, agreed: &Agreed, direction: Direction) -> Bytes {
    let mut text = head(local);
    audio(&mut text, local.port, &[(agreed.payload_type, agreed.codec)], agreed.dtmf, direction);
    text.into()
}

fn head(local: &Local) -> String {
    let family = if local.address.is_ipv6() { "IP6 " } else { "IP4 " };
    let (session, version) = (local.session.to_string(), local.version.to_string());
    let address = local.address.to_string();
    let mut text = String::with_capacity(320);
    text.extend(["v=0\r\no=- ", &session, " ", &version, " IN ", family, &address]);
    text.extend(["\r\ns=-\r\nc=IN ", family, &address, "\r\nt=0 0\r\n"]);
    text
}

fn audio(text: &mut String, port: u16, codecs: &[(u8, Codec)], dtmf: Option<u8>, direction: Direction) {
    text.push_str("m=audio ");
    push_number(text, port.into());
    text.push_str(" RTP/AVP");
    for payload_type in codecs.iter().map(|&(payload_type, _)| payload_type).chain(dtmf) {
        text.push(' ');
        push_number(text, payload_type.into());
    }
    text.push_str("\r\n");
    for &(payload_type, codec) in codecs {
        text.push_str("a=rtpmap:");
        push_number(text, payload_type.into());
        text.extend([" ", codec.encoding_name(), "/8000\r\n"]);
    }
    if let Some(dtmf) = dtmf {
        let _ = write!(text, "a=rtpmap:{dtmf} telephone-event/8000\r\na=fmtp:{dtmf} 0-15\r\n");
    }
    text.extend(["a=ptime:20\r\na=", direction.attribute(), "\r\n"]);
}

/// Session names are often Latin-1 in the wild; all that matters here is ASCII.
fn as_utf8(body: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(body.iter().map(|&byte| char::from(byte)).collect()),
    }
}

fn formats(audio: &Media<'_>) -> (Vec<(u8, Codec)>, Option<u8>) {
    let mut codecs = Vec::new();
    let mut dtmf = None;
    for payload_type in audio.formats.split_ascii_whitespace().filter_map(|text| text.parse::<u8>().ok()) {
        if payload_type > 127 {
            continue;
        }
        let encoding = rtpmap(audio, payload_type);
        let is = |names: &[&str]| {
            encoding.is_some_and(|encoding| names.iter().any(|name| name.eq_ignore_ascii_case(encoding)))
        };
        match payload_type {
            _ if is(&["PCMA/8000", "PCMA/8000/1"]) => push_once(&mut codecs, payload_type, Codec::Pcma),
            _ if is(&["PCMU/8000", "PCMU/8000/1"]) => push_once(&mut codecs, payload_type, Codec::Pcmu),
            _ if is(&["telephone-event/8000"]) && dtmf.is_none() => dtmf = Some(payload_type),
            8 if encoding.is_none() => push_once(&mut codecs, 8, Codec::Pcma),
            0 if encoding.is_none() => push_once(&mut codecs, 0, Codec::Pcmu),
            _ => {}
        }
    }
    (codecs, dtmf)
}

fn push_once(codecs: &mut Vec<(u8, Codec)>, payload_type: u8, codec: Codec) {
    if !codecs.iter().any(|&(_, known)| known == codec) {
        codecs.push((payload_type, codec));
    }
}

fn rtpmap<'a>(audio: &Media<'a>, payload_type: u8) -> Option<&'a str> {
    audio.attributes().filter(|(name, _)| *name == "rtpmap").find_map(|(_, value)| {
        let (number, encoding) = value.trim().split_once(' ')?;
        (number.parse() == Ok(payload_type)).then(|| encoding.trim())
    })
}

fn address(session: &Session<'_>, audio: &Media<'_>) -> Result<IpAddr, BadSdp> {
    let connection = audio.connection().or(session.connection()).ok_or(BadSdp::NoAddress)?;
    let address: IpAddr = connection.parse().map_err(|_| BadSdp::NoAddress)?;
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    if address.is_multicast() || broadcast { Err(BadSdp::NoAddress) } else { Ok(address) }
}

fn direction(session: &Session<'_>, audio: &Media<'_>) -> Direction {
    let stated = |(name, _): (&str, &str)| match name {
        "sendrecv" => Some(Direction::SendRecv),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::RecvOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    };
    audio.attributes().find_map(stated).or_else(|| session.attributes().find_map(stated)).unwrap_or_default()
}

impl MediaLine {
    fn of(media: &Media<'_>) -> MediaLine {
        MediaLine {
            kind: media.kind.to_owned(),
            proto: media.proto.to_owned(),
            formats: media.formats.to_owned(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LOCAL: Local = Local {
        address: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
        port: 20000,
        session: 7,
        version: 1,
    };

    fn body(lines: &str) -> Vec<u8> {
        format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{lines}")
            .into_bytes()
    }

    #[test]
    fn takes_the_first_encoding_of_ours_that_is_offered() {
        let offer =
            Description::parse(&body("m=audio 4000 RTP/AVP 0 8 96\r\na=rtpmap:96 telephone-event/8000\r\n"))
                .unwrap();
        let agreed = offer.choose(&[Codec::Pcma, Codec::Pcmu], Direction::SendRecv).unwrap();
        assert_eq!((agreed.codec, agreed.payload_type, agreed.dtmf), (Codec::Pcma, 8, Some(96)));
        assert_eq!(agreed.remote, "192.0.2.9:4000".parse().unwrap());
    }

    #[test]
    fn reads_dynamic_payload_types_and_media_level_addresses() {
        let text = "m=audio 4000 RTP/AVP 110\r\nc=IN IP4 198.51.100.3/127\r\na=rtpmap:110 PCMU/8000\r\na=sendonly\r\n";
        let offer = Description::parse(&body(text)).unwrap();
        assert_eq!(offer.remote, "198.51.100.3:4000".parse().unwrap());
        let agreed = offer.choose(&[Codec::Pcma, Codec::Pcmu], Direction::SendRecv).unwrap();
        assert_eq!((agreed.codec, agreed.payload_type), (Codec::Pcmu, 110));
        assert_eq!(agreed.direction, Direction::RecvOnly);
    }

    #[test]
    fn an_address_of_zeros_is_a_hold() {
        let offer = Description::parse(
            b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n",
        )
        .unwrap();
        assert_eq!(offer.direction, Direction::SendOnly);
    }

    #[test]
    fn other_media_are_declined_in_their_place() {
        let text = "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8\r\nm=image 5002 udptl t38\r\n";
        let offer = Description::parse(&body(text)).unwrap();
        let agreed = offer.choose(&[Codec::Pcma], Direction::SendRecv).unwrap();
        let answer = String::from_utf8(offer.answer(&LOCAL, &agreed).to_vec()).unwrap();
        let media: Vec<_> = answer.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(media, ["m=video 0 RTP/AVP 31", "m=audio 20000 RTP/AVP 8", "m=image 0 udptl t38"]);
    }

    #[test]
    fn what_we_write_we_read() {
        let offered = offer(&LOCAL, &[Codec::Pcma, Codec::Pcmu], Direction::SendOnly);
        let read = Description::parse(&offered).unwrap();
        assert_eq!(read.codecs, [(8, Codec::Pcma), (0, Codec::Pcmu)]);
        assert_eq!((read.dtmf, read.direction), (Some(101), Direction::SendOnly));
    }

    #[test]
    fn telephone_events_are_answered_in_the_type_that_they_were_offered_in() {
        for (formats, attributes, events) in [
            ("8 96", "a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n", Some(96)),
            ("8 127", "a=rtpmap:127 Telephone-Event/8000\r\na=fmtp:127 0-11,16\r\n", Some(127)),
            (
                "8 97 98",
                "a=rtpmap:97 telephone-event/48000\r\na=rtpmap:98 telephone-event/8000\r\n",
                Some(98),
            ),
            ("8 97", "a=rtpmap:97 telephone-event/48000\r\n", None),
            ("8", "a=rtpmap:101 telephone-event/8000\r\n", None),
            ("8 101", "", None),
        ] {
            let offer = Description::parse(&body(&format!("m=audio 4000 RTP/AVP {formats}\r\n{attributes}")));
            let offer = offer.unwrap();
            let agreed = offer.choose(&[Codec::Pcma], Direction::SendRecv).unwrap();
            assert_eq!(agreed.dtmf, events, "{attributes}");
            let answer = String::from_utf8(offer.answer(&LOCAL, &agreed).to_vec()).unwrap();
            let stated = events.map_or(String::new(), |events| {
                format!("a=rtpmap:{events} telephone-event/8000\r\na=fmtp:{events} 0-15\r\n")
            });
            let listed = events.map_or(String::new(), |events| format!(" {events}"));
            assert!(
                answer.contains(&format!("RTP/AVP 8{listed}\r\na=rtpmap:8 PCMA/8000\r\n{stated}a=ptime"))
            );
        }
    }

    #[test]
    fn refuses_what_it_cannot_use() {
        let cases: [(&str, BadSdp); 5] = [
            ("m=audio 4000 RTP/SAVP 8\r\n", BadSdp::NoAudio),
            ("m=audio 0 RTP/AVP 8\r\n", BadSdp::NoAudio),
            ("m=video 4000 RTP/AVP 31\r\n", BadSdp::NoAudio),
            ("m=audio 4000 RTP/AVP 18\r\n", BadSdp::NoCodec),
            ("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 pbx.example.org\r\n", BadSdp::NoAddress),
        ];
        for (lines, error) in cases {
            assert_eq!(Description::parse(&body(lines)), Err(error), "{lines}");
        }
        assert_eq!(Description::parse(b"hello"), Err(BadSdp::Syntax));
    }

    #[test]
    fn a_session_name_in_latin_1_does_no_harm() {
        let mut text = body("m=audio 4000 RTP/AVP 8\r\n");
        let at = text.windows(4).position(|w| w == b"s=-\r").unwrap();
        text[at + 2] = 0xe9;
        assert!(Description::parse(&text).is_ok());
    }
}
