//! A world around the switch, in virtual time: callers, agents, trunks and a network, all of them drawn from a
//! seed, and all of them unreliable.
//!
//! [`run`] lives through one seed. Far ends ([`peer`]) speak SIP of their own making over a network that loses,
//! repeats, reorders and spoils ([`network`]); people log in and out, plans are reloaded, clocks jump, the
//! switch is stored and restored ([`trouble`]). Meanwhile the switch is judged from outside: each message at its
//! edge by a [`referee`], calls, agents and records by the [`books`], orders to media threads by [`sound`]. At the
//! end everything is over, and nothing may be left.
//!
//! A seed that fails does so each time, and tells the messages of the failing call.

mod books;
mod dice;
mod ending;
mod ladder;
mod network;
mod outputs;
mod peer;
mod referee;
mod site;
mod sound;
mod tally;
mod text;
mod trouble;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;

use crate::id::{LegId, PromiseId};
use crate::sip::Transport;
use crate::switch::{Input, Switch};
use crate::time::{Mono, Now, Wall};

use books::Books;
use dice::Dice;
use ladder::Ladder;
use network::Weather;
use peer::script::Script;
use peer::{Act, Hand, Peer, Phase, Tick};
use referee::{Fault, Referee};
use site::{Kind, Site};
use sound::Sound;
pub use tally::Tally;
use text::Msg;
use trouble::{Shadow, Trouble};

/// When every world begins: 2026-11-23T07:55:00Z, a Monday.
const MONDAY: i64 = 1_795_420_500_000;

/// What one seed came to.
#[derive(Clone, Debug)]
pub struct Run {
    /// What happened in it.
    pub tally: Tally,
    /// What is wrong, if anything is.
    pub failure: Option<Failure>,
}

/// What is wrong with the switch, as one seed shows.
#[derive(Clone, Debug)]
pub struct Failure {
    /// In one line.
    pub what: String,
    /// The messages of the failing call, in order.
    pub ladder: String,
}

/// Lives through one seed.
pub fn run(seed: u64) -> Run {
    let mut world = World::new(seed);
    let lived = std::panic::catch_unwind(AssertUnwindSafe(|| world.live()));
    let fault = match lived {
        Ok(Ok(())) => None,
        Ok(Err(fault)) => Some(fault),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
            Some(Fault { call_id: world.current.clone(), what: text.to_owned() })
        }
    };
    let failure = fault.map(|Fault { call_id, what }| Failure { what, ladder: world.ladder.of(&call_id) });
    Run { tally: world.tally, failure }
}

/// What is to happen.
#[derive(Debug)]
enum Due {
    /// A datagram reaches the switch: from which host, of which call, and whether as it was sent.
    Datagram { host: usize, bytes: Bytes, origin: usize, intact: bool, waited: Duration },
    /// A piece of a stream reaches the switch; the last one of a message comes with all of it.
    Piece { host: usize, age: u32, bytes: Bytes, whole: Option<Bytes> },
    /// A message reaches a host.
    Arrives { host: usize, age: u32, bytes: Bytes },
    /// A far end wanted to be woken.
    Tick(usize, Tick),
    /// Somebody calls, perhaps again.
    Call(Option<String>),
    /// A media thread looks whether a leg is silent.
    Watch(LegId, u64),
    /// An announcement is over.
    Said(LegId, u32),
    /// A key is pressed.
    Key(LegId),
    /// A promise is safe on the disk.
    Kept(PromiseId),
    /// Something else goes wrong.
    Trouble(Trouble),
}

struct Event {
    at: Mono,
    order: u64,
    due: Due,
}

impl PartialEq for Event {
    fn eq(&self, other: &Event) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Event) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Event) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// A host's connection to the switch, for those that speak TCP.
#[derive(Clone, Debug, Default)]
struct Pipe {
    /// How often it broke.
    age: u32,
    /// When the last bytes arrive, each way.
    inward: Mono,
    outward: Mono,
}

