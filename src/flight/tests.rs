//! Logs on a real disk: written, torn, replayed, resumed, tidied.

#![allow(clippy::unwrap_used)]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tempfile::TempDir;

use super::files::{self, Place};
use super::*;
use crate::acd::Band;
use crate::call::record::{PromiseOutcome, PromiseRecord};
use crate::config;
use crate::id::{CallId, PromiseId};
use crate::sip::{Flow, Listener, ListenerId, Transport};
use crate::switch::plan::ThreadPorts;
use crate::switch::{Input, Output, Switch};
use crate::time::{Mono, Now, Wall};

const TRUNK: &str = "192.0.2.10:5060";

const CONFIGURATION: &str = r#"
[sip]
listen = ["udp:192.0.2.1:5060"]
probe-phones-every = "0s"
[trunk.surgery]
from = ["192.0.2.10"]
line = "gp"
[line.gp]
teams = ["hub"]
callback-key = "1"
[callback]
via = "sip:192.0.2.10:5060"
[team.hub]
agents = ["asha"]
[agent.asha]
address = "sip:asha@192.0.2.20"
"#;

/// A switch, its clock, and the log of both.
struct World {
    switch: Switch,
    now: Now,
    recorder: Option<Recorder>,
    sent: usize,
    records: usize,
    /// The last INVITE that went out.
    invite: String,
}

fn settings(directory: &TempDir) -> Settings {
    Settings {
        directory: directory.path().join("flight"),
        keep_for: Duration::from_secs(3_600),
        keep_size: 1 << 30,
        snapshot_every: Duration::ZERO,
    }
}

fn run(ledger: i64) -> Run {
    Run { ledger, boot: "boot".to_owned(), zero: 0 }
}

fn switch(now: Now) -> Switch {
    let today = jiff::civil::date(2026, 11, 16);
    let loaded = config::parse(CONFIGURATION, "test", Path::new(""), today).unwrap_or_else(|e| panic!("{e}"));
    let mut plan = loaded.deployment.plan;
    let advertised = "192.0.2.1:5060".parse().unwrap();
    plan.sip.listeners = vec![Listener { transport: Transport::Udp, advertised }];
    plan.media.threads = vec![ThreadPorts { shared: vec![20_000], spill: vec![20_002, 20_004] }];
    Switch::new(plan, [7; 32], now)
}

impl World {
    fn new(settings: &Settings) -> World {
        let now = Now { mono: Mono(1_000_000), wall: Wall(1_794_816_000_000) };
        let switch = switch(now);
        let recorder = open(settings.clone()).unwrap().record(run(1), &Kept::of(&switch), now).unwrap();
        World { switch, now, recorder: Some(recorder), sent: 0, records: 0, invite: String::new() }
    }

    fn recorder(&mut self) -> &mut Recorder {
        self.recorder.as_mut().unwrap()
    }

    fn give(&mut self, input: Input) {
        self.now = Now { mono: self.now.mono + Duration::from_millis(7), ..self.now };
        let now = self.now;
        let recorder = self.recorder.as_mut().unwrap();
        recorder.input(&input, now);
        recorder.commit();
        self.switch.handle(input, now);
        while let Some(output) = self.switch.poll_output() {
            recorder.output(&output);
            self.sent += usize::from(matches!(output, Output::Send { .. }));
            if let Output::Send { bytes, .. } = &output
                && bytes.starts_with(b"INVITE")
            {
                self.invite = String::from_utf8_lossy(bytes).into_owned();
            }
            self.records += usize::from(matches!(output, Output::Record(_)));
        }
        recorder.handled(now);
    }

    fn trunk_says(&mut self, text: String) {
        let flow =
            Flow { transport: Transport::Udp, listener: ListenerId(0), remote: TRUNK.parse().unwrap() };
        self.give(Input::Datagram { flow, bytes: Bytes::from(text), waited: Duration::from_nanos(1_234) });
    }

