//! The whole per-packet logic of one media thread: orders, packets and time in; packets and reports out.
//!
//! No socket and no clock: callers pass `now`, deliver datagrams with the position of their port, call
//! [`Engine::tick`] at [`Engine::next_due`], and send what comes out at once. It allocates only when an order
//! opens a leg or changes what one hears.

mod orders;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::call::media::Event;
use crate::media::clip::Clip;
use crate::media::counters::Counters;
use crate::media::leg::{Heard, Leg, Legs, Sender};
use crate::media::pacer::Pacer;
use crate::rng::{Rng, Seed};
use crate::rtp::{Datagram, FRAME, HEADER_LEN, Header, Packet, Stamp};
use crate::time::Mono;

/// The longest datagram taken; 20 ms of G.711 is 172 bytes.
pub(super) const MAX_DATAGRAM: usize = 2_048;

/// How often silent legs are looked for.
const DEAD_CHECK: Duration = Duration::from_secs(1);
/// A frame this late counts as late.
const LATE: Duration = Duration::from_millis(20);

/// Where an engine's packets and reports go.
pub(super) trait Out {
    /// Sends a packet from the port at this position; false when the network did not take it.
    fn packet(&mut self, port: usize, to: SocketAddr, packet: &[u8]) -> bool;
    /// Reports to the core.
    fn event(&mut self, event: Event);
}

/// The legs of one thread and all that happens to their packets.
#[derive(Debug)]
pub(super) struct Engine {
    legs: Legs,
    pacer: Pacer,
    clips: Arc<[Clip]>,
    rng: Rng,
    /// Zero when silence is not looked for.
    dead_after: Duration,
    next_check: Mono,
    counters: Counters,
    /// Legs whose list has just come to its end; empty between calls.
    ended: Vec<u32>,
    /// The packet being built.
    packet: [u8; MAX_DATAGRAM],
}

impl Engine {
    /// An engine without legs; `ports` are the numbers of the thread's ports, in the order of their positions.
    pub(super) fn new(ports: &[u16], clips: Arc<[Clip]>, dead_after: Duration, seed: Seed) -> Engine {
        Engine {
            legs: Legs::new(ports),
            pacer: Pacer::default(),
            clips,
            rng: Rng::new(seed),
            dead_after,
            next_check: Mono::default(),
            counters: Counters::default(),
            ended: Vec::new(),
            packet: [0; MAX_DATAGRAM],
        }
    }

    /// Counts so far.
    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes one datagram that came to the port at this position.
    pub(super) fn receive(
        &mut self,
        port: usize,
        source: SocketAddr,
        datagram: &[u8],
        now: Mono,
        out: &mut impl Out,
    ) {
        self.counters.packets_in += 1;
        let sender = self.legs.sender(port, source);
        let index = match sender {
            Sender::Leg(index) | Sender::Latching(index) => index,
            Sender::Wrong => {
                self.counters.wrong_source += 1;
                return;
            }
            Sender::Stray => {
                self.counters.strays += 1;
                return;
            }
        };
        let packet = match Datagram::read(datagram) {
            Ok(Datagram::Rtp(packet)) if datagram.len() <= MAX_DATAGRAM => packet,
            Ok(Datagram::Rtcp) => {
                self.counters.rtcp += 1;
                return;
            }
            Ok(Datagram::Rtp(_)) | Err(_) => {
                self.counters.malformed += 1;
                return;
            }
        };
        if matches!(sender, Sender::Latching(_)) && !self.latch(index, source, &packet) {
            self.counters.wrong_source += 1;
            return;
        }
        if let Some(leg) = self.legs.leg_mut(index) {
            leg.heard = now;
            leg.dead = false;
            if Some(packet.header.payload_type) == leg.stream.dtmf {
                match leg.keys.take(&packet, now) {
                    Heard::Press(digit) => out.event(Event::Digit { leg: leg.stream.leg, digit }),
                    Heard::Nothing => {}
                    Heard::Malformed => self.counters.events_malformed += 1,
                    Heard::Flood => self.counters.events_flooded += 1,
                }
            }
        }
        self.relay(index, &packet, now, out);
    }

    /// What orders mean by their clips from now on; what is heard already goes on.
    pub(super) fn set_clips(&mut self, clips: Arc<[Clip]>) {
        self.clips = clips;
    }

