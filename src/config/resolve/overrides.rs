//! Overrides of practices that change nothing.

use std::collections::BTreeSet;

use super::super::sink::Sink;
use super::super::table::{Named, shown};
use super::super::written;
use super::names::Register;
use crate::calendar::Calendar;
use crate::id::{LineId, PracticeId, WindowId};
use crate::policy::Trunk;
use crate::policy::rules::RuleBook;

/// Warns of each override that no line's hours follow: the practice shares its lines with others, or nothing on
/// them asks for the window. `calling` is the window in which patients are called back.
pub(super) fn warn_idle(
    written: &Named<written::Practice>,
    trunks: &[Trunk],
    book: &RuleBook,
    calendar: &Calendar,
    calling: Option<WindowId>,
    names: &Register<'_>,
    sink: &mut Sink,
) {
    if sink.is_partial() {
        return;
    }
    let asked = asked(book, calendar, calling);
    let follows = |line: LineId| book.surroundings().lines.get(line.index()).and_then(|line| line.practice);
    for (id, (name, practice)) in (0u32..).map(PracticeId).zip(written) {
        let mut lines =
            trunks.iter().filter(|trunk| trunk.practice == Some(id)).map(|trunk| trunk.line).peekable();
        // A practice without a trunk is warned of as such.
        if lines.peek().is_none() {
            continue;
        }
        let own = lines.any(|line| follows(line) == Some(id));
        let name = shown(name.get_ref());
        for exception in &practice.overrides {
            let stated = exception.window.as_ref().or(practice.hours.as_ref());
            let Some(window) = stated.and_then(|window| names.windows.position(window.get_ref())) else {
                continue;
            };
            if !own {
                let message =
                    format!("this override changes nothing: `{name}` shares its lines with other practices");
                sink.warning(exception.header.clone(), message).help(
                    "a line of several practices follows nobody's overrides; give the practice its own",
                );
            } else if !asked.contains(&(id, WindowId(window))) {
                let window = shown(names.windows.name(window as usize).get_ref());
                let message =
                    format!("this override changes nothing: no rule of `{name}`'s lines asks for `{window}`");
                sink.warning(exception.header.clone(), message)
                    .help("let it name the `window` that a rule asks for");
            }
        }
    }
}

/// By the hours of which practice which windows are asked for, by rules and for callbacks.
fn asked(
    book: &RuleBook,
    calendar: &Calendar,
    calling: Option<WindowId>,
) -> BTreeSet<(PracticeId, WindowId)> {
    let mut asked = BTreeSet::new();
    for (line, outline) in (0u32..).map(LineId).zip(&book.surroundings().lines) {
        let Some(practice) = outline.practice else { continue };
        let rules = book.rules_of(line).filter_map(|rule| book.rule(rule));
        let windows = rules.flat_map(|rule| [rule.during, rule.not_during]).chain([calling]).flatten();
        let deciding = windows.flat_map(|window| calendar.deciding(window));
        asked.extend(deciding.map(|window| (practice, window)));
    }
    asked
}