    fn call(&mut self, name: &str) {
        self.trunk_says(invite(name));
    }

    /// The phone that was rung last is picked up.
    fn answer(&mut self) {
        let copied = ["Via: ", "From: ", "Call-ID: ", "CSeq: "];
        let lines = self.invite.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
        let to = self.invite.lines().find(|line| line.starts_with("To: ")).unwrap();
        let body = "v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
        let text = format!(
            "SIP/2.0 200 OK\r\n{}\r\n{to};tag=phone\r\nContact: <sip:asha@192.0.2.20>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            lines.collect::<Vec<_>>().join("\r\n"),
            body.len()
        );
        let remote = "192.0.2.20:5060".parse().unwrap();
        let flow = Flow { transport: Transport::Udp, listener: ListenerId(0), remote };
        self.give(Input::Datagram { flow, bytes: Bytes::from(text), waited: Duration::ZERO });
    }

    /// The daemon is killed: what is in memory is gone.
    fn kill(mut self) -> Switch {
        drop(self.recorder.take());
        self.switch
    }

    fn snapshot(&mut self) {
        let now = self.now;
        let recorder = self.recorder.as_mut().unwrap();
        recorder.snapshot(&Kept::of(&self.switch), now);
        recorder.flush();
    }
}

fn invite(name: &str) -> String {
    let port = 4_000 + 2 * name.bytes().map(u32::from).sum::<u32>();
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.50\r\ns=-\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
    );
    format!(
        "INVITE sip:02079460101@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {TRUNK};branch=z9hG4bK{name};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:07700900123@example.org>;tag={name}\r\nTo: <sip:02079460101@192.0.2.1>\r\n\
         Call-ID: {name}\r\nCSeq: 1 INVITE\r\nContact: <sip:{name}@{TRUNK}>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A promise of an earlier run, as its ledger has it.
fn promise(number: u64, line: &str) -> PromiseRecord {
    let made = Wall(1_794_815_000_000);
    PromiseRecord {
        promise: PromiseId(number),
        call: CallId(7),
        line: line.to_owned(),
        trunk: "surgery".to_owned(),
        practice: None,
        band: Band::ROUTINE,
        ddi: "+442079460101".to_owned(),
        number: Some("+447700900123".to_owned()),
        cli: None,
        arrived: made,
        promised: made,
        next: made,
        breach: made + Duration::from_secs(3_600),
        expires: made + Duration::from_secs(28_800),
        missed: 0,
        escalated: false,
        revision: 1,
        settled: None,
    }
}

fn bytes_of(switch: &Switch) -> Vec<u8> {
    postcard::to_stdvec(switch).unwrap()
}

fn left(settings: &Settings) -> Left {
    open(settings.clone()).unwrap().left().unwrap().expect("calls were left")
}

fn only_segment(settings: &Settings) -> std::path::PathBuf {
    let found = segments(&settings.directory).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_killed_switch_is_the_same_again_from_its_log() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
    world.call("one");
    drop(world.recorder.take());
    let sends = left(&settings).last.outputs;
    assert!(sends.iter().any(|output| matches!(output, Output::Send { .. })), "{sends:?}");
}

#[test]
fn a_log_that_was_ended_leaves_nothing_to_resume() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
    world.call("one");
    let now = world.now;
    world.recorder.take().unwrap().end(now);
    assert!(open(settings).unwrap().left().unwrap().is_none());
}

#[test]
fn a_torn_tail_is_cut_off_and_the_rest_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
    let path = only_segment(&settings);
    let first = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    world.call("one");
    world.snapshot();
    world.call("two");
    let switch = world.kill();
    let mut spoilt = fs::read(&path).unwrap();
    spoilt[first + 30] ^= 1;
    fs::write(&path, &spoilt).unwrap();
    let left = left(&settings);
    assert_eq!((left.inputs, left.incomplete), (1, false));
    assert_eq!(bytes_of(&left.switch), bytes_of(&switch));
    assert_eq!(fs::read(&path).unwrap(), spoilt, "nothing that can be read is cut off");
}

