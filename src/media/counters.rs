//! What a media thread has moved and dropped, counted on the thread and published after each loop.
//!
//! The engine counts in plain integers; other threads read the copy in atomics, which only the owner writes.

use std::iter::Sum;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the start.
        #[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counters {$(
            $(#[$doc])*
            pub $name: u64,
        )*}

        /// The published copy.
        #[derive(Debug, Default)]
        pub(super) struct Published {$($name: AtomicU64,)*}

        impl Published {
            pub(super) fn store(&self, counters: &Counters) {
                $(self.$name.store(counters.$name, Relaxed);)*
            }

            pub(super) fn load(&self) -> Counters {
                Counters {$($name: self.$name.load(Relaxed),)*}
            }
        }

        impl Sum for Counters {
            fn sum<I: Iterator<Item = Counters>>(all: I) -> Counters {
                all.fold(Counters::default(), |sum, one| Counters {$($name: sum.$name + one.$name,)*})
            }
        }
    };
}

counters! {
    /// Datagrams received.
    packets_in,
    /// Packets handed to the network, relayed and played.
    packets_out,
    /// Packets handed to the network for a partner.
    relayed,
    /// Dropped: the port has legs, but none with this source address.
    wrong_source,
    /// Dropped: the port has no leg.
    strays,
    /// Dropped: neither RTP nor RTCP, or too long.
    malformed,
    /// Passed over: RTCP.
    rtcp,
    /// Not relayed: a direction forbids it, or the partner hears a clip.
    held,
    /// Not relayed: empty, or a payload type that was not agreed.
    unplayable,
    /// Not relayed: a telephone event to a partner that agreed to none.
    events_dropped,
    /// Not taken for a key press: a telephone event that is cut short, or is no key, or lasts no time.
    events_malformed,
    /// Not reported: key presses faster than any finger.
    events_flooded,
    /// Not relayed: sent before the partner's stream was joined on.
    too_late,
    /// Not relayed: the partner's own stream come back, which would go round for ever (RFC 3550, 8.2).
    looped,
    /// Lost: the network took no more, or refused.
    send_errors,
    /// Frames sent more than 20 ms late, or skipped because they were more than 200 ms late.
    late_frames,
}
