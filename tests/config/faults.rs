//! What is said of bad files.

use std::fs;
use std::path::Path;

use hearken::config::{self, LARGEST_FILE};

use super::{GOOD, Site, shorts, spoilt, today};

#[test]
fn each_fault_is_shown_at_its_place_with_what_was_meant() {
    let site = Site::new();
    let mut failures = String::new();
    for (what, with, expected) in [
        // Keys and tables.
        (
            "advertise =",
            "advertize =",
            &[
                "3:1 error: [sip] has no key `advertize` -> advertise",
                "2:11 error: \"udp:0.0.0.0:5060\" listens on every address, so peers must be told one",
            ][..],
        ),
        (
            "[clip.welcome]",
            "[clips.welcome]",
            &["5:2 error: the file has no key `clips` -> clip", "24:12 error: there is no clip `welcome`"],
        ),
        (
            "greeting = \"welcome\"",
            "welcome = \"welcome\"",
            &[
                "5:7 warning: clip `welcome` is played on no line",
                "24:1 error: [line.NAME] has no key `welcome`",
            ],
        ),
        ("ods = \"Y00001\"", "ods = 1", &["9:7 error: `ods` must be a text, but this is a number -> \"1\""]),
        (
            "emergency = true",
            "emergency = \"yes\"",
            &["44:13 error: `emergency` must be true or false, but this is a text -> true"],
        ),
        (
            "agents = [\"asha\", \"ben\"]",
            "agents = \"asha\"",
            &[
                "14:8 warning: agent `asha` is in no team",
                "17:8 warning: agent `ben` is in no team",
                "21:10 error: `agents` must be a list of texts, but this is a text -> [\"asha\"]",
            ],
        ),
        // Names.
        (
            "greeting = \"welcome\"",
            "greeting = \"wellcome\"",
            &["24:12 error: there is no clip `wellcome` -> welcome"],
        ),
        ("[\"asha\", \"ben\"]", "[\"asha\", \"bne\"]", &["21:19 error: there is no agent `bne` -> ben"]),
        (
            "practice = \"elm-tree\"",
            "practice = \"elmtree\"",
            &["32:12 error: there is no practice `elmtree` -> elm-tree"],
        ),
        (
            "line = \"emergency\"",
            "line = \"Emergency\"",
            &["45:8 error: there is no line `Emergency` -> emergency"],
        ),
        ("[\"asha\", \"ben\"]", "[\"asha\", \"ben\", \"asha\"]", &["21:26 error: `asha` is listed twice"]),
        (
            "[agent.ben]",
            "[agent.\"ben smith\"]",
            &[
                "17:8 error: \"ben smith\" cannot be a name",
                "17:8 warning: agent `ben smith` is in no team",
                "21:19 error: there is no agent `ben`",
            ],
        ),
        // Lines, teams, agents.
        (
            "greeting = \"welcome\"\nteams = [\"hub-navigators\"]",
            "greeting = \"welcome\"",
            &["23:1 error: line `surgeries` has no teams, so that nobody could answer it"],
        ),
        (
            "[\"asha\", \"ben\"]",
            "[]",
            &[
                "14:8 warning: agent `asha` is in no team",
                "17:8 warning: agent `ben` is in no team",
                "21:10 error: team `hub-navigators` has no agents",
            ],
        ),
        (
            "sip:asha@192.0.2.50",
            "sip:asha@phones.example",
            &["15:11 error: `phones.example` is a host name, and this version looks up no names: \
             write the phone's IP address"],
        ),
        (
            "sip:asha@192.0.2.50",
            "asha@192.0.2.50",
            &["15:11 error: a SIP address begins with `sip:` -> sip:asha@192.0.2.50"],
        ),
        (
            "sip:asha@192.0.2.50",
            "sips:asha@192.0.2.50",
            &["15:11 error: this version speaks no `sips:`, only `sip:` -> sip:asha@192.0.2.50"],
        ),
        (
            "sip:asha@192.0.2.50",
            "sip:asha@127.0.0.1;transport=tcp",
            &["15:11 error: nothing listens for tcp where 127.0.0.1 could be reached"],
        ),
        (
            "sip:asha@192.0.2.50",
            "sip:asha@[2001:db8::50]",
            &["15:11 error: nothing listens for udp where 2001:db8::50 could be reached"],
        ),
        (
            "sip:asha@192.0.2.50",
            "sip:ben@192.0.2.51;transport=tcp",
            &["18:11 warning: this is the phone of `asha` too"],
        ),
        (
            "sip:asha@192.0.2.50",
            "sip:asha@192.0.2.1;transport=tcp",
            &["15:11 error: this is where Hearken itself listens, not a phone"],
        ),
        (
            "address = \"sip:asha@192.0.2.50\"",
            "nat = true",
            &["14:1 error: this [agent.NAME] has no `address`"],
        ),
        // Durations and numbers.
        (
            "greeting = \"welcome\"",
            "greeting = \"welcome\"\nring-for = 20",
            &["25:12 error: `ring-for` must be a duration such as \"20s\", but this is a number -> \"20s\""],
        ),
        (
            "greeting = \"welcome\"",
            "greeting = \"welcome\"\nring-for = \"20 seconds\"",
            &[
                "25:12 error: `ring-for` must be a duration, but \"20 seconds\" is not a whole number with a unit -> 20s",
            ],
        ),
        (
            "greeting = \"welcome\"",
            "greeting = \"welcome\"\nring-for = \"20ms\"",
            &["25:12 error: `ring-for` must be from 3s to 3m"],
        ),
        ("advertise =", "max-calls = 0\nadvertise =", &["3:13 error: `max-calls` must be from 1 to 1000000"]),
        (
            "advertise =",
            "max-calls = -5\nadvertise =",
            &["3:13 error: `max-calls` must be from 1 to 1000000"],
        ),
        (
            "advertise =",
            "max-calls = \"500\"\nadvertise =",
            &["3:13 error: `max-calls` must be a whole number, but this is a text -> 500"],
        ),
        (
            "advertise =",
            "t1 = \"2s\"\nt2 = \"1s\"\nadvertise =",
            &["4:6 error: `t2` must not be shorter than `t1` (RFC 3261, 17.1.2.2)"],
        ),
        // Sockets.
        (
            "advertise = \"192.0.2.1\"",
            "",
            &["2:11 error: \"udp:0.0.0.0:5060\" listens on every address, so peers must be told one"],
        ),
        (
            "advertise = \"192.0.2.1\"",
            "advertise = \"192.0.2.1:5060\"",
            &["3:13 error: `advertise` must be an IP address, not \"192.0.2.1:5060\" -> 192.0.2.1"],
        ),
        (
            "advertise = \"192.0.2.1\"",
            "advertise = \"0.0.0.0\"",
            &["3:13 error: peers cannot send to 0.0.0.0"],
        ),
        (
            "\"tcp:192.0.2.1:5060\"",
            "\"udp:192.0.2.1:5060\", \"tcp:192.0.2.1:0\"",
            &["2:31 error: \"udp:192.0.2.1:5060\" is listened on already"],
        ),
        (
            "\"tcp:192.0.2.1:5060\"",
            "\"tpc:192.0.2.1:5060\"",
            &[
                "2:31 error: \"tpc:192.0.2.1:5060\" is not a transport, an IP address and a port -> tcp:192.0.2.1:5060",
            ],
        ),
        (
            "\"tcp:192.0.2.1:5060\"",
            "\"tcp:192.0.2.1\"",
            &[
                "2:31 error: \"tcp:192.0.2.1\" is not a transport, an IP address and a port -> tcp:192.0.2.1:5060",
            ],
        ),
        (
            "\"tcp:192.0.2.1:5060\"",
            "\"tls:192.0.2.1:5061\"",
            &["2:31 error: this version listens for udp and tcp, not tls"],
        ),
        (
            "[clip.welcome]",
            "[media]\nfirst-port = 20001\n[clip.welcome]",
            &["6:14 error: `first-port` must be even, for RTP goes to even ports, not 20001 -> 20002"],
        ),
        (
            "[clip.welcome]",
            "[media]\nfirst-port = 65500\n[clip.welcome]",
            &["6:14 error: media needs 528 ports from 65500 up, and ports end at 65535"],
        ),
        (
            "[clip.welcome]",
            "[media]\nthreads = 64\nspill-ports = 1000\n[clip.welcome]",
            &["5:1 error: media needs 129024 ports from 20000 up, and ports end at 65535"],
        ),
        (
            "[clip.welcome]",
            "[media]\nfirst-port = 5000\n[clip.welcome]",
            &["6:14 error: SIP port 5060 lies among the media ports, 5000 to 5527"],
        ),
        (
            "[clip.welcome]",
            "[media]\nbind = \"::\"\n[clip.welcome]",
            &["6:8 error: this is every address, so peers must be told one"],
        ),
        (
            "[clip.welcome]",
            "[media]\ndead-media-after = \"1s\"\n[clip.welcome]",
            &["6:20 error: `dead-media-after` must be \"0s\", which turns it off, or at least 5s"],
        ),
        (
            "[clip.welcome]",
            "[media]\ncodecs = [\"pcma\", \"pcmau\", \"pcma\"]\n[clip.welcome]",
            &[
                "6:19 error: `codecs` cannot be \"pcmau\", only \"pcma\" or \"pcmu\" -> pcma",
                "6:28 error: `pcma` is listed twice",
            ],
        ),
        // Trunks.
        (
            "from = [\"203.0.113.9\"]",
            "from = [\"198.51.100.64/26\"]",
            &["43:9 error: 198.51.100.64/26 is on an emergency and on a routine trunk"],
        ),
        (
            "from = [\"203.0.113.9\"]",
            "from = [\"0.0.0.0/0\"]",
            &["43:9 error: 0.0.0.0/0 would let strangers make emergency calls"],
        ),
        (
            "from = [\"203.0.113.9\"]",
            "from = [\"203.0.113.9/24\"]",
            &["43:9 error: \"203.0.113.9/24\" has bits set beyond its prefix -> 203.0.113.0/24"],
        ),
        (
            "from = [\"203.0.113.9\"]",
            "from = [\"sbc.example\"]",
            &["43:9 error: \"sbc.example\" is no IP address or network"],
        ),
        (
            "from = [\"203.0.113.9\"]",
            "",
            &["42:1 error: trunk `as-999` has no `from`, so that nobody could call on it"],
        ),
        (
            "emergency = true\nline",
            "emergency = true\nddis = [\"999\"]\nline",
            &["45:8 warning: an emergency trunk with `ddis` turns away calls to any other number"],
        ),
        (
            "020 7946 0102",
            "+44 20 7946 0101",
            &["40:9 error: +442079460101 is taken already for the same address"],
        ),
        (
            "ddis = [\"020 7946 0101\"]",
            "ddis = [\"elm tree\"]",
            &["34:9 error: \"elm tree\" is no telephone number"],
        ),
        ("ods = \"Y00002\"", "ods = \"Y00001\"", &["12:7 error: the ODS code Y00001 is another practice's"]),
        (
            "ods = \"Y00002\"",
            "ods = \"y00002\"",
            &["12:7 warning: \"y00002\" does not look like a practice's ODS code -> Y00002"],
        ),
        ("practice = \"riverside\"\n", "", &["11:11 warning: practice `riverside` has no trunk"]),
        // Files, node.
        (
            "welcome.wav",
            "welcom.wav",
            &["6:8 error: the clip `welcom.wav` cannot be read: no such file or directory -> welcome.wav"],
        ),
        ("welcome.wav", ".", &["6:8 error: the clip `.` cannot be read: it is no file"]),
        (
            "[clip.welcome]",
            "[ledger]\ncli = \"hashed\"\n[clip.welcome]",
            &["6:7 error: `cli` cannot be \"hashed\", only \"hash\" or \"plain\" or \"none\" -> hash"],
        ),
        (
            "[clip.welcome]",
            "[ledger]\ncli = \"none\"\ncli-key = \"k\"\n[clip.welcome]",
            &["7:11 warning: `cli-key` is used only with cli = \"hash\""],
        ),
        (
            "[clip.welcome]",
            "[ledger]\npath = \"x.side\"\n[clip.welcome]",
            &["6:8 error: database, key and side file must be three different files"],
        ),
        (
            "[clip.welcome]",
            "[node]\nzone = \"Europe/Londn\"\n[clip.welcome]",
            &["6:8 error: there is no time zone `Europe/Londn` -> Europe/London"],
        ),
        (
            "[clip.welcome]",
            "[node]\ncountry-code = \"+44\"\n[clip.welcome]",
            &["6:16 error: \"+44\" is no country code -> 44"],
        ),
        // TOML itself.
        (
            "[clip.welcome]",
            "[sip]\n[clip.welcome]",
            &["5:2 error: this was written before; a key or table may be written once"],
        ),
    ] {
        let mut expected: Vec<&str> = expected.to_vec();
        let mut found = shorts(&site.report(&spoilt(what, with)));
        expected.sort_unstable();
        found.sort_unstable();
        if found != expected {
            failures
                .push_str(&format!("{what} -> {with}\n  found    {found:#?}\n  expected {expected:#?}\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_fault_of_a_file_is_shown_at_once() {
    let text = r#"[sip]
listen = ["udp:127.0.0.1:5060", "upd:127.0.0.1:5061"]
max_calls = 10

[media]
codecs = "pcma"
first-port = 20001

[agent.asha]
address = "sip:asha@phones.example"
logged-in = "yes"

[team.navigators]
agents = ["asha", "bne"]

[line.surgeries]
teams = ["navigatros"]
ring-for = 20
wrap-up = "soon"
greeting = "welcome"

[trunk.elm-tree]
from = ["127.0.0.2", "127.0.0.2/8"]
emergancy = true
line = "surgery"

[overflow]
"#;
    let report = Site::new().verdict(text).unwrap_err().0;
    assert_eq!(
        shorts(&report),
        [
            "2:33 error: \"upd:127.0.0.1:5061\" is not a transport, an IP address and a port -> udp:127.0.0.1:5061",
            "3:1 error: [sip] has no key `max_calls` -> max-calls",
            "6:10 error: `codecs` must be a list of texts, but this is a text -> [\"pcma\"]",
            "7:14 error: `first-port` must be even, for RTP goes to even ports, not 20001 -> 20002",
            "10:11 error: `phones.example` is a host name, and this version looks up no names: \
             write the phone's IP address",
            "11:13 error: `logged-in` must be true or false, but this is a text -> true",
            "14:19 error: there is no agent `bne`",
            "17:10 error: there is no team `navigatros` -> navigators",
            "18:12 error: `ring-for` must be a duration such as \"20s\", but this is a number -> \"20s\"",
            "19:11 error: `wrap-up` must be a duration, but \"soon\" is not a number with a unit",
            "20:12 error: there is no clip `welcome`",
            "23:22 error: \"127.0.0.2/8\" has bits set beyond its prefix -> 127.0.0.0/8",
            "24:1 error: [trunk.NAME] has no key `emergancy` -> emergency",
            "25:8 error: there is no line `surgery` -> surgeries",
            "27:1 error: `overflow` must be a list of tables, but this is a table",
        ]
    );
    assert_eq!((report.errors(), report.warnings()), (15, 0));
}

#[test]
fn what_toml_cannot_read_hides_no_fault_elsewhere_and_invents_none() {
    let site = Site::new();
    let teams = "teams = [\"hub-navigators\"]\n\n[line.emergency]";
    let text = spoilt("ods = \"Y00001\"", "ods = Y00001\"")
        .replace(teams, "teams = [\"hub-navigatros\"]\nring_for = 1\n\n[line.emergency]");
    let found = shorts(&site.report(&text));
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("9:7 error: this is not TOML: "), "{found:#?}");
    assert_eq!(found[1], "25:10 error: there is no team `hub-navigatros` -> hub-navigators");
    assert_eq!(found[2], "26:1 error: [line.NAME] has no key `ring_for` -> ring-for");

    for text in ["[", "=", "[sip]\nlisten = [\"udp:0.0.0.0:5060\"", "\u{0}", "a = \"", "[[trunk]]\n[trunk.x]"]
    {
        assert!(site.report(text).errors() > 0, "{text}");
    }
}

#[test]
fn a_bracket_left_open_is_shown_where_it_was_left_open() {
    let site = Site::new();
    for (what, with, expected) in [
        (
            "[\"asha\", \"ben\"]",
            "[\"asha\", \"ben\"",
            "21:24 error: this is not TOML: unclosed array, expected `]`",
        ),
        (
            "[\"asha\", \"ben\"]",
            "[\n\"asha\",\n\"ben\",\n",
            "23:7 error: this is not TOML: unclosed array, expected `]`",
        ),
        (
            "[\"asha\", \"ben\"]",
            "[\n\"asha\"\n\"ben\",\n]",
            "23:1 error: this is not TOML: missing comma between array elements, expected `,`",
        ),
        ("[agent.ben]", "[agent.ben", "17:11 error: this is not TOML: unclosed table, expected `]`"),
        (
            "\"sip:asha@192.0.2.50\"",
            "\"sip:asha@192.0.2.50",
            "15:31 error: this is not TOML: invalid basic string, expected `\"`",
        ),
        (
            "\"welcome.wav\"",
            "\"\"\"welcome.wav\"",
            "6:23 error: this is not TOML: invalid multi-line basic string, expected `\"`",
        ),
    ] {
        let other = spoilt(what, with).replace("practice = \"riverside\"", "practice = \"rivreside\"");
        let found = shorts(&site.report(&other));
        assert_eq!(found.len(), 2, "{with}: {found:#?}");
        assert_eq!(found[0], expected, "{with}");
        assert!(found[1].ends_with("there is no practice `rivreside` -> riverside"), "{with}: {found:#?}");
    }
}

#[test]
fn an_empty_file_lacks_an_address_and_a_trunk() {
    assert_eq!(
        shorts(&Site::new().report("")),
        [
            "file error: without `listen` Hearken listens on every address, so peers must be told one",
            "file error: there is no trunk, so that nobody could call",
        ]
    );
}

#[test]
fn a_diagnostic_is_drawn_with_its_line_and_a_caret() {
    let site = Site::new();
    let text = spoilt("[\"asha\", \"ben\"]", "[\"asha\", \"bne\"]");
    let errors = site.verdict(&text).unwrap_err();
    let expected = r#"error: there is no agent `bne`
  --> hearken.toml:21:19
   |
21 | agents = ["asha", "bne"]
   |                   ^^^^^
   |
   = help: did you mean `ben`?
"#;
    assert!(errors.to_string().contains(expected), "{errors}");
    let coloured = errors.0.render(true);
    assert!(coloured.contains("\u{1b}["), "{coloured:?}");
    assert!(!errors.0.render(false).contains('\u{1b}'));
}

#[test]
fn a_conflict_is_drawn_with_both_its_places() {
    let site = Site::new();
    let text = spoilt("from = [\"203.0.113.9\"]", "from = [\"203.0.113.9\", \"198.51.100.64/26\"]");
    let expected = r#"error: 198.51.100.64/26 is on an emergency and on a routine trunk
  --> hearken.toml:43:24
   |
37 | from = ["198.51.100.7", "198.51.100.64/26"]
   |                         ------------------ here too
...
43 | from = ["203.0.113.9", "198.51.100.64/26"]
   |                        ^^^^^^^^^^^^^^^^^^
   |
   = help: the class of a call must follow from where it comes, not from the number dialled

"#;
    let found = site.verdict(&text).unwrap_err().to_string();
    assert_eq!(found, expected, "{found}");
}

#[test]
fn trunks_that_share_an_address_share_a_class_and_no_number() {
    let site = Site::new();
    let any = spoilt("ddis = [\"020 7946 0101\"]\n", "");
    assert_eq!(shorts(&site.report(&any)), [""; 0], "one trunk may take the numbers that no other lists");
    let both = any.replace("ddis = [\"020 7946 0102\"]\n", "");
    let found = shorts(&site.report(&both));
    assert_eq!(found, ["36:9 error: 198.51.100.7 has a trunk for every number before `riverside`"]);
    let narrower = spoilt("203.0.113.9", "198.51.100.65");
    assert_eq!(shorts(&site.report(&narrower)), [""; 0], "the narrowest network decides by address alone");
    let mapped = spoilt("203.0.113.9", "::ffff:198.51.100.7");
    let found = shorts(&site.report(&mapped));
    assert_eq!(found, ["43:9 error: 198.51.100.7 is on an emergency and on a routine trunk"]);
}

#[test]
fn a_file_that_is_no_configuration_is_refused_with_its_reason() {
    let site = Site::new();
    let path = site.0.path().join("hearken.toml");
    let refusal = |path: &Path| shorts(&config::load(path, today()).unwrap_err().0);

    assert_eq!(refusal(&path), ["file error: the file cannot be read: no such file or directory"]);
    assert_eq!(refusal(site.0.path()), ["file error: the file cannot be read: is a directory"]);
    fs::write(&path, vec![b'#'; LARGEST_FILE as usize + 1]).unwrap();
    assert_eq!(refusal(&path), ["file error: the file is larger than 1024 KiB"]);
    fs::write(&path, b"[node]\nname = \"caf\xe9\"\n").unwrap();
    assert_eq!(refusal(&path), ["2:12 error: this is not UTF-8 text"]);
    fs::write(&path, GOOD).unwrap();
    assert!(config::load(&path, today()).is_ok());
}

#[test]
fn a_thousand_faults_are_counted_and_a_hundred_shown() {
    let text: String = (0..1_000).map(|at| format!("unknown-{at} = 1\n")).collect();
    let report = Site::new().report(&text);
    assert_eq!((report.diagnostics().len(), report.errors()), (100, 1_002));
    assert!(report.render(false).ends_with("... and 902 more\n"));
}
