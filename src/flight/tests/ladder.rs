//! One call out of a log, while that is being written or after.

use super::*;
use crate::flight::ladder::{Ladder, NoLadder, Party, Short, What, ladder, ladder_within};

fn ladder_of(settings: &Settings, call: u64) -> Result<Ladder, NoLadder> {
    ladder(&settings.directory, 1, CallId(call))
}

/// The steps without times and texts.
fn shown(ladder: &Ladder) -> Vec<String> {
    let step = |what: &What| match what {
        What::Message { party, comes, start, .. } => {
            format!("{party} {} {start}", if *comes { ">" } else { "<" })
        }
        What::Decision(what) => what.clone(),
        What::Media(party, what) => format!("{party} {what}"),
    };
    ladder.steps.iter().map(|known| step(&known.what)).collect()
}

/// The switch goes on in another process, which begins a segment.
fn taken_over(settings: &Settings, world: World) -> World {
    let (now, invite) = (world.now, world.invite.clone());
    world.kill();
    let opened = open(settings.clone()).unwrap();
    let switch = opened.left().unwrap().expect("calls were left").switch;
    let recorder = opened.record(run(1), &Kept::of(&switch), now).unwrap();
    resumed(&settings.directory);
    World { switch, now, recorder: Some(recorder), sent: 0, records: 0, invite }
}

#[test]
fn a_call_is_found_with_its_messages_decisions_and_sounds_and_nothing_of_others() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.call("two");
    world.answer();
    // While it goes on.
    let found = ladder_of(&settings, 1).unwrap();
    let steps = shown(&found);
    let first = [
        "caller > INVITE",
        "arrives by trunk surgery on line gp, where 1 wait now",
        "presented to asha",
        "asha < INVITE",
    ];
    for step in first {
        assert!(steps.iter().any(|known| known == step), "{step} is not in {steps:#?}");
    }
    assert_eq!(found.short, None);
    let What::Message { party: Party::Caller, text, .. } = &found.steps[0].what else { panic!("{steps:?}") };
    assert!(text.contains("07700900123"), "all of the message");
    world.give(Input::Stop);
    world.give(Input::Wake);
    let steps = shown(&ladder_of(&settings, 1).unwrap());
    for step in ["bridged to asha after 0.0 s", "caller caller and asha hear each other", "asha < BYE"] {
        assert!(steps.iter().any(|known| known == step), "{step} is not in {steps:#?}");
    }
    let other = ladder_of(&settings, 2).unwrap();
    let is_of_one =
        |what: &What| matches!(what, What::Message { text, .. } if text.contains("Call-ID: one\r"));
    assert!(!other.steps.iter().any(|step| is_of_one(&step.what)) && !shown(&other).contains(&steps[1]));
    assert!(matches!(ladder_of(&settings, 3), Err(NoLadder::Unknown)));
    assert!(matches!(ladder(&settings.directory, 2, CallId(1)), Err(NoLadder::Forgotten)), "of another run");
}

#[test]
fn a_call_is_whole_over_segments_until_the_first_is_gone() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    let mut world = taken_over(&settings, world);
    world.answer();
    world.give(Input::Wake);
    let mut world = taken_over(&settings, world);
    world.call("two");
    world.give(Input::Wake);
    let (one, two) = (ladder_of(&settings, 1).unwrap(), ladder_of(&settings, 2).unwrap());
    let is_in = |ladder: &Ladder, step: &str| shown(ladder).iter().any(|known| known == step);
    assert!(
        is_in(&one, "caller > INVITE") && is_in(&one, "bridged to asha after 0.0 s"),
        "{:#?}",
        shown(&one)
    );
    assert_eq!((one.short, two.short), (None, None));
    assert!(is_in(&two, "caller > INVITE"));
    let found = segments(&settings.directory).unwrap();
    fs::remove_file(&found[0]).unwrap();
    let one = ladder_of(&settings, 1).unwrap();
    assert_eq!(one.short, Some(Short::Beginning));
    assert!(
        !is_in(&one, "caller > INVITE") && is_in(&one, "bridged to asha after 0.0 s"),
        "{:#?}",
        shown(&one)
    );
    world.give(Input::Stop);
    let mut world = taken_over(&settings, world);
    world.call("three");
    world.give(Input::Wake);
    let found = segments(&settings.directory).unwrap();
    found[..found.len() - 1].iter().for_each(|path| fs::remove_file(path).unwrap());
    assert!(matches!(ladder_of(&settings, 2), Err(NoLadder::Forgotten)));
    assert_eq!(ladder_of(&settings, 3).unwrap().short, None);
}

#[test]
fn a_ladder_without_end_is_cut() {
    let (_directory, settings, mut world) = begun();
    (0..600).for_each(|_| world.call("one"));
    let found = ladder_of(&settings, 1).unwrap();
    assert_eq!((found.steps.len(), found.short), (1_000, Some(Short::Steps)));
}

#[test]
fn a_ladder_for_which_too_much_would_have_to_be_read_or_for_too_long_says_so() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.give(Input::Wake);
    let short =
        |bytes, longest| ladder_within(&settings.directory, 1, CallId(1), (bytes, longest)).unwrap().short;
    let minute = Duration::from_secs(60);
    assert_eq!(short(u64::MAX, minute), None);
    assert_eq!(short(0, minute), Some(Short::Bytes));
    assert_eq!(short(u64::MAX, Duration::ZERO), Some(Short::Time));
}
