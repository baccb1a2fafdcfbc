//! An agent: lets the phone ring for a moment, answers, talks, hangs up; now and then misses a call.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::audio::{Audio, Voice};
use super::dialog::Dialog;
use super::endpoint::{Endpoint, Heard};
use super::{AgentReport, Packet, Phone, Report, courtesy};
use crate::cli::demo::dice::Dice;
use crate::sip::Transport;
use crate::sip::message::{Method, Request, Response};
use crate::sip::uri::Uri;

/// How long a phone rings until it is answered or refused.
const RINGS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(2));
/// How long an agent talks.
const TALKS: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(8));
/// An agent misses one routine call in so many.
const MISSES: usize = 14;

/// An agent's phone.
#[derive(Debug)]
pub(in crate::cli::demo) struct Agent {
    nth: usize,
    name: String,
    emergency_lines: Arc<BTreeSet<String>>,
    endpoint: Endpoint,
    audio: Audio,
    /// Routine calls presented so far.
    presented: usize,
    call: Option<Call>,
    reports: VecDeque<Report>,
}

#[derive(Debug)]
enum Call {
    Ringing { invite: Box<Request>, source: SocketAddr, tag: String, then: Manner, at: Instant },
    Talking { dialog: Dialog, until: Instant },
}

/// What an agent does about a ringing phone.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Manner {
    Answer,
    Refuse(u16),
    Ignore,
}

impl Agent {
    /// The phone of the n-th agent at these addresses; callers of the lines named are never missed.
    pub(in crate::cli::demo) fn new(
        (nth, name): (usize, &str),
        (sip, rtp): (SocketAddr, SocketAddr),
        emergency_lines: Arc<BTreeSet<String>>,
        dice: Dice,
    ) -> Agent {
        Agent {
            nth,
            name: name.to_owned(),
            emergency_lines,
            endpoint: Endpoint::new(sip, dice),
            audio: Audio::new(rtp, Voice::of_agent(nth)),
            presented: 0,
            call: None,
            reports: VecDeque::new(),
        }
    }

    fn requested(&mut self, request: Request, source: SocketAddr, now: Instant) {
        match (request.method, &self.call) {
            (Method::Invite, None) if request.headers.to_tag().is_none() => self.ring(request, source, now),
            (Method::Invite, Some(_)) if request.headers.to_tag().is_none() => {
                self.say(&request, 486, source, now);
            }
            (Method::Cancel, Some(Call::Ringing { invite, .. })) if is_same_transaction(invite, &request) => {
                self.say(&request, 200, source, now);
                self.refuse(487, now);
            }
            (_, call) => {
                let dialog = match call {
                    Some(Call::Talking { dialog, .. }) => Some(dialog),
                    _ => None,
                };
                let response = courtesy(&request, dialog);
                self.endpoint.respond(&request, &response, source, now);
                if request.method == Method::Bye && response.is_success() {
                    self.talk_over();
                }
            }
        }
    }

    fn ring(&mut self, invite: Request, source: SocketAddr, now: Instant) {
        let line = invite.headers.from().and_then(|from| from.display_name().map(str::to_owned));
        let emergency = line.is_some_and(|line| self.emergency_lines.contains(&line));
        let then = self.manner(emergency);
        let dice = self.endpoint.dice();
        let (tag, at) = (dice.token(), now + dice.between(RINGS.0, RINGS.1));
        let mut ringing = invite.response(180);
        ringing.set_to_tag(&tag);
        self.endpoint.respond(&invite, &ringing, source, now);
        self.call = Some(Call::Ringing { invite: Box::new(invite), source, tag, then, at });
    }

    /// Two misses are set, so that they are seen soon; the others are chance.
    fn manner(&mut self, emergency: bool) -> Manner {
        if emergency {
            return Manner::Answer;
        }
        self.presented += 1;
        match (self.nth, self.presented) {
            (1, 1) => Manner::Refuse(486),
            (2, 2) => Manner::Ignore,
            _ if self.endpoint.dice().once_in(MISSES) => {
                [Manner::Refuse(486), Manner::Refuse(603), Manner::Ignore][self.endpoint.dice().below(3)]
            }
            _ => Manner::Answer,
        }
    }

