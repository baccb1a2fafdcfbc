//! A new call at the door: admitted, answered at once, put in its line; or turned away with a reason.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::acd::redial::CallerKey;
use crate::acd::{self, Band, Entry};
use crate::audio::Direction;
use crate::call::leg::{Audio, Leg, Negotiation, Side, State};
use crate::call::media::Command;
use crate::call::ports::Held;
use crate::call::record::{CallRecord, Outcome};
use crate::call::speech::{self, Prompt};
use crate::call::timeline::Timeline;
use crate::call::{Call, Stage, Wish};
use crate::id::{CallId, ClipId, DestinationId, LegId, LineId, PracticeId, TrunkId};
use crate::policy::{Admission, Turned, number};
use crate::sip::Flow;
use crate::sip::dialog::{BadDialog, Dialog};
use crate::sip::message::{Method, Request};
use crate::sip::sdp::{self, BadSdp, Description, Local};
use crate::sip::transaction::ServerTx;
use crate::sip::uri::{Scheme, Uri};
use crate::time::Mono;

use super::drain::Drain;
use super::{Event, Output, Switch, door};

/// How long a trunk should wait before it offers a refused call again, in seconds.
const RETRY_AFTER: &str = "5";

/// A caller at the door, as its INVITE tells.
struct Arriving {
    newcomer: acd::Newcomer,
    key: Option<CallerKey>,
    /// The number, where it can be used.
    cli: Option<String>,
}

/// Why an INVITE is not taken: a status code and, for people, why.
pub(super) struct Refusal {
    code: u16,
    header: Option<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(code: u16) -> Refusal {
        Refusal { code, header: None }
    }

    pub(super) fn with(code: u16, name: &'static str, value: &str) -> Refusal {
        Refusal { code, header: Some((name, value.to_owned())) }
    }
}

impl From<BadSdp> for Refusal {
    fn from(bad: BadSdp) -> Refusal {
        match bad {
            BadSdp::Syntax => Refusal::new(400),
            // Warning codes of RFC 3261, 20.43: 304 media type, 305 media format, 301 address format.
            BadSdp::NoAudio => Refusal::with(488, "Warning", "304 hearken \"RTP/AVP audio is needed\""),
            BadSdp::NoCodec => Refusal::with(488, "Warning", "305 hearken \"PCMA or PCMU is needed\""),
            BadSdp::NoAddress => Refusal::with(488, "Warning", "301 hearken \"an IP address is needed\""),
        }
    }
}

impl From<BadDialog> for Refusal {
    fn from(_: BadDialog) -> Refusal {
        Refusal::new(400)
    }
}

impl Switch {
    /// An INVITE outside any dialog.
    pub(super) fn arrive(&mut self, tx: ServerTx, flow: Flow, request: Request) {
        if let Err(refusal) = self.take_call(tx, flow, &request) {
            self.refuse(tx, &request, refusal, flow);
        }
    }

    fn refuse(&mut self, tx: ServerTx, request: &Request, refusal: Refusal, flow: Flow) {
        let code = refusal.code;
        self.reply_refusal(tx, request, refusal);
        self.emit(Event::TurnedAway { source: flow.remote.ip(), code });
    }

    /// Answers a request with the status and header of a refusal.
    pub(super) fn reply_refusal(&mut self, tx: ServerTx, request: &Request, refusal: Refusal) {
        let mut response = request.response(refusal.code);
        if let Some((name, value)) = refusal.header {
            response.headers.push(name, value);
        }
        self.reply(tx, response);
    }

    fn take_call(&mut self, tx: ServerTx, flow: Flow, request: &Request) -> Result<(), Refusal> {
        if self.serve_code(tx, flow, request)? {
            return Ok(());
        }
        let ddi = self.dialled(request);
        let admitted = self.plan.ingress.admit(flow.remote.ip(), &ddi);
        // Whatever an emergency trunk calls, `urn:service:sos` say, it means the emergency line.
        let emergency = admitted.is_ok_and(|admission| admission.band == Band::EMERGENCY);
        if !emergency && !matches!(request.uri.scheme(), Scheme::Sip | Scheme::Sips | Scheme::Tel) {
            return Err(Refusal::new(416));
        }
        let admission = admitted.map_err(|turned| match turned {
            Turned::UnknownSource => {
                self.counters.unknown_source += 1;
                Refusal::new(403)
            }
            Turned::UnknownNumber => {
                self.counters.unknown_number += 1;
                Refusal::new(404)
            }
        })?;
        self.take_admitted(tx, flow, request, &ddi, admission)
            .inspect_err(|refusal| self.record_refusal(request, ddi, admission, refusal.code))
    }

