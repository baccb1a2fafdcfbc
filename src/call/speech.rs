//! What callers and agents are told, put together from prompts: places, waits, numbers.
//!
//! Nothing is said that is not so: a wait is rounded outwards, and what cannot be said is left unsaid. The
//! prompts are files in the directory `config/prompts`, made from its `words.txt`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audio::Digit;
use crate::id::ClipId;

macro_rules! prompts {
    ($($name:ident = $file:literal $words:literal;)*) => {
        /// One recorded piece of speech.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Prompt {$(
            #[doc = concat!("\"", $words, "\"")]
            $name,
        )*}

        impl Prompt {
            /// Every prompt, in the order of their clips.
            pub const ALL: &[Prompt] = &[$(Prompt::$name,)*];

            /// Its file in the directory of prompts.
            pub fn file(self) -> &'static str {
                match self {$(Prompt::$name => concat!($file, ".wav"),)*}
            }

            /// The WAV file that comes with the program.
            pub fn wav(self) -> &'static [u8] {
                match self {$(
                    Prompt::$name => include_bytes!(concat!("../../config/prompts/", $file, ".wav")),
                )*}
            }

            /// What it says.
            pub fn words(self) -> &'static str {
                match self {$(Prompt::$name => $words,)*}
            }
        }
    };
}

prompts! {
    Zero = "zero" "zero";
    One = "one" "one";
    Two = "two" "two";
    Three = "three" "three";
    Four = "four" "four";
    Five = "five" "five";
    Six = "six" "six";
    Seven = "seven" "seven";
    Eight = "eight" "eight";
    Nine = "nine" "nine";
    Ten = "ten" "ten";
    Eleven = "eleven" "eleven";
    Twelve = "twelve" "twelve";
    Thirteen = "thirteen" "thirteen";
    Fourteen = "fourteen" "fourteen";
    Fifteen = "fifteen" "fifteen";
    Sixteen = "sixteen" "sixteen";
    Seventeen = "seventeen" "seventeen";
    Eighteen = "eighteen" "eighteen";
    Nineteen = "nineteen" "nineteen";
    Twenty = "twenty" "twenty";
    Thirty = "thirty" "thirty";
    Forty = "forty" "forty";
    Fifty = "fifty" "fifty";
    Sixty = "sixty" "sixty";
    Seventy = "seventy" "seventy";
    Eighty = "eighty" "eighty";
    Ninety = "ninety" "ninety";
    Hundred = "hundred" "hundred";
    HundredAnd = "hundred-and" "hundred and";
    Plus = "plus" "plus";
    YouAreNumber = "you-are-number" "You are number";
    InTheQueue = "in-the-queue" "in the queue.";
    YouAreNext = "you-are-next" "You are next in the queue.";
    YourWaitIs = "your-wait-is" "Your wait is";
    YourWaitIsAbout = "your-wait-is-about" "Your wait is about";
    YourWaitMayBe = "your-wait-may-be" "Your wait may be";
    LessThanAMinute = "less-than-a-minute" "less than a minute.";
    OverAnHour = "over-an-hour" "over an hour.";
    WeExpectToAnswerWithin = "we-expect-to-answer-within" "We expect to answer within";
    To = "to" "to";
    Minute = "minute" "minute.";
    Minutes = "minutes" "minutes.";
    Press = "press" "Press";
    ToBeCalledBack = "to-be-called-back" "and we will call you back. You keep your place in the queue.";
    CallbackNumber = "callback-number" "The number we will call is";
    ToConfirm = "to-confirm" "to confirm.";
    ToConfirmOrStay = "to-confirm-or-stay" "to confirm, or press star to stay in the queue.";
    CallbackPromised = "callback-promised" "Thank you. We will call you back. Goodbye.";
    CallbackNotNow = "callback-not-now" "Sorry, we cannot promise to call you back now. Please hold.";
    CallbackFor = "callback-for" "Call back for";
    NotReached = "not-reached" "The patient could not be reached.";
    NotWanted = "not-wanted" "This call back is not needed any more.";
    ThisCallIsFrom = "this-call-is-from" "This call is from";
    PuttingYouThrough = "putting-you-through" "Please hold. We are putting you through.";
    NobodyCanAnswer = "nobody-can-answer" "Sorry, nobody can answer now.";
    LineClosed = "line-closed" "Sorry, the line is closed.";
    ServiceBusy = "service-busy" "We are sorry, this service is busy. Please try later.";
    YouAreLoggedIn = "you-are-logged-in" "You are logged in.";
    YouAreLoggedOut = "you-are-logged-out" "You are logged out.";
    YouArePaused = "you-are-paused" "You are paused.";
    YouAreReady = "you-are-ready" "You are ready.";
    NotRecognised = "not-recognised" "That was not recognised.";
    ClinicianWillCall = "clinician-will-call" "Thank you. A clinician will call you back. Goodbye.";
    NothingWaits = "nothing-waits" "No case is waiting.";
    Noted = "noted" "Thank you. That is noted.";
    NotTransferred = "not-transferred" "The call was not transferred.";
    Pause = "pause" "";
    RingTone = "ring-tone" "";
}

