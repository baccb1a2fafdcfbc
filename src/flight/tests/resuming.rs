//! A daemon that was killed goes on from what it wrote.

use std::ops::ControlFlow;

use super::*;

#[test]
fn a_killed_switch_is_the_same_again_from_its_log() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.answer();
    world.call("two");
    world.give(Input::Wake);
    let switch = world.kill();
    let left = left(&settings);
    assert_eq!((left.switch.calls(), left.inputs, left.incomplete), (2, 4, false));
    assert_eq!(bytes_of(&left.switch), bytes_of(&switch));
    assert_eq!(left.run, run(1));
}

#[test]
fn a_resume_reads_no_more_than_what_came_after_the_newest_snapshot() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.snapshot();
    world.call("two");
    world.call("three");
    let switch = world.kill();
    let left = left(&settings);
    assert_eq!(left.inputs, 2);
    assert_eq!(bytes_of(&left.switch), bytes_of(&switch));
}

#[test]
fn a_snapshot_that_cannot_be_read_gives_way_to_the_one_before() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.snapshot();
    let switch = world.kill();
    let newest = *files::list(&settings.directory).unwrap().snapshots.last().unwrap();
    assert_ne!(newest.offset, 0);
    let path = files::snapshot(&settings.directory, newest);
    let mut spoilt = fs::read(&path).unwrap();
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 1;
    fs::write(&path, spoilt).unwrap();
    let left = left(&settings);
    assert_eq!(left.inputs, 1);
    assert_eq!(bytes_of(&left.switch), bytes_of(&switch));
}

#[test]
fn what_came_out_last_is_told_for_it_may_not_have_been_sent() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    drop(world.recorder.take());
    let sends = left(&settings).last.outputs;
    assert!(sends.iter().any(|output| matches!(output, Output::Send { .. })), "{sends:?}");
}

#[test]
fn a_log_that_was_ended_leaves_nothing_to_resume() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    let now = world.now;
    world.recorder.take().unwrap().end(now);
    assert!(open(settings).unwrap().left().unwrap().is_none());
}

#[test]
fn a_torn_tail_is_cut_off_and_the_rest_goes_on() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    let switch = world.kill();
    let path = only_segment(&settings);
    let whole = fs::read(&path).unwrap();
    for torn in 1..30 {
        let mut tail = Vec::new();
        format::append(&mut tail, format::Kind::Wake, Now::default(), |_| {});
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(&tail[..torn.min(tail.len() - 1)])
            .unwrap();
        let left = left(&settings);
        assert_eq!(bytes_of(&left.switch), bytes_of(&switch));
        assert_eq!(fs::read(&path).unwrap(), whole);
        resumed(&settings.directory);
    }
}

#[test]
fn a_snapshot_that_outlived_what_it_follows_is_gone_on_with() {
    // A power cut: snapshots are synced, segments are not.
    for kept in [Some(200), Some(20), Some(3), Some(0), None] {
        let directory = tempfile::tempdir().unwrap();
        let settings = settings(&directory);
        let mut world = World::new(&settings);
        world.call("one");
        world.snapshot();
        let before = bytes_of(&world.switch);
        world.call("two");
        world.kill();
        let path = only_segment(&settings);
        match kept {
            Some(length) => OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let left = left(&settings);
        assert_eq!((left.switch.calls(), left.inputs), (1, 0), "{kept:?}");
        assert!(left.incomplete || kept.is_none());
        assert_eq!(bytes_of(&left.switch), before, "{kept:?}");
    }
}

#[test]
fn a_log_that_ends_in_zeros_is_gone_on_with_up_to_them() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.snapshot();
    world.call("two");
    let switch = world.kill();
    let path = only_segment(&settings);
    let length = fs::metadata(&path).unwrap().len();
    // The size reached the disk, and the bytes did not.
    OpenOptions::new().write(true).open(&path).unwrap().set_len(length + 4_096).unwrap();
    let left = left(&settings);
    assert_eq!(bytes_of(&left.switch), bytes_of(&switch));
}

#[test]
fn a_byte_that_was_spoilt_before_the_newest_snapshot_costs_nothing() {
    let (_directory, settings, mut world) = begun();
    let path = only_segment(&settings);
    let first = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    world.call("one");
    world.snapshot();
    world.call("two");
    let switch = world.kill();
    let mut spoilt = fs::read(&path).unwrap();
    spoilt[first + 30] ^= 1;
    fs::write(&path, &spoilt).unwrap();
    goes_on_whole(&settings, &switch, 1);
    assert_eq!(fs::read(&path).unwrap(), spoilt, "nothing that can be read is cut off");
}

