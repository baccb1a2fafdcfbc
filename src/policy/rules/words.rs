//! Rules in plain English, for those who wrote them and for those who ask why.

use std::time::Duration;

use super::look::{Failure, Look};
use super::{Bound, Callers, Condition, Decision, Kind, Measure, Refusal, Rule, RuleBook};
use crate::id::RuleId;

impl Look<'_> {
    /// What is measured, and on which side of the limit that is: `9 callers wait, not over 12`.
    pub(super) fn condition(&self, condition: &Condition) -> String {
        let facts = self.facts_for(condition);
        let elsewhere = condition.line.filter(|&line| line != self.line);
        let place = elsewhere.map(|line| format!(" in `{}`", self.book.line_name(line))).unwrap_or_default();
        let Some(value) = condition.measure.of(&facts, self.mono) else {
            return format!("there is no estimated wait{place}");
        };
        let not = if self.holds(condition) { "" } else { "not " };
        let (side, limit) = match condition.bound {
            Bound::Over(limit) => ("over", limit),
            Bound::Under(limit) => ("under", limit),
        };
        let limit = amount(condition.measure, limit);
        format!("{}, {not}{side} {limit}", state(condition.measure, value, &place))
    }

    /// Several conditions, all of them or each failing.
    fn conditions(&self, conditions: &[Condition]) -> String {
        let words: Vec<_> = conditions.iter().map(|condition| self.condition(condition)).collect();
        words.join("; ")
    }

    /// Why a rule's conditions hold: the windows and limits that it names.
    pub(super) fn grounds(&self, rule: &Rule) -> String {
        let window = |id: crate::id::WindowId, is: &str| format!("`{}` is {is}", self.window_name(id));
        let during = rule.during.map(|id| window(id, "open"));
        let not_during = rule.not_during.map(|id| window(id, "closed"));
        let any = rule.when_any.iter().filter(|condition| self.holds(condition));
        let limits = rule.when_all.iter().chain(any).map(|condition| self.condition(condition));
        let words: Vec<_> = during.into_iter().chain(not_during).chain(limits).collect();
        if words.is_empty() { "always".to_owned() } else { words.join("; ") }
    }

    /// Why a rule is not on, or not for this caller.
    pub(super) fn failed(&self, rule: &Rule, failure: &Failure) -> String {
        let practice = self.book.surroundings.lines.get(self.line.index()).and_then(|line| line.practice);
        let why = |window| self.calendar.why(window, practice, self.wall);
        match failure {
            Failure::Closed(window) => {
                format!("`{}` is closed: {}", self.window_name(*window), why(*window))
            }
            Failure::Open(window) => format!("`{}` is open: {}", self.window_name(*window), why(*window)),
            Failure::Not(condition) => self.condition(condition),
            Failure::None(conditions) => self.conditions(conditions),
            Failure::Ended(conditions) => format!("its `until` holds: {}", self.conditions(conditions)),
            Failure::TooShort => {
                format!("its conditions have not lasted for {}", duration(rule.for_at_least))
            }
            Failure::OtherCallers => format!("it touches only {}", callers(rule.callers)),
        }
    }

    fn window_name(&self, window: crate::id::WindowId) -> &str {
        self.calendar.spec().windows.get(window.index()).map_or("no window", |window| &window.name)
    }
}

impl RuleBook {
    /// What a decision means, a sentence for each action that counts; none means that the caller stays.
    pub fn effects(&self, decision: &Decision) -> Vec<String> {
        let known = &self.surroundings;
        let name = |names: &[String], index: usize| names.get(index).cloned().unwrap_or_default();
        let mut effects = Vec::new();
        let mut say = |rule: RuleId, what: String| {
            effects.push(format!("{what} (`{}`)", self.rule_name(rule)));
        };
        for won in &decision.add_teams {
            let team = known.teams.get(won.action.index()).map_or("", |team| &team.name);
            say(won.rule, format!("`{team}` may answer too"));
        }
        if let Some(won) = decision.refuse {
            let how = match won.action {
                Refusal::Unavailable { retry_after } => {
                    format!("503, to be tried again after {}", duration(retry_after))
                }
                Refusal::Moved { to } => format!("302 to `{}`", name(&known.destinations, to.index())),
            };
            say(won.rule, format!("those who arrive are refused: {how}"));
        }
        if let Some(won) = decision.route_to {
            let where_to = name(&known.destinations, won.action.destination.index());
            let provided = if won.action.if_its_wait_is_less { " while its wait is less" } else { "" };
            say(won.rule, format!("the call is offered to `{where_to}`{provided}"));
        }
        if let Some(won) = decision.offer_callback {
            say(won.rule, "a callback is offered".to_owned());
        }
        if let Some(won) = decision.announce {
            say(won.rule, format!("`{}` is played", name(&known.clips, won.action.index())));
        }
        if let Some(won) = decision.priority {
            say(won.rule, format!("counts as if it had waited {} longer", duration(won.action)));
        }
        effects
    }

