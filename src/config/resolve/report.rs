//! How calls are counted in reports.

use std::collections::BTreeSet;

use serde_spanned::Spanned;

use super::super::deployment::{PracticePlaces, ReportSettings};
use super::super::sink::Sink;
use super::super::table::{List, shown};
use super::super::written::{Places, Written};

/// How many columns the CBT file can have.
const CBT_COLUMNS: usize = 11;
/// Longest code of a place, and longest name of a column, in bytes.
const LONGEST: usize = 64;

/// The settings of reports, wherever they stand in the file.
pub(super) fn report(written: &Written, sink: &mut Sink) -> ReportSettings {
    let counted = written
        .dispositions
        .iter()
        .filter_map(|(code, disposition)| Some((code.get_ref().clone(), disposition.counts_as?)));
    ReportSettings {
        callbacks_count_as: written.report.callbacks_count_as,
        abandoned_after: written.report.abandoned_after,
        redials_within: written.report.redials_within,
        cbt_header: written.report.cbt_header.as_ref().map(|names| header(names, sink)),
        practices: written.practices.iter().map(|(_, practice)| places(&practice.places, sink)).collect(),
        dispositions: counted.collect(),
    }
}

fn header(names: &List<String>, sink: &mut Sink) -> Vec<String> {
    if names.items.len() != CBT_COLUMNS && !names.broken {
        let found = names.items.len();
        sink.error(
            names.span.clone(),
            format!("`cbt-header` names {found} columns, and there are {CBT_COLUMNS}"),
        )
        .help("a column with an empty name is left out");
    }
    let mut known = BTreeSet::new();
    for name in &names.items {
        check(name, "the name of a column", sink);
        if !name.get_ref().is_empty() && !known.insert(name.get_ref()) {
            sink.error(name.span(), format!("two columns are named \"{}\"", shown(name.get_ref())));
        }
    }
    names.items.iter().map(|name| name.get_ref().clone()).collect()
}

fn places(written: &Places, sink: &mut Sink) -> PracticePlaces {
    let mut code = |code: &Option<Spanned<String>>| {
        code.iter().for_each(|code| check(code, "a code", sink));
        code.as_ref().map(|code| code.get_ref().clone()).unwrap_or_default()
    };
    PracticePlaces {
        fifth: written.fifth,
        region: code(&written.region),
        icb: code(&written.icb),
        sub_icb: code(&written.sub_icb),
        pcn: code(&written.pcn),
    }
}

fn check(text: &Spanned<String>, what: &str, sink: &mut Sink) {
    if text.get_ref().len() > LONGEST || text.get_ref().chars().any(char::is_control) {
        sink.error(text.span(), format!("\"{}\" cannot be {what}", shown(text.get_ref())));
    }
}
