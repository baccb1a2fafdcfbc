//! One table of the file, read key by key.
//!
//! A key that is read is known; whatever is left when the table is closed is not. Reading a broken value
//! reports it and goes on, so that one fault never hides another.

pub(super) mod value;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_spanned::Spanned;
use toml::de::{DeString, DeTable};

use super::civil::Civil;
use super::nearest::nearest;
use super::sink::{Sink, Span};
use value::{Value, kind_of};

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
    /// What was found of the tables within it.
    within: Schema,
}

/// The tables `[kind.NAME]` in the order of the file; positions are the ids.
pub(super) type Named<T> = Vec<(Spanned<String>, T)>;

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

/// A table whose keys are names: what could be read of it, in the order of the file, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Map<T> {
    /// Its readable entries.
    pub(super) items: Vec<(Spanned<String>, Spanned<T>)>,
    /// The whole table.
    pub(super) span: Span,
}

/// A key that no table of its kind has.
struct Unknown {
    kind: &'static str,
    key: String,
    span: Span,
}

/// Which keys each kind of table has, as far as the file made them known, and those that none has.
#[derive(Default)]
struct Schema {
    known: BTreeMap<&'static str, Vec<&'static str>>,
    unknown: Vec<Unknown>,
}

impl<'t, 'i> Table<'t, 'i> {
    /// The file itself.
    pub(super) fn root(entries: &'t DeTable<'i>) -> Table<'t, 'i> {
        Table { entries: Some(entries), ..Table::absent("the file") }
    }

    /// The table in `value`; a value of another kind is reported and read as an empty table.
    fn open(kind: &'static str, value: &'t Value<'i>, sink: &mut Sink) -> Table<'t, 'i> {
        let entries = value.get_ref().as_table();
        if entries.is_none() {
            let found = kind_of(value.get_ref());
            sink.error(value.span(), format!("{kind} must be a table, but this is {found}"));
        }
        Table { header: Some(value.span()), entries, ..Table::absent(kind) }
    }

    /// A table that is not in the file: every key has its default.
    fn absent(kind: &'static str) -> Table<'t, 'i> {
        Table { kind, header: None, entries: None, known: Vec::new(), within: Schema::default() }
    }

    /// The header of the table; `None` when it is not in the file.
    pub(super) fn header(&self) -> Option<Span> {
        self.header.clone()
    }

    /// Ends the reading of the file: reports every key that is not known.
    pub(super) fn close_root(self, sink: &mut Sink) {
        let mut schema = Schema::default();
        self.close(&mut schema);
        schema.report_unknown(sink);
    }

    /// Ends the reading: hands what is left over, and what was known, to `schema`.
    fn close(self, schema: &mut Schema) {
        let Table { kind, entries, known, within, .. } = self;
        schema.unknown.extend(within.unknown);
        schema.known.extend(within.known);
        for (key, _) in entries.into_iter().flatten() {
            if !known.contains(&key.get_ref().as_ref()) {
                let key_text = key.get_ref().as_ref().to_owned();
                schema.unknown.push(Unknown { kind, key: key_text, span: key.span() });
            }
        }
        schema.known.insert(kind, known);
    }

