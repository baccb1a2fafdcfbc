//! Names of one kind of thing, and which of them are used.

use std::collections::{BTreeMap, BTreeSet};

use serde_spanned::Spanned;

use super::super::nearest::nearest;
use super::super::sink::Sink;
use super::super::table::{List, Named, shown};

/// The names of every kind: the one place that gives ids.
pub(super) struct Register<'w> {
    pub(super) clips: Names<'w>,
    pub(super) windows: Names<'w>,
    pub(super) practices: Names<'w>,
    pub(super) skills: Names<'w>,
    pub(super) trunks: Names<'w>,
    pub(super) lines: Names<'w>,
    pub(super) teams: Names<'w>,
    pub(super) agents: Names<'w>,
    pub(super) destinations: Names<'w>,
    pub(super) rules: Names<'w>,
}

impl Register<'_> {
    /// Warns of whatever has a name that nothing uses.
    pub(super) fn warn_unused(&self, sink: &mut Sink) {
        self.clips.warn_unused("is played on no line", sink);
        self.windows.warn_unused("is asked for by nothing", sink);
        self.practices.warn_unused("has no trunk", sink);
        self.skills.warn_unused("is needed on no line", sink);
        self.lines.warn_unused("is joined by no trunk's calls", sink);
        self.teams.warn_unused("answers no line", sink);
        self.agents.warn_unused("is in no team", sink);
        self.destinations.warn_unused("is sent no call", sink);
    }
}

/// The names of one kind, with their positions in the file's order.
pub(super) struct Names<'w> {
    kind: &'static str,
    positions: BTreeMap<&'w str, u32>,
    names: Vec<&'w Spanned<String>>,
    used: Vec<bool>,
}

impl<'w> Names<'w> {
    /// The names of `named`, each a `kind`.
    pub(super) fn new<T>(kind: &'static str, named: &'w Named<T>) -> Names<'w> {
        Names::of(kind, named.iter().map(|(name, _)| name))
    }

    /// These names, each a `kind`.
    pub(super) fn of(kind: &'static str, names: impl IntoIterator<Item = &'w Spanned<String>>) -> Names<'w> {
        let names: Vec<_> = names.into_iter().collect();
        let positions = (0..).zip(&names).map(|(at, name)| (name.get_ref().as_str(), at)).collect();
        let used = vec![false; names.len()];
        Names { kind, positions, names, used }
    }

    /// The position of `name`, which counts as used from now on; an unknown name is reported.
    pub(super) fn find(&mut self, name: &Spanned<String>, sink: &mut Sink) -> Option<u32> {
        let found = self.seek(name, sink);
        if let Some(at) = found {
            self.used[at as usize] = true;
        }
        found
    }

    /// The position of `name`; an unknown name is reported, and the one that was meant counts as used.
    pub(super) fn seek(&mut self, name: &Spanned<String>, sink: &mut Sink) -> Option<u32> {
        if let Some(&at) = self.positions.get(name.get_ref().as_str()) {
            return Some(at);
        }
        let meant =
            sink.has_room().then(|| nearest(name.get_ref(), self.positions.keys().copied())).flatten();
        if let Some(&at) = meant.and_then(|meant| self.positions.get(meant)) {
            self.used[at as usize] = true;
        } else if sink.is_partial() {
            return None;
        }
        let draft = sink
            .error(name.span(), format!("there is no {} `{}`", self.kind, shown(name.get_ref())))
            .suggest(meant);
        if meant.is_none() && !self.names.is_empty() {
            draft.help(self.few());
        }
        None
    }

    /// The positions of a list of names, which count as used; each fault is reported, and a name listed twice.
    pub(super) fn find_all(&mut self, list: &List<String>, sink: &mut Sink) -> Vec<u32> {
        let found = self.seek_all(list, sink);
        for &at in &found {
            self.used[at as usize] = true;
        }
        found
    }

    /// The positions of a list of names; each fault is reported, and a name listed twice.
    pub(super) fn seek_all(&mut self, list: &List<String>, sink: &mut Sink) -> Vec<u32> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for name in &list.items {
            if !seen.insert(name.get_ref()) {
                sink.error(name.span(), format!("`{}` is listed twice", shown(name.get_ref())));
            } else if let Some(at) = self.seek(name, sink) {
                found.push(at);
            }
        }
        found
    }

    /// Warns of each name that was never used.
    pub(super) fn warn_unused(&self, words: &str, sink: &mut Sink) {
        if sink.is_partial() {
            return;
        }
        for (name, _) in self.names.iter().zip(&self.used).filter(|(_, used)| !**used) {
            sink.warning(name.span(), format!("{} `{}` {words}", self.kind, shown(name.get_ref())));
        }
    }

    /// The position of a name, if there is such a one.
    pub(super) fn position(&self, name: &str) -> Option<u32> {
        self.positions.get(name).copied()
    }

    /// The name at a position, with its place.
    pub(super) fn name(&self, at: usize) -> &'w Spanned<String> {
        self.names[at]
    }

    fn few(&self) -> String {
        let few: Vec<_> = self.names.iter().take(8).map(|name| shown(name.get_ref())).collect();
        let more = if self.names.len() > few.len() { ", ..." } else { "" };
        format!("the {}s are {}{more}", self.kind, few.join(", "))
    }
}