    /// The number dialled, normalised, or what else was called.
    pub(super) fn dialled(&self, request: &Request) -> String {
        let country = &self.plan.ingress.country_code;
        match request.uri.scheme() {
            Scheme::Sip | Scheme::Sips | Scheme::Tel => {
                number::normalise(&request.uri.user().unwrap_or_default(), country)
            }
            Scheme::Urn | Scheme::Other => number::normalise(request.uri.as_str(), country),
        }
    }

    fn take_admitted(
        &mut self,
        tx: ServerTx,
        flow: Flow,
        request: &Request,
        ddi: &str,
        admission: Admission,
    ) -> Result<(), Refusal> {
        if request.headers.max_forwards() == Some(0) {
            return Err(Refusal::new(483));
        }
        let emergency = admission.band == Band::EMERGENCY;
        let full = self.drain.is_on() || self.routine_calls >= self.plan.sip.max_calls;
        if self.drain == Drain::Stopped || (full && !emergency) {
            return Err(self.overloaded());
        }
        let arriving = self.arriving(request, admission);
        if let Entry::Refuse { code, retry_after, to, why } =
            self.exchange.entry(&arriving.newcomer, arriving.key, self.now.mono)
        {
            return Err(self.refused_entry(admission, (code, retry_after, to), why));
        }
        let whose = (CallId(self.last_call + 1), Side::Caller);
        let leg = self.take_up(tx, flow, request, admission.band, whose)?;
        self.line_up(request, ddi.to_owned(), admission, arriving, leg);
        self.remember_owed(tx, LegId(self.last_leg));
        Ok(())
    }

    /// A call that was turned away at the door is a call all the same, with one outcome.
    fn record_refusal(&mut self, request: &Request, ddi: String, admission: Admission, code: u16) {
        self.last_call += 1;
        let (cli, _) = self.caller_number(request);
        let record = CallRecord {
            call: CallId(self.last_call),
            sip_call_id: request.headers.call_id().unwrap_or_default().to_owned(),
            promise: None,
            case: None,
            trunk: self.trunk_name(admission.trunk),
            practice: self.practice_name(admission.practice),
            line: self.line_name(admission.line),
            band: admission.band,
            ddi,
            cli,
            arrived: self.now.wall,
            waited: Duration::ZERO,
            lasted: Duration::ZERO,
            segments: Vec::new(),
            outcome: Outcome::Refused { code },
            disposition: None,
        };
        self.outputs.push_back(Output::Record(Box::new(record)));
    }

    fn arriving(&self, request: &Request, admission: Admission) -> Arriving {
        let (cli, withheld) = self.caller_number(request);
        let newcomer = acd::Newcomer {
            practice: admission.practice,
            withheld,
            ..acd::Newcomer::new(admission.line, admission.band)
        };
        Arriving { newcomer, key: cli.as_deref().map(|cli| self.key_of(cli)), cli }
    }

    /// The number as a keyed hash, by which the same caller is known again while this switch runs.
    pub(super) fn key_of(&self, cli: &str) -> CallerKey {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.cli_key).expect("a key of any length will do");
        mac.update(cli.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        CallerKey(key)
    }

    /// The line does not take the caller: its trunk is told at once, and when or where to try again.
    fn refused_entry(
        &mut self,
        admission: Admission,
        (code, retry_after, to): (u16, Option<Duration>, Option<DestinationId>),
        why: acd::Refusal,
    ) -> Refusal {
        self.counters.entry_refused += 1;
        let (rule, why) = match why {
            acd::Refusal::Rule(rule) => (Some(self.rule_name(rule)), self.rule_name(rule)),
            acd::Refusal::PracticeFull => (None, "most-per-practice".to_owned()),
            acd::Refusal::NobodyAtWork => (None, "join-when-empty".to_owned()),
        };
        let (trunk, line) = (self.trunk_name(admission.trunk), self.line_name(admission.line));
        self.emit(Event::EntryRefused { trunk, line, rule, why });
        let phone = to
            .and_then(|to| self.plan.acd.seats(to).next())
            .and_then(|seat| self.plan.phones.get(seat.index()));
        match (phone, retry_after) {
            (Some(phone), _) => Refusal::with(code, "Contact", &format!("<{}>", phone.uri)),
            (None, Some(after)) => Refusal::with(code, "Retry-After", &after.as_secs().max(1).to_string()),
            (None, None) => Refusal::new(code),
        }
    }