struct World {
    dice: Dice,
    wind: Dice,
    minds: Dice,
    site: Site,
    switch: Switch,
    mono: Mono,
    /// By how much the wall clock was set, in milliseconds.
    wall_set: i64,
    /// The switch's process does not run before then.
    stalled_until: Mono,
    /// There is no process at all.
    is_down: bool,
    /// When the process died last.
    died: Mono,
    queue: BinaryHeap<Reverse<Event>>,
    order: u64,
    weather: Weather,
    peers: Vec<Peer>,
    by_call_id: BTreeMap<String, usize>,
    by_media: BTreeMap<(IpAddr, u16), usize>,
    pipes: Vec<Pipe>,
    referee: Referee,
    books: Books,
    sound: Sound,
    /// By leg: which watch over its media is the last.
    watches: BTreeMap<LegId, u64>,
    ladder: Ladder,
    shadow: Option<Shadow>,
    /// How readily the switch is lost and restored, in a thousand inputs.
    crashes: u32,
    /// How readily the switch is woken late.
    late: u32,
    /// Nothing new begins any more.
    closing: bool,
    /// A drain or a stop has begun.
    draining: bool,
    stalled: bool,
    /// Call-ID of the message that the switch is dealing with.
    current: String,
    /// What was said last of each trunk that is asked.
    trunks: BTreeMap<String, bool>,
    tally: Tally,
}

