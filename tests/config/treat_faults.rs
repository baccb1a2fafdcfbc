//! Pathways and dispositions: what they become, and what is said of bad ones.

use std::time::Duration;

use hearken::acd::pathway::{Kind, Pathway};
use hearken::id::{DestinationId, WindowId};
use hearken::switch::codes::Code;

use super::{GOOD, Site, shorts};

/// What is said of the good file with this behind it; lines are counted from there.
pub(crate) fn said(text: &str) -> Vec<String> {
    let before = GOOD.lines().count();
    let found = shorts(&Site::new().report(&format!("{GOOD}{text}")));
    let relative = |found: String| {
        let (line, rest) = found.split_once(':').unwrap();
        format!("{}:{rest}", line.parse::<usize>().unwrap() - before)
    };
    found.into_iter().map(relative).collect()
}

#[test]
fn each_fault_is_shown_at_its_place_with_what_was_meant() {
    for (text, expected) in [
        ("[pathway.falls]\n", &[][..]),
        (
            "[pathway.falls]\nkind = \"pharmcy\"\n",
            &[
                "2:8 error: `kind` cannot be \"pharmcy\", only \"pharmacy\" or \"urgent-community-response\" or \
               \"mental-health\" or \"surgery\" or \"other\" -> pharmacy",
            ],
        ),
        (
            "[pathway.falls]\naddress = \"falls@192.0.2.9\"\n",
            &["2:11 error: a SIP address begins with `sip:` -> sip:falls@192.0.2.9"],
        ),
        ("[pathway.falls]\ncapacity = 0\n", &["2:12 error: `capacity` must be from 1 to 1000"]),
        ("[pathway.falls]\nhours = \"nights\"\n", &["2:9 error: there is no window `nights`"]),
        (
            "[pathway.falls]\nring-for = \"1m\"\nacknowledge-within = \"30s\"\n",
            &["2:12 error: `ring-for` must not be longer than `acknowledge-within`"],
        ),
        (
            "[pathway.falls]\nadress = \"sip:x@192.0.2.9\"\n",
            &["2:1 error: [pathway.NAME] has no key `adress` -> address"],
        ),
        ("[pathway.asha]\n", &["1:10 error: `asha` is the name of an agent too"]),
        ("[pathway.surgeries]\n", &["1:10 error: `surgeries` is the name of a line too"]),
        ("[stack.doctors]\n", &["1:1 error: stack `doctors` has no teams"]),
        (
            "[stack.doctors]\nteams = [\"hub-navigator\"]\n",
            &["2:10 error: there is no team `hub-navigator` -> hub-navigators"],
        ),
        (
            "[stack.falls]\nteams = [\"hub-navigators\"]\n[pathway.falls]\n",
            &["1:8 error: `falls` is the name of a pathway too"],
        ),
        (
            "[stack.doctors]\nteams = [\"hub-navigators\"]\nbreach-within = \"5s\"\n",
            &["3:17 error: `breach-within` must be from 1m to 72h"],
        ),
        ("[disposition.21]\n", &["1:1 error: this [disposition.CODE] has no `words`"]),
        ("[disposition.21]\nwords = \"\"\n", &["2:9 error: `words` must be words, at most 200 bytes"]),
        ("[disposition.21a]\nwords = \"x\"\n", &["1:14 error: \"21a\" cannot be the code of a disposition"]),
        (
            "[disposition.21]\nwords = \"x\"\nword = 1\n",
            &["3:1 error: [disposition.CODE] has no key `word` -> words"],
        ),
        (
            "[feature-codes]\npause = \"*1\"\nreasons = { 7 = \"x\" }\n[disposition.1]\nwords = \"x\"\n",
            &["2:9 error: *17 is dialled for `pause` and for `disposition`"],
        ),
    ] {
        assert_eq!(said(text), expected, "{text}");
    }
}

#[test]
fn pathways_and_dispositions_become_what_they_say() {
    let text = format!(
        "{GOOD}[window.day]\nfrom = \"08:00\"\nto = \"20:00\"\n[destination.pbx]\naddress = \"sip:pbx@192.0.2.8\"\n\
         [pathway.falls]\nkind = \"urgent-community-response\"\naddress = \"sip:falls@192.0.2.9\"\ncapacity = 3\n\
         ring-for = \"15s\"\nacknowledge-within = \"2h\"\nhours = \"day\"\n[pathway.crisis]\nkind = \"mental-health\"\n\
         [disposition.21]\nwords = \"Advice given\"\n"
    );
    let plan = Site::new().verdict(&text).unwrap().deployment.plan;
    let falls = Pathway {
        name: "falls".into(),
        kind: Kind::UrgentCommunityResponse,
        acknowledge_within: Duration::from_secs(7_200),
        destination: Some(DestinationId(1)),
        hours: Some(WindowId(0)),
        gone: false,
    };
    assert_eq!(plan.pathways[0], falls);
    assert_eq!((plan.pathways[1].kind, plan.pathways[1].destination), (Kind::MentalHealth, None));
    assert_eq!((plan.acd.destinations[1].capacity, plan.acd.destinations[1].ring_for.as_secs()), (3, 15));
    let seat = plan.acd.seats(DestinationId(1)).next().unwrap();
    assert_eq!(plan.phones[seat.index()].uri, "sip:falls@192.0.2.9");
    assert_eq!(plan.dispositions[0].words, "Advice given");
    assert!(plan.codes.dialled.contains(&("*17".to_owned(), Code::Dispose)));
}
