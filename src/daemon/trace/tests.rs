#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;

use serde_json::Value;

use super::*;
use crate::acd::{Band, Cause};
use crate::call::record::{EndedBy, Outcome, Presentation, Segment, Stage};

const NUMBER: &str = "+447700900123";

fn record(call: u64) -> CallRecord {
    let secs = Duration::from_secs;
    let segment = |stage, from, to| Segment { stage, from: secs(from), to: secs(to) };
    let presented = |agent: &str, result| Stage::Presented { agent: agent.to_owned(), result };
    CallRecord {
        call: CallId(call),
        sip_call_id: format!("{call}@pbx"),
        promise: None,
        case: None,
        trunk: "elm-tree".to_owned(),
        practice: Some("Y00001".to_owned()),
        line: "gp".to_owned(),
        band: Band(1),
        ddi: "+442079460101".to_owned(),
        cli: Some(NUMBER.to_owned()),
        arrived: Wall(1_794_816_000_000),
        waited: secs(30),
        lasted: secs(90),
        segments: vec![
            segment(Stage::Queue, 0, 30),
            segment(presented("ben", Presentation::Missed(Cause::Busy)), 2, 4),
            segment(presented("asha", Presentation::Answered), 20, 30),
            segment(Stage::Talk { agent: "asha".to_owned() }, 30, 90),
        ],
        outcome: Outcome::Answered { agent: "asha".to_owned(), ended_by: EndedBy::Caller },
        disposition: None,
    }
}

fn attribute<'v>(span: &'v Value, key: &str) -> &'v Value {
    let all = span["attributes"].as_array().unwrap();
    &all.iter().find(|attribute| attribute["key"] == key).unwrap_or_else(|| panic!("{key} in {span}"))["value"]
}

#[test]
fn a_call_is_one_span_with_its_stages_as_children_and_without_a_number() {
    let spoke = Spoke { at: Wall(1_794_816_005_000), what: "announced", rule: "monday-help".to_owned() };
    let mut spans = Vec::new();
    spans::add(7, &record(17), &[spoke], &mut spans);
    let [call, wait, missed, rang, talk] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!((&call["name"], &call["startTimeUnixNano"]), (&"call".into(), &"1794816000000000000".into()));
    assert_eq!(call["endTimeUnixNano"], "1794816090000000000");
    assert_eq!(attribute(call, "hearken.outcome")["stringValue"], "answered");
    assert_eq!(attribute(call, "hearken.rules")["arrayValue"]["values"][0]["stringValue"], "monday-help");
    assert_eq!(call["events"][0]["timeUnixNano"], "1794816005000000000");
    assert!(call.get("parentSpanId").is_none());
    for (child, name) in [(wait, "queue"), (missed, "presented"), (rang, "presented"), (talk, "talk")] {
        assert_eq!((&child["name"], &child["parentSpanId"]), (&name.into(), &call["spanId"]));
        assert_eq!((&child["traceId"], child["spanId"].as_str().unwrap().len()), (&call["traceId"], 16));
    }
    assert_eq!(attribute(missed, "hearken.result")["stringValue"], "busy");
    assert_eq!(talk["startTimeUnixNano"], "1794816030000000000");
    let ids: BTreeSet<_> = spans.iter().map(|span| span["spanId"].to_string()).collect();
    assert_eq!((ids.len(), call["traceId"].as_str().unwrap().len()), (5, 32));
    assert!(!spans::request("node", spans).to_string().contains("7700900123"));
}

#[test]
fn traces_of_two_calls_or_runs_are_two() {
    let trace = |run, call| {
        let mut spans = Vec::new();
        spans::add(run, &record(call), &[], &mut spans);
        spans[0]["traceId"].to_string()
    };
    let all = BTreeSet::from([trace(7, 17), trace(7, 18), trace(8, 17)]);
    assert_eq!((all.len(), trace(7, 17)), (3, trace(7, 17)));
}

/// A collector that gives each post's body and answers with these statuses in turn.
fn collector(answers: &'static [&'static str]) -> (Collector, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (bodies, posted) = mpsc::channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut text, mut buffer) = (String::new(), [0; 4_096]);
            let length = |text: &str| {
                let (head, body) = text.split_once("\r\n\r\n")?;
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "))?;
                (body.len() == length.parse::<usize>().unwrap()).then(|| body.to_owned())
            };
            let body = loop {
                let read = stream.read(&mut buffer).unwrap();
                text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                if let Some(body) = length(&text) {
                    break body;
                }
            };
            assert!(text.starts_with("POST /in/v1/traces HTTP/1.1\r\n"), "{text}");
            write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").unwrap();
            bodies.send(body).unwrap();
        }
    });
    (Collector { host: "127.0.0.1".to_owned(), port, path: "/in".to_owned() }, posted)
}

#[test]
fn what_is_not_taken_is_tried_again_and_a_record_that_comes_again_is_no_second_call() {
    let (to, posted) = collector(&["503 Service Unavailable", "200 OK"]);
    let traces = Traces::start(to, "node", 7).unwrap();
    for call in [17, 18, 17] {
        traces.call(&record(call));
    }
    let bodies = [(); 2].map(|()| posted.recv_timeout(Duration::from_secs(30)).unwrap());
    assert_eq!(bodies[0], bodies[1]);
    let body: Value = serde_json::from_str(&bodies[0]).unwrap();
    assert_eq!(body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().len(), 10);
    while traces.counters().sent == 0 {
        thread::yield_now();
    }
    assert_eq!(traces.counters(), Counters { sent: 2, dropped: 0 });
}

#[test]
fn a_collector_that_is_silent_holds_nobody_up_and_what_it_misses_is_counted() {
    // It takes connections, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = Collector { host: "127.0.0.1".to_owned(), port, path: String::new() };
    let traces = Traces::start(to, "node", 7).unwrap();
    let begun = Instant::now();
    let told = 2 * QUEUE as u64;
    (0..told).for_each(|call| traces.call(&record(call)));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(traces.counters().dropped > 0);
    drop(traces.end());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