    fn overloaded(&mut self) -> Refusal {
        self.counters.overload += 1;
        Refusal::with(503, "Retry-After", RETRY_AFTER)
    }

    /// Our Contact on the listener of a flow.
    pub(super) fn contact(&self, flow: Flow) -> Uri {
        Uri::sip(Some("hearken"), self.advertised(flow), flow.transport)
    }

    /// The media thread with the most room, and a port on it for a caller with this offer.
    fn port_for(&mut self, offer: Option<&Description>, band: Band) -> Option<(u8, Held)> {
        let mut order: Vec<_> = (0..self.ports.len()).collect();
        order.sort_by_key(|&thread| (self.ports[thread].usage().0, thread));
        order.into_iter().find_map(|thread| {
            let ports = &mut self.ports[thread];
            let held = ports.for_caller(offer.map(|offer| offer.remote), band)?;
            Some((u8::try_from(thread).ok()?, held))
        })
    }

    /// A fresh description of our side on `port`.
    pub(super) fn local(&mut self, port: u16) -> Local {
        // RFC 8866, 5.2: numeric; kept within 62 bits, which every peer can read.
        let session = self.rng.bits() >> 2;
        Local { address: self.plan.media.address, port, session, version: 1 }
    }

    /// Answers an INVITE with a leg of ours, on a media port of its own, which the caller of this puts into its place.
    pub(super) fn take_up(
        &mut self,
        tx: ServerTx,
        flow: Flow,
        request: &Request,
        band: Band,
        whose: (CallId, Side),
    ) -> Result<Leg, Refusal> {
        let offer = offer(request)?;
        let tag = self.rng.token();
        let mut dialog = Dialog::answering(request, &tag, self.contact(flow), flow)?;
        // Behind NAT neither its Contact nor its media address can be reached.
        let nat = matches!(whose.1, Side::Code(agent) if self.plan.phones.get(agent.index()).is_some_and(|phone| phone.nat));
        if nat {
            dialog.stay_on_flow();
        }
        let (thread, held) = self.port_for(offer.as_ref().filter(|_| !nat), band).ok_or_else(|| {
            self.counters.no_port += 1;
            self.overloaded()
        })?;
        let local = self.local(held.port);
        let audio = Audio { thread, held, local, agreed: None, latch: nat };
        let answered = self.answer_call(tx, request, offer, audio, dialog, whose);
        Ok(answered.inspect_err(|_| self.ports[usize::from(thread)].release(held))?)
    }

    fn answer_call(
        &mut self,
        tx: ServerTx,
        request: &Request,
        offer: Option<Description>,
        mut audio: Audio,
        dialog: Dialog,
        (call, side): (CallId, Side),
    ) -> Result<Leg, BadSdp> {
        let codecs = &self.plan.media.codecs;
        let (body, negotiation) = match offer {
            Some(offer) => {
                let agreed = offer.choose(codecs, Direction::SendRecv)?;
                audio.agreed = Some(agreed);
                (offer.answer(&audio.local, &agreed), Negotiation::Stable)
            }
            None => {
                let cseq = request.headers.cseq().map_or(0, |(number, _)| number);
                (sdp::offer(&audio.local, codecs, Direction::SendRecv), Negotiation::AwaitingAnswer { cseq })
            }
        };
        let mut response = request.response(200);
        response.set_to_tag(dialog.local_tag());
        self.describe(&mut response, dialog.contact(), body);
        self.transactions.respond(tx, response, self.now.mono);
        self.last_leg += 1;
        let id = LegId(self.last_leg);
        self.by_tag.insert(dialog.local_tag().to_owned(), id);
        let state = State::Up { dialog: Box::new(dialog), negotiation, invite: None };
        Ok(Leg { id, call, side, state, audio, asked: Vec::new(), owed: Vec::new() })
    }

