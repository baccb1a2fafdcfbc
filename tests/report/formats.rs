//! What the formats look like, and what does not go together.

use hearken::cli::report::Error;

use super::server::Server;
use super::*;

fn refused(setup: &Setup, arguments: &[&str]) -> Error {
    let Arguments { args } = Arguments::parse_from([&["report", "--from", "2026-10-25"], arguments].concat());
    report::run(&args, setup, &mut Vec::new()).unwrap_err()
}

#[test]
fn a_parquet_file_holds_the_calls_of_the_csv_and_others_can_read_it() {
    let dir = tempfile::tempdir().unwrap();
    ledgers::write(&ledger(&dir), 5, 400);
    let setup = configuration(&dir, "");
    let (file, csv) = (dir.path().join("calls.parquet"), dir.path().join("calls.csv"));
    fs::write(&file, bytes(&setup, &["--format", "parquet"])).unwrap();
    fs::write(&csv, bytes(&setup, &["--format", "csv"])).unwrap();
    let found = python("same.py", &[file.to_str().unwrap(), csv.to_str().unwrap()]);
    assert!(found["rows"].as_u64() > Some(200), "{found}");
    let types = ["run", "call", "arrived", "waited_ms", "practice"]
        .map(|name| found["types"][name].as_str().unwrap());
    assert_eq!(types, ["BIGINT", "UBIGINT", "TIMESTAMP WITH TIME ZONE", "UBIGINT", "VARCHAR"]);
}

#[test]
fn a_parquet_file_of_no_calls_is_one_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    ledgers::write(&ledger(&dir), 6, 1);
    let setup = configuration(&dir, "");
    let nobody = ["--practice", "Y99999"];
    let (file, csv) = (dir.path().join("calls.parquet"), dir.path().join("calls.csv"));
    fs::write(&file, bytes(&setup, &[&nobody[..], &["--format", "parquet"]].concat())).unwrap();
    fs::write(&csv, bytes(&setup, &[&nobody[..], &["--format", "csv"]].concat())).unwrap();
    assert_eq!(python("same.py", &[file.to_str().unwrap(), csv.to_str().unwrap()])["rows"], 0);
}

#[test]
fn the_cbt_file_has_the_columns_and_places_that_are_set() {
    let dir = tempfile::tempdir().unwrap();
    ledgers::write(&ledger(&dir), 7, 300);
    let published = text(&configuration(&dir, ""), &["--format", "cbt"]);
    let heading = "Date,REGION_CODE,ICB_CODE,SUB_ICB_LOCATION_CODE,PCN_CODE,PRACTICE_CODE,Indicator,Time_Category,Wait_Time,\
                   Duration,Value";
    assert_eq!(published.lines().next(), Some(heading));
    let rows = published.lines().skip(1);
    let [elm, river, none] = ["Y56,QMJ,93C,U12345,Y00001,", ",,,,Y00002,", ",,,,Unassigned,"];
    assert!(
        rows.clone()
            .all(|row| [elm, river, none].iter().any(|place| row["2026-10-25,".len()..].starts_with(place)))
    );
    assert!(rows.clone().any(|row| row.contains(elm)) && rows.clone().any(|row| row.contains(none)));

    let names = r#"cbt-header = ["day", "", "", "", "", "ods", "what", "when", "", "", "n"]"#;
    let own = text(&configuration(&dir, names), &["--format", "cbt"]);
    assert_eq!(own.lines().next(), Some("day,ods,what,when,n"));
    assert_eq!(own.lines().count(), published.lines().count());
    let sums = |csv: &str, column: &str| {
        cells(csv).iter().map(|row| row[column].parse::<u64>().unwrap()).sum::<u64>()
    };
    assert_eq!(sums(&own, "n"), sums(&published, "Value"));
}

#[test]
fn a_report_of_one_practice_has_no_other_calls() {
    let dir = tempfile::tempdir().unwrap();
    ledgers::write(&ledger(&dir), 8, 300);
    let setup = configuration(&dir, "");
    let all = json(&setup, &["--by", "practice"]);
    let one = json(&setup, &["--by", "practice", "--practice", "Elm Tree Surgery"]);
    assert_eq!(one["groups"].as_object().unwrap().keys().collect::<Vec<_>>(), ["Y00001"]);
    assert_eq!(one["groups"]["Y00001"], all["groups"]["Y00001"]);
    assert_eq!(one["callbacks"]["Y00001"], all["callbacks"]["Y00001"]);
    assert_eq!(one["cases"]["Y00001"], all["cases"]["Y00001"]);
    let calls = cells(&text(&setup, &["--practice", "Y00001", "--format", "csv"]));
    assert!(!calls.is_empty() && calls.iter().all(|call| call["practice"] == "Y00001"));
}

