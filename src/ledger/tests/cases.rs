//! Cases on their way to the disk and back.

use std::sync::mpsc::Receiver;

use super::promises::{bench, said};
use super::*;
use crate::call::record::{CaseOutcome, CaseRecord};
use crate::id::CaseId;

const NUMBER: &str = "+447700900123";

fn case(id: u64, revision: u32) -> CaseRecord {
    CaseRecord {
        case: CaseId(id),
        call: CallId(9),
        stack: "doctors".into(),
        line: "elm-tree".into(),
        trunk: "elm-tree".into(),
        practice: Some("Y00001".into()),
        band: Band::ROUTINE,
        ddi: "+442079460000".into(),
        number: Some(NUMBER.into()),
        cli: None,
        opened: Wall(1),
        breach: Wall(2),
        breached: false,
        holder: Some("asha".into()),
        pathway: None,
        revision,
        closed: None,
    }
}

fn closed(id: u64, revision: u32) -> CaseRecord {
    CaseRecord { closed: Some((CaseOutcome::Disposed("21".into()), Wall(6))), ..case(id, revision) }
}

fn give(bench: &mut Bench, case: CaseRecord) {
    bench.shared.waiting.fetch_add(1, Relaxed);
    bench.writer.take(Given::Case(case));
    bench.writer.step(bench.now);
}

fn cases(news: &Receiver<News>) -> Vec<CaseRecord> {
    let cases = |news| if let News::Cases(cases) = news { Some(cases) } else { None };
    said(news).into_iter().filter_map(cases).flatten().collect()
}

fn column(bench: &Bench, id: u64, column: &str) -> Option<String> {
    let sql = format!("SELECT CAST({column} AS TEXT) FROM cases WHERE id = {id}");
    bench.database().query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn open_cases_are_handed_to_the_next_run_and_closed_ones_are_not() {
    let (mut first, _news) = bench(RUN, tempfile::tempdir().unwrap());
    give(&mut first, case(70, 1));
    give(&mut first, case(71, 1));
    give(&mut first, closed(71, 2));
    let Bench { dir, .. } = first;
    let (mut next, news) = bench(RUN + 1, dir);
    next.write(0..0);
    assert_eq!(cases(&news), [case(70, 1)]);
}

#[test]
fn the_number_of_a_closed_case_is_erased_and_an_older_state_changes_nothing() {
    let (mut bench, _news) = bench(RUN, tempfile::tempdir().unwrap());
    give(&mut bench, case(70, 2));
    give(&mut bench, CaseRecord { holder: None, ..case(70, 1) });
    assert_eq!(column(&bench, 70, "holder").as_deref(), Some("asha"));
    assert_eq!(column(&bench, 70, "number").as_deref(), Some(NUMBER));
    give(&mut bench, closed(70, 3));
    give(&mut bench, case(70, 4));
    assert_eq!(column(&bench, 70, "number"), None);
    assert_eq!(column(&bench, 70, "cli || ' ' || disposition").as_deref(), Some("+447700900123 21"));
    let handed = CaseOutcome::HandedOver("pharmacy".into());
    give(&mut bench, CaseRecord { closed: Some((handed, Wall(6))), ..case(71, 1) });
    assert_eq!(column(&bench, 71, "handed_to").as_deref(), Some("pharmacy"));
}

#[test]
fn while_the_database_fails_a_case_goes_to_the_side_file_at_once() {
    let (mut bench, _news) = bench(RUN, tempfile::tempdir().unwrap());
    bench.write(0..0);
    bench.allow_pages(1);
    bench.write(0..400);
    give(&mut bench, case(70, 1));
    let Bench { dir, .. } = bench;
    let (mut next, news) = super::promises::bench(RUN + 1, dir);
    next.write(0..0);
    assert_eq!(cases(&news), [case(70, 1)]);
}
