//! Inputs of the switch, and what comes of its outputs.

use crate::audio::Digit;
use crate::call::media;
use crate::id::{CallId, LegId};
use crate::sip::Transport;
use crate::switch::{CaseNews, Event, Input, Output};

use super::peer::Tick;
use super::peer::script::Deed;
use super::referee::Fault;
use super::sound::Later;
use super::text::Msg;
use super::{Due, World};

impl World {
    /// Gives the switch an input and does what it says.
    pub(super) fn give(&mut self, input: Input) -> Result<(), Fault> {
        if self.is_down {
            return Ok(());
        }
        let now = self.now();
        self.tally.inputs += 1;
        self.begin_shadow();
        if let Some(shadow) = &mut self.shadow {
            shadow.note(&input, now);
        }
        self.switch.handle(input, now);
        let mut presented = Vec::new();
        while let Some(output) = self.switch.poll_output() {
            if let Some(shadow) = &mut self.shadow {
                shadow.saw(&output);
            }
            self.output(output, &mut presented)?;
        }
        self.referee.settled()?;
        self.books.settled().map_err(|(call_id, what)| Fault { call_id, what })?;
        self.end_shadow()
    }

    fn output(&mut self, output: Output, presented: &mut Vec<(CallId, String)>) -> Result<(), Fault> {
        match output {
            Output::Send { flow, bytes } => {
                self.tally.sent += 1;
                let host = self.site.hosts.iter().position(|host| host.flow() == flow);
                let name = host.map_or("nobody", |at| &self.site.hosts[at].name);
                self.ladder.message(self.mono, false, name, &bytes);
                self.link(&bytes, presented);
                self.referee.sent(flow, &bytes, self.mono)?;
                let Some(at) = host else {
                    let call_id = Msg::call_id_of(&bytes);
                    if call_id.is_some_and(|call_id| self.referee.is_tainted(call_id)) {
                        // Its Contact was spoilt on the way.
                        return Ok(());
                    }
                    let what = format!("the switch sent to {}, where nobody is", flow.remote);
                    return Err(Fault { call_id: self.current.clone(), what });
                };
                self.carry(at, bytes);
                Ok(())
            }
            Output::Close { flow } => {
                let at = self.site.hosts.iter().position(|host| host.flow() == flow);
                let what = format!("the switch closed a sound stream: {at:?}");
                Err(Fault { call_id: self.current.clone(), what })
            }
            Output::Media { thread, command } => {
                let later = self.sound.obey(thread, &command);
                match later.map_err(|what| self.blame(format!("{what}: {command:?}")))? {
                    Later::Watch(leg) => self.watch_anew(leg),
                    Later::Said(leg, id, after) => self.after(after, Due::Said(leg, id)),
                    Later::Key(leg) => {
                        let wait = self.dice.between(200, 6_000);
                        self.after(wait, Due::Key(leg));
                    }
                    Later::Nothing => {}
                }
                Ok(())
            }
            Output::Record(record) => {
                let told = format!("record: {:?}", record.outcome);
                self.ladder.note(self.mono, &record.sip_call_id, told);
                let written = self.books.record(&record, self.referee.any_spoilt());
                written.map_err(|what| Fault { call_id: record.sip_call_id.clone(), what })
            }
            Output::Promise(promise) => {
                self.tally.note("promises written");
                self.ladder.note(self.mono, &self.current, format!("{promise:?}"));
                // A disk may fail.
                if self.dice.chance(950) {
                    let wait = self.dice.between(0, 300);
                    self.after(wait, Due::Kept(promise.promise));
                }
                Ok(())
            }
            Output::Case(record) => {
                self.tally.note(if record.closed.is_some() { "cases closed" } else { "cases written" });
                self.ladder.note(self.mono, &self.current, format!("{record:?}"));
                self.books.case(*record).map_err(|what| self.blame(what))
            }
            Output::Event(event) => self.event(&event, presented),
        }
    }

    fn blame(&self, what: String) -> Fault {
        Fault { call_id: self.current.clone(), what }
    }

    fn carry(&mut self, at: usize, bytes: bytes::Bytes) {
        let age = self.pipes[at].age;
        if self.site.hosts[at].transport == Transport::Udp {
            for (delay, copy) in self.weather.carry(&bytes, &mut self.wind) {
                if copy != bytes {
                    // What comes back may repeat what was spoilt.
                    self.tally.note("spoilt");
                    self.referee.spoilt(Msg::call_id_of(&bytes).unwrap_or_default(), &copy);
                }
                self.after(delay, Due::Arrives { host: at, age, bytes: copy });
            }
            return;
        }
        let arrives = self.mono + self.wind.between(self.weather.delay.0, self.weather.delay.1);
        let pipe = &mut self.pipes[at];
        pipe.outward = pipe.outward.max(arrives);
        let arrives = pipe.outward;
        self.at(arrives, Due::Arrives { host: at, age, bytes });
    }

