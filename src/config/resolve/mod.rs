//! From names to ids, and every check that looks at more than one key.
//!
//! Whatever cannot be resolved is reported and left out; the caller throws a deployment with errors away.

mod calendar;
mod callback;
mod codes;
pub(super) mod expect;
mod exports;
mod files;
mod floor;
mod limits;
mod lines;
mod names;
mod network;
mod oidc;
mod overrides;
mod phones;
mod report;
mod rules;
pub(super) mod shadow;
mod treat;
mod trunks;
pub(super) mod web;

use std::path::Path;
use std::sync::Arc;

use serde_spanned::Spanned;

use super::deployment::{Deployment, LogSettings, Node};
use super::sink::Sink;
use super::table::{check_name, shown};
use super::written::{self, Written};
use crate::acd;
use crate::calendar::Date;
use crate::id::{ClipId, LineId};
use crate::policy::Ingress;
use crate::policy::rules::RuleBook;
use crate::switch::plan::{MediaPlan, Plan, SipPlan};

use expect::Asked;
use names::{Names, Register};

const DEFAULT_ZONE: &str = "Europe/London";

/// The deployment that `written` describes, with files looked for from `base`, as it is on the day `today`;
/// `None` when something needed could not be made, which is then reported.
///
/// The file's tests are run when nothing else is wrong; how many there are comes with the deployment.
pub(super) fn resolve(
    written: &Written,
    base: &Path,
    today: Date,
    sink: &mut Sink,
) -> Option<(Deployment, usize)> {
    let unnamed = Spanned::new(0..0, String::new());
    let rule_names = written.rules.iter().map(|rule| rule.name.as_ref().unwrap_or(&unnamed));
    let mut names = Register {
        clips: Names::new("clip", &written.clips),
        windows: Names::new("window", &written.windows),
        practices: Names::new("practice", &written.practices),
        skills: Names::new("skill", &written.skills),
        trunks: Names::new("trunk", &written.trunks),
        lines: Names::new("line", &written.lines),
        teams: Names::new("team", &written.teams),
        agents: Names::new("agent", &written.agents),
        destinations: Names::new("destination", &written.destinations),
        rules: Names::of("rule", rule_names),
    };

    let (node, country_code) = node(&written.node, sink);
    let network = network::listen(&written.sip, sink);
    let media = network::media(&written.media, &network, sink);
    timers(&written.sip, sink);
    let clips = files::clips(&written.clips, base, sink);
    let prompts = files::prompts(written.media.prompts.as_ref(), base, sink);
    let ledger = files::ledger(&written.ledger, &written.practices, sink);
    let report = report::report(written, sink);
    let flight = files::flight(&written.flight, sink);
    let (web, users) = web::web(&written.web, base, sink);
    let hep = exports::hep(&written.hep, sink);
    let telemetry = exports::telemetry(&written.telemetry, sink);
    let calendar = calendar::calendar(written, &node.zone, base, today, &mut names, sink);

    let practices = trunks::practices(&written.practices, sink);
    let trunks = trunks::trunks(&written.trunks, &country_code, &mut names, sink);
    let probes = trunks::probes(&written.trunks, written.sip.probe_trunks_every, &network, sink);
    let (lines, treatments) = lines::lines(&written.lines, &mut names, sink);
    let teams = floor::teams(&written.teams, &mut names, sink);
    let (agents, mut phones) = floor::agents(&written.agents, &mut names, &network, sink);
    let (mut destinations, seats) = floor::destinations(&written.destinations, &network, sink);
    phones.extend(seats);
    let tables = (&mut destinations, &mut phones);
    let pathways = treat::pathways(&written.pathways, tables, &mut names, &network, sink);
    let stacks = treat::stacks(&written.stacks, &written.pathways, &mut names, sink);
    let rules = rules::rules(&written.rules, &mut names, sink);
    let red_flag_line = written.distributor.red_flag_line.as_ref();
    let red_flag_line = red_flag_line.and_then(|name| names.lines.find(name, sink)).map(LineId);
    let (callbacks, ways) =
        callback::callbacks(&written.callback, &written.trunks, &country_code, &network, &mut names, sink);
    callback::check_ways(&written.lines, &written.rules, &rules, &trunks, &ways, sink);
    rules::warn_unasked(&written.rules, written.sip.probe_every, sink);
    let removed = floor::removed(&written.removed, &mut names, sink);
    lines::check_answered(&written.lines, &rules, sink);
    lines::warn_unstaffed(&written.lines, &lines, &teams, &agents, sink);
    lines::warn_class(&written.lines, &names.lines, &trunks, sink);
    lines::check_skilled(&written.lines, &lines, &teams, &agents, &rules, sink);
    names.warn_unused(sink);

    let (media, media_address) = media?;
    let acd = acd::Plan {
        lines,
        teams,
        agents,
        destinations,
        skills: written.skills.iter().map(|(name, _)| name.get_ref().clone()).collect(),
        misses_before_pause: written.distributor.misses_before_pause,
        rest: rests(&written.distributor),
        miss_pause: written.distributor.miss_pause,
        wrap_up_limit: written.distributor.wrap_up_limit,
        retry_after: written.distributor.retry_after,
        most_per_practice: written.distributor.most_per_practice,
    };
    let offered: Vec<bool> =
        (0u32..).map(LineId).take(acd.lines.len()).map(|line| callback::is_offered(&rules, line)).collect();
    let clips_by_name = written.clips.iter().map(|(name, _)| name.get_ref().clone()).collect();
    let surroundings = acd.surroundings(&trunks, clips_by_name);
    let guide = acd::Guide {
        rules: Arc::new(RuleBook::new(rules, surroundings)),
        calendar: Arc::new(calendar?),
        announcements: written
            .lines
            .iter()
            .zip(offered)
            .map(|((_, line), offered)| lines::schedule(line, offered))
            .collect(),
        estimates: acd::estimate::Settings {
            most_late: written.distributor.estimate_most_late,
            ..acd::estimate::Settings::default()
        },
        trial: None,
        redial_window: written.distributor.redial_window,
        callbacks,
    };
    let dispositions = treat::dispositions(&written.dispositions, sink);
    let plan = Plan {
        ingress: Ingress { trunks, practices, country_code },
        acd,
        guide,
        phones,
        treatments,
        sip: SipPlan {
            listeners: Vec::new(),
            t1: written.sip.t1,
            t2: written.sip.t2,
            t4: written.sip.t4,
            unreachable_after: written.sip.unreachable_after,
            probe_every: written.sip.probe_every,
            max_calls: written.sip.max_calls as usize,
        },
        media: MediaPlan {
            address: media_address,
            threads: Vec::new(),
            prompts: ClipId(0),
            codecs: written.media.codecs.clone(),
        },
        codes: codes::codes(&written.codes, &dispositions, sink),
        stacks,
        pathways,
        dispositions,
        callbacks: ways,
        drain_limit: written.drain_limit,
        probes,
        red_flag_line,
    };
    let log = LogSettings { level: written.log_level, format: written.log_format };
    let acd::Guide { rules, calendar, .. } = &plan.guide;
    let asked = Asked { ingress: &plan.ingress, calendar, rules };
    let tests =
        expect::tests(&written.tests, &asked, &mut names.lines, &mut names.trunks, &mut names.rules, sink);
    if !sink.has_errors() {
        rules::report_findings(written, rules, calendar, &plan.acd, today, &names, sink);
        let calling = plan.guide.callbacks.hours;
        let trunks = &plan.ingress.trunks;
        overrides::warn_idle(&written.practices, trunks, rules, calendar, calling, &names, sink);
        limits::warn_too_late(written, &plan.acd, trunks, rules, &names, sink);
        expect::run(&tests, &asked, sink);
    }
    let tests = tests.len();
    let listen = network.listen;
    let shadow = written.node.shadow.as_ref().map(|file| base.join(file.get_ref()));
    let deployment = Deployment {
        plan,
        listen,
        media,
        clips,
        prompts,
        ledger,
        report,
        flight,
        web,
        hep,
        telemetry,
        users,
        removed,
        shadow,
        node,
        log,
    };
    Some((deployment, tests))
}

