//! One value of the file, read as what it must be.
//!
//! A value of another kind, or out of bounds, is reported and read as nothing.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_spanned::Spanned;
use toml::de::DeValue;

use super::super::civil::Civil;
use super::super::duration;
use super::super::sink::Sink;
use super::{List, shown};

/// A value with its place.
pub(in super::super) type Value<'i> = Spanned<DeValue<'i>>;

/// Most elements of a list.
const MOST_LISTED: usize = 10_000;

/// A text; `what` it is begins the sentence of a message.
pub(in super::super) fn text(value: &Value<'_>, what: &str, sink: &mut Sink) -> Option<Spanned<String>> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        let found = kind_of(value.get_ref());
        let meant = value.get_ref().as_integer().map(|number| format!("\"{number}\""));
        sink.error(value.span(), format!("{what} must be a text, but this is {found}")).suggest(meant);
    }
    text.map(|text| Spanned::new(value.span(), text.to_owned()))
}

/// Yes or no.
pub(in super::super) fn flag(value: &Value<'_>, what: &str, sink: &mut Sink) -> Option<Spanned<bool>> {
    let flag = value.get_ref().as_bool();
    if flag.is_none() {
        let found = kind_of(value.get_ref());
        let meant = match value.get_ref().as_str() {
            Some("true" | "yes" | "on") => Some("true"),
            Some("false" | "no" | "off") => Some("false"),
            _ => None,
        };
        sink.error(value.span(), format!("{what} must be true or false, but this is {found}")).suggest(meant);
    }
    flag.map(|flag| Spanned::new(value.span(), flag))
}

/// A whole number within `range`.
pub(in super::super) fn number<N: TryFrom<u32>>(
    value: &Value<'_>,
    what: &str,
    range: RangeInclusive<u32>,
    sink: &mut Sink,
) -> Option<Spanned<N>> {
    let (least, most) = (range.start(), range.end());
    let DeValue::Integer(integer) = value.get_ref() else {
        let found = kind_of(value.get_ref());
        let meant = value.get_ref().as_str().filter(|text| text.parse::<u32>().is_ok());
        sink.error(value.span(), format!("{what} must be a whole number, but this is {found}"))
            .suggest(meant);
        return None;
    };
    let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
    let number = number.filter(|number| range.contains(number)).and_then(|number| N::try_from(number).ok());
    if number.is_none() {
        sink.error(value.span(), format!("{what} must be from {least} to {most}"));
    }
    number.map(|number| Spanned::new(value.span(), number))
}

/// A duration within `range`.
pub(in super::super) fn duration(
    value: &Value<'_>,
    what: &str,
    range: RangeInclusive<Duration>,
    sink: &mut Sink,
) -> Option<Spanned<Duration>> {
    let Some(text) = value.get_ref().as_str() else {
        let found = kind_of(value.get_ref());
        let meant = value.get_ref().as_integer().map(|number| format!("\"{number}s\""));
        let message = format!("{what} must be a duration such as \"20s\", but this is {found}");
        sink.error(value.span(), message).suggest(meant);
        return None;
    };
    match duration::parse(text) {
        Ok(duration) if range.contains(&duration) => Some(Spanned::new(value.span(), duration)),
        Ok(_) => {
            let (least, most) = (duration::show(*range.start()), duration::show(*range.end()));
            sink.error(value.span(), format!("{what} must be from {least} to {most}"));
            None
        }
        Err(error) => {
            let message = format!("{what} must be a duration, but \"{}\" {}", shown(text), error.why);
            sink.error(value.span(), message)
                .suggest(error.meant)
                .help("write whole numbers with d, h, m, s or ms: \"20s\", \"500ms\", \"1h30m\"");
            None
        }
    }
}

/// A word of the calendar: a date, a time of day, a weekday.
pub(in super::super) fn civil<T: Civil>(
    value: &Value<'_>,
    what: &str,
    sink: &mut Sink,
) -> Option<Spanned<T>> {
    let unquoted = value.get_ref().as_datetime().map(ToString::to_string);
    let Some(text) = value.get_ref().as_str() else {
        let found = kind_of(value.get_ref());
        let meant =
            unquoted.and_then(|text| if T::read(&text).is_some() { Some(text) } else { T::meant(&text) });
        let message = format!("{what} must be {}, but this is {found}", T::SUCH_AS);
        sink.error(value.span(), message).suggest(meant.map(|text| format!("\"{text}\"")));
        return None;
    };
    let read = T::read(text);
    if read.is_none() {
        let meant = T::meant(text).filter(|meant| T::read(meant).is_some());
        sink.error(value.span(), format!("{what} must be {}, not \"{}\"", T::SUCH_AS, shown(text)))
            .suggest(meant);
    }
    read.map(|read| Spanned::new(value.span(), read))
}

/// A list of what `read` reads; `of` names that in a message.
pub(in super::super) fn list<T>(
    value: &Value<'_>,
    what: &str,
    of: &str,
    sink: &mut Sink,
    read: impl Fn(&Value<'_>, &str, &mut Sink) -> Option<Spanned<T>>,
) -> List<T> {
    let span = value.span();
    let Some(array) = value.get_ref().as_array() else {
        let found = kind_of(value.get_ref());
        let meant = value.get_ref().as_str().map(|text| format!("[\"{}\"]", shown(text)));
        sink.error(value.span(), format!("{what} must be a list of {of}, but this is {found}"))
            .suggest(meant);
        return List { items: Vec::new(), span, broken: true };
    };
    if array.len() > MOST_LISTED {
        sink.error(value.span(), format!("{what} lists more than {MOST_LISTED} {of}"));
        return List { items: Vec::new(), span, broken: true };
    }
    let name = format!("each of {what}");
    let items: Vec<_> = array.iter().filter_map(|item| read(item, &name, sink)).collect();
    let broken = items.len() < array.len();
    List { items, span, broken }
}

pub(in super::super) fn kind_of(value: &DeValue<'_>) -> &'static str {
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
