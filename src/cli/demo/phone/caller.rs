//! A caller: calls, waits in the line as long as patience lasts, talks, hangs up.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::audio::{Audio, Voice};
use super::dialog::Dialog;
use super::endpoint::{Endpoint, Heard};
use super::{CallerEnd, CallerReport, Packet, Phone, Report, courtesy};
use crate::cli::demo::dice::Dice;
use crate::sip::Transport;
use crate::sip::message::{Method, Request, Response};
use crate::sip::name_addr::NameAddr;
use crate::sip::uri::Uri;

/// How long a phone stays after its call, to answer what is repeated.
const LINGER: Duration = Duration::from_secs(1);

/// What a caller is going to do.
#[derive(Clone, Debug)]
pub(in crate::cli::demo) struct Script {
    /// The number dialled.
    pub(in crate::cli::demo) dialled: String,
    /// The caller's own number.
    pub(in crate::cli::demo) number: String,
    /// Where the call goes.
    pub(in crate::cli::demo) hub: SocketAddr,
    /// How long the caller waits for a person.
    pub(in crate::cli::demo) patience: Duration,
    /// How long the caller talks; `None` leaves the end to the agent.
    pub(in crate::cli::demo) talk: Option<Duration>,
    /// The caller's voice.
    pub(in crate::cli::demo) voice: Voice,
}

/// A caller's phone.
#[derive(Debug)]
pub(in crate::cli::demo) struct Caller {
    script: Script,
    endpoint: Endpoint,
    audio: Audio,
    invite: Request,
    state: State,
    answered: Option<Instant>,
    reports: VecDeque<Report>,
}

#[derive(Debug)]
enum State {
    /// The INVITE has no final answer.
    Calling,
    /// Answered; music, or ringing of nobody.
    Waiting { dialog: Dialog, until: Instant },
    /// An agent was heard.
    Talking { dialog: Dialog, until: Option<Instant> },
    /// Our BYE is on its way.
    Leaving,
    /// The call is over, or never was.
    Gone { since: Instant },
}

impl Caller {
    /// A phone at these addresses that calls at once.
    pub(in crate::cli::demo) fn new(
        script: Script,
        (sip, rtp): (SocketAddr, SocketAddr),
        mut dice: Dice,
        now: Instant,
    ) -> Caller {
        let audio = Audio::new(rtp, script.voice);
        let invite = invite(&script, sip, &audio, &mut dice);
        let mut endpoint = Endpoint::new(sip, dice);
        endpoint.request(invite.clone(), script.hub, now);
        Caller {
            script,
            endpoint,
            audio,
            invite,
            state: State::Calling,
            answered: None,
            reports: VecDeque::new(),
        }
    }

    /// Call-ID of the call.
    pub(in crate::cli::demo) fn call_id(&self) -> &str {
        self.invite.headers.call_id().unwrap_or_default()
    }

    fn hear(&mut self, heard: Heard, now: Instant) {
        match heard {
            Heard::Request(request, source) => self.requested(&request, source, now),
            Heard::Response(response) if response.is_provisional() => {}
            Heard::Response(response) => match self.state {
                State::Calling => self.answer(&response, now),
                State::Leaving => self.gone(CallerEnd::Over, now),
                _ => {}
            },
            Heard::Unanswered(Method::Invite) => self.gone(CallerEnd::Unanswered, now),
            Heard::Unanswered(_) => self.gone(CallerEnd::Over, now),
        }
    }

    fn answer(&mut self, response: &Response, now: Instant) {
        if !response.is_success() {
            return self.gone(CallerEnd::TurnedAway(response.code), now);
        }
        let Some(dialog) = Dialog::placed(&self.invite, response) else {
            return self.gone(CallerEnd::Unanswered, now);
        };
        let peer = dialog.peer().unwrap_or(self.script.hub);
        self.endpoint.acknowledge(dialog.ack(), peer);
        self.answered = Some(now);
        let until = now + self.script.patience;
        self.state = State::Waiting { dialog, until };
        if !self.audio.start(&response.body, self.endpoint.dice(), now) {
            self.leave(now);
        }
    }