/// How long an agent rests after each kind of miss.
fn rests(written: &written::Distributor) -> acd::Rests {
    let rest = |at: usize| {
        let own = written.rests[at].as_ref();
        own.map_or(written.rest_after_miss, |rest| *rest.get_ref())
    };
    acd::Rests { busy: rest(0), rejected: rest(1), no_answer: rest(2), unreachable: rest(3), failed: rest(4) }
}

/// The node and its country code.
fn node(written: &written::Node, sink: &mut Sink) -> (Node, String) {
    if let Some(name) = &written.name {
        check_name(name.get_ref(), name.span(), sink);
    }
    if let Some(zone) = &written.zone {
        calendar::check_zone(zone, sink);
    }
    if let Some(code) = &written.country_code {
        let fits = |code: &str| {
            (1..=3).contains(&code.len())
                && code.bytes().all(|b| b.is_ascii_digit())
                && !code.starts_with('0')
        };
        if !fits(code.get_ref()) {
            let bare = code.get_ref().trim_start_matches(['+', '0']);
            let message = format!("\"{}\" is no country code", shown(code.get_ref()));
            let draft = sink.error(code.span(), message).suggest(fits(bare).then_some(bare));
            draft.help("one to three digits, without + or 00");
        }
    }
    let or = |text: &Option<Spanned<String>>, default: &str| {
        text.as_ref().map_or(default, |text| text.get_ref()).to_owned()
    };
    let node = Node { name: or(&written.name, "hearken"), zone: or(&written.zone, DEFAULT_ZONE) };
    (node, or(&written.country_code, "44"))
}

fn timers(sip: &written::Sip, sink: &mut Sink) {
    if sip.t2 < sip.t1
        && let Some(span) = &sip.timers
    {
        sink.error(span.clone(), "`t2` must not be shorter than `t1` (RFC 3261, 17.1.2.2)");
    }
}
