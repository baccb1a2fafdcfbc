//! How patients are called back: where calls to them go, when, and which numbers may be called at all.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::sink::{Sink, Span};
use super::super::table::{Named, shown};
use super::super::written::{self, Leave};
use super::names::Register;
use super::network::Network;
use super::phones::flow;
use crate::acd::Callbacks;
use crate::acd::callback::Settings;
use crate::id::{LineId, WindowId};
use crate::policy::Trunk;
use crate::policy::number::normalise;
use crate::policy::rules::Rule;
use crate::switch::callbacks::CallbackPlan;

/// What is promised unless the file says otherwise.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(600);
const BREACH_AFTER: Duration = Duration::from_secs(2 * 3_600);
const EXPIRES_AFTER: Duration = Duration::from_secs(8 * 3_600);
/// In Britain numbers of places, of all the country, and of mobiles; none that cost whoever calls them more.
const BRITISH: [&str; 4] = ["+441", "+442", "+443", "+447"];
/// Most beginnings of numbers.
const MOST_NUMBERS: usize = 100;

/// The terms and the ways of callbacks.
pub(super) fn callbacks(
    written: &written::Callback,
    trunks: &Named<written::Trunk>,
    country_code: &str,
    network: &Network,
    names: &mut Register<'_>,
    sink: &mut Sink,
) -> (Callbacks, CallbackPlan) {
    let stated =
        |time: &Option<Spanned<Duration>>, default| time.as_ref().map_or(default, |time| *time.get_ref());
    let terms = Settings {
        attempts: written.attempts.as_ref().map_or(ATTEMPTS, |attempts| *attempts.get_ref()),
        pause: stated(&written.pause, PAUSE),
        breach_after: stated(&written.breach_after, BREACH_AFTER),
        expires_after: stated(&written.expires_after, EXPIRES_AFTER),
        most: written.most as usize,
    };
    check_times(written, &terms, sink);
    let hours = written.hours.as_ref().and_then(|name| names.windows.find(name, sink)).map(WindowId);
    let mut way = |address: &Option<Spanned<String>>| flow(address.as_ref()?, network, sink);
    let (via, by_trunk) =
        (way(&written.via), trunks.iter().map(|(_, trunk)| way(&trunk.callback_via)).collect());
    let shown = written.show.as_ref().and_then(|number| shown_number(number, country_code, sink));
    let numbers = numbers(written, country_code, sink);
    let plan = CallbackPlan { via, by_trunk, shown, numbers, ring_for: written.ring_for };
    (Callbacks { terms, hours }, plan)
}

fn check_times(written: &written::Callback, terms: &Settings, sink: &mut Sink) {
    let stated = [&written.expires_after, &written.breach_after];
    let place = stated.into_iter().flatten().map(Spanned::span).next();
    if let Some(span) = place
        && terms.expires_after <= terms.breach_after
    {
        sink.error(span, "`expires-after` must be later than `breach-after`")
            .help("at the breach a late promise is put first; at its expiry it has failed");
    }
    let last = terms.pause * terms.attempts.saturating_sub(1);
    let place = written.pause.as_ref().map(Spanned::span).or(written.attempts.as_ref().map(Spanned::span));
    if let Some(span) = place
        && last >= terms.expires_after
    {
        sink.warning(span, "a promise expires before its last attempt");
    }
}

fn shown_number(number: &Spanned<String>, country_code: &str, sink: &mut Sink) -> Option<String> {
    let normal = normalise(number.get_ref(), country_code);
    let is_number = normal.strip_prefix('+').unwrap_or(&normal).bytes().all(|b| b.is_ascii_digit());
    if normal.is_empty() || !is_number {
        sink.error(number.span(), format!("\"{}\" is no telephone number", shown(number.get_ref())));
        return None;
    }
    Some(normal)
}

fn numbers(written: &written::Callback, country_code: &str, sink: &mut Sink) -> Vec<String> {
    let Some(list) = &written.numbers else {
        return match country_code {
            "44" => BRITISH.map(str::to_owned).to_vec(),
            other => vec![format!("+{other}")],
        };
    };
    if list.is_empty() {
        sink.error(list.span.clone(), "`numbers` names no beginning, so that nobody could be called back");
    }
    if let Some(extra) = list.items.get(MOST_NUMBERS) {
        sink.error(extra.span(), format!("there may be at most {MOST_NUMBERS} beginnings"));
    }
    let fits = |text: &str| {
        text.strip_prefix('+')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    for number in list.items.iter().filter(|number| !fits(number.get_ref())) {
        sink.error(number.span(), format!("\"{}\" is no beginning of a number", shown(number.get_ref())))
            .help("write + and digits, the country code first: \"+447\"");
    }
    list.items.iter().map(|number| number.get_ref().clone()).collect()
}

/// Reports each offer of a callback on a line some of whose callers could not be called back for want of a way.
pub(super) fn check_ways(
    lines: &Named<written::Line>,
    written: &[written::Rule],
    rules: &[Rule],
    trunks: &[Trunk],
    plan: &CallbackPlan,
    sink: &mut Sink,
) {
    if sink.is_partial() || sink.has_errors() || plan.via.is_some() {
        return;
    }
    for (at, (_, line)) in (0u32..).zip(lines) {
        let Some(offer) = offer(line, LineId(at), written, rules) else { continue };
        let on_line = trunks
            .iter()
            .zip(&plan.by_trunk)
            .filter(|(trunk, _)| trunk.line == LineId(at) && !trunk.emergency);
        if let Some((trunk, _)) = on_line.into_iter().find(|(_, via)| via.is_none()) {
            let name = shown(&trunk.name);
            sink.error(offer, format!("callers of trunk `{name}` could not be called back"))
                .help("say where such calls go: `via` in [callback], or `callback-via` of the trunk");
        }
    }
}

/// Where callbacks are offered to the callers of a line, if they are.
fn offer(line: &written::Line, id: LineId, written: &[written::Rule], rules: &[Rule]) -> Option<Span> {
    let leaves = [&line.way_out, &line.leave_when_empty].into_iter().flatten();
    let mut leaves = leaves.filter(|leave| matches!(leave.get_ref(), Leave::Callback)).map(Spanned::span);
    let key = line.callback_key.as_ref().map(Spanned::span);
    let rule =
        rules.iter().zip(written).find(|(rule, _)| rule.lines.contains(&id) && rule.actions.offer_callback);
    leaves.next().or(key).or_else(|| rule.and_then(|(_, written)| written.offer.as_ref().map(Spanned::span)))
}

/// Whether a rule offers callbacks on a line.
pub(super) fn is_offered(rules: &[Rule], line: LineId) -> bool {
    rules.iter().any(|rule| rule.actions.offer_callback && rule.lines.contains(&line))
}
