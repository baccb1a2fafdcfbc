//! Where a seed happens: trunks, phones, lines and rules, drawn from it, and what a reload makes of them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::calendar::Date;
use crate::config;
use crate::id::ClipId;
use crate::sip::{Flow, Listener, ListenerId, Transport};
use crate::switch::plan::{Plan, ThreadPorts};

use super::dice::Dice;

/// Our own address on both listeners.
pub(super) const US: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);

/// What stands at an address.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) at: SocketAddr,
    pub(super) transport: Transport,
    pub(super) kind: Kind,
    /// Its round-trip estimate, in milliseconds: some repeat sooner than others.
    pub(super) t1: u64,
    /// It writes a proxy of its own into Record-Route.
    pub(super) routed: bool,
    /// Its Contact is an address of its own network.
    pub(super) behind_nat: bool,
    /// It answers nothing at all until then, in microseconds.
    pub(super) dead_until: u64,
    /// It answers no OPTIONS until then, in microseconds.
    pub(super) deaf_until: u64,
    /// Users at this address, for phones.
    pub(super) users: Vec<String>,
}

/// What a host is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Calls come from it.
    Trunk { emergency: bool },
    /// Calls go to it.
    Phone,
    /// Calls from it must be refused.
    Stranger,
}

impl Host {
    /// The path on which the switch sees it.
    pub(super) fn flow(&self) -> Flow {
        Flow { transport: self.transport, listener: listener(self.transport), remote: self.at }
    }
}

/// The listener for a transport.
pub(super) fn listener(transport: Transport) -> ListenerId {
    ListenerId(u8::from(transport == Transport::Tcp))
}

/// One seed's place.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) hosts: Vec<Host>,
    /// What may vary with a reload.
    facts: Facts,
}

#[derive(Clone, Debug)]
struct Facts {
    /// With their addresses and further keys.
    agents: Vec<(String, String)>,
    strategy: &'static str,
    probe: &'static str,
    ring_for: u64,
    wrap_up: u64,
    keep_free: usize,
    max_calls: usize,
    parallel: usize,
    max_wait: Option<u64>,
    first: bool,
    rules: bool,
    told: bool,
    misses: usize,
    callbacks: bool,
    /// Whether trunks are asked whether they are there.
    probes: bool,
    /// Whether who is flagged waits in the emergency line.
    red_flag: bool,
    /// Whether there are clinicians' cases, and a pathway to send patients to.
    treats: bool,
    riverside: bool,
    ports: u16,
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), 5060)
}

impl Site {
    pub(super) fn drawn(dice: &mut Dice) -> Site {
        let mut hosts = Vec::new();
        let trunk = |name: &str, last: u8, transport, emergency, t1, routed| Host {
            name: name.into(),
            at: address(last),
            transport,
            kind: Kind::Trunk { emergency },
            t1,
            routed,
            behind_nat: false,
            dead_until: 0,
            deaf_until: 0,
            users: Vec::new(),
        };
        let (udp, tcp) = (Transport::Udp, Transport::Tcp);
        hosts.push(trunk("elm", 10, udp, false, 500, false));
        hosts.push(trunk("river", 11, udp, false, dice.pick(&[200, 500, 1_000]), true));
        hosts.push(trunk("elm-tcp", 12, tcp, false, 500, dice.chance(500)));
        hosts.push(trunk("as-999", 99, udp, true, 500, dice.chance(500)));
        hosts.push(trunk("as-tcp", 98, tcp, true, 500, false));
        hosts.push(Host { kind: Kind::Stranger, ..trunk("stranger", 66, udp, false, 500, false) });

        let count = 2 + dice.below(6);
        let mut agents = Vec::new();
        for n in 0..count {
            let name = format!("agent-{n}");
            // The last one sits at the telephone system of the one before.
            let shares = n > 2 && n + 1 == count && dice.chance(400);
            let last = 20 + u8::try_from(if shares { n - 1 } else { n }).unwrap_or(0);
            let transport = if dice.chance(200) && !shares { tcp } else { udp };
            let nat = dice.chance(150) && transport == udp && !shares;
            let known = hosts.iter_mut().find(|host| host.at == address(last));
            let transport = known.as_ref().map_or(transport, |host| host.transport);
            let nat = known.as_ref().map_or(nat, |host| host.behind_nat);
            match known {
                Some(host) => host.users.push(name.clone()),
                None => hosts.push(Host {
                    kind: Kind::Phone,
                    behind_nat: nat,
                    users: vec![name.clone()],
                    ..trunk(&name, last, transport, false, dice.pick(&[200, 500, 500]), false)
                }),
            }
            let way = if transport == tcp { ";transport=tcp" } else { "" };
            let mut keys = format!("address = \"sip:{name}@{}{way}\"\n", address(last));
            if nat {
                keys += "nat = true\n";
            }
            if dice.chance(150) {
                keys += "logged-in = false\n";
            }
            agents.push((name, keys));
        }
        for (name, last) in [("reception", 40), ("pharmacy", 41)] {
            let host = trunk(name, last, udp, false, 500, false);
            hosts.push(Host { kind: Kind::Phone, users: vec![name.into()], ..host });
        }

        let facts = Facts {
            agents,
            strategy: dice.pick(&["longest-idle", "fewest-calls", "round-robin", "ordered", "ring-all"]),
            probe: dice.pick(&["0s", "0s", "10s", "30s"]),
            ring_for: dice.pick(&[5, 10, 20]),
            wrap_up: dice.pick(&[0, 2, 10]),
            keep_free: dice.pick(&[0, 0, 0, 1]),
            max_calls: dice.pick(&[5_000, 5_000, 5_000, 8]),
            parallel: dice.pick(&[1, 1, 2, 3]),
            max_wait: dice.pick(&[None, None, Some(20), Some(60)]),
            first: dice.chance(200),
            rules: dice.chance(500),
            told: dice.chance(400),
            misses: dice.pick(&[0, 2, 3]),
            callbacks: dice.chance(400),
            probes: dice.chance(600),
            red_flag: dice.chance(500),
            treats: dice.chance(700),
            riverside: true,
            ports: dice.pick(&[24, 64, 64, 64]),
        };
        Site { hosts, facts }
    }

