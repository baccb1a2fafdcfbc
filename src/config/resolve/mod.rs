//! From names to ids, and every check that looks at more than one key.
//!
//! Whatever cannot be resolved is reported and left out; the caller throws a deployment with errors away.

mod files;
mod floor;
mod names;
mod network;
mod trunks;

use std::path::Path;

use serde_spanned::Spanned;

use super::deployment::{Deployment, LogSettings, Node};
use super::nearest::nearest;
use super::sink::Sink;
use super::table::{check_name, shown};
use super::written::{self, Written};
use crate::acd;
use crate::id::ClipId;
use crate::policy::Ingress;
use crate::switch::codes::Codes;
use crate::switch::plan::{MediaPlan, Plan, SipPlan};

use names::Names;

const DEFAULT_ZONE: &str = "Europe/London";

/// The deployment that `written` describes, with clips looked for from `base`; `None` when something
/// needed could not be made, which is then reported.
pub(super) fn resolve(written: &Written, base: &Path, sink: &mut Sink) -> Option<Deployment> {
    let mut clip_names = Names::new("clip", &written.clips);
    let mut practice_names = Names::new("practice", &written.practices);
    let mut line_names = Names::new("line", &written.lines);
    let mut team_names = Names::new("team", &written.teams);
    let mut agent_names = Names::new("agent", &written.agents);

    let (node, country_code) = node(&written.node, sink);
    let network = network::listen(&written.sip, sink);
    let media = network::media(&written.media, &network, sink);
    timers(&written.sip, sink);
    let clips = files::clips(&written.clips, base, sink);
    let ledger = files::ledger(&written.ledger, sink);

    let practices = trunks::practices(&written.practices, sink);
    let trunks = trunks::trunks(&written.trunks, &country_code, &mut practice_names, &mut line_names, sink);
    let (lines, treatments) = floor::lines(&written.lines, &mut team_names, &mut clip_names, sink);
    let teams = floor::teams(&written.teams, &mut agent_names, sink);
    let (agents, phones) = floor::agents(&written.agents, &network, sink);
    floor::warn_unstaffed(&written.lines, &lines, &teams, &agents, sink);

    clip_names.warn_unused("is played on no line", sink);
    practice_names.warn_unused("has no trunk", sink);
    line_names.warn_unused("is joined by no trunk's calls", sink);
    team_names.warn_unused("answers no line", sink);
    agent_names.warn_unused("is in no team", sink);

    let (media, media_address) = media?;
    let acd = acd::Plan {
        lines,
        teams,
        agents,
        misses_before_pause: written.distributor.misses_before_pause,
        rest: acd::Rests::all(written.distributor.rest_after_miss),
        miss_pause: written.distributor.miss_pause,
        ..acd::Plan::default()
    };
    let plan = Plan {
        ingress: Ingress { trunks, practices, country_code },
        acd,
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
        codes: Codes::default(),
        drain_limit: written.drain_limit,
    };
    let log = LogSettings { level: written.log_level, format: written.log_format };
    Some(Deployment { plan, listen: network.listen, media, clips, ledger, node, log })
}

/// The node and its country code.
fn node(written: &written::Node, sink: &mut Sink) -> (Node, String) {
    if let Some(name) = &written.name {
        check_name(name.get_ref(), name.span(), sink);
    }
    if let Some(zone) = &written.zone {
        check_zone(zone, sink);
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

fn check_zone(zone: &Spanned<String>, sink: &mut Sink) {
    let name = zone.get_ref().as_str();
    let looks_like_one = name.len() <= 64
        && name.split('/').all(|part| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
        });
    if looks_like_one && jiff::tz::TimeZone::get(name).is_ok() {
        return;
    }
    let known: Vec<_> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let meant = nearest(name, known.iter().map(String::as_str));
    sink.error(zone.span(), format!("this host knows no time zone `{}`", shown(name))).suggest(meant);
}

fn timers(sip: &written::Sip, sink: &mut Sink) {
    if sip.t2 < sip.t1
        && let Some(span) = &sip.timers
    {
        sink.error(span.clone(), "`t2` must not be shorter than `t1` (RFC 3261, 17.1.2.2)");
    }
}
