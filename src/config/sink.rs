//! Where diagnostics are collected while a file is read and resolved.

use std::collections::BTreeSet;
use std::ops::Range;

use super::report::{Diagnostic, Place, Report, Severity};

/// How many diagnostics are kept of one file; the rest are only counted.
const MOST_KEPT: usize = 100;

/// A range of bytes of the file.
pub(super) type Span = Range<usize>;

/// Collects diagnostics; their places are worked out at the end.
pub(super) struct Sink {
    drafts: Vec<Draft>,
    errors: usize,
    warnings: usize,
    /// The parser lost parts of the file, so that what seems to be missing may be there.
    partial: bool,
    /// Takes the words of a diagnostic that is only counted.
    unkept: Draft,
}

/// A diagnostic whose place is still a bare span.
#[derive(Clone, Default)]
pub(super) struct Draft {
    warning: bool,
    syntax: bool,
    span: Option<Span>,
    message: String,
    suggestion: Option<String>,
    help: Option<String>,
    also: Vec<(Span, String)>,
}

impl Sink {
    pub(super) fn new() -> Sink {
        Sink { drafts: Vec::new(), errors: 0, warnings: 0, partial: false, unkept: Draft::default() }
    }

    /// An error at `span`.
    pub(super) fn error(&mut self, span: Span, message: impl Into<String>) -> &mut Draft {
        self.push(Draft { span: Some(span), message: message.into(), ..Draft::default() })
    }

    /// An error of the whole file.
    pub(super) fn error_of_file(&mut self, message: impl Into<String>) -> &mut Draft {
        self.push(Draft { message: message.into(), ..Draft::default() })
    }

    /// Something odd at `span`.
    pub(super) fn warning(&mut self, span: Span, message: impl Into<String>) -> &mut Draft {
        self.push(Draft { warning: true, span: Some(span), message: message.into(), ..Draft::default() })
    }

    /// A fault of the file's TOML; `lost` when parts of the file could not be read for it.
    pub(super) fn syntax(&mut self, span: Span, message: String, lost: bool) -> &mut Draft {
        self.partial |= lost;
        self.push(Draft { syntax: true, span: Some(span), message, ..Draft::default() })
    }

    /// Whether what seems to be missing may stand in a part that could not be read: then keep silent.
    pub(super) fn is_partial(&self) -> bool {
        self.partial
    }

    /// Whether the words of another diagnostic would be kept.
    pub(super) fn has_room(&self) -> bool {
        self.drafts.len() < MOST_KEPT
    }

    /// Whether any error was reported.
    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    fn push(&mut self, draft: Draft) -> &mut Draft {
        if draft.warning {
            self.warnings += 1;
        } else {
            self.errors += 1;
        }
        if self.has_room() {
            self.drafts.push(draft);
            self.drafts.last_mut().expect("one was pushed just now")
        } else {
            self.unkept = draft;
            &mut self.unkept
        }
    }

    /// Gives each diagnostic its place in `source`, in the order of the file.
    ///
    /// What else was found on a line that TOML cannot read is left out: it may be misread.
    pub(super) fn into_report(mut self, file: &str, source: &str) -> Report {
        let lines = Lines::new(source);
        let line = |draft: &Draft| draft.span.as_ref().map(|span| lines.line_of(span.start));
        let unreadable: BTreeSet<_> = self.drafts.iter().filter(|draft| draft.syntax).map(line).collect();
        self.drafts.sort_by_key(|draft| draft.span.as_ref().map(|span| span.start));
        let (mut errors, mut warnings) = (self.errors, self.warnings);
        let mut diagnostics = Vec::new();
        for draft in self.drafts {
            if draft.syntax || !unreadable.contains(&line(&draft)) {
                diagnostics.push(draft.placed(&lines));
            } else if draft.warning {
                warnings -= 1;
            } else {
                errors -= 1;
            }
        }
        Report { file: file.to_owned(), source: source.to_owned(), diagnostics, errors, warnings }
    }
}

impl Draft {
    /// Names what was probably meant.
    pub(super) fn suggest(&mut self, meant: Option<impl Into<String>>) -> &mut Draft {
        self.suggestion = meant.map(Into::into);
        self
    }

    /// Says what to do.
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Draft {
        self.help = Some(help.into());
        self
    }

    /// Shows another place that belongs to it.
    pub(super) fn also(&mut self, span: Span, label: impl Into<String>) -> &mut Draft {
        self.also.push((span, label.into()));
        self
    }

    fn placed(self, lines: &Lines<'_>) -> Diagnostic {
        Diagnostic {
            severity: if self.warning { Severity::Warning } else { Severity::Error },
            place: self.span.map(|span| lines.place(span)),
            message: self.message,
            suggestion: self.suggestion,
            help: self.help,
            also: self.also.into_iter().map(|(span, label)| (lines.place(span), label)).collect(),
        }
    }
}

/// Where the lines of a text begin.
pub(super) struct Lines<'s> {
    source: &'s str,
    starts: Vec<usize>,
}

impl<'s> Lines<'s> {
    pub(super) fn new(source: &'s str) -> Lines<'s> {
        let starts = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { source, starts }
    }

    /// How many lines there are; at least one.
    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// The bytes of a line, counted from 1, without its line break; those of nothing past the last.
    pub(super) fn span(&self, line: usize) -> Span {
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(self.source.len());
        let end = self.starts.get(line).map_or(self.source.len(), |&next| next - 1);
        start..end.max(start)
    }

    /// The line that holds the byte `at`, from 1.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at)
    }

    /// The place of a span, drawn in to the file and to character boundaries.
    fn place(&self, span: Span) -> Place {
        let start = self.source.floor_char_boundary(span.start);
        let end = self.source.ceil_char_boundary(span.end).max(start);
        let line = self.line_of(start);
        let column = self.source[self.starts[line - 1]..start].chars().count() + 1;
        Place { line, column, span: start..end }
    }
}
