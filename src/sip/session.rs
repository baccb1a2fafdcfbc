//! The lines of a session description (RFC 8866), borrowed and checked, as far as [`super::sdp`] needs them.
//!
//! As wide as the field demands: lines may come in any order after the version, and origin, name and time may be
//! missing. Lines that we have no use for are not looked into.

use super::grammar::lines;
use super::sdp::BadSdp;

/// Most media lines of a description that is read; more is refused.
const MAX_MEDIA: usize = 16;

/// A session description.
pub(super) struct Session<'a> {
    /// The lines before the first media line.
    lines: &'a str,
    pub(super) medias: Vec<Media<'a>>,
}

/// One media line, and what is said of it.
pub(super) struct Media<'a> {
    pub(super) kind: &'a str,
    pub(super) port: u16,
    pub(super) proto: &'a str,
    pub(super) formats: &'a str,
    /// The lines after it, up to the next media line.
    lines: &'a str,
}

impl<'a> Session<'a> {
    pub(super) fn read(text: &'a str) -> Result<Session<'a>, BadSdp> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        if first.strip_suffix('\r').unwrap_or(first) != "v=0" || !lines(rest).all(is_whole) {
            return Err(BadSdp::Syntax);
        }
        let (lines, mut rest) = until_media(rest);
        let mut medias = Vec::new();
        while let Some(media) = rest.strip_prefix("m=") {
            if medias.len() == MAX_MEDIA {
                return Err(BadSdp::Syntax);
            }
            let (line, after) = media.split_once('\n').unwrap_or((media, ""));
            let (lines, next) = until_media(after);
            medias.push(Media::read(line.strip_suffix('\r').unwrap_or(line), lines).ok_or(BadSdp::Syntax)?);
            rest = next;
        }
        Ok(Session { lines, medias })
    }

    /// The connection address of the whole session.
    pub(super) fn connection(&self) -> Option<&'a str> {
        connection(self.lines)
    }

    /// Attributes of the whole session, name and value.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        attributes(self.lines)
    }
}

impl<'a> Media<'a> {
    /// `media port[/count] proto formats` (5.14).
    fn read(line: &'a str, lines: &'a str) -> Option<Media<'a>> {
        let mut words = line.splitn(4, ' ');
        let (kind, port, proto, formats) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let (port, count) = port.split_once('/').unwrap_or((port, "1"));
        count.parse::<u16>().ok()?;
        Some(Media { kind, port: port.parse().ok()?, proto, formats, lines })
    }

    /// Its own connection address.
    pub(super) fn connection(&self) -> Option<&'a str> {
        connection(self.lines)
    }

    /// Its attributes, name and value; the value of a flag is empty.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        attributes(self.lines)
    }
}

/// Whether a line is empty, or a key and a value without NUL or bare CR.
fn is_whole(line: &str) -> bool {
    let line = line.as_bytes();
    line.is_empty() || (matches!(line, [_, b'=', ..]) && memchr::memchr2(b'\r', 0, line).is_none())
}

/// What comes before the next media line, and from there on.
fn until_media(text: &str) -> (&str, &str) {
    if text.starts_with("m=") {
        return ("", text);
    }
    text.split_at(text.find("\nm=").map_or(text.len(), |at| at + 1))
}

/// The address of the first `c=` line, `IN IP4 192.0.2.1[/ttl]`.
fn connection(text: &str) -> Option<&str> {
    let line = lines(text).find_map(|line| line.strip_prefix("c="))?;
    line.split(' ').nth(2)?.split('/').next()
}

fn attributes(text: &str) -> impl Iterator<Item = (&str, &str)> {
    lines(text).filter_map(|line| {
        let attribute = line.strip_prefix("a=")?;
        Some(attribute.split_once(':').unwrap_or((attribute, "")))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn lines_belong_to_the_media_line_before_them() {
        let text = "v=0\r\nc=IN IP4 192.0.2.1\r\na=sendonly\r\nm=audio 4000/2 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\n\
                    m=video 0 RTP/AVP 31\r\nc=IN IP6 ::1\r\n\r\n";
        let session = Session::read(text).unwrap();
        assert_eq!(session.connection(), Some("192.0.2.1"));
        assert_eq!(session.attributes().collect::<Vec<_>>(), [("sendonly", "")]);
        let [audio, video] = &session.medias[..] else { panic!("{}", session.medias.len()) };
        assert_eq!((audio.kind, audio.port, audio.proto, audio.formats), ("audio", 4000, "RTP/AVP", "8 0"));
        assert_eq!(audio.attributes().collect::<Vec<_>>(), [("rtpmap", "8 PCMA/8000")]);
        assert_eq!((audio.connection(), video.connection()), (None, Some("::1")));
    }

    #[test]
    fn lines_may_end_in_a_bare_line_feed_and_a_name_may_be_anything() {
        let session = Session::read("v=0\ns=m=audio 1 RTP/AVP 0\nm=audio 4000 RTP/AVP 8").unwrap();
        assert_eq!(session.medias.len(), 1);
        assert_eq!(session.medias[0].formats, "8");
    }

    #[test]
    fn what_is_not_a_description_is_refused() {
        for text in [
            "",
            "hello",
            "v=1\r\n",
            "s=-\r\nv=0\r\n",
            "v=0\r\nnonsense\r\n",
            "v=0\r\na=b\rc\r\n",
            "v=0\r\na=\0\r\n",
            "v=0\r\nm=audio RTP/AVP 8\r\n",
            "v=0\r\nm=audio 65536 RTP/AVP 8\r\n",
            "v=0\r\nm=audio 4000/x RTP/AVP 8\r\n",
        ] {
            assert!(matches!(Session::read(text), Err(BadSdp::Syntax)), "{text}");
        }
        let many = "v=0\r\n".to_owned() + &"m=audio 0 RTP/AVP 8\r\n".repeat(MAX_MEDIA + 1);
        assert!(Session::read(&many).is_err());
    }
}
