//! A caller and an agent who call each other directly, on virtual time.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::Arc;

use super::agent::Agent;
use super::caller::{Caller, Script};
use super::*;
use crate::cli::demo::dice::{self, Dice};

const CALLER: [&str; 2] = ["127.0.0.2:5060", "127.0.0.2:4000"];
const AGENT: [&str; 2] = ["127.0.0.21:5060", "127.0.0.21:4000"];

fn places([sip, rtp]: [&str; 2]) -> (SocketAddr, SocketAddr) {
    (sip.parse().unwrap(), rtp.parse().unwrap())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The two phones and the network between them.
struct World {
    now: Instant,
    caller: Caller,
    agent: Agent,
    reports: Vec<Report>,
    /// Every so-manieth SIP datagram is lost.
    lossy: Option<usize>,
    datagrams: usize,
}

impl World {
    /// The caller talks for this long; the agent is the n-th.
    fn new(nth: usize, talk: Option<Duration>, lossy: Option<usize>) -> World {
        let now = Instant::now();
        let script = Script {
            dialled: "+442079460101".into(),
            number: "+447700900001".into(),
            hub: places(AGENT).0,
            patience: seconds(60),
            talk,
            voice: Voice::of_caller(0),
        };
        let caller = Caller::new(script, places(CALLER), Dice::new(1, dice::caller(0)), now);
        let agent = Agent::new(
            (nth, "ben"),
            places(AGENT),
            Arc::new(BTreeSet::new()),
            Dice::new(1, dice::agent(nth)),
        );
        World { now, caller, agent, reports: Vec::new(), lossy, datagrams: 0 }
    }

    /// Runs until both have nothing left to do, or for this long.
    fn run(&mut self, limit: Duration) {
        let end = self.now + limit;
        loop {
            while self.exchange() {}
            let wakes = [self.caller.next_wake(), self.agent.next_wake()];
            match wakes.into_iter().flatten().min() {
                Some(next) if next <= end && !self.caller.is_over(self.now) => self.now = next.max(self.now),
                _ => return,
            }
            self.caller.wake(self.now);
            self.agent.wake(self.now);
        }
    }

    fn exchange(&mut self) -> bool {
        let from_caller: Vec<_> = std::iter::from_fn(|| self.caller.poll_output()).collect();
        let from_agent: Vec<_> = std::iter::from_fn(|| self.agent.poll_output()).collect();
        let any = !from_caller.is_empty() || !from_agent.is_empty();
        for packet in from_caller {
            self.carry(packet, places(CALLER), true);
        }
        for packet in from_agent {
            self.carry(packet, places(AGENT), false);
        }
        self.reports.extend(std::iter::from_fn(|| self.caller.poll_report()));
        self.reports.extend(std::iter::from_fn(|| self.agent.poll_report()));
        any
    }

    fn carry(&mut self, packet: Packet, (sip, rtp): (SocketAddr, SocketAddr), to_agent: bool) {
        let receiver: &mut dyn Phone = if to_agent { &mut self.agent } else { &mut self.caller };
        match packet {
            Packet::Sip(_, bytes) => {
                self.datagrams += 1;
                if !self.lossy.is_some_and(|nth| self.datagrams.is_multiple_of(nth)) {
                    receiver.sip(&bytes, sip, self.now);
                }
            }
            Packet::Rtp(_, bytes) => receiver.rtp(&bytes, rtp, self.now),
        }
    }

    /// What the caller met with; whom the agent heard, call by call.
    fn told(&self) -> (CallerEnd, Vec<bool>) {
        let mut end = None;
        let mut heard = Vec::new();
        for report in &self.reports {
            match report {
                Report::Caller(report) => {
                    assert_eq!(end.replace(report.end), None, "one report for one call")
                }
                Report::Agent(report) => heard.push(report.ear.heard(Voice::of_caller(0))),
            }
        }
        (end.unwrap(), heard)
    }
}

#[test]
fn caller_and_agent_hear_each_other_whoever_hangs_up() {
    for talk in [None, Some(seconds(2))] {
        let mut world = World::new(0, talk, None);
        world.run(seconds(60));
        assert_eq!(world.told(), (CallerEnd::Over, vec![true]));
        let Some(Report::Caller(report)) =
            world.reports.iter().find(|report| matches!(report, Report::Caller(_)))
        else {
            panic!("no report")
        };
        assert!(report.ear.heard(Voice::of_agent(0)));
        assert!(report.first_sound.unwrap() <= Duration::from_millis(40));
    }
}

#[test]
fn a_call_survives_the_loss_of_any_datagram() {
    for nth in 2..=9 {
        let mut world = World::new(0, None, Some(nth));
        world.run(seconds(120));
        assert_eq!(world.told(), (CallerEnd::Over, vec![true]), "every {nth}th is lost");
    }
}

#[test]
fn a_busy_agent_turns_the_caller_away() {
    let mut world = World::new(1, None, None);
    world.run(seconds(60));
    assert_eq!(world.told(), (CallerEnd::TurnedAway(486), vec![]));
}

#[test]
fn nobody_there_is_no_answer() {
    let mut world = World::new(0, None, Some(1));
    world.run(seconds(60));
    assert_eq!(world.told(), (CallerEnd::Unanswered, vec![]));
}

#[test]
fn at_the_end_the_caller_hangs_up_and_the_agent_is_told() {
    let mut world = World::new(0, None, None);
    world.run(seconds(3));
    world.caller.closing(world.now);
    world.run(seconds(1));
    assert_eq!(world.told(), (CallerEnd::Over, vec![true]));
}
