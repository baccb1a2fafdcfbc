//! Peers and a core above that do anything at all: nothing panics, every step keeps the invariants, and once the
//! core has answered and the timers have run, nothing is left.

use super::*;

const STEPS: usize = 2_000;

/// The layer between a core and peers that both act at random.
struct Chaos {
    rig: Rig,
    dice: Rng,
    /// Requests heard and not finally answered, as the core saw them.
    open: Vec<(ServerTx, Request)>,
    seen: BTreeSet<ServerTx>,
    /// Client transactions that have told no end, by number.
    pending: BTreeMap<ClientTx, bool>,
    requests: Vec<String>,
    /// All outputs in order, as lines.
    told: Vec<String>,
}

impl Chaos {
    fn new(seed: u64) -> Chaos {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rig = Rig::udp();
        rig.layer.set_room(16, BTreeSet::new());
        Chaos {
            rig,
            dice: Rng::new(bytes),
            open: Vec::new(),
            seen: BTreeSet::new(),
            pending: BTreeMap::new(),
            requests: Vec::new(),
            told: Vec::new(),
        }
    }

    fn roll(&mut self, sides: usize) -> usize {
        (self.dice.bits() % sides as u64) as usize
    }

    fn step(&mut self) {
        let flow = [UDP, UDP, UDP, TCP][self.roll(4)];
        let tag = ["", "t", "u"][self.roll(3)];
        match self.roll(12) {
            0..4 => {
                let methods = ["INVITE", "INVITE", "ACK", "ACK", "CANCEL", "BYE", "OPTIONS"];
                let (method, branch) = (methods[self.roll(7)], self.roll(6));
                let branch =
                    [";branch=z9hG4bK", ";branch="][self.roll(8) / 7].to_owned() + &branch.to_string();
                let call = self.roll(3).to_string();
                let text = request(method, "X", tag).replace(";branch=X", &branch).replace("one@", &call);
                self.rig.layer.receive(flow, accepted(&text), self.rig.now).unwrap();
            }
            4..6 if !self.requests.is_empty() => {
                let at = self.roll(self.requests.len());
                let request = self.requests[at].clone();
                let code = [100, 180, 200, 202, 302, 486, 487, 503][self.roll(8)];
                self.rig.layer.receive(flow, accepted(&answer(&request, code, tag)), self.rig.now).unwrap();
            }
            6 if !self.open.is_empty() => {
                let at = self.roll(self.open.len());
                let code = [100, 180, 183, 200, 200, 487][self.roll(6)];
                self.respond(at, code, tag);
            }
            7 => {
                let method = [Method::Invite, Method::Invite, Method::Options, Method::Bye][self.roll(4)];
                let tx = self.rig.layer.request(ours(method), flow, us(), &mut self.rig.rng, self.rig.now);
                self.pending.insert(tx, method == Method::Invite);
            }
            8 => {
                let tx = self.any_client();
                self.rig.layer.cancel(tx, self.rig.now);
            }
            9 => {
                let tx = self.any_client();
                let mut ack = ours(Method::Ack);
                ack.headers.set("To", "<sip:agent@192.0.2.1>;tag=t");
                self.rig.layer.ack(tx, ack, flow, us(), &mut self.rig.rng, self.rig.now);
            }
            10 if self.roll(20) == 0 => self.rig.layer.transport_failed(TCP, self.rig.now),
            _ => {
                let longest = [50, 1_000, 40_000][self.roll(3)];
                let micros = self.dice.bits() % (longest * 1_000);
                self.rig.now = Mono(self.rig.now.0 + micros);
                if self.roll(2) == 0 {
                    self.rig.layer.handle_timeout(self.rig.now);
                }
            }
        }
        self.drain();
    }

    fn any_client(&mut self) -> ClientTx {
        let back = self.roll(16) as u64;
        ClientTx(self.rig.layer.next_client.saturating_sub(back))
    }

    fn respond(&mut self, at: usize, code: u16, tag: &str) {
        let (tx, request) = &self.open[at];
        let mut response = request.response(code);
        if !tag.is_empty() {
            response.set_to_tag(tag);
        }
        self.rig.layer.respond(*tx, response, self.rig.now);
        if code >= 200 {
            self.open.swap_remove(at);
        }
    }

