//! What can be wrong with a packet, and what is said about it. Both sets are small enough to count by.

use std::fmt;

use thiserror::Error;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $code:literal $reason:literal;)*) => {
        /// Why a message is not accepted; displayed as the reason phrase of the response.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// Status code of the response to a request with this fault.
            pub fn code(self) -> u16 {
                match self {
                    $(Fault::$name => $code,)*
                }
            }

            /// Reason phrase of that response.
            pub fn reason(self) -> &'static str {
                match self {
                    $(Fault::$name => $reason,)*
                }
            }
        }
    };
}

faults! {
    /// The start line is not three words, or a part of it is malformed.
    StartLine 400 "Malformed Start Line";
    /// The request URI is malformed, in brackets, or carries headers.
    RequestUri 400 "Malformed Request-URI";
    /// The scheme of the request URI is not sip, sips, tel or urn.
    UriScheme 416 "Unsupported URI Scheme";
    /// A method that this node does not know.
    UnknownMethod 501 "Not Implemented";
    /// Another version than SIP/2.0.
    Version 505 "Version Not Supported";
    /// A status code outside 100 to 699.
    StatusCode 400 "Status Code Out Of Range";
    /// The start line is longer than the limit.
    LongStartLine 414 "Request-URI Too Long";
    /// The message, a value, or the number of headers is above its limit.
    TooLarge 513 "Message Too Large";
    /// The empty line after the headers is missing.
    Truncated 400 "Truncated Message";
    /// A NUL among the headers.
    Nul 400 "NUL In Header";
    /// A CR or LF that is not part of a CRLF.
    BareLineEnd 400 "Bare CR Or LF In Header";
    /// A line that is no header: no colon, or no token before it.
    HeaderLine 400 "Malformed Header Line";
    /// A header that must occur once occurs again.
    Repeated 400 "Repeated Header";
    /// Via, From, To, Call-ID or CSeq is missing.
    Missing 400 "Missing Header";
    /// A malformed Via.
    Via 400 "Malformed Via";
    /// A malformed From.
    From 400 "Malformed From";
    /// A malformed To.
    To 400 "Malformed To";
    /// A malformed Contact, or `*` in another request than REGISTER.
    Contact 400 "Malformed Contact";
    /// A malformed Route or Record-Route.
    Route 400 "Malformed Route";
    /// An empty Call-ID, or one with white space.
    CallId 400 "Malformed Call-ID";
    /// CSeq is not a number below 2^31 and a method.
    CSeq 400 "Malformed CSeq";
    /// CSeq names another method than the start line.
    CSeqMethod 400 "CSeq Of Another Method";
    /// Max-Forwards is not a number from 0 to 255.
    MaxForwards 400 "Malformed Max-Forwards";
    /// Content-Length is no number, is more than what came, or is missing on a stream.
    ContentLength 400 "Wrong Content-Length";
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

/// Why a packet was dropped without an answer.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum DropReason {
    /// The first line is no start line of SIP.
    #[error("not SIP")]
    NotSip,
    /// A response with a fault.
    #[error("response: {0}")]
    Response(Fault),
    /// An ACK with a fault.
    #[error("ACK: {0}")]
    Ack(Fault),
    /// A request with a fault and without any Via to answer to.
    #[error("no Via: {0}")]
    Unanswerable(Fault),
    /// The message model refused what the door had accepted.
    #[error("refused by the message model")]
    Unbuildable,
}