    /// Adds what every 2xx to an INVITE carries.
    pub(super) fn describe(
        &self,
        response: &mut crate::sip::message::Response,
        contact: &Uri,
        body: bytes::Bytes,
    ) {
        response.headers.push("Contact", format!("<{contact}>"));
        response.headers.push("Allow", door::ALLOW);
        response.headers.push("Content-Type", "application/sdp");
        response.body = body;
    }

    fn line_up(
        &mut self,
        request: &Request,
        ddi: String,
        admission: Admission,
        arriving: Arriving,
        leg: Leg,
    ) {
        self.last_call += 1;
        let (call, thread) = (leg.call, leg.audio.thread);
        let Arriving { newcomer, key, cli } = arriving;
        let emergency = admission.band == Band::EMERGENCY;
        self.calls.insert(
            call,
            Call {
                id: call,
                sip_call_id: request.headers.call_id().unwrap_or_default().to_owned(),
                made_for: None,
                trunk: admission.trunk,
                practice: admission.practice,
                line: admission.line,
                band: admission.band,
                joined: (admission.line, admission.band),
                ddi,
                show_cli: emergency || !newcomer.withheld,
                callable: self.is_callable(&newcomer, cli.as_deref(), admission.trunk),
                cli,
                max_forwards: request.headers.max_forwards().unwrap_or(70).saturating_sub(1),
                key,
                arrived: self.now,
                since: self.now.mono,
                wish: Wish::Unasked,
                caller: Some(leg.id),
                thread,
                stage: Stage::waiting(),
                rings_first: false,
                waited: None,
                disposition: None,
                answered_by: None,
                timeline: Timeline::new(self.now.mono),
            },
        );
        self.counters.calls += 1;
        self.drain.reopen();
        self.routine_calls += usize::from(!emergency);
        let id = leg.id;
        self.legs.insert(id, leg);
        self.exchange
            .arrive(call, newcomer, key, self.now.mono)
            .expect("calls are numbered once and lines come from the plan");
        self.place_is(call);
        self.emit(Event::Arrived {
            call,
            trunk: self.trunk_name(admission.trunk),
            line: self.line_name(admission.line),
            band: admission.band,
            waiting: self.exchange.distributor().waiting_count(admission.line)
                + self.exchange.distributor().presented_count(admission.line),
        });
        self.entertain(id);
    }

    /// Whether a caller may be promised a callback: its number is known, not withheld, and one that may be called.
    fn is_callable(&self, newcomer: &acd::Newcomer, cli: Option<&str>, trunk: TrunkId) -> bool {
        let plan = &self.plan.callbacks;
        let routine = newcomer.band != Band::EMERGENCY && !newcomer.withheld;
        routine && plan.via(trunk).is_some() && cli.is_some_and(|cli| plan.allows(cli))
    }

    /// A caller has joined its line, maybe with an older place.
    fn place_is(&mut self, id: CallId) {
        let place = self.exchange.distributor().place(id).map(|(_, place)| place.rank);
        if let Some(call) = self.calls.get_mut(&id) {
            call.since = place.map_or(call.since, |rank| Mono(u64::try_from(rank).unwrap_or(0)));
            if call.callable {
                self.exchange.set_callable(id);
            }
        }
    }

    /// Whether the phone of the line's first destination rings for a caller.
    fn is_tried_first(&self, call: CallId, line: LineId) -> bool {
        let first = self.plan.acd.lines.get(line.index()).and_then(|line| line.first);
        let rung = self.exchange.distributor().rung(call);
        first.is_some() && rung.iter().any(|&seat| self.plan.acd.destination_of(seat) == first)
    }

    /// The line's first destination may have been tried in vain: then the caller hears what those who wait hear.
    pub(super) fn end_ring_tone(&mut self, call: CallId) {
        if let Some(&Call { rings_first: true, stage: Stage::Waiting { .. }, line, caller, .. }) =
            self.calls.get(&call)
            && !self.is_tried_first(call, line)
        {
            caller.into_iter().for_each(|leg| self.entertain(leg));
        }
    }