    fn requested(&mut self, request: &Request, source: SocketAddr, now: Instant) {
        let dialog = match &self.state {
            State::Waiting { dialog, .. } | State::Talking { dialog, .. } => Some(dialog),
            _ => None,
        };
        let response = courtesy(request, dialog);
        let ended = request.method == Method::Bye && response.is_success();
        self.endpoint.respond(request, &response, source, now);
        if ended {
            self.gone(CallerEnd::Over, now);
        }
    }

    fn leave(&mut self, now: Instant) {
        if let State::Waiting { dialog, .. } | State::Talking { dialog, .. } = &mut self.state {
            let bye = dialog.bye();
            let peer = dialog.peer().unwrap_or(self.script.hub);
            self.endpoint.request(bye, peer, now);
            self.state = State::Leaving;
        }
    }

    fn gone(&mut self, end: CallerEnd, now: Instant) {
        if matches!(self.state, State::Gone { .. }) {
            return;
        }
        self.state = State::Gone { since: now };
        let ear = self.audio.stop();
        let first_sound =
            ear.first.zip(self.answered).map(|(first, answered)| first.duration_since(answered));
        let call_id = self.call_id().to_owned();
        self.reports.push_back(Report::Caller(CallerReport { call_id, end, first_sound, ear }));
    }
}

impl Phone for Caller {
    fn sip(&mut self, bytes: &Bytes, source: SocketAddr, now: Instant) {
        if let Some(heard) = self.endpoint.receive(bytes, source) {
            self.hear(heard, now);
        }
    }

    fn rtp(&mut self, bytes: &[u8], source: SocketAddr, now: Instant) {
        self.audio.receive(bytes, source, now);
        if let State::Waiting { dialog, .. } = &self.state
            && self.audio.ear().heard_an_agent()
        {
            let until = self.script.talk.map(|talk| now + talk);
            self.state = State::Talking { dialog: dialog.clone(), until };
        }
    }

    fn wake(&mut self, now: Instant) {
        while let Some(heard) = self.endpoint.wake(now) {
            self.hear(heard, now);
        }
        self.audio.wake(now);
        let until = match self.state {
            State::Waiting { until, .. } => Some(until),
            State::Talking { until, .. } => until,
            _ => None,
        };
        if until.is_some_and(|until| until <= now) {
            self.leave(now);
        }
    }

    fn closing(&mut self, now: Instant) {
        // A call that is not answered yet is given up as soon as it is.
        self.script.patience = Duration::ZERO;
        self.leave(now);
    }

    fn next_wake(&self) -> Option<Instant> {
        let own = match self.state {
            State::Waiting { until, .. } => Some(until),
            State::Talking { until, .. } => until,
            State::Gone { since } => Some(since + LINGER),
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

    fn is_over(&self, now: Instant) -> bool {
        matches!(self.state, State::Gone { since } if now >= since + LINGER)
    }
}

fn invite(script: &Script, sip: SocketAddr, audio: &Audio, dice: &mut Dice) -> Request {
    let to = Uri::sip(Some(&script.dialled), script.hub, Transport::Udp);
    let us = Uri::sip(Some(&script.number), sip, Transport::Udp);
    let mut from = NameAddr::new(us.clone());
    from.set_tag(&dice.token());
    let mut invite = Request::new(Method::Invite, to.clone());
    let headers = &mut invite.headers;
    headers.push("Max-Forwards", "70");
    headers.push("From", from.to_string());
    headers.push("To", NameAddr::new(to).to_string());
    headers.push("Call-ID", format!("{}@{}", dice.token(), sip.ip()));
    headers.push("CSeq", "1 INVITE");
    headers.push("Contact", format!("<{us}>"));
    headers.push("Content-Type", "application/sdp");
    invite.body = audio.describe(dice);
    invite
}
