//! What of a file TOML cannot read, told apart from what it can.
//!
//! A bracket that is never closed makes a parser misread everything after it. So each statement that cannot
//! be read is reported once, where it is wrong, and blanked out: the rest is then read as if it were not
//! there, with every place still the same.

use std::borrow::Cow;

use toml::de::{DeTable, Error};

use super::sink::{Lines, Sink, Span};

/// How many statements are blanked out before the rest is taken as it comes.
const MOST_BLANKED: usize = 25;
/// How many lines before a fault are searched for the statement at fault.
const FARTHEST_BACK: usize = 2_000;
/// Longest key that is looked for, in bytes.
const LONGEST_KEY: usize = 256;
/// What the parser says of a key or table that was written before, which hides nothing.
const REPEATED: &str = "duplicate key";

/// Reports what cannot be read; the text with that blanked out, as long as before.
pub(super) fn readable<'t>(text: &'t str, sink: &mut Sink) -> Cow<'t, str> {
    let lines = Lines::new(text);
    let mut readable = Cow::Borrowed(text);
    for _ in 0..MOST_BLANKED {
        let Some((met, message)) = fault_of(&readable) else { break };
        let Some(Culprit { span, message, blank }) = culprit(&readable, met, message, &lines) else { break };
        sink.syntax(span, said(&message), true);
        readable = Cow::Owned(blanked(&readable, blank));
    }
    readable
}

/// Reports the faults that a reading of the readable text still met, one for each line.
pub(super) fn report(faults: &[Error], text: &str, sink: &mut Sink) {
    let lines = Lines::new(text);
    let mut last = None;
    for fault in faults {
        let span = span_of(fault, text);
        if is_repeated(fault) {
            let message = "this was written before; a key or table may be written once";
            sink.syntax(span, message.to_owned(), false);
        } else if last.replace(lines.line_of(span.start)) != Some(lines.line_of(span.start)) {
            sink.syntax(span, said(fault.message()), true);
        }
    }
}

/// A statement that cannot be read.
struct Culprit {
    span: Span,
    message: String,
    /// The whole lines that must go for the rest to be read.
    blank: Span,
}

/// The nearest statement, from the one where the parser stumbled backwards, that cannot be read by itself:
/// an earlier one was left open. Where each is sound, the one where the parser stumbled.
fn culprit(text: &str, met: Span, message: String, lines: &Lines<'_>) -> Option<Culprit> {
    let met_line = lines.line_of(met.start);
    let farthest = met_line.saturating_sub(FARTHEST_BACK).max(1);
    let mut until = met_line;
    while until >= farthest {
        let (first, end) = statement_around(text, until, lines);
        let start = lines.span(first).start;
        if let Some((own, message)) = fault_of(&text[start..end]) {
            // A statement that ends too early is shown where its last word ends, not on the blank lines after.
            let words = start + text[start..end].trim_end().len();
            let span = (start + own.start).min(words)..(start + own.end).min(words);
            // What stands before the line at fault may be sound, and is then kept.
            let line = lines.span(lines.line_of(span.start)).start;
            let keeps = line > start && fault_of(&text[start..line]).is_none();
            return Some(Culprit { span, message, blank: if keeps { line } else { start }..end })
                .map(|culprit| culprit.with_its_keys(text, lines));
        }
        until = first - 1;
    }
    let (first, end) = statement_around(text, met_line, lines);
    let blank = lines.span(first).start..end;
    let anything = !text[blank.clone()].trim().is_empty();
    anything.then(|| Culprit { span: met, message, blank }.with_its_keys(text, lines))
}

impl Culprit {
    /// A header that is blanked out takes its keys with it, lest they fall to the table before.
    fn with_its_keys(mut self, text: &str, lines: &Lines<'_>) -> Culprit {
        if text[self.blank.clone()].trim_start().starts_with('[') {
            let mut line = lines.line_of(self.blank.end) + 1;
            while line <= lines.count() && !is_header(&text[lines.span(line)]) {
                self.blank.end = lines.span(line).end;
                line += 1;
            }
        }
        self
    }
}

/// The first line of the statement that `line` belongs to, and where its last line ends.
fn statement_around(text: &str, line: usize, lines: &Lines<'_>) -> (usize, usize) {
    let begins = |line: usize| {
        let line = &text[lines.span(line)];
        is_header(line) || is_key(line)
    };
    let first = (1..=line).rev().find(|&line| begins(line)).unwrap_or(1);
    let next = (first + 1..=lines.count()).find(|&line| begins(line)).unwrap_or(lines.count() + 1);
    (first, lines.span(next - 1).end)
}

/// Whether a line looks like a table's header, sound or not.
fn is_header(line: &str) -> bool {
    let name = line.trim_start().strip_prefix('[').map(|rest| rest.strip_prefix('[').unwrap_or(rest));
    name.is_some_and(|name| name.trim_start().starts_with(|c: char| c.is_alphanumeric() || c == '"'))
        && !line.contains(',')
}

/// Whether a line begins with a key and an equals sign.
fn is_key(line: &str) -> bool {
    let key = line.split('=').next().unwrap_or_default();
    key.len() < line.len() && key.len() <= LONGEST_KEY && DeTable::parse(&format!("{key}=0")).is_ok()
}

fn blanked(text: &str, span: Span) -> String {
    let blank = |c: char| if matches!(c, '\n' | '\r') { c } else { ' ' };
    let mut blanked = String::with_capacity(text.len());
    blanked.push_str(&text[..span.start]);
    for c in text[span.clone()].chars() {
        // As many bytes as before, so that every place stays.
        blanked.extend(std::iter::repeat_n(blank(c), c.len_utf8()));
    }
    blanked.push_str(&text[span.end..]);
    blanked
}

/// The first fault that hides something.
fn fault_of(text: &str) -> Option<(Span, String)> {
    let (_, faults) = DeTable::parse_recoverable(text);
    let fault = faults.iter().find(|fault| !is_repeated(fault))?;
    Some((span_of(fault, text), fault.message().to_owned()))
}

fn is_repeated(fault: &Error) -> bool {
    fault.message() == REPEATED
}

fn span_of(fault: &Error, text: &str) -> Span {
    fault.span().unwrap_or(text.len()..text.len())
}

fn said(message: &str) -> String {
    format!("this is not TOML: {message}")
}