    /// Sends the frames that are due and reports the legs that have fallen silent; early calls do nothing.
    pub(super) fn tick(&mut self, now: Mono, out: &mut impl Out) {
        while let Some(due) = self.pacer.pop_due(now) {
            self.counters.late_frames += due.skipped;
            let late = now.since(due.at) > LATE;
            for &member in self.pacer.members(due.slot) {
                let Some(leg) = self.legs.leg_mut(member) else { continue };
                let can_hear = leg.can_hear();
                // On hold a list waits, but what is said passes, so that its end is reported.
                let Some(playing) =
                    leg.playing.as_mut().filter(|playing| can_hear || playing.saying.is_some())
                else {
                    continue;
                };
                let packet = &mut self.packet[..HEADER_LEN + FRAME];
                let said = playing.fill(&mut packet[HEADER_LEN..], leg.stream.codec);
                if playing.ended(leg.partner.is_some()) {
                    self.ended.push(member);
                }
                if let Some(id) = said {
                    out.event(Event::Said { leg: leg.stream.leg, id });
                }
                if !can_hear {
                    continue;
                }
                let stamp = leg.out.played(due.at);
                write_header(packet, stamp, leg.stream.payload_type, leg.out.ssrc());
                let sent = out.packet(leg.port, leg.remote, packet);
                self.counters.packets_out += u64::from(sent);
                self.counters.send_errors += u64::from(!sent);
                self.counters.late_frames += u64::from(late);
            }
            while let Some(member) = self.ended.pop() {
                self.stop_playing(member);
            }
        }
        if !self.dead_after.is_zero() && now >= self.next_check {
            self.next_check = now + DEAD_CHECK;
            self.report_dead(now, out);
        }
    }

    /// When to call [`Engine::tick`] next; orders and packets may bring it forward.
    pub(super) fn next_due(&self) -> Option<Mono> {
        let check = (!self.dead_after.is_zero() && !self.legs.is_empty()).then_some(self.next_check);
        self.pacer.next_due().into_iter().chain(check).min()
    }

    /// Lets the first usable packet on an exclusive port say where the far end is.
    fn latch(&mut self, index: u32, source: SocketAddr, packet: &Packet<'_>) -> bool {
        let agreed = |leg: &Leg| {
            let kind = packet.header.payload_type;
            kind == leg.stream.payload_type || Some(kind) == leg.stream.dtmf
        };
        if !self.legs.leg(index).is_some_and(agreed) {
            return false;
        }
        self.legs.deafen(index);
        if let Some(leg) = self.legs.leg_mut(index) {
            leg.remote = source;
            leg.latched = true;
        }
        self.legs.listen(index, false);
        true
    }

    /// Passes a packet on to the partner of the leg that sent it, if it may be.
    fn relay(&mut self, from: u32, incoming: &Packet<'_>, now: Mono, out: &mut impl Out) {
        let Some(sender) = self.legs.leg(from) else { return };
        let Some(to) = sender.partner else { return };
        let Some(partner) = self.legs.leg(to) else { return };
        let hears = partner.can_hear() && partner.playing.is_none();
        if !(sender.stream.direction.receives() && hears) {
            self.counters.held += 1;
            return;
        }
        if incoming.header.ssrc == partner.out.ssrc() {
            self.counters.looped += 1;
            return;
        }
        let kind = incoming.header.payload_type;
        let audio = kind == sender.stream.payload_type;
        let event = Some(kind) == sender.stream.dtmf;
        if !(audio || event) || incoming.payload.is_empty() {
            self.counters.unplayable += 1;
            return;
        }
        let agreed = if audio { Some(partner.stream.payload_type) } else { partner.stream.dtmf };
        let Some(payload_type) = agreed else {
            self.counters.events_dropped += 1;
            return;
        };
        let packet = &mut self.packet[..HEADER_LEN + incoming.payload.len()];
        packet[HEADER_LEN..].copy_from_slice(incoming.payload);
        if audio {
            sender.transcode(&mut packet[HEADER_LEN..], partner.stream.codec);
        }
        let Some(partner) = self.legs.leg_mut(to) else { return };
        let Some(stamp) = partner.out.relayed(&incoming.header, now) else {
            self.counters.too_late += 1;
            return;
        };
        write_header(packet, stamp, payload_type, partner.out.ssrc());
        let sent = out.packet(partner.port, partner.remote, packet);
        self.counters.packets_out += u64::from(sent);
        self.counters.relayed += u64::from(sent);
        self.counters.send_errors += u64::from(!sent);
    }

    fn report_dead(&mut self, now: Mono, out: &mut impl Out) {
        for leg in self.legs.iter_mut() {
            let silent_for = now.since(leg.heard);
            if leg.stream.direction.receives() && !leg.dead && silent_for >= self.dead_after {
                leg.dead = true;
                out.event(Event::Dead { leg: leg.stream.leg, silent_for });
            }
        }
    }
}

fn write_header(packet: &mut [u8], stamp: Stamp, payload_type: u8, ssrc: u32) {
    let Stamp { marker, sequence, timestamp } = stamp;
    let header = Header { marker, payload_type, sequence, timestamp, ssrc };
    packet[..HEADER_LEN].copy_from_slice(&header.to_bytes());
}

#[cfg(test)]
mod tests;