use Prompt::*;

/// The greatest number that is spoken.
pub const GREATEST: u32 = 999;
/// Most digits of a telephone number that is read out.
const MOST_DIGITS: usize = 20;

const UNITS: [Prompt; 20] = [
    Zero, One, Two, Three, Four, Five, Six, Seven, Eight, Nine, Ten, Eleven, Twelve, Thirteen, Fourteen,
    Fifteen, Sixteen, Seventeen, Eighteen, Nineteen,
];
const TENS: [Prompt; 10] = [Zero, Ten, Twenty, Thirty, Forty, Fifty, Sixty, Seventy, Eighty, Ninety];

/// The clips of an announcement, where those of [`Prompt::ALL`] follow one another from `first` on.
pub fn clips(said: &[Prompt], first: ClipId) -> Vec<ClipId> {
    said.iter().map(|&prompt| ClipId(first.0 + prompt as u32)).collect()
}

/// A number as the British say it, "one hundred and one"; nothing above [`GREATEST`].
pub fn number(n: u32) -> Vec<Prompt> {
    let mut said = Vec::with_capacity(4);
    if n > GREATEST {
        return said;
    }
    let (hundreds, rest) = (n as usize / 100, n as usize % 100);
    if hundreds > 0 {
        said.extend([UNITS[hundreds], if rest > 0 { HundredAnd } else { Hundred }]);
    }
    match rest {
        0 if hundreds > 0 => {}
        0..20 => said.push(UNITS[rest]),
        _ => {
            said.push(TENS[rest / 10]);
            said.extend((rest % 10 > 0).then(|| UNITS[rest % 10]));
        }
    }
    said
}

/// A caller's place in the queue, the next being 1; nothing for 0 and above [`GREATEST`].
pub fn position(n: u32) -> Vec<Prompt> {
    match n {
        0 => Vec::new(),
        1 => vec![YouAreNext],
        2..=GREATEST => [vec![YouAreNumber], number(n), vec![InTheQueue]].concat(),
        _ => Vec::new(),
    }
}

/// How much longer a caller waits, between `low` and `high`, in whole minutes: `low` rounded down, `high` up.
///
/// Nothing is said of zero minutes, and beyond an hour no more than that.
pub fn estimate(low: Duration, high: Duration) -> Vec<Prompt> {
    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3_600);
    let (low, high) = (low.min(high), low.max(high));
    if low > HOUR {
        return vec![YourWaitIs, OverAnHour];
    } else if high > HOUR {
        return vec![YourWaitMayBe, OverAnHour];
    } else if high < MINUTE {
        return vec![YourWaitIs, LessThanAMinute];
    }
    let (from, to) = (low.as_secs() as u32 / 60, high.as_millis().div_ceil(60_000) as u32);
    let unit = if to == 1 { Minute } else { Minutes };
    match from {
        0 => [vec![WeExpectToAnswerWithin], number(to), vec![unit]].concat(),
        _ if from == to => [vec![YourWaitIsAbout], number(to), vec![unit]].concat(),
        _ => [vec![YourWaitIsAbout], number(from), vec![To], number(to), vec![unit]].concat(),
    }
}

