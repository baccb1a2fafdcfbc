//! Reports as clients of the web interface see them, of real calls.

use serde_json::Value;

use super::api::{PASSWORD, setup};
use crate::harness::{Client, Hub, Net, Phone, SOON, wait_for};

/// A daemon with one answered call and one that was given up in its ledger; `from` and `to` of a query around them.
fn two_calls() -> (Hub, [String; 2]) {
    let net = Net::new();
    let (mut caller, mut other, mut phone) =
        (Phone::at(net.surgery()), Phone::at(net.surgery()), Phone::at(net.agent(1)));
    let hub = setup(net, &phone).start();
    caller.call(&hub);
    phone.answer();
    caller.bye();
    phone.hung_up();
    other.call(&hub);
    phone.ring();
    other.bye();
    hub.calls(2);
    let today = jiff::Zoned::now().date();
    let days = [today.yesterday(), today.tomorrow()].map(|day| day.unwrap().to_string());
    (hub, days)
}

#[test]
fn the_interface_reports_what_the_command_does() {
    let (hub, [from, to]) = two_calls();
    let viewer = Client::new(hub.web).signed_in("viewer", PASSWORD);
    let get =
        |report: &str, more: &str| viewer.get(&format!("/api/v1/reports/{report}?from={from}&to={to}{more}"));
    let command = |more: &[&str]| {
        let run = hub.run(&[&["report", "--from", &from, "--to", &to], more].concat());
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    let json = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    for (report, more, options) in [
        ("waits", "", &["--json"][..]),
        ("waits", "&by=team&practice=Y00001", &["--by", "team", "--practice", "Y00001", "--json"]),
        ("cbt", "", &["--format", "cbt", "--json"]),
        ("ambsys", "", &["--format", "ambsys", "--json"]),
        ("iuc", "&by=hour", &["--format", "iuc", "--by", "hour", "--json"]),
        ("gp", "", &["--format", "gp", "--json"]),
        ("day", "", &["--format", "svg", "--json"]),
    ] {
        assert_eq!(get(report, more).json(), json(command(options)), "{report} {more}");
    }
    let total = get("waits", "").json()["total"].clone();
    assert_eq!((&total["answered"], &total["abandoned"]), (&1.into(), &1.into()));
    for (report, format, kind, options) in [
        ("cbt", "csv", "text/csv; charset=utf-8", &["--format", "cbt"][..]),
        ("gp", "csv", "text/csv; charset=utf-8", &["--format", "gp"]),
        ("day", "svg", "image/svg+xml", &["--format", "svg"]),
    ] {
        let answer = get(report, &format!("&format={format}"));
        assert_eq!(
            (answer.header("content-type"), &answer.body),
            (Some(kind), &command(options)),
            "{report}"
        );
    }
    let waits = get("waits", "&format=csv").body;
    assert!(waits.starts_with("line,calls,answered,") && waits.contains("\r\nall lines,2,1,1,0,"), "{waits}");
    let offer = viewer.get("/api/v1/reports").json();
    assert_eq!(offer["practices"][0]["code"], "Y00001");
}

#[test]
fn single_calls_are_shown_to_supervisors_without_numbers_and_that_is_written_down() {
    let (hub, [from, to]) = two_calls();
    let calls =
        |client: &Client, more: &str| client.get(&format!("/api/v1/reports/calls?from={from}&to={to}{more}"));
    let viewer = Client::new(hub.web).signed_in("viewer", PASSWORD);
    assert_eq!(calls(&viewer, "").status, 403);
    assert_eq!(calls(&Client::new(hub.web), "").status, 401);
    let supervisor = Client::new(hub.web).signed_in("supervisor", PASSWORD);
    let all = calls(&supervisor, "");
    assert_eq!(all.header("content-disposition"), Some("attachment; filename=\"calls.csv\""));
    assert_eq!(all.body.lines().count(), 3);
    let numbers: Vec<String> = hub.calls(2).into_iter().filter_map(|call| call.cli).collect();
    assert!(!numbers.is_empty() && numbers.iter().all(|number| !all.body.contains(number)), "{}", all.body);
    for (figure, outcome) in [("CBT004", "abandoned"), ("CBT003", "answered")] {
        let trace = calls(&supervisor, &format!("&trace={figure}&format=json")).json();
        assert_eq!((&trace["count"], &trace["calls"][0]["outcome"]), (&1.into(), &outcome.into()), "{trace}");
        let csv = calls(&supervisor, &format!("&trace={figure}")).body;
        assert!(csv.lines().count() == 2 && csv.contains(outcome), "{csv}");
    }
    assert!(calls(&supervisor, "&format=json").json()["calls"].as_array().unwrap().len() == 2);
    let engineer = Client::new(hub.web).signed_in("engineer", PASSWORD);
    wait_for("who has read single calls", SOON, || {
        let audit = engineer.get("/api/v1/audit").json();
        let mut entries = audit["entries"].as_array().unwrap().iter();
        let traced = |entry: &&Value| entry["with"].as_str().unwrap().ends_with("trace=CBT004");
        (entries.find(traced)?["who"] == "supervisor").then_some(())
    });
}

#[test]
fn what_makes_no_sense_is_refused_with_what_would() {
    let (hub, _) = two_calls();
    let all = Client::new(hub.web).signed_in("supervisor", PASSWORD);
    for (query, status, said) in [
        ("waits?from=2026-11-16", 400, "`to` is missing"),
        ("waits?from=16/11/2026&to=2026-11-16", 400, "`from` is neither a date like 2026-11-16 nor"),
        ("waits?from=2026-11-16&to=2026-11-15", 400, "the period ends before it begins"),
        ("waits?from=2020-01-01&to=2026-11-15", 400, "the period is longer than a year"),
        ("waits?from=2026-11-16&to=2026-11-16&by=moon", 400, "only line, practice, team, trunk, hour, fifth"),
        ("waits?from=2026-11-16&to=2026-11-16&practise=Y00001", 400, "`practise` is nothing that"),
        (
            "cbt?from=2026-11-16&to=2026-11-16&practice=Y00010",
            404,
            "there is no practice `Y00010`; did you mean `Y00001`?",
        ),
        (
            "cbt?from=2026-11-16&to=2026-11-16&format=svg",
            400,
            "reports/cbt has no format `svg`; it has `json`, `csv`",
        ),
        (
            "calls?from=2026-11-16&to=2026-11-16&trace=CBT008",
            400,
            "there is no figure \"CBT008\"; there are calls,",
        ),
    ] {
        let answer = all.get(&format!("/api/v1/reports/{query}"));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(answer.status == status && detail.starts_with(said), "{query}: {answer:?}");
    }
    assert_eq!(all.get("/api/v1/reports/moon").status, 404);
}
