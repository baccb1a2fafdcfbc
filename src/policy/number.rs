//! Telephone numbers: from whatever a trunk sends to one form that can be compared and recorded.
//!
//! Nothing about a number decides a call's class; that is the trunk's alone.

/// Longest text that [`normalise`] returns, in characters.
const LONGEST: usize = 32;
/// Most digits of an international number (ITU-T E.164, 6).
const MOST_DIGITS: usize = 15;
/// Fewest digits after a national or international prefix; fewer are a short code or an extension.
const FEWEST_DIGITS: usize = 7;
/// Fewest digits after a bare country code that make it one.
const FEWEST_AFTER_BARE_CODE: usize = 9;

/// Brings the user part of a SIP or tel URI to E.164 (`+442079460101`) where it is a national or
/// international number of `country_code` (digits only, as `44`).
///
/// Short codes and extensions keep their digits. Anything else is kept as text: trimmed, at most 32
/// characters, each outside printable ASCII replaced by `?`, so that it is safe to record.
pub fn normalise(text: &str, country_code: &str) -> String {
    let Some((plus, digits)) = dialled(text) else { return printable(text) };
    let e164 = |code: &str, rest: &str| {
        let fits = FEWEST_DIGITS <= rest.len() && code.len() + rest.len() <= MOST_DIGITS;
        (fits && !rest.starts_with('0')).then(|| format!("+{code}{rest}"))
    };
    let has_code = !country_code.is_empty() && country_code.bytes().all(|b| b.is_ascii_digit());
    let number = if plus {
        e164("", &digits)
    } else if let Some(rest) = digits.strip_prefix("00") {
        e164("", rest)
    } else if let Some(rest) = digits.strip_prefix('0') {
        e164(country_code, rest).filter(|_| has_code)
    } else {
        let rest = digits.strip_prefix(country_code).filter(|_| has_code);
        rest.filter(|rest| rest.len() >= FEWEST_AFTER_BARE_CODE).and_then(|rest| e164(country_code, rest))
    };
    number.unwrap_or_else(|| {
        let sign = if plus { "+" } else { "" };
        sign.chars().chain(digits.chars()).take(LONGEST).collect()
    })
}

/// Whether a caller's number may be shown or dialled: not one beginning 08979, in any notation, which UK
/// networks put in place of an invalid network number.
pub fn is_presentable(cli: &str) -> bool {
    let Some((plus, digits)) = dialled(cli) else { return true };
    let prefixes: &[&str] = if plus { &["44", "440"] } else { &["0", "44", "440", "0044", "00440"] };
    !prefixes.iter().any(|prefix| digits.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("8979")))
}

/// The digits of `text` without visual separators (RFC 3966, 5.1.1) and parameters, and whether a plus sign
/// led them; `None` when it is not a number.
///
/// A `(0)` after an international prefix is left out: it is dialled only within the country.
fn dialled(text: &str) -> Option<(bool, String)> {
    let text = text.split(';').next().unwrap_or_default().trim();
    let after_plus = ["+", "%2B", "%2b"].iter().find_map(|plus| text.strip_prefix(plus));
    let (plus, rest) = (after_plus.is_some(), after_plus.unwrap_or(text));
    let international = plus || rest.starts_with("00");
    let rest = match rest.split_once("(0)") {
        Some((before, after)) if international && !before.is_empty() => format!("{before}{after}"),
        _ => rest.to_owned(),
    };
    let digits: String = rest.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some((plus, digits))
}

/// `text` trimmed and bounded, with `?` for each character outside printable ASCII.
fn printable(text: &str) -> String {
    let safe = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    text.trim().chars().map(safe).take(LONGEST).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn national_and_international_notations_become_e164() {
        for text in [
            "+44 20 7946 0101",
            "+442079460101",
            "%2B442079460101",
            "%2b442079460101",
            "+44 (0)20 7946 0101",
            "+44-20-7946-0101;phone-context=+44",
            "0044 20 7946 0101",
            "0044(0)2079460101",
            "020 7946 0101",
            "(020) 7946.0101",
            " 02079460101 ",
            "442079460101",
        ] {
            assert_eq!(normalise(text, "44"), "+442079460101", "{text}");
        }
        assert_eq!(normalise("01204 55512", "44"), "+44120455512");
        assert_eq!(normalise("0800 1111", "44"), "+448001111");
        assert_eq!(normalise("+1 415 555 0100", "44"), "+14155550100");
        assert_eq!(normalise("0014155550100", "44"), "+14155550100");
        assert_eq!(normalise("06 12 34 56 78", "33"), "+33612345678");
    }

    #[test]
    fn short_codes_and_extensions_keep_their_digits() {
        for text in ["999", "112", "111", "0", "100", "2001", "4412", "4455501", "020", "00999", "+999"] {
            assert_eq!(normalise(text, "44"), text, "{text}");
        }
    }

    #[test]
    fn a_number_without_a_known_country_code_keeps_its_digits() {
        assert_eq!(normalise("020 7946 0101", ""), "02079460101");
        assert_eq!(normalise("442079460101", ""), "442079460101");
        assert_eq!(normalise("442079460101", "x"), "442079460101");
        assert_eq!(normalise("2079460101", "44"), "2079460101");
    }

    #[test]
    fn what_is_no_number_is_kept_trimmed_printable_and_bounded() {
        assert_eq!(normalise("  alice.smith ", "44"), "alice.smith");
        assert_eq!(normalise("*21#", "44"), "*21#");
        assert_eq!(normalise("", "44"), "");
        assert_eq!(normalise("+", "44"), "+");
        assert_eq!(normalise("a\r\nb\u{202e}\u{0}é", "44"), "a??b???");
        assert_eq!(normalise("\u{0660}\u{0661}", "44"), "??");
        assert_eq!(normalise(&"x".repeat(5_000), "44").len(), 32);
        assert_eq!(normalise(&"9".repeat(5_000), "44"), "9".repeat(32));
        assert_eq!(normalise(&format!("+{}", "4".repeat(5_000)), "44").len(), 32);
    }

    #[test]
    fn a_number_beginning_08979_is_never_presentable() {
        for cli in
            ["08979123456", "+448979123456", "00448979123456", "448979123456", "+44 (0)8979 123456", "08979"]
        {
            assert!(!is_presentable(cli), "{cli}");
        }
        for cli in ["+442079460101", "02089791234", "+18979123456", "8979", "8979123456", "anonymous", ""] {
            assert!(is_presentable(cli), "{cli}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_bounded_printable_one(text in "\\PC*|[+0-9 ().;%-]{0,40}|.{0,60}", code in "[0-9]{0,3}") {
            let number = normalise(&text, &code);
            prop_assert!(number.len() <= 32 && number.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert_eq!(number.trim(), &number);
            is_presentable(&text);
        }

        #[test]
        fn an_e164_number_stays_as_it_is(number in "\\+[1-9][0-9]{6,14}", code in "[1-9][0-9]{0,2}") {
            prop_assert_eq!(normalise(&number, &code), number);
        }
    }
}