    fn answer(&mut self, now: Instant) {
        let Some(Call::Ringing { invite, source, tag, .. }) = self.call.take() else { return };
        let (endpoint, audio) = (&mut self.endpoint, &mut self.audio);
        if !audio.start(&invite.body, endpoint.dice(), now) {
            let mut response = invite.response(488);
            response.set_to_tag(&tag);
            return endpoint.respond(&invite, &response, source, now);
        }
        let mut response = invite.response(200);
        response.set_to_tag(&tag);
        let contact = Uri::sip(Some(&self.name), endpoint.address(), Transport::Udp);
        response.headers.push("Contact", format!("<{contact}>"));
        response.headers.push("Content-Type", "application/sdp");
        response.body = audio.describe(endpoint.dice());
        self.endpoint.respond(&invite, &response, source, now);
        let until = now + self.endpoint.dice().between(TALKS.0, TALKS.1);
        match Dialog::taken(&invite, &response) {
            Some(dialog) => self.call = Some(Call::Talking { dialog, until }),
            None => drop(self.audio.stop()),
        }
    }

    fn refuse(&mut self, code: u16, now: Instant) {
        if let Some(Call::Ringing { invite, source, tag, .. }) = self.call.take() {
            let mut response = invite.response(code);
            response.set_to_tag(&tag);
            self.endpoint.respond(&invite, &response, source, now);
        }
    }

    fn say(&mut self, request: &Request, code: u16, source: SocketAddr, now: Instant) {
        let mut response: Response = request.response(code);
        response.set_to_tag(&self.endpoint.dice().token());
        self.endpoint.respond(request, &response, source, now);
    }

    fn hang_up(&mut self, now: Instant) {
        if let Some(Call::Talking { dialog, .. }) = &mut self.call {
            let bye = dialog.bye();
            if let Some(peer) = dialog.peer() {
                self.endpoint.request(bye, peer, now);
            }
            self.talk_over();
        }
    }

    fn talk_over(&mut self) {
        self.call = None;
        let ear = self.audio.stop();
        self.reports.push_back(Report::Agent(AgentReport { agent: self.nth, ear }));
    }
}

impl Phone for Agent {
    fn sip(&mut self, bytes: &Bytes, source: SocketAddr, now: Instant) {
        if let Some(Heard::Request(request, source)) = self.endpoint.receive(bytes, source) {
            self.requested(*request, source, now);
        }
    }

    fn rtp(&mut self, bytes: &[u8], source: SocketAddr, now: Instant) {
        self.audio.receive(bytes, source, now);
    }

    fn wake(&mut self, now: Instant) {
        // A BYE that nobody answers has ended the talk all the same.
        while self.endpoint.wake(now).is_some() {}
        self.audio.wake(now);
        match self.call {
            Some(Call::Ringing { then: Manner::Answer, at, .. }) if at <= now => self.answer(now),
            Some(Call::Ringing { then: Manner::Refuse(code), at, .. }) if at <= now => self.refuse(code, now),
            Some(Call::Talking { until, .. }) if until <= now => self.hang_up(now),
            _ => {}
        }
    }

    fn closing(&mut self, _now: Instant) {
        // Callers hang up.
    }

    fn next_wake(&self) -> Option<Instant> {
        let own = match self.call {
            Some(Call::Ringing { then: Manner::Answer | Manner::Refuse(_), at, .. }) => Some(at),
            Some(Call::Talking { until, .. }) => Some(until),
            _ => None,
        };
        [own, self.endpoint.next_wake(), self.audio.next_wake()].into_iter().flatten().min()
    }

    fn poll_output(&mut self) -> Option<Packet> {
        self.endpoint.poll_output().or_else(|| self.audio.poll_output())
    }

    fn poll_report(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    fn is_over(&self, _now: Instant) -> bool {
        false
    }
}

/// Whether a CANCEL is of this INVITE (RFC 3261, 9.2).
fn is_same_transaction(invite: &Request, cancel: &Request) -> bool {
    let branch = |request: &Request| request.headers.top_via()?.branch().map(str::to_owned);
    branch(invite).is_some_and(|of_invite| branch(cancel) == Some(of_invite))
}
