//! Traces of calls, as a collector of OpenTelemetry reads them: what the ledger has, and no number.

use crate::harness::{Call, Collector, Net, Phone, Setup, Span, assert_sound};

/// Holds the spans of one call against its row.
fn assert_same(call: &Call, spans: &[Span]) {
    let whole = spans.iter().find(|span| span.text("sip.call_id") == Some(&call.sip_call_id));
    let whole = whole.unwrap_or_else(|| panic!("no span of {call:#?} in {spans:#?}"));
    let millis = |nanos: i64| nanos / 1_000_000 - call.arrived;
    assert_eq!((whole.name.as_str(), whole.parent.as_str(), whole.service.as_str()), ("call", "", "hearken"));
    assert_eq!((millis(whole.start), millis(whole.end)), (0, call.lasted));
    let told = ["trunk", "line", "outcome", "practice", "agent", "ended_by"];
    let told = told.map(|key| whole.text(&format!("hearken.{key}")).map(str::to_owned));
    let Call { trunk, line, outcome, practice, agent, ended_by, .. } = call.clone();
    assert_eq!(told, [Some(trunk), Some(line), Some(outcome), practice, agent, ended_by]);
    let children: Vec<_> = spans.iter().filter(|span| span.parent == whole.id).collect();
    assert!(children.iter().all(|child| child.trace == whole.trace), "{children:#?}");
    let mut told: Vec<_> = children
        .iter()
        .map(|span| {
            let [agent, result] = ["agent", "result"].map(|key| span.text(&format!("hearken.{key}")));
            (span.name.as_str(), agent, result, millis(span.start), millis(span.end))
        })
        .collect();
    let mut stages: Vec<_> = call
        .segments
        .iter()
        .map(|stage| {
            (stage.stage.as_str(), stage.agent.as_deref(), stage.result.as_deref(), stage.from, stage.to)
        })
        .collect();
    told.sort_unstable();
    stages.sort_unstable();
    assert_eq!(told, stages);
}

#[test]
fn each_call_of_the_ledger_is_a_trace_with_its_stages_and_without_a_number() {
    let net = Net::new();
    let collector = Collector::at(net.collector());
    let (mut asha, mut ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let hub = Setup::new(net)
        .agent("asha", asha.uri("asha"))
        .agent("ben", ben.uri("ben"))
        .with("[team.hub]", "[team.hub]\nstrategy = \"ordered\"")
        .and(&format!("[telemetry]\notlp = \"{}\"\n", collector.url()))
        .start();
    let (mut answered, mut gone) = (Phone::at(net.surgery()), Phone::at(net.emergency()));
    answered.call(&hub);
    let invite = asha.ring();
    asha.refuse(&invite, 486);
    ben.answer();
    gone.call(&hub);
    let invite = asha.ring();
    gone.bye();
    asha.taken_back(&invite);
    answered.bye();
    ben.hung_up();
    let calls = hub.calls(2);
    assert_sound(&calls);
    let (spans, text) = collector.spans(2);
    calls.iter().for_each(|call| assert_same(call, &spans));
    let stages: usize = calls.iter().map(|call| call.segments.len()).sum();
    assert_eq!(spans.len(), calls.len() + stages, "and nothing else");
    for phone in [&answered, &gone] {
        assert!(!text.contains(&phone.number[3..]), "{text}");
    }
}
