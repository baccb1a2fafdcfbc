//! One table of the file, read key by key.
//!
//! A key that is read is known; whatever is left when the table is closed is not. Reading a broken value
//! reports it and goes on, so that one fault never hides another.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::duration;
use super::nearest::nearest;
use super::sink::{Sink, Span};

/// Longest name of anything, in bytes.
const LONGEST_NAME: usize = 64;

/// A table that is being read.
pub(super) struct Table<'t, 'i> {
    /// What it is called in messages: `[line.NAME]`.
    kind: &'static str,
    /// Its header; `None` when it is not in the file.
    header: Option<Span>,
    entries: Option<&'t DeTable<'i>>,
    known: Vec<&'static str>,
}

/// A list as written: what could be read of it, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct List<T> {
    /// Its readable elements.
    pub(super) items: Vec<Spanned<T>>,
    /// The whole list.
    pub(super) span: Span,
    /// Some of it could not be read.
    pub(super) broken: bool,
}

impl<T> List<T> {
    /// Whether it was written as an empty list.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.broken
    }
}

/// A key that no table of its kind has.
pub(super) struct Unknown {
    kind: &'static str,
    key: String,
    span: Span,
}

/// Which keys each kind of table has, as far as the file made them known, and those that none has.
#[derive(Default)]
pub(super) struct Schema {
    known: BTreeMap<&'static str, Vec<&'static str>>,
    unknown: Vec<Unknown>,
}

impl<'t, 'i> Table<'t, 'i> {
    /// The table in `value`; a value of another kind is reported and read as an empty table.
    pub(super) fn open(
        kind: &'static str,
        value: &'t Spanned<DeValue<'i>>,
        sink: &mut Sink,
    ) -> Table<'t, 'i> {
        let entries = value.get_ref().as_table();
        if entries.is_none() {
            let found = kind_of(value.get_ref());
            sink.error(value.span(), format!("{kind} must be a table, but this is {found}"));
        }
        Table { kind, header: Some(value.span()), entries, known: Vec::new() }
    }

    /// A table that is not in the file: every key has its default.
    pub(super) fn absent(kind: &'static str) -> Table<'t, 'i> {
        Table { kind, header: None, entries: None, known: Vec::new() }
    }

    /// The header of the table; `None` when it is not in the file.
    pub(super) fn header(&self) -> Option<Span> {
        self.header.clone()
    }

    /// Ends the reading: hands what is left over, and what was known, to `schema`.
    pub(super) fn close(self, schema: &mut Schema) {
        let Table { kind, entries, known, .. } = self;
        for (key, _) in entries.into_iter().flatten() {
            if !known.contains(&key.get_ref().as_ref()) {
                let key_text = key.get_ref().as_ref().to_owned();
                schema.unknown.push(Unknown { kind, key: key_text, span: key.span() });
            }
        }
        schema.known.insert(kind, known);
    }

    fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.entries?.get(key)
    }

    /// A text.
    pub(super) fn text(&mut self, key: &'static str, sink: &mut Sink) -> Option<Spanned<String>> {
        let value = self.value(key)?;
        string(value, &format!("`{key}`"), sink)
    }

    /// A text without which the table is no use.
    pub(super) fn needed_text(&mut self, key: &'static str, sink: &mut Sink) -> Option<Spanned<String>> {
        let missing = self.entries.is_some_and(|entries| entries.get(key).is_none());
        if let Some(header) = self.header.clone().filter(|_| missing && !sink.is_partial()) {
            sink.error(header, format!("this {} has no `{key}`", self.kind));
        }
        self.text(key, sink)
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &'static str, sink: &mut Sink) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            let found = kind_of(value.get_ref());
            let meant = match value.get_ref().as_str() {
                Some("true" | "yes" | "on") => Some("true"),
                Some("false" | "no" | "off") => Some("false"),
                _ => None,
            };
            sink.error(value.span(), format!("`{key}` must be true or false, but this is {found}"))
                .suggest(meant);
        }
        flag
    }

    /// A whole number within `range`.
    pub(super) fn number<N: TryFrom<u32>>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        sink: &mut Sink,
    ) -> Option<Spanned<N>> {
        let value = self.value(key)?;
        let (least, most) = (range.start(), range.end());
        let DeValue::Integer(integer) = value.get_ref() else {
            let found = kind_of(value.get_ref());
            let meant = value.get_ref().as_str().filter(|text| text.parse::<u32>().is_ok());
            sink.error(value.span(), format!("`{key}` must be a whole number, but this is {found}"))
                .suggest(meant);
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number =
            number.filter(|number| range.contains(number)).and_then(|number| N::try_from(number).ok());
        if number.is_none() {
            sink.error(value.span(), format!("`{key}` must be from {least} to {most}"));
        }
        number.map(|number| Spanned::new(value.span(), number))
    }

    /// A duration within `range`.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        sink: &mut Sink,
    ) -> Option<Spanned<Duration>> {
        let value = self.value(key)?;
        let Some(text) = value.get_ref().as_str() else {
            let found = kind_of(value.get_ref());
            let meant = value.get_ref().as_integer().map(|number| format!("\"{number}s\""));
            let message = format!("`{key}` must be a duration such as \"20s\", but this is {found}");
            sink.error(value.span(), message).suggest(meant);
            return None;
        };
        match duration::parse(text) {
            Ok(duration) if range.contains(&duration) => Some(Spanned::new(value.span(), duration)),
            Ok(_) => {
                let (least, most) = (duration::show(*range.start()), duration::show(*range.end()));
                sink.error(value.span(), format!("`{key}` must be from {least} to {most}"));
                None
            }
            Err(error) => {
                let message = format!("`{key}` must be a duration, but \"{}\" {}", shown(text), error.why);
                sink.error(value.span(), message)
                    .suggest(error.meant)
                    .help("write whole numbers with h, m, s or ms: \"20s\", \"500ms\", \"1h30m\"");
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
        sink: &mut Sink,
    ) -> Option<T> {
        let word = self.text(key, sink)?;
        chosen(key, &word, choices, sink)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &'static str, sink: &mut Sink) -> Option<List<String>> {
        let value = self.value(key)?;
        let Some(array) = value.get_ref().as_array() else {
            let found = kind_of(value.get_ref());
            let meant = value.get_ref().as_str().map(|text| format!("[\"{}\"]", shown(text)));
            sink.error(value.span(), format!("`{key}` must be a list of texts, but this is {found}"))
                .suggest(meant);
            return Some(List { items: Vec::new(), span: value.span(), broken: true });
        };
        let name = format!("each of `{key}`");
        let items: Vec<_> = array.iter().filter_map(|item| string(item, &name, sink)).collect();
        let broken = items.len() < array.len();
        Some(List { items, span: value.span(), broken })
    }

    /// The tables within this one by name, in the order of the file; a name that cannot be one is reported.
    pub(super) fn named(
        entries: Option<&'t Spanned<DeValue<'i>>>,
        kind: &'static str,
        sink: &mut Sink,
    ) -> Vec<(Spanned<String>, Table<'t, 'i>)> {
        let Some(value) = entries else { return Vec::new() };
        let Some(tables) = value.get_ref().as_table() else {
            let found = kind_of(value.get_ref());
            sink.error(value.span(), format!("{kind} must be a table, but this is {found}"));
            return Vec::new();
        };
        let mut tables: Vec<_> = tables.iter().collect();
        tables.sort_by_key(|(name, _)| name.span().start);
        let mut named = Vec::new();
        for (name, value) in tables {
            let text = name.get_ref().as_ref();
            check_name(text, name.span(), sink);
            let table = Table::open(kind, value, sink);
            named.push((Spanned::new(name.span(), text.to_owned()), table));
        }
        named
    }
}

impl Schema {
    /// Ends the reading of the file itself, whose `known` keys are its tables.
    pub(super) fn close_root(&mut self, root: &DeTable<'_>, known: &[&'static str]) {
        let root_table = Table { kind: "the file", header: None, entries: Some(root), known: known.to_vec() };
        root_table.close(self);
    }

    /// Reports every key that no table of its kind has, with the key or the table that was meant.
    pub(super) fn report_unknown(self, sink: &mut Sink) {
        for Unknown { kind, key, span } in self.unknown {
            let near = sink.has_room().then(|| {
                let known = self.known.get(kind).into_iter().flatten().copied();
                nearest(&key, known.clone())
                    .map(str::to_owned)
                    .ok_or_else(|| known.collect::<Vec<_>>().join(", "))
            });
            let at_home = || self.known.iter().find(|(_, keys)| keys.contains(&key.as_str()));
            let draft = sink.error(span, format!("{kind} has no key `{}`", shown(&key)));
            match near {
                Some(Ok(meant)) => drop(draft.suggest(Some(meant))),
                Some(Err(known)) => match at_home() {
                    Some((home, _)) => drop(draft.help(format!("`{key}` belongs in {home}"))),
                    None => drop(draft.help(format!("its keys are {known}"))),
                },
                None => {}
            }
        }
    }
}

/// The choice that `word` names; another word is reported.
pub(super) fn chosen<T: Copy>(
    key: &str,
    word: &Spanned<String>,
    choices: &[(&'static str, T)],
    sink: &mut Sink,
) -> Option<T> {
    let found = choices.iter().find(|(name, _)| name == word.get_ref());
    if found.is_none() {
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let message = format!("`{key}` cannot be \"{}\", only {}", shown(word.get_ref()), names.join(" or "));
        let meant = nearest(word.get_ref(), choices.iter().map(|&(name, _)| name));
        sink.error(word.span(), message).suggest(meant);
    }
    found.map(|&(_, choice)| choice)
}

/// A text of the file as a message may show it: bounded, and without control characters.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(LONGEST_NAME).collect();
    if text.chars().nth(LONGEST_NAME).is_some() {
        shown.push('…');
    }
    shown
}

/// Reports a name that cannot be one.
pub(super) fn check_name(name: &str, span: Span, sink: &mut Sink) {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(fits) {
        sink.error(span, format!("\"{}\" cannot be a name", shown(name)))
            .help(format!("names have letters, digits, - _ and ., at most {LONGEST_NAME} bytes"));
    }
}

fn string(value: &Spanned<DeValue<'_>>, what: &str, sink: &mut Sink) -> Option<Spanned<String>> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        let found = kind_of(value.get_ref());
        let meant = value.get_ref().as_integer().map(|number| format!("\"{number}\""));
        sink.error(value.span(), format!("{what} must be a text, but this is {found}")).suggest(meant);
    }
    text.map(|text| Spanned::new(value.span(), text.to_owned()))
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
