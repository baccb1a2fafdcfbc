//! Feature codes: which number does what, and that none of them is another.

use serde_spanned::Spanned;

use super::super::sink::Sink;
use super::super::table::shown;
use super::super::written;
use crate::acd::cases::Disposition;
use crate::switch::codes::{Code, Codes};

/// The codes and what is dialled for each unless the file says otherwise.
const CODES: [(Code, &str, &str); 8] = [
    (Code::LogIn, "log-in", "*11"),
    (Code::LogOut, "log-out", "*12"),
    (Code::Pause, "pause", "*13"),
    (Code::Ready, "ready", "*14"),
    (Code::Extend, "extend", "*15"),
    (Code::TakeCase, "take-case", "*16"),
    (Code::Dispose, "disposition", "*17"),
    (Code::GiveBack, "give-back", "*18"),
];
/// The reasons of a pause unless the file says otherwise.
const REASONS: [(char, &str); 2] = [('1', "break"), ('2', "lunch")];
/// Longest number of a code.
const LONGEST: usize = 16;
/// Longest reason, in bytes.
const LONGEST_REASON: usize = 64;

/// What agents may dial; an empty text switches a code off.
pub(super) fn codes(written: &written::Codes, dispositions: &[Disposition], sink: &mut Sink) -> Codes {
    let reasons = reasons(written, sink);
    let mut dialled: Vec<(String, Code)> = Vec::new();
    let mut taken: Vec<(String, &str, Option<&Spanned<String>>)> = Vec::new();
    for ((code, key, default), stated) in CODES.into_iter().zip(&written.dialled) {
        let number = stated.as_ref().map_or(default, |number| number.get_ref());
        if number.is_empty() {
            continue;
        }
        let sound = number.len() <= LONGEST
            && number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'));
        if let Some(stated) = stated.as_ref().filter(|_| !sound) {
            sink.error(stated.span(), format!("\"{}\" is nothing that a phone can dial", shown(number)))
                .help(format!("write digits, * and #, at most {LONGEST}; \"\" switches the code off"));
            continue;
        }
        let with_reasons = reasons.iter().filter(|_| code == Code::Pause);
        let with_dispositions = dispositions.iter().filter(|_| code == Code::Dispose);
        let numbers = with_reasons.map(|(digit, _)| format!("{number}{digit}"));
        let numbers = numbers.chain(with_dispositions.map(|known| format!("{number}{}", known.code)));
        let numbers = numbers.chain([number.to_owned()]);
        for number in numbers {
            if let Some((_, other, place)) = taken.iter().find(|(known, _, _)| *known == number) {
                let Some(span) = stated.as_ref().or(*place).map(Spanned::span) else { continue };
                sink.error(span, format!("{number} is dialled for `{other}` and for `{key}`"));
            } else {
                taken.push((number, key, stated.as_ref()));
            }
        }
        dialled.push((number.to_owned(), code));
    }
    Codes { dialled, reasons, extension: written.extension }
}

fn reasons(written: &written::Codes, sink: &mut Sink) -> Vec<(char, String)> {
    let Some(map) = &written.reasons else {
        return REASONS.map(|(digit, reason)| (digit, reason.to_owned())).to_vec();
    };
    let mut reasons = Vec::with_capacity(map.items.len());
    for (digit, reason) in &map.items {
        let mut chars = digit.get_ref().chars();
        let (Some(key), None) = (chars.next().filter(char::is_ascii_digit), chars.next()) else {
            sink.error(digit.span(), format!("\"{}\" is not one digit", shown(digit.get_ref())))
                .help("a reason is dialled as one digit behind the code of `pause`");
            continue;
        };
        let text = reason.get_ref();
        if text.trim().is_empty() || text.len() > LONGEST_REASON || text.chars().any(char::is_control) {
            sink.error(reason.span(), format!("a reason must be words, at most {LONGEST_REASON} bytes"));
            continue;
        }
        reasons.push((key, text.clone()));
    }
    reasons
}