    /// Notes whose call an INVITE to a phone is for.
    fn link(&mut self, bytes: &[u8], presented: &mut Vec<(CallId, String)>) {
        if presented.is_empty() || !bytes.starts_with(b"INVITE ") {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        let Some(msg) = Msg::read(&text).filter(|msg| msg.tag("To").is_none()) else { return };
        let user = msg.uri().trim_start_matches("sip:").split('@').next().unwrap_or_default();
        if let Some(at) = presented.iter().position(|(_, agent)| agent == user)
            && let Some(caller) = self.books.call_id(presented.remove(at).0)
        {
            self.ladder.belongs(msg.call_id(), caller);
        }
    }

    fn event(&mut self, event: &Event, presented: &mut Vec<(CallId, String)>) -> Result<(), Fault> {
        if let Event::Presented { call, agent } = event {
            presented.push((*call, agent.clone()));
        }
        let about = match event {
            Event::Presented { call, .. }
            | Event::Missed { call, .. }
            | Event::Bridged { call, .. }
            | Event::BackInLine { call, .. }
            | Event::HandedOn { call, .. }
            | Event::NotHandedOn { call, .. }
            | Event::HandedBack { call, .. }
            | Event::Disposed { call, .. }
            | Event::Flagged { call, .. }
            | Event::Moved { call, .. }
            | Event::Announced { call, .. }
            | Event::Offered { call, .. }
            | Event::Ended { call, .. } => self.books.call_id(*call).unwrap_or_default().to_owned(),
            _ => self.current.clone(),
        };
        self.ladder.note(self.mono, &about, format!("{event:?}"));
        let judged = self.books.event(event, &self.current);
        judged.map_err(|what| Fault { call_id: about.clone(), what })?;
        let place = |call: CallId| self.switch.place(call).map(|(_, place)| place.rank);
        match event {
            Event::HandedOn { .. } => self.tally.note("handed on"),
            Event::HandedBack { .. } => self.tally.note("handed back"),
            Event::Case { news: CaseNews::Reached, .. } => self.tally.note("patients reached"),
            Event::Case { news: CaseNews::Returned(_), .. } => self.tally.note("referrals returned"),
            Event::Arrived { call, .. } => self.books.stands(*call, place(*call)),
            Event::BackInLine { call, .. } => {
                let kept = self.books.still_stands(*call, place(*call));
                kept.map_err(|what| Fault { call_id: about.clone(), what })?;
                self.tally.note("put back");
            }
            Event::Reloaded => {
                self.tally.note("reloads");
                if self.switch.plan().probed_trunks().next().is_none() {
                    self.trunks.clear();
                }
            }
            Event::Trunk { trunk, up } => {
                self.tally.note(if *up { "trunks up" } else { "trunks down" });
                if self.trunks.insert(trunk.clone(), *up) == Some(*up) {
                    return Err(Fault {
                        call_id: about,
                        what: format!("{trunk} is said to be the same again"),
                    });
                }
            }
            Event::ReloadRefused { .. } => self.tally.note("refused reloads"),
            Event::Bridged { .. } => self.both_at_once(&about),
            _ => {}
        }
        Ok(())
    }

    /// Now and then both ends of a talk do the same in the same instant.
    fn both_at_once(&mut self, caller: &str) {
        if caller.is_empty() || !self.dice.chance(150) {
            return;
        }
        let legs = self.ladder.family_of(caller);
        let deed = self.dice.pick(&[Deed::Leave, Deed::Hold]);
        let wait = self.dice.between(50, 4_000);
        for leg in legs {
            if let Some(&id) = self.by_call_id.get(&leg) {
                self.after(wait, Due::Tick(id, Tick::Do(deed)));
            }
        }
    }

    /// The stream of a leg was set: its silence will be noticed, once.
    fn watch_anew(&mut self, leg: LegId) {
        let number = self.watches.entry(leg).or_default();
        *number += 1;
        let number = *number;
        self.after(std::time::Duration::from_secs(20), Due::Watch(leg, number));
    }

    /// A media thread looks whether a leg has been silent for long.
    pub(super) fn watch(&mut self, leg: LegId, number: u64) -> Result<(), Fault> {
        if self.watches.get(&leg) != Some(&number) || !self.sound.legs().any(|known| known == leg) {
            return Ok(());
        }
        let silent = self.sound.awaited(leg).is_some_and(|remote| {
            let peer = self.by_media.get(&(remote.ip(), remote.port())).map(|&id| &self.peers[id]);
            peer.is_none_or(|peer| peer.dead || peer.forgetful || !peer.is_up())
        });
        if silent || self.dice.chance(20) {
            self.current.clear();
            let silent_for = std::time::Duration::from_secs(20);
            return self.give(Input::Media(media::Event::Dead { leg, silent_for }));
        }
        self.after(std::time::Duration::from_secs(10), Due::Watch(leg, number));
        Ok(())
    }

    /// An announcement came to its end.
    pub(super) fn said(&mut self, leg: LegId, id: u32) -> Result<(), Fault> {
        if !self.sound.is_said(leg, id) {
            return Ok(());
        }
        self.current.clear();
        self.give(Input::Media(media::Event::Said { leg, id }))
    }

    /// Somebody presses a key, often the one that was asked for.
    pub(super) fn key(&mut self, leg: LegId) -> Result<(), Fault> {
        if !self.sound.listens(leg) {
            return Ok(());
        }
        self.current.clear();
        self.tally.note("keys");
        let wait = self.dice.between(500, 10_000);
        self.after(wait, Due::Key(leg));
        let digit = self.dice.pick(&[1, 1, 1, 2, 9, 11]);
        match Digit::of_code(digit) {
            Some(digit) => self.give(Input::Media(media::Event::Digit { leg, digit })),
            None => Ok(()),
        }
    }
}
