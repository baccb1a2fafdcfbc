//! Names of one kind of thing, and which of them are used.

use std::collections::{BTreeMap, BTreeSet};

use serde_spanned::Spanned;

use super::super::nearest::nearest;
use super::super::sink::Sink;
use super::super::table::{List, shown};
use super::super::written::Named;

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
        let names: Vec<_> = named.iter().map(|(name, _)| name).collect();
        let positions = (0..).zip(&names).map(|(at, name)| (name.get_ref().as_str(), at)).collect();
        let used = vec![false; names.len()];
        Names { kind, positions, names, used }
    }

    /// The position of `name`, which counts as used from now on; an unknown name is reported.
    pub(super) fn find(&mut self, name: &Spanned<String>, sink: &mut Sink) -> Option<u32> {
        if let Some(&at) = self.positions.get(name.get_ref().as_str()) {
            self.used[at as usize] = true;
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

    /// The positions of a list of names; each fault is reported, and a name listed twice.
    pub(super) fn find_all(&mut self, list: &List<String>, sink: &mut Sink) -> Vec<u32> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for name in &list.items {
            if !seen.insert(name.get_ref()) {
                sink.error(name.span(), format!("`{}` is listed twice", shown(name.get_ref())));
            } else if let Some(at) = self.find(name, sink) {
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

    fn few(&self) -> String {
        let few: Vec<_> = self.names.iter().take(8).map(|name| shown(name.get_ref())).collect();
        let more = if self.names.len() > few.len() { ", ..." } else { "" };
        format!("the {}s are {}{more}", self.kind, few.join(", "))
    }
}