#[test]
fn a_version_that_says_something_else_goes_on_with_the_calls_all_the_same() {
    let (_directory, settings, mut world) = begun();
    // Other tags come out than the snapshot leads to.
    world.switch.handle(Input::Restart { seed: [8; 32], incomplete: false }, world.now);
    while world.switch.poll_output().is_some() {}
    world.call("one");
    world.call("two");
    world.give(Input::Wake);
    world.kill();
    let left = left(&settings);
    assert_eq!((left.switch.calls(), left.inputs, left.incomplete), (2, 3, true));
}

#[test]
fn an_input_that_is_left_out_leaves_the_others() {
    let (_directory, settings, mut world) = begun();
    ["one", "two", "three"].into_iter().for_each(|name| world.call(name));
    world.kill();
    let path = only_segment(&settings);
    let (state, now) = base(&path).unwrap();
    let aim = replay::Aim::Resume { without: &[1] };
    let segment = Segment::read(&path).unwrap();
    let course =
        replay::replay_for(aim, state.switch, now, &segment, 0, None, |_, _| ControlFlow::Continue(()))
            .unwrap();
    let ids: Vec<_> =
        course.switch.legs_after(crate::id::LegId(0)).filter_map(|leg| leg.2.map(str::to_owned)).collect();
    assert_eq!((course.switch.calls(), course.inputs), (2, 3));
    assert!(ids.iter().any(|id| id == "one") && ids.iter().any(|id| id == "three"), "{ids:?}");
}

#[test]
fn what_became_of_a_promise_in_the_last_instant_is_told_though_no_state_knows_of_it() {
    let (_directory, settings, mut world) = begun();
    // The first of them can be kept, the other has no line any more and is over at once.
    world.give(Input::Promises(vec![promise(1, "gp"), promise(2, "gone")]));
    assert_eq!(world.kill().promises(), 1);
    let left = left(&settings);
    let over: Vec<_> =
        left.promises.iter().map(|promise| (promise.promise, promise.settled.unwrap().0)).collect();
    assert_eq!((over, left.switch.promises()), (vec![(PromiseId(2), PromiseOutcome::LineGone)], 1));
}

#[test]
fn a_promise_that_the_ledger_may_have_as_open_is_kept_with_the_state() {
    let (_directory, settings, mut world) = begun();
    let over = PromiseRecord { settled: Some((PromiseOutcome::Reached, world.now.wall)), ..promise(3, "gp") };
    let now = world.now;
    let recorder = world.recorder.as_mut().unwrap();
    recorder.snapshot(&Kept { promises: vec![&over], ..Kept::of(&world.switch) }, now);
    world.kill();
    assert_eq!(left(&settings).promises, [over]);
}

#[test]
fn what_a_later_version_wrote_is_refused_and_left_where_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let now = Now { mono: Mono(1_000_000), wall: Wall(1_794_816_000_000) };
    let head = Head { format: FORMAT + 1, version: "9.9.9".to_owned(), run: run(1), continues: false };
    let later = snapshot::write(&head, &Kept::of(&switch(CONFIGURATION, now)), now, Vec::new());
    files::make_directory(&settings.directory).unwrap();
    let path = files::snapshot(&settings.directory, Place { segment: 1, offset: 0 });
    fs::write(&path, &later).unwrap();
    let opened = open(settings.clone()).unwrap();
    let refused = opened.left();
    assert!(
        matches!(refused, Err(Stopped::Log(Error::Newer { found })) if found == FORMAT + 1),
        "{refused:?}"
    );
    // A daemon begins without calls, beside it.
    drop(opened.record(run(2), &Kept::of(&switch(CONFIGURATION, now)), now).unwrap());
    assert_eq!(fs::read(&path).unwrap(), later);
    resumed(&settings.directory);
    assert_eq!(left(&settings).run, run(2));
}

#[test]
fn a_state_without_something_that_every_version_knew_is_refused() {
    #[derive(serde::Serialize)]
    struct Other {
        unsettled: Vec<()>,
    }
    let mut bytes = Vec::new();
    named::append(&mut bytes, &Other { unsettled: Vec::new() });
    assert!(matches!(named::read::<State>(&bytes), Err(Error::Unlike(_))));
}