    fn drain(&mut self) {
        self.rig.layer.check_invariants();
        assert!(self.rig.layer.servers.len() <= 32);
        while let Some(output) = self.rig.layer.poll_output() {
            self.told.push(line(&output));
            match output {
                Output::Send { bytes, .. } => {
                    let text = String::from_utf8(bytes.to_vec()).unwrap();
                    if !text.starts_with("SIP/2.0") && !text.starts_with("ACK") {
                        let at = self.roll(16);
                        if at < self.requests.len() {
                            self.requests[at] = text;
                        } else {
                            self.requests.push(text);
                        }
                    }
                }
                Output::Event(Event::Request { tx, request, .. }) => {
                    assert!(self.seen.insert(tx), "{tx:?} was told twice");
                    assert!(!matches!(request.method, Method::Ack | Method::Cancel));
                    self.open.push((tx, request));
                }
                Output::Event(Event::Ack { tx, .. } | Event::Unacknowledged { tx }) => {
                    assert!(self.seen.contains(&tx) && self.open.iter().all(|(open, _)| *open != tx));
                }
                Output::Event(Event::Cancelled { tx }) => {
                    assert!(self.open.iter().any(|(open, _)| *open == tx), "{tx:?} was answered already");
                }
                Output::Event(Event::Response { tx, response, .. }) => {
                    let is_invite = self.pending.get(&tx).copied();
                    assert!(is_invite.is_some() || response.is_success(), "{tx:?} was over");
                    if response.is_final() {
                        self.pending.remove(&tx);
                    }
                }
                Output::Event(Event::Failed { tx, .. }) => {
                    assert!(self.pending.remove(&tx).is_some(), "{tx:?} was over");
                }
            }
        }
    }

    fn finish(&mut self) {
        while !self.open.is_empty() {
            self.respond(0, 503, "");
            self.drain();
        }
        for tx in self.pending.keys().copied().collect::<Vec<_>>() {
            self.rig.layer.cancel(tx, self.rig.now);
        }
        while let Some(at) = self.rig.layer.poll_timeout() {
            self.rig.layer.handle_timeout(at);
            self.rig.now = at;
            self.drain();
        }
        assert!(self.rig.layer.is_empty());
        assert!(self.pending.is_empty(), "requests without an end: {:?}", self.pending);
        assert_eq!(self.rig.layer.by_request.len(), 0);
    }
}

#[test]
fn whatever_comes_the_layer_holds_and_empties_seeds_0_to_63() {
    sweep(0..64);
}

#[test]
fn whatever_comes_the_layer_holds_and_empties_seeds_64_to_127() {
    sweep(64..128);
}

#[test]
fn whatever_comes_the_layer_holds_and_empties_seeds_128_to_191() {
    sweep(128..192);
}

#[test]
fn whatever_comes_the_layer_holds_and_empties_seeds_192_to_255() {
    sweep(192..256);
}

fn sweep(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let run = std::panic::catch_unwind(|| {
            let mut chaos = Chaos::new(seed);
            (0..STEPS).for_each(|_| chaos.step());
            chaos.finish();
            chaos.rig.layer.effects.counters
        });
        let counters = run.unwrap_or_else(|_| panic!("seed {seed}"));
        let Counters { repeated_requests, repeated_responses, merged, .. } = counters;
        let did_something = repeated_requests.min(repeated_responses).min(merged) > 0;
        assert!(did_something, "seed {seed} exercised little: {counters:?}");
    }
}

#[test]
fn the_same_inputs_give_the_same_outputs_even_if_the_layer_is_restored_now_and_then() {
    let run = |restored: bool| {
        let mut chaos = Chaos::new(7);
        for step in 0..STEPS {
            chaos.step();
            if restored && step % 50 == 0 {
                let stored = postcard::to_stdvec(&chaos.rig.layer).unwrap();
                chaos.rig.layer = postcard::from_bytes(&stored).unwrap();
            }
        }
        chaos.finish();
        (chaos.told, chaos.rig.layer.effects.counters, chaos.rig.now)
    };
    assert_eq!(run(false), run(false));
    assert_eq!(run(false), run(true));
}
