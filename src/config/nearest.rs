//! The name that was probably meant.

/// Longest word that is compared, in bytes.
const LONGEST: usize = 64;
/// Jaro-Winkler similarity, from 0 to 1, above which words count as alike: `surgery` and `surgeries`.
const ALIKE: f64 = 0.9;

/// The candidate nearest to `word`, when one is near enough to be a slip of the pen; the first on a tie.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let folded = fold(word);
    let reach = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST && *candidate != word)
        .filter_map(|candidate| Some((distance(&folded, &fold(candidate), reach)?, candidate)))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Edits from one to the other, at most `reach`; words that only begin alike, or of which one is the
/// beginning or end of the other, count as further off than any misspelling.
fn distance(word: &str, candidate: &str, reach: usize) -> Option<usize> {
    let edits = strsim::damerau_levenshtein(word, candidate);
    if edits <= reach {
        return Some(edits);
    }
    let (short, long) = if word.len() < candidate.len() { (word, candidate) } else { (candidate, word) };
    let part = short.len() >= 4 && (long.starts_with(short) || long.ends_with(short));
    let alike = part || strsim::jaro_winkler(word, candidate) > ALIKE;
    alike.then_some(LONGEST + edits)
}

fn fold(word: &str) -> String {
    word.chars().map(|c| if matches!(c, '_' | '.' | ' ') { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_the_name_that_was_meant() {
        let names = ["hub-navigators", "clinicians", "ring-for", "asha"];
        for (word, meant) in [
            ("hub-navigatros", Some("hub-navigators")),
            ("hub_navigators", Some("hub-navigators")),
            ("navigators", Some("hub-navigators")),
            ("Clinicians", Some("clinicians")),
            ("ring-fro", Some("ring-for")),
            ("ahsa", Some("asha")),
            ("clinics", Some("clinicians")),
            ("ben", None),
            ("", None),
            ("ring-tone-of-the-phone", None),
        ] {
            assert_eq!(nearest(word, names), meant, "{word}");
        }
    }

    #[test]
    fn a_word_beyond_all_measure_is_not_compared() {
        assert_eq!(nearest(&"a".repeat(100_000), ["a"]), None);
    }
}