    /// The plan to begin with.
    pub(super) fn plan(&self) -> Plan {
        let (mut plan, _) = self.resolved();
        plan.sip.listeners =
            [Transport::Udp, Transport::Tcp].map(|transport| Listener { transport, advertised: US }).to_vec();
        let spill = (0..self.facts.ports).map(|n| 30_000 + 2 * n).collect();
        plan.media.threads = vec![
            ThreadPorts { shared: vec![20_000, 20_002], spill },
            ThreadPorts {
                shared: vec![21_000],
                spill: (0..self.facts.ports).map(|n| 40_000 + 2 * n).collect(),
            },
        ];
        plan
    }

    /// Another plan for a switch that runs on `old`.
    pub(super) fn reloaded(&mut self, old: &Plan, dice: &mut Dice) -> Plan {
        let facts = &mut self.facts;
        match dice.below(7) {
            0 => facts.riverside = !facts.riverside,
            1 if facts.agents.len() > 2 => drop(facts.agents.remove(dice.below(facts.agents.len()))),
            2 => facts.agents.rotate_left(1),
            3 => facts.rules = !facts.rules,
            4 => facts.first = !facts.first,
            5 => facts.probes = !facts.probes,
            _ => facts.ring_for = dice.pick(&[5, 10, 20]),
        }
        facts.strategy = dice.pick(&["longest-idle", "fewest-calls", "round-robin", "ordered", "ring-all"]);
        let (plan, removed) = self.resolved();
        plan.following(old, &removed)
    }

    fn resolved(&self) -> (Plan, std::collections::BTreeMap<String, crate::switch::following::Removed>) {
        let text = self.text();
        let today = Date::constant(2026, 11, 23);
        let loaded = config::parse(&text, "world.toml", Path::new(""), today);
        let loaded = loaded.unwrap_or_else(|errors| panic!("{text}\n{}", errors.0.render(false)));
        let mut plan = loaded.deployment.plan;
        for treatment in &mut plan.treatments {
            (treatment.greeting, treatment.music) = (Some(ClipId(0)), Some(ClipId(1)));
        }
        plan.media.prompts = ClipId(100);
        (plan, loaded.deployment.removed)
    }

