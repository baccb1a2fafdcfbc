//! The media threads as the switch knows them: streams that are set, bridged and closed, and what they report.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::audio::Direction;
use crate::call::media::{Command, Stream};
use crate::id::LegId;

/// One leg's stream.
#[derive(Clone, Debug)]
struct Sounding {
    thread: u8,
    stream: Stream,
    partner: Option<LegId>,
    /// The announcement that is being said.
    saying: Option<u32>,
    /// Its keys are reported.
    listens: bool,
}

/// All streams, and what is wrong with the orders for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sound {
    legs: BTreeMap<LegId, Sounding>,
}

/// What is to happen later on account of an order.
pub(super) enum Later {
    /// The watch over a leg's media begins anew.
    Watch(LegId),
    /// An announcement will be over.
    Said(LegId, u32, Duration),
    /// Somebody may press a key.
    Key(LegId),
    Nothing,
}

impl Sound {
    /// Carries out an order.
    pub(super) fn obey(&mut self, thread: u8, command: &Command) -> Result<Later, String> {
        match command {
            Command::Set(stream) => return self.set(thread, stream).map(|()| Later::Watch(stream.leg)),
            Command::Play { .. } => {}
            Command::Say { leg, id, clips } => {
                // Whoever has agreed to no media yet hears nothing.
                if let Some(leg) = self.legs.get_mut(leg) {
                    leg.saying = Some(*id);
                }
                return Ok(Later::Said(*leg, *id, Duration::from_millis(700) * clips.len() as u32));
            }
            Command::Hush { leg } => self.with(*leg, |leg| leg.saying = None),
            Command::Listen { leg, on } => {
                self.with(*leg, |leg| leg.listens = *on);
                return Ok(if *on { Later::Key(*leg) } else { Later::Nothing });
            }
            Command::Bridge { a, b } => self.bridge(thread, *a, *b)?,
            Command::Unbridge { leg } => {
                if let Some(partner) = self.legs.get_mut(leg).and_then(|leg| leg.partner.take()) {
                    self.with(partner, |leg| leg.partner = None);
                }
            }
            Command::Close { leg } => {
                let closed = self.legs.remove(leg).ok_or(format!("{leg} is closed, but has no stream"))?;
                if let Some(partner) = closed.partner.and_then(|partner| self.legs.get_mut(&partner)) {
                    partner.partner = None;
                }
            }
        }
        Ok(Later::Nothing)
    }

    fn with(&mut self, leg: LegId, change: impl FnOnce(&mut Sounding)) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            change(leg);
        }
    }

    fn on(&mut self, thread: u8, leg: LegId) -> Result<&mut Sounding, String> {
        let sounding = self.legs.get_mut(&leg).ok_or(format!("an order for {leg}, which has no stream"))?;
        match sounding.thread == thread {
            true => Ok(sounding),
            false => Err(format!("an order for {leg} on the wrong thread")),
        }
    }

    fn set(&mut self, thread: u8, stream: &Stream) -> Result<(), String> {
        let clash = self.legs.iter().find(|(leg, other)| {
            let same_port = other.thread == thread && other.stream.port == stream.port;
            let alone = other.stream.latch || stream.latch || other.stream.remote == stream.remote;
            **leg != stream.leg && same_port && alone
        });
        if let Some((other, _)) = clash {
            return Err(format!(
                "{} and {other} share port {} and {}",
                stream.leg, stream.port, stream.remote
            ));
        }
        if stream.remote.ip().is_unspecified() || stream.remote.port() == 0 {
            return Err(format!("{} would send to {}", stream.leg, stream.remote));
        }
        match self.legs.get_mut(&stream.leg) {
            Some(known) if known.thread != thread => {
                return Err(format!("{} moved to another thread", stream.leg));
            }
            Some(known) => known.stream = stream.clone(),
            None => {
                let stream = stream.clone();
                let fresh = Sounding { thread, stream, partner: None, saying: None, listens: false };
                self.legs.insert(fresh.stream.leg, fresh);
            }
        }
        Ok(())
    }

    fn bridge(&mut self, thread: u8, a: LegId, b: LegId) -> Result<(), String> {
        for (leg, other) in [(a, b), (b, a)] {
            let sounding = self.on(thread, leg)?;
            if sounding.partner.is_some_and(|partner| partner != other) {
                return Err(format!("{leg} is bridged to two"));
            }
            sounding.partner = Some(other);
            sounding.saying = None;
            sounding.listens = false;
        }
        Ok(())
    }

    /// Whether this announcement came to its end by itself.
    pub(super) fn is_said(&mut self, leg: LegId, id: u32) -> bool {
        self.legs.get_mut(&leg).is_some_and(|leg| leg.saying.take_if(|saying| *saying == id).is_some())
    }

    /// Where a leg's media comes from, if it should come.
    pub(super) fn awaited(&self, leg: LegId) -> Option<SocketAddr> {
        let stream = &self.legs.get(&leg)?.stream;
        matches!(stream.direction, Direction::SendRecv | Direction::RecvOnly).then_some(stream.remote)
    }

    /// Whether the keys of a leg are reported.
    pub(super) fn listens(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|leg| leg.listens)
    }

    /// Legs that have a stream.
    pub(super) fn legs(&self) -> impl Iterator<Item = LegId> {
        self.legs.keys().copied()
    }
}