#[test]
fn a_version_that_says_something_else_goes_on_with_the_calls_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
    ["one", "two", "three"].into_iter().for_each(|name| world.call(name));
    world.kill();
    let path = only_segment(&settings);
    let (state, now) = base(&path).unwrap();
    let aim = replay::Aim::Resume { without: &[1] };
    let segment = Segment::read(&path).unwrap();
    let course = replay::replay_for(aim, state.switch, now, &segment, 0, None, |_, _| {}).unwrap();
    let ids: Vec<_> =
        course.switch.legs_after(crate::id::LegId(0)).filter_map(|leg| leg.2.map(str::to_owned)).collect();
    assert_eq!((course.switch.calls(), course.inputs), (2, 3));
    assert!(ids.iter().any(|id| id == "one") && ids.iter().any(|id| id == "three"), "{ids:?}");
}

#[test]
fn a_replay_proves_every_output() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
    world.call("one");
    world.give(Input::Wake);
    world.call("two");
    world.give(Input::Wake);
    world.kill();
    let path = only_segment(&settings);
    let (_, now) = base(&path).unwrap();
    // Another seed, so other tags.
    let mut other = switch(now);
    other.handle(Input::Restart { seed: [8; 32], incomplete: false }, now);
    while other.poll_output().is_some() {}
    let stopped = replay(other, now, &Segment::read(&path).unwrap(), 0, None, |_, _| {}).unwrap_err();
    let Stopped::Differs { input: 0, output, batch, .. } = stopped else { panic!("{stopped}") };
    assert!(
        matches!(&batch.outputs[output], Output::Send { bytes, .. } if bytes.starts_with(b"SIP/2.0 200"))
    );
}

#[test]
fn the_files_are_their_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
    world.call("one");
    world.kill();
    // A segment that follows nothing, as after a disk that was full.
    let opened = open(settings.clone()).unwrap();
    let now = Now { mono: Mono(9_000_000), wall: Wall(1_794_816_009_000) };
    drop(opened.record(run(1), &Kept::of(&switch(now)), now).unwrap());
    fs::remove_file(files::snapshot(&settings.directory, Place { segment: 2, offset: 0 })).unwrap();
    let left = left(&settings);
    assert_eq!((left.switch.calls(), left.incomplete), (1, true));
}

#[test]
fn a_disk_that_takes_nothing_costs_the_log_and_no_call_and_the_log_begins_anew() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
    world.recorder().break_file();
    world.call("one");
    // The disk took the name of the next segment and nothing else.
    fs::write(files::segment(&settings.directory, 2), []).unwrap();
    world.snapshot();
    assert!(world.recorder().wants_snapshot(), "also if nothing happens meanwhile, when it is time");
    world.snapshot();
    world.call("two");
    let switch = world.kill();
    let left = left(&settings);
    assert_eq!((left.inputs, left.incomplete), (1, false));
    assert_eq!(bytes_of(&left.switch), bytes_of(&switch));
}

#[test]
fn a_log_that_cannot_be_begun_when_the_daemon_starts_is_begun_later() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let now = Now { mono: Mono(1_000_000), wall: Wall(1_794_816_000_000) };
    let switch = switch(now);
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
    let left = left(&settings);
    assert_eq!((left.inputs, left.incomplete), (1, false));
    assert_eq!(bytes_of(&left.switch), bytes_of(&switch));
}

#[test]
fn a_log_says_when_not_all_of_it_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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

#[test]
fn what_became_of_a_promise_in_the_last_instant_is_told_though_no_state_knows_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let mut world = World::new(&settings);
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
    let later = snapshot::write(&head, &Kept::of(&switch(now)), now, 0);
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
    drop(opened.record(run(2), &Kept::of(&switch(now)), now).unwrap());
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
