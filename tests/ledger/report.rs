//! The report, counted by hand.

use clap::Parser as _;
use hearken::cli::report;
use hearken::ledger::Table;
use hearken::ledger::report::{By, Scope, Summary, Terms};
use jiff::tz::TimeZone;

use super::home::{Home, on_both};
use super::*;

on_both!(
    the_table_is_the_one_counted_by_hand_while_the_daemon_still_writes,
    a_line_of_csv_for_each_call_is_safe_in_a_spreadsheet,
    the_outcomes_add_up_to_the_calls_and_both_ways_to_the_table_agree,
    a_report_without_a_ledger_says_so,
);

#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    args: report::Args,
}

fn report(path: &Path, arguments: &[&str]) -> Result<String, report::Error> {
    let Command { args } = Command::parse_from([&["report"], arguments].concat());
    let mut out = Vec::new();
    report::run(&args, &report::Setup::plain(path, "Europe/London")?, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// The table of waits of all calls there are.
pub(crate) fn waits(path: &Path) -> Table {
    let (scope, terms) = (Scope { period: EVER, practice: None }, Terms::plain(TimeZone::UTC));
    let reader = Reader::open(path).unwrap();
    let rows = reader.moment().unwrap();
    Summary::of(&rows, scope, By::Line, &terms).unwrap().waits
}

/// Two lines and a day on either side, counted by hand.
fn fixture() -> Vec<CallRecord> {
    let mut records: Vec<_> = (1..=10).map(|n| answered(n, "elm-tree", secs(30 * n))).collect();
    records.extend((11..=13).map(|n| record(n, "elm-tree", Outcome::Abandoned, secs(n))));
    records.push(record(14, "elm-tree", Outcome::Refused { code: 503 }, Duration::ZERO));
    records.push(record(15, "elm-tree", Outcome::Lost { ended_by: EndedBy::DeadPeer }, secs(400)));
    records.push(answered(16, "emergency", Duration::from_millis(1234)));
    let day = 86_400_000;
    records.push(CallRecord { arrived: Wall(EIGHT - day), ..answered(17, "elm-tree", secs(9000)) });
    records.push(CallRecord { arrived: Wall(EIGHT + day), ..answered(18, "elm-tree", secs(9000)) });
    records
}

fn the_table_is_the_one_counted_by_hand_while_the_daemon_still_writes(home: &Home) {
    let ledger = Ledger::open(home.settings()).unwrap();
    fixture().into_iter().for_each(|record| ledger.write(record));
    assert!(ledger.flush(PATIENCE));
    let text = report(&home.settings().path, &["--from", "2026-11-16", "--to", "2026-11-16"]).unwrap();
    let expected = "\
Calls that arrived from 2026-11-16 00:00:00 GMT to 2026-11-17 00:00:00 GMT
line       calls  answered  abandoned  refused  lost  released  promised  mean wait  median    90th    95th    99th  longest  longest abandoned
elm-tree      15        10          3        1     1         0         0     2:45.0  2:30.0  4:30.0  5:00.0  5:00.0   5:00.0             0:13.0
emergency      1         1          0        0     0         0         0     0:01.2  0:01.2  0:01.2  0:01.2  0:01.2   0:01.2                  -
all lines     16        11          3        1     1         0         0     2:30.1  2:30.0  4:30.0  5:00.0  5:00.0   5:00.0             0:13.0
Waits of answered calls in minutes:seconds; centiles are nearest-rank.

Of 16 calls whose number is stored, 15 came within 24 hours of another by the same number, 0 of them
within 20 minutes of giving up.
";
    assert_eq!(text, expected);
    let instants = ["--from", "2026-11-16T08:00:13Z", "--to", "2026-11-16T08:00:15Z"];
    let text = report(&home.settings().path, &instants).unwrap();
    assert!(
        text.contains(
            "\nall lines      2         0          1        1     0         0         0          -"
        ),
        "{text}"
    );
}

fn a_line_of_csv_for_each_call_is_safe_in_a_spreadsheet(home: &Home) {
    let mut records = fixture();
    records[15].segments.push(Segment {
        stage: presented("asha", Presentation::Answered),
        from: Duration::ZERO,
        to: Duration::from_millis(1234),
    });
    records[15].sip_call_id = "=cmd|' /C calc'!A0\",\r\n".into();
    let ledger = Ledger::open(home.settings()).unwrap();
    records.into_iter().for_each(|record| ledger.write(record));
    ledger.close();
    let run = home.entries()[0].run;
    let arguments = ["--from", "2026-11-16T08:00:14Z", "--to", "2026-11-16", "--format", "csv"];
    let text = report(&home.settings().path, &arguments).unwrap();
    let expected = [
        "run,call,arrived,answered,ended,waited_ms,lasted_ms,trunk,practice,line,band,ddi,cli,outcome,agent,\
         ended_by,code,presentations,sip_call_id,promise,case,disposition\r\n",
        &format!(
            "{run},14,2026-11-16T08:00:14.000Z,,2026-11-16T08:01:14.000Z,0,60000,elm-tree,Y00001,elm-tree,1,\
             +442079460000,+442079460123,refused,,,503,0,14@elm-tree.example,,,\r\n"
        ),
        &format!(
            "{run},15,2026-11-16T08:00:15.000Z,,2026-11-16T08:07:55.000Z,400000,460000,elm-tree,Y00001,elm-tree,\
             1,+442079460000,+442079460123,lost,,dead-peer,,0,15@elm-tree.example,,,\r\n"
        ),
        &format!(
            "{run},16,2026-11-16T08:00:16.000Z,2026-11-16T08:00:17.234Z,2026-11-16T08:01:17.234Z,1234,61234,\
             elm-tree,Y00001,emergency,1,+442079460000,+442079460123,answered,asha,caller,,1,\
             \"'=cmd|' /C calc'!A0\"\",\r\n\",,,\r\n"
        ),
    ];
    assert_eq!(text, expected.concat());
}

fn the_outcomes_add_up_to_the_calls_and_both_ways_to_the_table_agree(home: &Home) {
    let mut records = every_kind();
    records.extend(
        fixture().into_iter().map(|record| CallRecord { call: CallId(record.call.0 + 600), ..record }),
    );
    let ledger = Ledger::open(home.settings()).unwrap();
    records.iter().for_each(|record| ledger.write(record.clone()));
    ledger.close();
    let table = waits(&home.settings().path);
    assert_eq!(table, waits_by_line(&records));
    assert_eq!(table.total.calls, records.len() as u64);
    assert_eq!(table.lines.values().map(|figures| figures.calls).sum::<u64>(), table.total.calls);
    for figures in table.lines.values().chain([&table.total]) {
        let outcomes = figures.answered + figures.abandoned + figures.refused + figures.lost;
        assert_eq!(figures.calls, outcomes);
        assert_eq!(figures.waits.is_some(), figures.answered > 0);
    }
}

fn a_report_without_a_ledger_says_so(home: &Home) {
    let path = home.settings().path;
    let error = report(&path, &["--from", "2026-11-16"]).unwrap_err().to_string();
    assert!(error.ends_with(": there is no ledger here"), "{error}");
    assert!(!path.exists());
}

/// A pipe whose other end, `head` say, is gone.
struct Gone;

impl std::io::Write for Gone {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(settings(&dir)).unwrap();
    (0..500).for_each(|call| ledger.write(abandoned(call)));
    ledger.close();
    for format in ["table", "csv"] {
        let arguments = ["report", "--from", "2026-11-16", "--format", format];
        let Command { args } = Command::parse_from(arguments);
        let setup = report::Setup::plain(&settings(&dir).path, "Europe/London").unwrap();
        report::run(&args, &setup, &mut Gone).unwrap();
    }
}

#[test]
fn a_report_in_a_zone_that_is_none_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let error = report(&settings(&dir).path, &["--from", "2026-11-16", "--zone", "Europe/Londn"]);
    assert_eq!(error.unwrap_err().to_string(), "there is no time zone \"Europe/Londn\" here");
}
