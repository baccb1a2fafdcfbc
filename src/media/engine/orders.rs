//! The core's orders: legs opened and closed, what they play and are told, whom they are bridged to.

use crate::call::media::{Command, MOST_SAID, Stream};
use crate::id::LegId;
use crate::media::engine::Engine;
use crate::media::leg::{Keys, Leg, Playing, Saying};
use crate::media::playlist::Playlist;
use crate::rtp::Outgoing;
use crate::time::Mono;

impl Engine {
    /// Carries out an order; one that names an unknown leg or port changes nothing.
    ///
    /// A leg that is bridged and told to play, or spoken to, hears the clips instead of its partner, until they
    /// end or the bridge is ordered again.
    pub(in crate::media) fn command(&mut self, command: Command, now: Mono) {
        let leg = match &command {
            Command::Set(stream) => stream.leg,
            Command::Play { leg, .. } | Command::Say { leg, .. } | Command::Hush { leg } => *leg,
            Command::Listen { leg, .. } | Command::Unbridge { leg } | Command::Close { leg } => *leg,
            Command::Bridge { a, .. } => *a,
        };
        let done = match command {
            Command::Set(stream) => self.set(stream, now),
            Command::Play { leg, clips, looped } => {
                let list = Playlist::new(&clips, looped, &self.clips);
                self.legs.index(leg).and_then(|index| self.play(index, list, now))
            }
            Command::Say { leg, id, mut clips } => {
                clips.truncate(MOST_SAID);
                let list = Playlist::new(&clips, false, &self.clips);
                self.legs.index(leg).and_then(|index| self.say(index, Saying { id, list }, now))
            }
            Command::Hush { leg } => self.hush(leg),
            Command::Listen { leg, on } => self.listen(leg, on),
            Command::Bridge { a, b } => self.bridge(a, b, now),
            Command::Unbridge { leg } => self.legs.index(leg).map(|index| self.unbridge(index, now)),
            Command::Close { leg } => self.close(leg, now),
        };
        if done.is_none() {
            tracing::warn!(%leg, "order for a leg or port that is not on this media thread");
        }
    }

    /// Ends what a leg hears; until its partner is relayed, or it plays again, it hears nothing.
    pub(super) fn stop_playing(&mut self, index: u32) {
        let Some(leg) = self.legs.leg_mut(index) else { return };
        leg.out.detach();
        if let Some(playing) = leg.playing.take() {
            self.pacer.leave(index, playing.slot);
        }
    }

    fn set(&mut self, stream: Stream, now: Mono) -> Option<()> {
        let port = self.legs.port(stream.port)?;
        let Some(index) = self.legs.index(stream.leg) else {
            let latch = stream.latch;
            let leg = self.new_leg(stream, port, now);
            let index = self.legs.insert(leg);
            self.legs.listen(index, latch);
            return Some(());
        };
        self.legs.deafen(index);
        self.legs.change_port(index, port);
        let leg = self.legs.leg_mut(index)?;
        // What was latched on to holds until the far end moves.
        leg.latched &= stream.latch && leg.stream.port == stream.port && leg.stream.remote == stream.remote;
        if !leg.latched {
            leg.remote = stream.remote;
        }
        leg.heard = now;
        leg.dead = false;
        leg.stream = stream;
        let latching = leg.stream.latch && !leg.latched;
        self.legs.listen(index, latching);
        Some(())
    }

    fn new_leg(&mut self, stream: Stream, port: usize, now: Mono) -> Leg {
        let (ssrc, numbers) = (self.rng.bits() as u32, self.rng.bits());
        Leg {
            port,
            remote: stream.remote,
            latched: false,
            out: Outgoing::new(ssrc, numbers as u16, (numbers >> 32) as u32, now),
            partner: None,
            playing: None,
            keys: Keys::default(),
            heard: now,
            dead: false,
            stream,
        }
    }

    fn play(&mut self, index: u32, list: Playlist, now: Mono) -> Option<()> {
        self.playing(index, now)?.list = Some(list);
        Some(())
    }

    fn say(&mut self, index: u32, saying: Saying, now: Mono) -> Option<()> {
        self.playing(index, now)?.saying = Some(saying);
        Some(())
    }

    /// What a leg hears of clips from now on, for the caller to fill.
    fn playing(&mut self, index: u32, now: Mono) -> Option<&mut Playing> {
        let leg = self.legs.leg_mut(index)?;
        if leg.playing.is_none() {
            leg.out.detach();
            leg.playing = Some(Playing { saying: None, list: None, slot: self.pacer.join(index, now) });
        }
        leg.playing.as_mut()
    }

    fn hush(&mut self, leg: LegId) -> Option<()> {
        let index = self.legs.index(leg)?;
        if let Some(playing) = &mut self.legs.leg_mut(index)?.playing {
            playing.saying = None;
            if playing.list.is_none() {
                self.stop_playing(index);
            }
        }
        Some(())
    }

    fn listen(&mut self, leg: LegId, on: bool) -> Option<()> {
        let index = self.legs.index(leg)?;
        self.legs.leg_mut(index)?.keys.listening = on;
        Some(())
    }

    fn bridge(&mut self, a: LegId, b: LegId, now: Mono) -> Option<()> {
        let (a, b) = (self.legs.index(a)?, self.legs.index(b)?);
        if a == b {
            return None;
        }
        for (leg, partner) in [(a, b), (b, a)] {
            if self.legs.leg(leg)?.partner.is_some_and(|present| present != partner) {
                self.unbridge(leg, now);
            }
        }
        for (leg, partner) in [(a, b), (b, a)] {
            let fresh = self.legs.leg(leg)?.partner.is_none();
            if fresh || self.legs.leg(leg)?.playing.is_some() {
                self.stop_playing(leg);
            }
            let leg = self.legs.leg_mut(leg)?;
            leg.partner = Some(partner);
            leg.keys.listening &= !fresh;
        }
        Some(())
    }

    /// Separates a leg from its partner; both hear silence unless they hear clips already.
    fn unbridge(&mut self, index: u32, now: Mono) {
        let Some(partner) = self.legs.leg_mut(index).and_then(|leg| leg.partner.take()) else { return };
        if let Some(other) = self.legs.leg_mut(partner) {
            other.partner = None;
        }
        for leg in [index, partner] {
            let has_list = |leg: &Leg| leg.playing.as_ref().is_some_and(|playing| playing.list.is_some());
            if self.legs.leg(leg).is_some_and(|leg| !has_list(leg)) {
                self.play(leg, Playlist::default(), now);
            }
        }
    }

    fn close(&mut self, leg: LegId, now: Mono) -> Option<()> {
        let index = self.legs.index(leg)?;
        self.unbridge(index, now);
        self.stop_playing(index);
        self.legs.remove(leg);
        Some(())
    }
}
