//! Files, locks, gaps, and what is kept.

use super::*;

#[test]
fn the_files_are_their_owners_alone() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.snapshot();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&settings.directory), 0o700);
    let entries = fs::read_dir(&settings.directory).unwrap().map(|entry| entry.unwrap().path());
    let modes: Vec<_> = entries.map(|path| (mode(&path), path)).collect();
    assert!(modes.len() >= 4 && modes.iter().all(|(mode, _)| *mode == 0o600), "{modes:?}");
}

#[test]
fn only_one_daemon_writes_to_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let world = World::new(&settings);
    assert!(matches!(open(settings.clone()).map(drop), Err(Error::Locked(_))));
    world.kill();
    open(settings).map(drop).unwrap();
}

#[test]
fn a_resume_that_died_twice_is_not_tried_a_third_time() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.kill();
    left(&settings);
    left(&settings);
    let third = open(settings.clone()).unwrap().left();
    assert!(matches!(third, Err(Stopped::Log(Error::Died(2)))), "{third:?}");
    resumed(&settings.directory);
    left(&settings);
}

#[test]
fn a_log_with_a_gap_is_resumed_up_to_it_and_says_so() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.kill();
    // A segment that follows nothing, as after a disk that was full.
    let opened = open(settings.clone()).unwrap();
    let now = Now { mono: Mono(9_000_000), wall: Wall(1_794_816_009_000) };
    drop(opened.record(run(1), &Kept::of(&switch(CONFIGURATION, now)), now).unwrap());
    fs::remove_file(files::snapshot(&settings.directory, Place { segment: 2, offset: 0 })).unwrap();
    let left = left(&settings);
    assert_eq!((left.switch.calls(), left.incomplete), (1, true));
}

#[test]
fn a_disk_that_takes_nothing_costs_the_log_and_no_call_and_the_log_begins_anew() {
    let (_directory, settings, mut world) = begun();
    world.call("one");
    world.recorder().break_file();
    world.call("two");
    assert_eq!((world.switch.calls(), world.recorder().counters().gaps), (2, 1));
    world.call("three");
    assert_eq!(world.recorder().counters().gaps, 1);
    world.snapshot();
    world.call("four");
    let switch = world.kill();
    let left = left(&settings);
    assert_eq!((left.switch.calls(), left.inputs, left.incomplete), (4, 1, false));
    assert_eq!(bytes_of(&left.switch), bytes_of(&switch));
}

#[test]
fn a_log_that_cannot_be_begun_anew_at_once_is_tried_again_under_another_number() {
    let (_directory, settings, mut world) = begun();
    world.recorder().break_file();
    world.call("one");
    // The disk took the name of the next segment and nothing else.
    fs::write(files::segment(&settings.directory, 2), []).unwrap();
    world.snapshot();
    assert!(world.recorder().wants_snapshot(), "also if nothing happens meanwhile, when it is time");
    world.snapshot();
    world.call("two");
    let switch = world.kill();
    goes_on_whole(&settings, &switch, 1);
}

#[test]
fn a_log_that_cannot_be_begun_when_the_daemon_starts_is_begun_later() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let now = Now { mono: Mono(1_000_000), wall: Wall(1_794_816_000_000) };
    let switch = switch(CONFIGURATION, now);
    let opened = open(settings.clone()).unwrap();
    fs::write(files::segment(&settings.directory, 1), []).unwrap();
    let recorder = opened.record(run(1), &Kept::of(&switch), now).unwrap();
    let mut world =
        World { switch, now, recorder: Some(recorder), sent: 0, records: 0, invite: String::new() };
    world.call("one");
    assert_eq!(world.recorder().counters().gaps, 1);
    world.snapshot();
    world.call("two");
    let switch = world.kill();
    goes_on_whole(&settings, &switch, 1);
}

#[test]
fn a_log_says_when_not_all_of_it_is_kept() {
    let (directory, settings, mut world) = begun();
    world.call("one");
    world.snapshot();
    assert!(world.recorder().flush());
    // No snapshot can be put into a directory that is gone.
    let aside = directory.path().join("aside");
    fs::rename(&settings.directory, &aside).unwrap();
    world.call("two");
    world.snapshot();
    assert!(!world.recorder().flush());
    fs::rename(&aside, &settings.directory).unwrap();
    world.snapshot();
    assert!(world.recorder().flush(), "and when it is again");
    world.recorder().break_file();
    world.call("three");
    assert!(!world.recorder().flush());
}

#[test]
fn what_is_old_or_too_much_is_removed_but_nothing_that_a_resume_needs() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let place = |segment, offset| Place { segment, offset };
    for number in 1..=5 {
        fs::write(files::segment(path, number), [0; 1_000]).unwrap();
        fs::write(files::snapshot(path, place(number, 0)), [0; 100]).unwrap();
        fs::write(files::snapshot(path, place(number, 500)), [0; 100]).unwrap();
    }
    // What kills left: a file that never became whole, and a snapshot before a segment that was never made.
    let torn = files::snapshot(path, place(4, 900)).with_extension("new");
    fs::write(&torn, [0; 100]).unwrap();
    fs::write(files::snapshot(path, place(0, 0)), [0; 100]).unwrap();
    let (hour, now) = (Duration::from_secs(3_600), SystemTime::now());
    files::tidy(path, hour, 10_000, now).unwrap();
    assert!(!torn.exists());
    let found = files::list(path).unwrap();
    assert_eq!(found.segments, [1, 2, 3, 4, 5]);
    let latest: Vec<_> = (1..=5).map(|number| place(number, 0)).chain([place(5, 500)]).collect();
    assert_eq!(found.snapshots, latest, "of the others only the newest two are kept");
    files::tidy(path, hour, 3_500, now).unwrap();
    assert_eq!(files::list(path).unwrap().segments, [3, 4, 5], "the oldest go until the rest fits");
    files::tidy(path, hour, 0, now + 2 * hour).unwrap();
    assert_eq!(files::list(path).unwrap().segments, [5]);
    assert_eq!(files::list(path).unwrap().snapshots, [place(5, 0), place(5, 500)]);
}