/// A telephone number digit by digit, with pauses between its groups; national where it is of `country_code`.
///
/// What is no number, or has more than 20 digits, is not read.
pub fn telephone(text: &str, country_code: &str) -> Vec<Prompt> {
    let (plus, digits) = match text.strip_prefix('+') {
        Some(digits) => match digits.strip_prefix(country_code).filter(|_| !country_code.is_empty()) {
            Some(national) => (false, format!("0{national}")),
            None => (true, digits.to_owned()),
        },
        None => (false, text.to_owned()),
    };
    let readable = (1..=MOST_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if !readable {
        return Vec::new();
    }
    let mut said: Vec<_> = plus.then_some(Plus).into_iter().collect();
    let mut rest = digits.as_bytes();
    for length in groups(&digits) {
        if rest.len() < digits.len() {
            said.push(Pause);
        }
        let (group, later) = rest.split_at(length);
        said.extend(group.iter().map(|digit| UNITS[usize::from(digit - b'0')]));
        rest = later;
    }
    said
}

/// Offers a callback by a key.
pub fn offer_callback(key: Digit) -> Vec<Prompt> {
    vec![Press, digit(key), ToBeCalledBack]
}

/// Asks a caller whether to be called back at this number; one who does not say so stays in the queue, or leaves.
pub fn confirm_callback(cli: &str, country_code: &str, key: Digit, stays: bool) -> Vec<Prompt> {
    let rest = if stays { ToConfirmOrStay } else { ToConfirm };
    [vec![CallbackNumber], telephone(cli, country_code), vec![Pause, Press, digit(key), rest]].concat()
}

/// The name of a key of a figure.
fn digit(key: Digit) -> Prompt {
    UNITS.get(usize::from(key.code())).copied().filter(|_| key.code() < 10).unwrap_or(One)
}

/// The lengths of the groups in which a number is read: a British one as it is written (020 7946 0101,
/// 0161 496 0101, 07700 900 123), any other by threes.
fn groups(digits: &str) -> Vec<usize> {
    match digits.as_bytes() {
        [b'0', b'2', ..] if digits.len() == 11 => vec![3, 4, 4],
        [b'0', b'1', b'1', ..] | [b'0', b'1', _, b'1', ..] if digits.len() == 11 => vec![4, 3, 4],
        [b'0', b'3' | b'8' | b'9', ..] if digits.len() == 11 => vec![4, 3, 4],
        [b'0', ..] if digits.len() == 11 => vec![5, 3, 3],
        all => {
            // No digit is left alone at the end.
            let last = all.len() % 3 + if all.len() % 3 == 1 { 3 } else { 0 };
            let threes = all.len().saturating_sub(last) / 3;
            std::iter::repeat_n(3, threes).chain((last > 0).then(|| last.min(all.len()))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::call::media::MOST_SAID;

    /// What is heard, pauses as bars.
    fn heard(said: &[Prompt]) -> String {
        let words = said.iter().map(|&prompt| if prompt == Pause { "|" } else { prompt.words() });
        words.collect::<Vec<_>>().join(" ")
    }

    fn minutes(low: u64, high: u64) -> String {
        heard(&estimate(Duration::from_secs(low), Duration::from_secs(high)))
    }

    #[test]
    fn numbers_are_spoken_as_the_british_do() {
        for (n, words) in [
            (0, "zero"),
            (1, "one"),
            (10, "ten"),
            (13, "thirteen"),
            (19, "nineteen"),
            (20, "twenty"),
            (21, "twenty one"),
            (40, "forty"),
            (99, "ninety nine"),
            (100, "one hundred"),
            (101, "one hundred and one"),
            (110, "one hundred and ten"),
            (115, "one hundred and fifteen"),
            (120, "one hundred and twenty"),
            (342, "three hundred and forty two"),
            (800, "eight hundred"),
            (999, "nine hundred and ninety nine"),
            (1_000, ""),
            (u32::MAX, ""),
        ] {
            assert_eq!(heard(&number(n)), words);
        }
    }

    #[test]
    fn no_two_numbers_sound_the_same_and_each_takes_four_clips_at_most() {
        let all: BTreeSet<_> = (0..=GREATEST).map(|n| heard(&number(n))).collect();
        assert_eq!(all.len(), 1_000);
        assert!((0..=GREATEST).all(|n| (1..=4).contains(&number(n).len())));
    }

    #[test]
    fn places_in_the_queue_are_told_and_impossible_ones_are_not() {
        assert_eq!(heard(&position(1)), "You are next in the queue.");
        assert_eq!(heard(&position(2)), "You are number two in the queue.");
        assert_eq!(heard(&position(134)), "You are number one hundred and thirty four in the queue.");
        assert_eq!((position(0), position(1_000)), (vec![], vec![]));
    }

    #[test]
    fn waits_are_rounded_outwards() {
        for (low, high, words) in [
            (0, 0, "Your wait is less than a minute."),
            (0, 59, "Your wait is less than a minute."),
            (0, 60, "We expect to answer within one minute."),
            (59, 61, "We expect to answer within two minutes."),
            (60, 60, "Your wait is about one minute."),
            (119, 120, "Your wait is about one to two minutes."),
            (240, 360, "Your wait is about four to six minutes."),
            (299, 301, "Your wait is about four to six minutes."),
            (300, 300, "Your wait is about five minutes."),
            (1_260, 3_541, "Your wait is about twenty one to sixty minutes."),
            (3_600, 3_600, "Your wait is about sixty minutes."),
            (0, 3_601, "Your wait may be over an hour."),
            (3_599, 9_000, "Your wait may be over an hour."),
            (3_600, 9_000, "Your wait may be over an hour."),
            (3_601, 9_000, "Your wait is over an hour."),
            (900, 600, "Your wait is about ten to fifteen minutes."),
        ] {
            assert_eq!(minutes(low, high), words, "{low} s to {high} s");
        }
        let (just_over, longest) = (Duration::from_nanos(1), Duration::MAX);
        assert_eq!(heard(&estimate(longest, longest)), "Your wait is over an hour.");
        assert_eq!(heard(&estimate(just_over, just_over)), "Your wait is less than a minute.");
    }

    #[test]
    fn no_wait_is_told_shorter_than_the_estimate_or_as_zero_minutes() {
        for high in 0..=3_600 {
            for low in [0, high / 2, high] {
                let told = estimate(Duration::from_secs(low), Duration::from_secs(high));
                assert!(!told.contains(&Zero), "{}", heard(&told));
                let up = number(high.div_ceil(60) as u32);
                let short = told.contains(&LessThanAMinute) && high < 60;
                assert!(short || told.windows(up.len()).any(|said| said == up), "{high}: {}", heard(&told));
            }
        }
    }

    #[test]
    fn telephone_numbers_are_read_in_their_groups() {
        for (text, words) in [
            ("+442079460101", "zero two zero | seven nine four six | zero one zero one"),
            ("+441614960101", "zero one six one | four nine six | zero one zero one"),
            ("+441134960101", "zero one one three | four nine six | zero one zero one"),
            ("+447700900123", "zero seven seven zero zero | nine zero zero | one two three"),
            ("+441632960101", "zero one six three two | nine six zero | one zero one"),
            ("+448081570101", "zero eight zero eight | one five seven | zero one zero one"),
            ("+14155550100", "plus one four one | five five five | five zero one | zero zero"),
            ("+3225550100", "plus three two two | five five five | zero one zero zero"),
            ("200155", "two zero zero | one five five"),
            ("2001", "two zero zero one"),
            ("999", "nine nine nine"),
            ("0", "zero"),
        ] {
            assert_eq!(heard(&telephone(text, "44")), words, "{text}");
        }
        assert_eq!(heard(&telephone("+442079460101", "")).split(' ').count(), 1 + 12 + 3);
        for text in ["", "+", "alice", "*21#", "123456789012345678901", "+44 20 7946 0101"] {
            assert_eq!(telephone(text, "44"), [], "{text}");
        }
    }

    #[test]
    fn the_longest_announcement_is_within_the_bound() {
        for digits in 1..=MOST_DIGITS {
            let number = format!("+{}", "9".repeat(digits));
            for stays in [true, false] {
                let said = confirm_callback(&number, "44", Digit::ONE, stays);
                assert_eq!(said.iter().filter(|&&prompt| prompt == Nine).count(), digits);
                assert!([NobodyCanAnswer, Pause].len() + said.len() <= MOST_SAID);
            }
        }
    }

    #[test]
    fn prompts_and_the_text_that_their_files_are_made_from_agree() {
        let spoken = Prompt::ALL.iter().filter(|prompt| !prompt.words().is_empty());
        let table: Vec<_> =
            spoken.map(|p| format!("{} {}", p.file().trim_end_matches(".wav"), p.words())).collect();
        let text: Vec<_> = include_str!("../../config/prompts/words.txt").lines().collect();
        assert_eq!(table, text);
    }

    #[test]
    fn the_clips_of_prompts_follow_in_their_order() {
        let all: Vec<_> = (0u32..).take(Prompt::ALL.len()).map(|n| ClipId(7 + n)).collect();
        assert_eq!(clips(Prompt::ALL, ClipId(7)), all);
    }
}