    /// Whether a key is written, be it wrongly.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.is_some_and(|entries| entries.contains_key(key))
    }

    /// Whether it is written without a key.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_some_and(DeTable::is_empty)
    }

    /// Whether it has, so far, a key that nobody asked for.
    pub(super) fn has_unknown(&self) -> bool {
        let mut keys = self.entries.into_iter().flatten();
        keys.any(|(key, _)| !self.known.contains(&key.get_ref().as_ref()))
    }

    /// The value of a key, to be read by hand.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'t Value<'i>> {
        self.known.push(key);
        self.entries?.get(key)
    }

    /// A text.
    pub(super) fn text(&mut self, key: &'static str, sink: &mut Sink) -> Option<Spanned<String>> {
        value::text(self.value(key)?, &format!("`{key}`"), sink)
    }

    /// A text without which the table is no use.
    pub(super) fn needed_text(&mut self, key: &'static str, sink: &mut Sink) -> Option<Spanned<String>> {
        self.need(key, sink);
        self.text(key, sink)
    }

    /// Reports that a key is missing, if it is.
    pub(super) fn need(&mut self, key: &'static str, sink: &mut Sink) {
        let missing = self.entries.is_some() && !self.has(key);
        if let Some(header) = self.header.clone().filter(|_| missing && !sink.is_partial()) {
            sink.error(header, format!("this {} has no `{key}`", self.kind));
        }
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &'static str, sink: &mut Sink) -> Option<Spanned<bool>> {
        value::flag(self.value(key)?, &format!("`{key}`"), sink)
    }

    /// A whole number within `range`.
    pub(super) fn number<N: TryFrom<u32>>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        sink: &mut Sink,
    ) -> Option<Spanned<N>> {
        value::number(self.value(key)?, &format!("`{key}`"), range, sink)
    }

    /// A duration within `range`.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        sink: &mut Sink,
    ) -> Option<Spanned<Duration>> {
        value::duration(self.value(key)?, &format!("`{key}`"), range, sink)
    }

    /// A word of the calendar.
    pub(super) fn civil<T: Civil>(&mut self, key: &'static str, sink: &mut Sink) -> Option<Spanned<T>> {
        value::civil(self.value(key)?, &format!("`{key}`"), sink)
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
        Some(value::list(self.value(key)?, &format!("`{key}`"), "texts", sink, value::text))
    }

    /// A list of words of the calendar.
    pub(super) fn civils<T: Civil>(&mut self, key: &'static str, sink: &mut Sink) -> Option<List<T>> {
        Some(value::list(self.value(key)?, &format!("`{key}`"), T::MANY, sink, value::civil))
    }

    /// A text, or a list of them.
    pub(super) fn text_or_texts(&mut self, key: &'static str, sink: &mut Sink) -> Option<List<String>> {
        let value = self.value(key)?;
        if value.get_ref().is_array() {
            return Some(value::list(value, &format!("`{key}`"), "texts", sink, value::text));
        }
        let items: Vec<_> = match value.get_ref().as_str() {
            Some(text) => vec![Spanned::new(value.span(), text.to_owned())],
            None => {
                let found = kind_of(value.get_ref());
                sink.error(
                    value.span(),
                    format!("`{key}` must be a text or a list of texts, but this is {found}"),
                );
                Vec::new()
            }
        };
        Some(List { broken: items.is_empty(), items, span: value.span() })
    }

    /// A table whose keys are names, each with what `read` reads.
    pub(super) fn map<T>(
        &mut self,
        key: &'static str,
        sink: &mut Sink,
        read: impl Fn(&Value<'_>, &str, &mut Sink) -> Option<Spanned<T>>,
    ) -> Option<Map<T>> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            let found = kind_of(value.get_ref());
            sink.error(value.span(), format!("`{key}` must be a table, but this is {found}"))
                .help("write { NAME = VALUE, ... }");
            return Some(Map { items: Vec::new(), span: value.span() });
        };
        let entries = in_order(table).into_iter();
        let items = entries.filter_map(|(name, value)| {
            let text = name.get_ref().as_ref();
            let read = read(value, &format!("`{}`", shown(text)), sink)?;
            Some((Spanned::new(name.span(), text.to_owned()), read))
        });
        Some(Map { items: items.collect(), span: value.span() })
    }

    /// The table `key` within this one, called `kind` and read as an empty one when it is absent.
    pub(super) fn one<T>(
        &mut self,
        key: &'static str,
        kind: &'static str,
        sink: &mut Sink,
        read: impl Fn(&mut Table<'t, 'i>, &mut Sink) -> T,
    ) -> T {
        let table = match self.value(key) {
            Some(value) => Table::open(kind, value, sink),
            None => Table::absent(kind),
        };
        self.read(table, sink, read)
    }

    /// The table `key` within this one, called `kind`, if it is there.
    pub(super) fn maybe<T>(
        &mut self,
        key: &'static str,
        kind: &'static str,
        sink: &mut Sink,
        read: impl Fn(&mut Table<'t, 'i>, &mut Sink) -> T,
    ) -> Option<T> {
        let table = Table::open(kind, self.value(key)?, sink);
        Some(self.read(table, sink, read))
    }

    /// The tables `[key.NAME]` in the order of the file; a name that cannot be one is reported.
    pub(super) fn named<T>(
        &mut self,
        key: &'static str,
        kind: &'static str,
        sink: &mut Sink,
        read: impl Fn(&mut Table<'t, 'i>, &mut Sink) -> T,
    ) -> Named<T> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(tables) = value.get_ref().as_table() else {
            let found = kind_of(value.get_ref());
            sink.error(value.span(), format!("{kind} must be a table, but this is {found}"));
            return Vec::new();
        };
        let mut named = Vec::new();
        for (name, value) in in_order(tables) {
            let text = name.get_ref().as_ref();
            check_name(text, name.span(), sink);
            let table = Table::open(kind, value, sink);
            let read = self.read(table, sink, &read);
            named.push((Spanned::new(name.span(), text.to_owned()), read));
        }
        named
    }

    /// The tables `[[key]]`, or the list of tables `key`, at most so many.
    pub(super) fn each<T>(
        &mut self,
        key: &'static str,
        kind: &'static str,
        most: usize,
        sink: &mut Sink,
        read: impl Fn(&mut Table<'t, 'i>, &mut Sink) -> T,
    ) -> Vec<T> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            let found = kind_of(value.get_ref());
            let draft =
                sink.error(value.span(), format!("`{key}` must be a list of tables, but this is {found}"));
            if kind.starts_with("[[") && value.get_ref().is_table() {
                draft.help(format!("each begins with its own {kind}, in two brackets"));
            }
            return Vec::new();
        };
        if let Some(beyond) = array.get(most) {
            sink.error(beyond.span(), format!("there are more than {most} of {kind}"));
        }
        let mut found = Vec::new();
        for value in array.iter().take(most) {
            let table = Table::open(kind, value, sink);
            found.push(self.read(table, sink, &read));
        }
        found
    }

    /// Reads a table within this one, and ends it.
    fn read<T>(
        &mut self,
        mut table: Table<'t, 'i>,
        sink: &mut Sink,
        read: impl Fn(&mut Table<'t, 'i>, &mut Sink) -> T,
    ) -> T {
        let read = read(&mut table, sink);
        table.close(&mut self.within);
        read
    }
}

impl Schema {
    /// Reports every key that no table of its kind has, with the key or the table that was meant.
    fn report_unknown(self, sink: &mut Sink) {
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
                    None if known.is_empty() => drop(draft.help("it has no keys")),
                    None => drop(draft.help(format!("its keys are {known}"))),
                },
                None => {}
            }
        }
    }
}

/// The entries of a table in the order of the file.
pub(super) fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Spanned<DeString<'i>>, &'t Value<'i>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
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
