//! What is wrong with a file: diagnostics with their places, as data and as text with carets.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// Longest stretch of a line that is drawn on either side of a place, in bytes.
const LONGEST_DRAWN: usize = 4_096;

/// What was found in one file, in the order of the file.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) file: String,
    pub(super) source: String,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) errors: usize,
    pub(super) warnings: usize,
}

/// One fault, or one oddity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it forbids the file.
    pub severity: Severity,
    /// Where it is; `None` for what concerns the file as a whole.
    pub place: Option<Place>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The name or text that was probably meant.
    pub suggestion: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that belong to it, with what each has to say.
    pub also: Vec<(Place, String)>,
}

/// Whether a diagnostic forbids the file.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but perhaps not as meant.
    Warning,
}

/// A place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The bytes meant, within the file and on character boundaries.
    pub span: Range<usize>,
}

/// The file cannot be used; its text is [`Report::render`] without colours.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Errors(pub Report);

impl Report {
    /// The name of the file, as given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The diagnostics, in the order of the file; at most a hundred.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// How many errors were found, also those beyond the hundredth diagnostic.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many warnings were found, also those beyond the hundredth diagnostic.
    pub fn warnings(&self) -> usize {
        self.warnings
    }

    /// The diagnostics as text with carets, ending in a line break; empty when there are none.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            text.push_str(&renderer.render(&[self.group(diagnostic)]));
            text.push_str("\n\n");
        }
        let unseen = (self.errors + self.warnings).saturating_sub(self.diagnostics.len());
        if unseen > 0 {
            text.push_str(&format!("... and {unseen} more\n"));
        }
        text
    }

    fn group<'a>(&'a self, diagnostic: &'a Diagnostic) -> Group<'a> {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()));
        group = match &diagnostic.place {
            Some(place) if self.can_draw(place) => group.element(self.snippet(place, &diagnostic.also)),
            Some(place) => {
                let origin = Origin::path(self.file.as_str()).line(place.line).char_column(place.column);
                group.element(origin)
            }
            None => group.element(Origin::path(self.file.as_str())),
        };
        if let Some(suggestion) = &diagnostic.suggestion {
            group = group.element(Level::HELP.message(format!("did you mean `{suggestion}`?")));
        }
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group
    }

    /// Whether the line of a place is fit to be shown: there, and not absurdly long.
    fn can_draw(&self, place: &Place) -> bool {
        let start = self.source.floor_char_boundary(place.span.start.saturating_sub(LONGEST_DRAWN));
        let end = self.source.floor_char_boundary(place.span.start.saturating_add(LONGEST_DRAWN));
        let before = &self.source[start..place.span.start];
        let after = &self.source[place.span.start..end];
        let begins = start == 0 || before.contains('\n');
        let ends = end == self.source.len() || after.contains('\n');
        !self.source.is_empty() && begins && ends
    }

    /// The lines from the first place to the last, with a caret under the first line of each.
    fn snippet<'a>(
        &'a self,
        place: &Place,
        also: &'a [(Place, String)],
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let others = || also.iter().map(|(place, _)| place);
        let first = others().map(|place| (place.span.start, place.line)).min();
        let (start, line) = first.unwrap_or((usize::MAX, 0)).min((place.span.start, place.line));
        let end = others().map(|place| place.span.start).max().unwrap_or(0).max(place.span.start);
        let start = self.source[..start].rfind('\n').map_or(0, |at| at + 1);
        let end = self.source[end..].find('\n').map_or(self.source.len(), |at| end + at);
        let within = |span: &Range<usize>| {
            let on_line = self.source[span.clone()].find(['\n', '\r']);
            span.start - start..on_line.map_or(span.end, |at| span.start + at) - start
        };
        let main = AnnotationKind::Primary.span(within(&place.span));
        Snippet::source(&self.source[start..end])
            .line_start(line)
            .path(self.file.as_str())
            .annotation(main)
            .annotations(also.iter().map(|(place, label)| {
                AnnotationKind::Context.span(within(&place.span)).label(label.as_str())
            }))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}
