//! What an older version wrote is read by this one: the fixture is never written anew for a format that it stands for.

use super::*;
use crate::call::record::{CaseOutcome, CaseRecord};
use crate::id::{AgentId, CaseId};
use crate::switch::CaseOrder;

const FIXTURE: &str = "src/flight/tests/snapshot-1.bin";

/// Of everything that a switch can hold, something.
const RICH: &str = r#"
[sip]
listen = ["udp:192.0.2.1:5060"]
[window.peak]
days = ["mon"]
from = "08:00"
to = "09:30"
[practice.elm-tree]
ods = "Y00001"
hours = "peak"
[trunk.surgery]
from = ["192.0.2.10"]
line = "gp"
practice = "elm-tree"
[trunk.ambulance]
from = ["192.0.2.11"]
line = "999"
emergency = true
[line.gp]
teams = ["hub"]
callback-key = "1"
[line.999]
teams = ["hub"]
[callback]
via = "sip:192.0.2.10:5060"
[[overflow]]
name = "help"
from = "gp"
when-any = { waiting-over = 1 }
until = { waiting-under = 1 }
add-teams = ["doctors"]
[team.hub]
agents = ["asha"]
[team.doctors]
agents = ["ben"]
[agent.asha]
address = "sip:asha@192.0.2.20"
[agent.ben]
address = "sip:ben@192.0.2.21"
logged-in = false
[stack.cases]
teams = ["doctors"]
[pathway.pharmacy]
kind = "pharmacy"
address = "sip:duty@192.0.2.30"
capacity = 3
[disposition.21]
words = "Advice given"
"#;

fn case(now: Now) -> CaseRecord {
    CaseRecord {
        case: CaseId(5),
        call: CallId(9),
        stack: "cases".to_owned(),
        line: "gp".to_owned(),
        trunk: "surgery".to_owned(),
        practice: Some("Y00001".to_owned()),
        band: Band::ROUTINE,
        ddi: "+442079460101".to_owned(),
        number: Some("+447700900124".to_owned()),
        cli: None,
        opened: now.wall,
        breach: now.wall + Duration::from_secs(3_600),
        breached: false,
        holder: None,
        pathway: None,
        revision: 1,
        closed: None,
    }
}

/// One caller who talks with asha, one who waits, a promised callback, and a case that ben has.
fn busy() -> (Switch, Now) {
    let directory = tempfile::tempdir().unwrap();
    let mut world = World::on(RICH, &settings(&directory));
    world.give(Input::Promises(vec![PromiseRecord {
        // Not the number of those who call: their own call would settle it.
        number: Some("+447700900125".to_owned()),
        ..promise(3, "gp")
    }]));
    world.give(Input::Cases(vec![case(world.now)]));
    world.give(Input::Case(CaseOrder::Take(AgentId(1))));
    world.call("one");
    world.answer();
    world.call("two");
    let now = world.now;
    (world.kill(), now)
}

#[test]
fn a_snapshot_of_format_1_is_read_and_its_calls_go_on() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURE);
    if !path.exists() {
        let (switch, now) = busy();
        let head = format::Head { format: 1, version: "0.1.0".to_owned(), run: run(1), continues: true };
        fs::write(&path, snapshot::write(&head, &Kept::of(&switch), now, Vec::new())).unwrap();
        panic!("{FIXTURE} was missing, and is written");
    }
    let (head, state, now) = snapshot::read(&fs::read(path).unwrap()).unwrap();
    assert_eq!((head.format, head.version.as_str()), (1, "0.1.0"));
    let mut switch = state.switch;
    assert_eq!((switch.calls(), switch.promises()), (3, 1));
    let close = CaseOrder::Close(AgentId(1), CaseId(5), "21".to_owned());
    let mut ends = Vec::new();
    for input in [Input::Restart { seed: [9; 32], incomplete: true }, Input::Case(close), Input::Stop] {
        switch.handle(input, now);
        while let Some(output) = switch.poll_output() {
            match output {
                Output::Record(record) => ends.push(record.sip_call_id),
                Output::Case(case) => ends.extend(case.closed.map(|closed| format!("{closed:?}"))),
                _ => {}
            }
        }
    }
    let closed = format!("{:?}", (CaseOutcome::Disposed("21".to_owned()), now.wall));
    // The second is the call that was about to be made for the promise.
    assert_eq!(ends, [closed, String::new(), "one".to_owned(), "two".to_owned()]);
}