    /// Lets a waiting caller hear the line's greeting and music, from the beginning; or ring tone, while the line's
    /// first destination is tried.
    pub(super) fn entertain(&mut self, leg: LegId) {
        let Some((stream, call)) =
            self.legs.get(&leg).and_then(|leg| Some((leg.stream()?, self.calls.get(&leg.call)?)))
        else {
            return;
        };
        let (id, thread, line, was_answered) = (call.id, call.thread, call.line, call.waited.is_some());
        let rings_first = self.is_tried_first(id, line);
        if let Some(call) = self.calls.get_mut(&id) {
            call.rings_first = rings_first;
        }
        self.media(thread, Command::Set(stream));
        // The greeting is for those who arrive; a caller put back in line gets music at once.
        self.play_to_waiting(leg, !was_answered);
        if !rings_first {
            self.open_wish(id);
        }
    }

    /// Plays ring tone to a waiting caller while the line's first destination is tried, else the line's music, after
    /// its greeting or without. A line without music has ring tone: silence would sound like a dead line.
    pub(super) fn play_to_waiting(&mut self, leg: LegId, greet: bool) {
        let Some(call) = self.legs.get(&leg).and_then(|leg| self.calls.get(&leg.call)) else { return };
        if call.rings_first {
            return self.play_ring_tone(leg);
        }
        let treatment = self.plan.treatments.get(call.line.index()).copied().unwrap_or_default();
        let greeting = treatment.greeting.filter(|_| greet);
        let music = treatment.music.map_or_else(|| self.ring_tone(), |music| vec![music]);
        let (thread, clips) = (call.thread, greeting.into_iter().chain(music).collect());
        self.media(thread, Command::Play { leg, clips, looped: true });
    }

    /// Plays ring tone to a leg until something else is played.
    pub(super) fn play_ring_tone(&mut self, leg: LegId) {
        let Some(thread) = self.legs.get(&leg).map(|leg| leg.audio.thread) else { return };
        let clips = self.ring_tone();
        self.media(thread, Command::Play { leg, clips, looped: true });
    }

    fn ring_tone(&self) -> Vec<ClipId> {
        speech::clips(&[Prompt::RingTone], self.plan.media.prompts)
    }

    pub(super) fn media(&mut self, thread: u8, command: Command) {
        self.outputs.push_back(Output::Media { thread, command });
    }

    /// The caller's number as the network gave it (RFC 3325), else as the caller claims it; and whether it is withheld.
    fn caller_number(&self, request: &Request) -> (Option<String>, bool) {
        let headers = &request.headers;
        let asserted = headers
            .values("P-Asserted-Identity")
            .find_map(|value| crate::sip::name_addr::NameAddr::parse(value).ok());
        let from = asserted.or_else(|| headers.from());
        let user = from.as_ref().and_then(|from| from.uri().user()).unwrap_or_default();
        let cli = number::normalise(&user, &self.plan.ingress.country_code);
        let withheld = headers
            .values("Privacy")
            .any(|value| value.split([';', ',']).any(|part| matches!(part.trim(), "id" | "user" | "header")));
        let usable =
            !cli.is_empty() && !cli.eq_ignore_ascii_case("anonymous") && number::is_presentable(&cli);
        (usable.then_some(cli), withheld)
    }

    /// ODS code of a practice, or its name where it has none.
    pub(super) fn practice_name(&self, practice: Option<PracticeId>) -> Option<String> {
        let practice = self.plan.ingress.practices.get(practice?.index())?;
        Some(practice.in_records().to_owned())
    }

    pub(super) fn trunk_name(&self, trunk: TrunkId) -> String {
        self.plan
            .ingress
            .trunks
            .get(trunk.index())
            .map_or_else(|| trunk.to_string(), |trunk| trunk.name.clone())
    }
}

/// The offer in an INVITE's body; `None` when it has no body and we must offer (RFC 3261, 13.3.1.4).
pub(super) fn offer(request: &Request) -> Result<Option<Description>, Refusal> {
    debug_assert!(matches!(request.method, Method::Invite | Method::Ack));
    if request.headers.value("Content-Encoding").is_some_and(|value| !value.eq_ignore_ascii_case("identity"))
    {
        return Err(Refusal::with(415, "Accept-Encoding", "identity"));
    }
    if request.body.is_empty() {
        return Ok(None);
    }
    let kind = request.headers.value("Content-Type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/sdp") {
        return Err(Refusal::with(415, "Accept", "application/sdp"));
    }
    Ok(Some(Description::parse(&request.body)?))
}