    /// A rule's name; empty for one of another book.
    pub fn rule_name(&self, rule: RuleId) -> &str {
        self.rule(rule).map_or("", |rule| &rule.name)
    }

    /// A line's name; empty for one that is not there.
    pub fn line_name(&self, line: crate::id::LineId) -> &str {
        self.surroundings.lines.get(line.index()).map_or("", |line| &line.name)
    }
}

/// A condition as the configuration has it: `waiting-over = 8`.
pub(super) fn written(condition: &Condition) -> String {
    let (side, limit) = match condition.bound {
        Bound::Over(limit) => ("over", limit),
        Bound::Under(limit) => ("under", limit),
    };
    let limit = match condition.measure.is_time() {
        true => format!("\"{}\"", duration(Duration::from_micros(limit))),
        false => limit.to_string(),
    };
    format!("{}-{side} = {limit}", condition.measure.key())
}

impl Measure {
    /// The key of the configuration, without its side: `longest-wait`.
    pub fn key(self) -> &'static str {
        match self {
            Measure::Waiting => "waiting",
            Measure::LongestWait => "longest-wait",
            Measure::EstimatedWait => "estimated-wait",
            Measure::AgentsLoggedIn => "agents-logged-in",
            Measure::AgentsFree => "agents-free",
        }
    }
}

fn state(measure: Measure, value: u64, place: &str) -> String {
    let amount = amount(measure, value);
    let (callers, agents) = match value {
        1 => ("1 caller waits".to_owned(), "1 agent is".to_owned()),
        value => (format!("{value} callers wait"), format!("{value} agents are")),
    };
    match measure {
        Measure::Waiting => format!("{callers}{place}"),
        Measure::LongestWait => format!("the longest wait{place} is {amount}"),
        Measure::EstimatedWait => format!("the estimated wait{place} is {amount}"),
        Measure::AgentsLoggedIn => format!("{agents} logged in{place}"),
        Measure::AgentsFree => format!("{agents} free{place}"),
    }
}

fn amount(measure: Measure, value: u64) -> String {
    if measure.is_time() { duration(Duration::from_micros(value)) } else { value.to_string() }
}

fn callers(callers: Callers) -> String {
    let redial = callers.redial.map(|redial| if redial { "call again" } else { "call for the first time" });
    let withheld =
        callers.withheld.map(|withheld| if withheld { "withhold their number" } else { "show their number" });
    let words: Vec<_> = redial.into_iter().chain(withheld).collect();
    format!("callers who {}", words.join(" and "))
}

/// A duration as the configuration has it: `4m`, `1m30s`, `250ms`.
pub(super) fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let parts = [("h", millis / 3_600_000), ("m", millis / 60_000 % 60), ("s", millis / 1000 % 60)];
    let part = |(unit, count): (&str, u128)| (count > 0).then(|| format!("{count}{unit}"));
    let mut words: String = parts.into_iter().filter_map(part).collect();
    if !millis.is_multiple_of(1000) {
        words += &format!("{}ms", millis % 1000);
    }
    if words.is_empty() { "0s".to_owned() } else { words }
}

/// The keys of several kinds: `offer and announce`.
pub(super) fn kinds(kinds: &[Kind]) -> String {
    let keys: Vec<_> = kinds.iter().map(|kind| format!("`{}`", kind.key())).collect();
    keys.join(" and ")
}