impl World {
    fn new(seed: u64) -> World {
        let mut dice = Dice::new(seed);
        let (wind, minds) = (dice.split(), dice.split());
        let site = Site::drawn(&mut dice);
        let weather = Weather::drawn(&mut dice);
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&seed.to_le_bytes());
        let mono = Mono(1_000_000);
        let begin = Now { mono, wall: Wall(MONDAY) };
        let switch = Switch::new(site.plan(), secret, begin);
        let crashes = dice.pick(&[0, 0, 5, 30]);
        let late = dice.pick(&[0, 0, 50, 300]);
        let pipes = vec![Pipe::default(); site.hosts.len()];
        let mut world = World {
            dice,
            wind,
            minds,
            site,
            switch,
            mono,
            wall_set: 0,
            stalled_until: Mono(0),
            is_down: false,
            died: Mono(0),
            queue: BinaryHeap::new(),
            order: 0,
            weather,
            peers: Vec::new(),
            by_call_id: BTreeMap::new(),
            by_media: BTreeMap::new(),
            pipes,
            referee: Referee::default(),
            books: Books::default(),
            sound: Sound::default(),
            watches: BTreeMap::new(),
            ladder: Ladder::default(),
            shadow: None,
            crashes,
            late,
            closing: false,
            draining: false,
            stalled: false,
            current: String::new(),
            trunks: BTreeMap::new(),
            tally: Tally::default(),
        };
        let calls = world.dice.pick(&[10, 25, 25, 50]);
        let most = world.dice.pick(&[300, 3_000, 6_000]);
        let mut at = Duration::ZERO;
        for _ in 0..calls {
            at += world.dice.between(0, most);
            world.after(at, Due::Call(None));
        }
        world.plan_troubles(at);
        world
    }

    fn now(&self) -> Now {
        let passed = i64::try_from(self.mono.since(Mono(1_000_000)).as_millis()).unwrap_or(0);
        Now { mono: self.mono, wall: Wall(MONDAY + passed + self.wall_set) }
    }

    fn after(&mut self, wait: Duration, due: Due) {
        self.at(self.mono + wait, due);
    }

    fn at(&mut self, at: Mono, due: Due) {
        self.order += 1;
        self.queue.push(Reverse(Event { at, order: self.order, due }));
    }

    /// Lets everything happen until `end`.
    fn until(&mut self, end: Mono) -> Result<(), Fault> {
        loop {
            let next = self.queue.peek().map(|Reverse(event)| event.at);
            let wake = self
                .switch
                .poll_timeout()
                .filter(|_| !self.is_down)
                .map(|at| at.max(self.stalled_until).max(self.mono));
            if wake.is_some_and(|wake| wake <= end && next.is_none_or(|next| wake <= next)) {
                let mut wake = wake.unwrap_or(end);
                if self.dice.chance(self.late) {
                    wake = (wake + self.dice.between(0, 300)).min(next.unwrap_or(end)).min(end);
                }
                self.mono = wake;
                self.current.clear();
                self.give(Input::Wake)?;
                continue;
            }
            let Some(Reverse(event)) = self.queue.peek().filter(|Reverse(event)| event.at <= end) else {
                break;
            };
            self.mono = event.at;
            if let Some(Reverse(event)) = self.queue.pop() {
                self.happen(event)?;
            }
        }
        self.mono = end;
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), Fault> {
        if self.is_down && event.due.is_for_switch() {
            return Ok(());
        }
        if self.mono <= self.stalled_until && event.due.is_for_switch() {
            // Behind its end, so that nothing which arrives just then overtakes what has waited.
            let again = self.stalled_until + Duration::from_micros(1);
            let missed = again - self.mono;
            let due = match event.due {
                Due::Datagram { host, bytes, origin, intact, waited } => {
                    Due::Datagram { host, bytes, origin, intact, waited: waited + missed }
                }
                due => due,
            };
            self.at(again, due);
            return Ok(());
        }
        match event.due {
            Due::Datagram { host, bytes, origin, intact, waited } => {
                self.datagram(host, bytes, origin, intact, waited)
            }
            Due::Piece { host, age, bytes, whole } => self.piece(host, age, bytes, whole),
            Due::Arrives { host, age, bytes } => {
                self.arrives(host, age, &bytes);
                Ok(())
            }
            Due::Tick(peer, tick) => {
                self.with_peer(peer, |peer, hand| peer.tick(tick, hand));
                Ok(())
            }
            Due::Call(again) => {
                self.call(again);
                Ok(())
            }
            Due::Watch(leg, number) => self.watch(leg, number),
            Due::Said(leg, id) => self.said(leg, id),
            Due::Key(leg) => self.key(leg),
            Due::Kept(promise) => {
                self.current.clear();
                self.give(Input::Kept(promise))
            }
            Due::Trouble(trouble) => self.trouble(trouble),
        }
    }

    /// Lets a far end act, and sees to what it does.
    fn with_peer(&mut self, id: usize, act: impl FnOnce(&mut Peer, &mut Hand<'_>)) {
        let mut hand = Hand { dice: &mut self.minds, tally: &mut self.tally, acts: Vec::new() };
        act(&mut self.peers[id], &mut hand);
        for act in hand.acts {
            match act {
                Act::Send(text) => self.send(self.peers[id].host, id, text.into()),
                Act::After(wait, tick) => self.after(wait, Due::Tick(id, tick)),
                Act::Redial(cli) if !self.closing => {
                    let wait = self.dice.between(500, 20_000);
                    self.after(wait, Due::Call(Some(cli)));
                }
                Act::Redial(_) => {}
            }
        }
    }

    /// A far end sends a message to the switch.
    fn send(&mut self, at: usize, origin: usize, bytes: Bytes) {
        if self.site.hosts[at].dead_until > self.mono.0 {
            return;
        }
        if self.site.hosts[at].transport == Transport::Udp {
            for (delay, copy) in self.weather.carry(&bytes, &mut self.wind) {
                let intact = copy == bytes;
                let waited = Duration::ZERO;
                self.after(delay, Due::Datagram { host: at, bytes: copy, origin, intact, waited });
            }
            return;
        }
        let age = self.pipes[at].age;
        let pieces = self.weather.chop(&bytes, &mut self.wind);
        let last = pieces.len() - 1;
        for (index, piece) in pieces.into_iter().enumerate() {
            let arrives = self.mono + self.wind.between(self.weather.delay.0, self.weather.delay.1);
            let pipe = &mut self.pipes[at];
            pipe.inward = pipe.inward.max(arrives);
            let (arrives, whole) = (pipe.inward, (index == last).then(|| bytes.clone()));
            self.at(arrives, Due::Piece { host: at, age, bytes: piece, whole });
        }
    }

    fn datagram(
        &mut self,
        at: usize,
        bytes: Bytes,
        origin: usize,
        intact: bool,
        waited: Duration,
    ) -> Result<(), Fault> {
        let host = &self.site.hosts[at];
        let flow = host.flow();
        let emergency = host.kind == Kind::Trunk { emergency: true };
        self.ladder.message(self.mono, true, &host.name, &bytes);
        let call_id = self.peers.get(origin).map_or(String::new(), |peer| peer.call_id.clone());
        if intact {
            self.referee.heard(flow, &bytes, emergency, self.mono);
        } else {
            self.tally.note("spoilt");
            self.referee.spoilt(&call_id, &bytes);
        }
        self.current = call_id;
        self.give(Input::Datagram { flow, bytes, waited })
    }

    fn piece(&mut self, at: usize, age: u32, bytes: Bytes, whole: Option<Bytes>) -> Result<(), Fault> {
        if age != self.pipes[at].age {
            return Ok(());
        }
        let host = &self.site.hosts[at];
        let flow = host.flow();
        if let Some(whole) = &whole {
            let emergency = host.kind == Kind::Trunk { emergency: true };
            self.ladder.message(self.mono, true, &host.name, whole);
            self.referee.heard(flow, whole, emergency, self.mono);
            let text = String::from_utf8_lossy(whole);
            self.current = Msg::read(&text).map_or(String::new(), |msg| msg.call_id().to_owned());
        }
        self.give(Input::Chunk { flow, bytes })?;
        if self.wind.chance(self.weather.broken) { self.breaks(at) } else { Ok(()) }
    }

    /// The connection of a host breaks; what was under way is lost.
    fn breaks(&mut self, at: usize) -> Result<(), Fault> {
        let host = &self.site.hosts[at];
        if host.transport != Transport::Tcp {
            return Ok(());
        }
        let flow = host.flow();
        self.tally.note("broken connections");
        self.pipes[at].age += 1;
        self.ladder.note(self.mono, "", format!("the connection of {} breaks", host.name));
        self.referee.connection_lost(flow);
        self.give(Input::Closed { flow })
    }

    /// A message of the switch reaches a host.
    fn arrives(&mut self, at: usize, age: u32, bytes: &Bytes) {
        let host = &self.site.hosts[at];
        let broken = host.transport == Transport::Tcp && age != self.pipes[at].age;
        if broken || host.dead_until > self.mono.0 {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        let Some(msg) = Msg::read(&text) else { return };
        let known = self.by_call_id.get(msg.call_id()).copied();
        let known = known.filter(|&id| self.peers[id].host == at);
        if let Some(id) = known {
            return self.with_peer(id, |peer, hand| peer.hear(&text, hand));
        }
        if msg.is_response() || msg.method() == "ACK" {
            return;
        }
        if msg.method() == "INVITE" && msg.tag("To").is_none() {
            return self.rings(at, &msg, &text);
        }
        if msg.method() == "OPTIONS" && host.deaf_until > self.mono.0 {
            return;
        }
        let status = match msg.method() {
            "OPTIONS" if self.minds.chance(20) => "480 Temporarily Unavailable",
            "OPTIONS" => "200 OK",
            _ => "481 Call Does Not Exist",
        };
        let reply = text::response(&msg, status, "nobody", "", "");
        self.send(at, usize::MAX, reply.into());
    }

    /// The switch calls a phone.
    fn rings(&mut self, at: usize, msg: &Msg<'_>, text: &str) {
        let id = self.peers.len();
        let busy = self.peers.iter().any(|peer| peer.host == at && !peer.dead && peer.phase != Phase::Over);
        let busy = busy && self.site.hosts[at].users.len() == 1 && self.minds.chance(500);
        let script = if busy { Script::busy() } else { Script::agent(&mut self.minds) };
        let peer = Peer::invited(id, (at, &self.site.hosts[at]), msg, script);
        self.by_call_id.insert(peer.call_id.clone(), id);
        self.by_media.insert(peer.media, id);
        self.peers.push(peer);
        self.with_peer(id, |peer, hand| peer.hear(text, hand));
    }

    /// Somebody calls.
    fn call(&mut self, again: Option<String>) {
        let named = |world: &World, name: &str| world.site.hosts.iter().position(|host| host.name == name);
        let name = match self.dice.below(100) {
            0..35 => "elm",
            35..55 => "river",
            55..70 => "elm-tcp",
            70..85 => "as-999",
            85..95 => "as-tcp",
            _ => "stranger",
        };
        let at = named(self, if again.is_some() { "elm" } else { name }).unwrap_or(0);
        let cli = again.unwrap_or_else(|| match self.dice.below(10) {
            0 => String::new(),
            _ => format!("0770090{:04}", self.dice.below(20)),
        });
        let script = Script::caller(&mut self.minds);
        self.tally.note("calls");
        self.dials(at, "02079460101", &cli, script);
    }

    fn dials(&mut self, at: usize, number: &str, cli: &str, script: Script) {
        let id = self.peers.len();
        let peer = Peer::calling(id, (at, &self.site.hosts[at]), number, cli, script);
        self.by_call_id.insert(peer.call_id.clone(), id);
        self.by_media.insert(peer.media, id);
        self.peers.push(peer);
        self.with_peer(id, |peer, hand| {
            peer.call(hand);
            peer.set_out(hand);
        });
    }
}

impl Due {
    /// Whether it is the switch's process that it happens to.
    fn is_for_switch(&self) -> bool {
        !matches!(self, Due::Arrives { .. } | Due::Tick(..) | Due::Call(_) | Due::Trouble(_))
    }
}
