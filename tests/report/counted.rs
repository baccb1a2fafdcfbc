//! The same figures from the same ledger, counted by a program in another language from the definitions alone.

use std::collections::BTreeMap;

use super::*;

/// The period of [`bytes`], in milliseconds: 23:00 in UTC on the 24th until midnight on the 27th.
const PERIOD: [&str; 2] = ["1792882800000", "1793059200000"];

fn counted(dir: &TempDir, callbacks: &str) -> Value {
    let terms = serde_json::json!({
        "callbacks": callbacks, "advice": ["21"], "referral": ["22"], "pathways": ["pharmacy"],
        "teams": { "asha": ["navigators", "clinicians"], "ben": ["clinicians"] },
        "line_teams": { "elm-tree": ["navigators"], "emergency": ["clinicians"] },
        "fifths": { "Y00001": 2, "Y00002": 5 }, "redials_within": 1_200, "abandoned_after": 30,
    });
    let ledger = ledger(dir);
    python("count.py", &[&[ledger.to_str().unwrap()][..], &PERIOD, &[&terms.to_string()]].concat())
}

/// The items of a sheet of all calls: counts and shares as they are, times in milliseconds.
fn items(sheet: &Value) -> BTreeMap<String, Option<f64>> {
    let total = sheet["groups"].as_array().unwrap().last().unwrap();
    let value = |item: &Value| match () {
        () if item.get("calls").is_some() => item["calls"].as_f64(),
        () if item.get("time_s").is_some() => item["time_s"].as_f64().map(|seconds| seconds * 1_000.0),
        () => item.get("percent").and_then(Value::as_f64),
    };
    let items = total["items"].as_array().unwrap();
    items.iter().map(|item| (item["item"].as_str().unwrap().to_owned(), value(item))).collect()
}

fn close(ours: Option<f64>, theirs: Option<f64>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() < 0.501,
        (ours, theirs) => ours == theirs,
    }
}

#[test]
fn every_figure_of_random_ledgers_is_that_of_another_program() {
    for (seed, callbacks) in [(1, "requested"), (2, "answered"), (3, "answered")] {
        let dir = tempfile::tempdir().unwrap();
        ledgers::write(&ledger(&dir), seed, 900);
        let setup = configuration(&dir, &format!("callbacks-count-as = \"{callbacks}\""));
        let theirs = counted(&dir, callbacks);
        for (format, at_least) in [("ambsys", 50.0), ("iuc", 200.0), ("gp", 200.0)] {
            let ours = items(&json(&setup, &["--format", format]));
            for (code, &value) in &ours {
                let expected = theirs[format].get(code).unwrap_or_else(|| panic!("{code}")).as_f64();
                // Shares to a millionth.
                let scale = if code.ends_with("share") { 1_000_000.0 } else { 1.0 };
                let [value, expected] = [value, expected].map(|value| value.map(|value| value * scale));
                assert!(close(value, expected), "seed {seed}, {code}: {value:?}, {expected:?}");
            }
            assert!(
                ours.values().flatten().any(|&value| value > at_least),
                "{format} proves little: {ours:?}"
            );
        }
        assert_counts(&text(&setup, &["--format", "cbt"]), &theirs["cbt"], seed);
        for by in ["line", "practice", "team", "trunk", "hour", "fifth"] {
            assert_table(&json(&setup, &["--by", by])["groups"], &theirs["tables"][by], by);
        }
        let whole = &json(&setup, &[]);
        let (again, referrals) = (&whole["again"], &whole["referrals"]);
        assert_eq!((again, referrals), (&theirs["again"], &theirs["referrals"]), "seed {seed}");
        let of_falls = referrals["falls"].as_object().unwrap();
        assert!(of_falls.values().all(|count| count.as_u64() > Some(0)), "proves little: {referrals}");
        assert!(again["redials"].as_u64() > Some(0) && again["unnumbered"].as_u64() > Some(0), "{again}");
    }
}