#[test]
fn callbacks_and_cases_are_told_in_full() {
    let dir = tempfile::tempdir().unwrap();
    ledgers::write(&ledger(&dir), 9, 600);
    let setup = configuration(&dir, "");
    let (said, whole) = (text(&setup, &[]), json(&setup, &[]));
    for (part, words) in [("callbacks", "callbacks promised"), ("cases", "referred, not acknowledged")] {
        assert!(said.contains(words), "{said}");
        for (name, group) in whole[part].as_object().unwrap() {
            let count = |of: &str| group[of].as_u64().unwrap();
            let parts: u64 = match part {
                "callbacks" => ["reached", "own_calls", "failed", "open"].map(count).iter().sum(),
                _ => ["closed", "handed_over", "unacknowledged", "open"].map(count).iter().sum(),
            };
            assert_eq!(
                parts,
                count(if part == "callbacks" { "promised" } else { "opened" }),
                "{part} {name}"
            );
        }
        let of_surgeries = whole[part]["elm-tree"].as_object().unwrap();
        assert!(
            of_surgeries.values().all(|count| count.as_u64() > Some(0)),
            "proves little: {of_surgeries:?}"
        );
    }
}

#[test]
fn a_trace_as_a_table_ends_with_the_number() {
    let dir = tempfile::tempdir().unwrap();
    ledgers::write(&ledger(&dir), 10, 200);
    let setup = configuration(&dir, "");
    let trace = text(&setup, &["--trace", "A1"]);
    let count = json(&setup, &["--format", "ambsys"])["groups"][0]["items"][0]["calls"].to_string();
    assert_eq!(trace.lines().last(), Some(format!("{count} calls make up A1.").as_str()));
    // Two lines of heading, and one behind.
    assert_eq!((trace.lines().count() - 3).to_string(), count);
}

#[test]
fn the_picture_shows_the_calls_and_their_waits() {
    let dir = tempfile::tempdir().unwrap();
    ledgers::write(&ledger(&dir), 11, 300);
    let setup = configuration(&dir, "");
    let svg = text(&setup, &["--format", "svg"]);
    for words in ["<svg ", "Calls in each half hour", "abandoned", "95th centile", "median", "2026-10-25"] {
        assert!(svg.contains(words), "{words}");
    }
    let half_hours = json(&setup, &["--format", "svg"]);
    let calls: u64 =
        half_hours["half_hours"].as_array().unwrap().iter().map(|of| of["calls"].as_u64().unwrap()).sum();
    assert_eq!(Some(calls), json(&setup, &[])["total"]["calls"].as_u64());
}

#[test]
fn what_does_not_go_together_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    ledgers::write(&ledger(&dir), 12, 1);
    let setup = configuration(&dir, "");
    for (arguments, said) in [
        (&["--format", "csv", "--by", "line"][..], "--by does not go with this --format"),
        (&["--format", "parquet", "--json"], "--json does not go with this --format"),
        (&["--format", "cbt", "--trace", "CBT001"], "--trace does not go with this --format"),
    ] {
        assert_eq!(refused(&setup, arguments).to_string(), said);
    }
    let unknown = refused(&setup, &["--trace", "CBT008"]).to_string();
    assert!(
        unknown.starts_with("there is no figure \"CBT008\"; there are calls, ") && unknown.contains("CBT007"),
        "{unknown}"
    );
    let by = Arguments::try_parse_from(["report", "--from", "2026-10-25", "--by", "moon"]);
    assert!(
        by.err()
            .unwrap()
            .to_string()
            .contains("only line, practice, team, trunk, hour, fifth are told apart")
    );
}

#[test]
fn a_ledger_on_a_server_says_what_one_in_a_file_says() {
    let (dir, server) = (tempfile::tempdir().unwrap(), Server::start());
    let setup = configuration(&dir, "callbacks-count-as = \"answered\"");
    ledgers::write(&ledger(&dir), 13, 300);
    ledgers::write_to(&server.url(), &ledger(&dir), 13, 300);
    let remote = Setup { ledger: server.url(), ..setup.clone() };
    for arguments in [&["--by", "practice"][..], &["--format", "ambsys"], &["--format", "gp"]] {
        let (file, server) = (json(&setup, arguments), json(&remote, arguments));
        assert_eq!(file, server, "{arguments:?}");
    }
    assert_eq!(text(&setup, &["--format", "cbt"]), text(&remote, &["--format", "cbt"]));
    // Their runs differ, as those of two daemons.
    let calls = |setup: &Setup| {
        let trace = json(setup, &["--trace", "CBT003"]);
        let calls = trace["calls"].as_array().unwrap().clone();
        calls.into_iter().map(|call| call["call"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(calls(&setup), calls(&remote));
    assert!(calls(&setup).len() > 20);
}