    fn text(&self) -> String {
        let Facts { agents, strategy, probe, ring_for, wrap_up, keep_free, max_calls, parallel, .. } =
            &self.facts;
        let Facts { max_wait, first, rules, told, misses, callbacks, riverside, .. } = &self.facts;
        let red_flag = if self.facts.red_flag { "red-flag-line = \"emergency\"\n" } else { "" };
        let mut text = format!(
            "[sip]\nlisten = [\"udp:192.0.2.1:5060\", \"tcp:192.0.2.1:5060\"]\nprobe-phones-every = \"{probe}\"\n\
             probe-trunks-every = \"10s\"\nmax-calls = {max_calls}\n[media]\nthreads = 2\n\
             [distributor]\nmisses-before-pause = {misses}\nmiss-pause = \"30s\"\nredial-window = \"5m\"\n{red_flag}\
             [drain]\nlimit = \"60s\"\n"
        );
        for (name, keys) in agents {
            text += &format!("[agent.{name}]\n{keys}");
        }
        let names: Vec<_> = agents.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let (few, all) = (names[..names.len().div_ceil(2)].join(", "), names.join(", "));
        text += &format!(
            "[destination.reception]\naddress = \"sip:reception@192.0.2.40:5060\"\ncapacity = 2\nring-for = \"6s\"\n\
             [team.hub]\nagents = [{all}]\nstrategy = \"{strategy}\"\nkeep-free-for-emergency = {keep_free}\n\
             [team.clinicians]\nagents = [{few}]\n"
        );
        if self.facts.treats {
            text += "[pathway.pharmacy]\naddress = \"sip:pharmacy@192.0.2.41:5060\"\nring-for = \"6s\"\n\
                     acknowledge-within = \"20s\"\n\
                     [stack.call-backs]\nteams = [\"clinicians\"]\nbreach-within = \"60s\"\n\
                     emergency-breach-within = \"60s\"\n\
                     [disposition.21]\nwords = \"Advice\"\n";
        }
        let common = format!("ring-for = \"{ring_for}s\"\nwrap-up = \"{wrap_up}s\"\n");
        let mut routine = common.clone();
        if *told {
            routine += "announce-position = true\nannounce-estimate = true\nannounce-after = \"5s\"\nannounce-every = \"20s\"\n";
        }
        if let Some(longest) = max_wait {
            let way = if *callbacks { "callback" } else { "goodbye" };
            routine += &format!("max-wait = \"{longest}s\"\nway-out = \"{way}\"\n");
        }
        if *callbacks {
            routine += "callback-key = \"1\"\n";
        }
        if *callbacks || self.facts.treats {
            text += "[callback]\nvia = \"sip:192.0.2.10:5060\"\nring-for = \"8s\"\nattempts = 2\npause = \"20s\"\n\
                     breach-after = \"40s\"\nexpires-after = \"90s\"\n";
        }
        let first = if *first { "first = \"reception\"\n" } else { "" };
        let lines = if *riverside { &["elm", "river"][..] } else { &["elm"] };
        for line in lines {
            text += &format!("[line.{line}]\nteams = [\"hub\"]\n{routine}{first}");
        }
        text += &format!(
            "[line.emergency]\nteams = [\"clinicians\", \"hub\"]\nring-for = \"5s\"\nwrap-up = \"1s\"\nemergency-parallel = {parallel}\n"
        );
        if !riverside {
            text += "[removed.river]\nremap-to = \"elm\"\n";
        }
        for host in &self.hosts {
            let Kind::Trunk { emergency } = host.kind else { continue };
            let line = match (emergency, host.name.as_str()) {
                (true, _) => "emergency",
                (false, "river") if *riverside => "river",
                (false, _) => "elm",
            };
            text += &format!(
                "[trunk.{}]\nfrom = [\"{}\"]\nline = \"{line}\"\nemergency = {emergency}\n",
                host.name,
                host.at.ip()
            );
            if self.facts.probes {
                let way = if host.transport == Transport::Tcp { ";transport=tcp" } else { "" };
                text += &format!("probe = \"sip:{}{way}\"\nmust-be-up = {emergency}\n", host.at);
            }
        }
        if *rules {
            let from: Vec<_> = lines.iter().map(|line| format!("\"{line}\"")).collect();
            let from = from.join(", ");
            text += &format!(
                "[[overflow]]\nname = \"help\"\nfrom = [{from}]\nwhen-any = {{ waiting-over = 4, longest-wait-over = \"30s\" }}\n\
                 for-at-least = \"3s\"\nuntil = {{ waiting-under = 2 }}\nroute-to = \"reception\"\n\
                 [[overflow]]\nname = \"full\"\nfrom = [{from}]\nwhen-all = {{ waiting-over = 12 }}\nrefuse = 503\n"
            );
        }
        text
    }
}