/// The rows of the CBT file, in whatever order, are the other program's.
fn assert_counts(csv: &str, theirs: &Value, seed: u64) {
    let names = ["Date", "PRACTICE_CODE", "Indicator", "Time_Category", "Wait_Time", "Duration"];
    let key = |row: &BTreeMap<String, String>| names.map(|name| row[name].clone());
    let ours: BTreeMap<_, u64> =
        cells(csv).iter().map(|row| (key(row), row["Value"].parse().unwrap())).collect();
    let row = |row: &Value| {
        let cells: [String; 6] = std::array::from_fn(|at| row[at].as_str().unwrap().to_owned());
        (cells, row[6].as_u64().unwrap())
    };
    let theirs: BTreeMap<_, _> = theirs.as_array().unwrap().iter().map(row).collect();
    assert_eq!(ours, theirs, "seed {seed}");
    assert!(ours.len() > 100, "{} rows prove little", ours.len());
}

fn assert_table(ours: &Value, theirs: &Value, by: &str) {
    let (ours, theirs) = (ours.as_object().unwrap(), theirs.as_object().unwrap());
    assert!(ours.keys().eq(theirs.keys()), "{by}: {:?} {:?}", ours.keys(), theirs.keys());
    for (name, group) in ours {
        let theirs = &theirs[name];
        for outcome in ["calls", "answered", "abandoned", "refused", "lost", "released", "promised"] {
            let count = theirs.get(outcome).and_then(Value::as_u64).unwrap_or(0);
            assert_eq!(group[outcome].as_u64(), Some(count), "{by} {name} {outcome}");
        }
        let millis = |seconds: &Value| seconds.as_f64().map(|seconds| seconds * 1_000.0);
        assert!(
            close(millis(&group["longest_abandoned_s"]), theirs["longest_abandoned"].as_f64()),
            "{by} {name}"
        );
        let of =
            [("mean_s", "mean"), ("median_s", "median"), ("p90_s", "90"), ("p95_s", "95"), ("p99_s", "99")];
        for (of_ours, of_theirs) in of.into_iter().chain([("longest_s", "longest")]) {
            let (ours, theirs) = (millis(&group["waits"][of_ours]), theirs["waits"][of_theirs].as_f64());
            assert!(close(ours, theirs), "{by} {name} {of_ours}: {ours:?} {theirs:?}");
        }
    }
}

#[test]
fn every_number_has_as_many_calls_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    ledgers::write(&ledger(&dir), 4, 300);
    let setup = configuration(&dir, "callbacks-count-as = \"answered\"");
    let behind = |name: &str| json(&setup, &["--trace", name])["calls"].as_array().unwrap().len() as f64;
    for format in ["ambsys", "iuc", "gp"] {
        let sheet = json(&setup, &["--format", format]);
        let items = sheet["groups"][0]["items"].as_array().unwrap();
        let counts =
            items.iter().filter_map(|item| Some((item["item"].as_str().unwrap(), item.get("calls")?)));
        for (code, count) in counts {
            assert_eq!(Some(behind(code)), count.as_f64(), "{code}");
        }
    }
    let table = json(&setup, &[]);
    for outcome in ["calls", "answered", "abandoned", "refused", "lost", "released", "promised"] {
        assert_eq!(Some(behind(outcome)), table["total"][outcome].as_f64(), "{outcome}");
    }
    for of in ["redials", "repeats", "unnumbered"] {
        assert_eq!(Some(behind(of)), table["again"][of].as_f64(), "{of}");
    }
    // Each row of the CBT file by its own calls.
    for row in cells(&text(&setup, &["--format", "cbt"])) {
        let code = &row["Indicator"];
        let calls = cells(&text(&setup, &["--trace", code, "--format", "csv"]));
        let same = |call: &&BTreeMap<String, String>| {
            let practice = match call["practice"].as_str() {
                known @ ("Y00001" | "Y00002") => known,
                _ => "Unassigned",
            };
            let of_wait =
                !["CBT003", "CBT004"].contains(&code.as_str()) || call["wait_time"] == row["Wait_Time"];
            let of_talk = code != "CBT007" || call["duration"] == row["Duration"];
            let day: jiff::Timestamp = call["arrived"].parse().unwrap();
            let day = day.in_tz("Europe/London").unwrap().date().to_string();
            let place = day == row["Date"] && call["time_category"] == row["Time_Category"];
            practice == row["PRACTICE_CODE"] && of_wait && of_talk && place
        };
        assert_eq!(calls.iter().filter(same).count().to_string(), row["Value"], "{row:?}");
    }
}
