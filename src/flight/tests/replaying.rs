//! A log is run again and held against what came out.

use super::*;

#[test]
fn a_replay_proves_every_output() {
    let (_directory, settings, mut world) = begun();
    (0..20).for_each(|n| world.call(&format!("caller{n}")));
    world.give(Input::Stop);
    // The outputs of a batch are written with the next.
    world.give(Input::Wake);
    let (sent, records) = (world.sent, world.records);
    assert!(records == 20, "{records}");
    world.kill();
    let path = only_segment(&settings);
    let (state, now) = base(&path).unwrap();
    let course = replay(state.switch, now, &Segment::read(&path).unwrap(), 0, None, |_, _| {}).unwrap();
    assert_eq!((course.inputs, course.end), (22, End::Cut));
    assert!(course.proven >= (sent + records) as u64, "{} of {sent} and {records}", course.proven);
}

#[test]
fn a_replay_that_differs_names_the_input_and_the_output() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.give(Input::Wake);
    world.call("two");
    world.give(Input::Wake);
    world.kill();
    let path = only_segment(&settings);
    let (_, now) = base(&path).unwrap();
    // Another seed, so other tags.
    let mut other = switch(CONFIGURATION, now);
    other.handle(Input::Restart { seed: [8; 32], incomplete: false }, now);
    while other.poll_output().is_some() {}
    let stopped = replay(other, now, &Segment::read(&path).unwrap(), 0, None, |_, _| {}).unwrap_err();
    let Stopped::Differs { input: 0, output, batch, .. } = stopped else { panic!("{stopped}") };
    assert!(
        matches!(&batch.outputs[output], Output::Send { bytes, .. } if bytes.starts_with(b"SIP/2.0 200"))
    );
}
