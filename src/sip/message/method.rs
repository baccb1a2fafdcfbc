//! Methods: those of RFC 3261 and of its common extensions. Any other is answered 501 at the front door.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// What a request asks for.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Method {
            $($(#[$doc])* $name,)*
        }

        impl Method {
            /// Every method, in order.
            pub const ALL: &[Method] = &[$(Method::$name,)*];

            /// As written in a start line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Method::$name => $text,)*
                }
            }

            /// The method of that name, in exactly this case (RFC 3261, 7.1).
            pub fn named(name: &str) -> Option<Method> {
                match name {
                    $($text => Some(Method::$name),)*
                    _ => None,
                }
            }
        }
    };
}

methods! {
    /// Confirms the final response to an INVITE, RFC 3261.
    Ack "ACK";
    /// Ends a session, RFC 3261.
    Bye "BYE";
    /// Withdraws a pending INVITE, RFC 3261.
    Cancel "CANCEL";
    /// Carries application data within a session, RFC 6086.
    Info "INFO";
    /// Begins or changes a session, RFC 3261.
    Invite "INVITE";
    /// Carries a text message, RFC 3428.
    Message "MESSAGE";
    /// Reports an event, RFC 6665.
    Notify "NOTIFY";
    /// Asks what is supported, or whether anyone is there, RFC 3261.
    Options "OPTIONS";
    /// Confirms a provisional response, RFC 3262.
    Prack "PRACK";
    /// Publishes event state, RFC 3903.
    Publish "PUBLISH";
    /// Asks to call somebody else, RFC 3515.
    Refer "REFER";
    /// Binds an address, RFC 3261.
    Register "REGISTER";
    /// Asks for events, RFC 6665.
    Subscribe "SUBSCRIBE";
    /// Changes a session without a new offer of a dialog, RFC 3311.
    Update "UPDATE";
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_known_by_its_name_alone() {
        for &method in Method::ALL {
            assert_eq!(Method::named(method.name()), Some(method));
            assert_eq!(Method::named(&method.name().to_lowercase()), None);
        }
        assert_eq!(Method::named("NEWMETHOD"), None);
    }
}
