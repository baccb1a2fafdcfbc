//! Calendars, lines, rules and tests: what they become, and what is said of bad ones.

use std::fs;
use std::time::Duration;

use hearken::acd::{Strategy, WayOut};
use hearken::calendar::{Instead, Nation, Occasion};
use hearken::config;
use hearken::id::{AgentId, ClipId, DestinationId, LineId, PracticeId, RuleId, SkillId, TeamId, WindowId};
use hearken::policy::rules::{Condition, Measure, Refusal};
use hearken::switch::codes::Code;

use super::{Site, shorts};

/// A good file with one of everything.
const FULL: &str = r#"[sip]
listen = ["udp:192.0.2.1:5060"]

[clip.busy]
file = "welcome.wav"

[window.core-hours]
days = ["mon", "tue", "wed", "thu", "fri"]
from = "08:00"
to = "18:30"
except = ["bank-holidays"]

[window.peak]
days = ["mon"]
from = "08:00"
to = "09:30"
except = ["bank-holidays", "2027-01-04"]

[practice.elm-tree]
hours = "core-hours"
zone = "Europe/London"
nation = "scotland"
[[practice.elm-tree.override]]
dates = ["2026-12-24", "2026-12-28..2026-12-31"]
closed = true

[skill.nursing]

[agent.asha]
address = "sip:asha@192.0.2.50"
skills = { nursing = 2 }

[agent.ben]
address = "sip:ben@192.0.2.51"

[agent.carys]
address = "sip:carys@192.0.2.52"

[team.hub]
agents = ["asha", "ben"]
strategy = "ordered"
keep-free-for-emergency = 1
fair-share = true
share = { elm-tree = 2 }

[team.others]
agents = ["carys"]

[line.elm-tree]
teams = ["hub"]
needs = { nursing = 2 }
relax = [{ after = "2m", needs = { nursing = 1 } }, { after = "4m", needs = {} }]
widen = [{ after = "3m", add-teams = ["others"] }]
max-wait = "45m"
way-out = { route-to = "pbx" }
leave-when-empty = "goodbye"
most-per-practice = 30
first = "pbx"

[line.emergency]
teams = ["hub"]
emergency-parallel = 2

[destination.pbx]
address = "sip:reception@192.0.2.60"
capacity = 2
ring-for = "15s"

[trunk.elm-tree]
from = ["198.51.100.7"]
practice = "elm-tree"
line = "elm-tree"

[trunk.as-999]
from = ["203.0.113.9"]
emergency = true
line = "emergency"

[[overflow]]
name = "peak"
from = "elm-tree"
during = "peak"
when-any = { waiting-over = 8, longest-wait-over = "4m" }
when-all = { redial = false, at = { emergency = { waiting-under = 3 } } }
for-at-least = "20s"
until = { waiting-under = 5 }
add-teams = ["others"]
announce = "busy"

[[overflow]]
name = "full"
from = ["elm-tree"]
when-all = { waiting-over = 30 }
refuse = 503
retry-after = "1m"

[[test]]
name = "peak"
at = "2026-11-23T08:15"
trunk = "elm-tree"
given = { "elm-tree.waiting" = 9 }
expect = "peak"

[[test]]
at = "2026-11-23T08:15"
given = { elm-tree.waiting = 31, caller.redial = true }
expect = ["full"]

[feature-codes]
reasons = { 7 = "prayer" }
ready = ""
"#;

#[test]
fn each_fault_is_shown_at_its_place_with_what_was_meant() {
    let site = Site::new();
    let mut failures = String::new();
    for (what, with, expected) in [
        // Windows.
        (
            "days = [\"mon\"]",
            "days = [\"Monday\"]",
            &[
                "14:9 error: each of `days` must be a weekday: \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" or \"sun\", not \"Monday\" -> mon",
            ][..],
        ),
        (
            "days = [\"mon\"]",
            "days = \"mon\"",
            &["14:8 error: `days` must be a list of weekdays, but this is a text -> [\"mon\"]"],
        ),
        (
            "days = [\"mon\"]",
            "months = [\"Decembre\"]",
            &[
                "14:11 error: each of `months` must be a month: \"jan\", \"feb\", \"mar\" and so on, not \"Decembre\" -> dec",
            ],
        ),
        (
            "to = \"09:30\"",
            "to = \"9.30\"",
            &["16:6 error: `to` must be a time of day such as \"08:00\", not \"9.30\" -> 09:30"],
        ),
        (
            "to = \"09:30\"",
            "to = 09:30:00",
            &[
                "16:6 error: `to` must be a time of day such as \"08:00\", but this is a date or time -> \"09:30\"",
            ],
        ),
        (
            "to = \"09:30\"",
            "to = \"noon\"",
            &["16:6 error: `to` must be a time of day such as \"08:00\", not \"noon\""],
        ),
        ("to = \"09:30\"", "too = \"09:30\"", &["16:1 error: [window.NAME] has no key `too` -> to"]),
        ("\"2027-01-04\"", "\"04/01/2027\"", &["17:28 error: \"04/01/2027\" is no date -> 2027-01-04"]),
        (
            "\"2027-01-04\"",
            "\"bank-holiday\"",
            &["17:28 error: there is no window `bank-holiday` -> bank-holidays"],
        ),
        ("\"2027-01-04\"", "\"core-hour\"", &["17:28 error: there is no window `core-hour` -> core-hours"]),
        ("\"2027-01-04\"", "\"peak\"", &["13:9 error: `peak` -> `peak`: a window cannot depend on itself"]),
        (
            "[window.core-hours]\n",
            "[window.core-hours]\ndates = [\"2026-01-05\"]\n",
            &["7:9 warning: window `core-hours`: it has no day between 2026-06-01 and 2027-07-06"],
        ),
        ("[window.core-hours]\n", "[window.core-hours]\ninclude = [\"2027-05-01\", \"2027-05-02\"]\n", &[]),
        (
            "except = [\"bank-holidays\", \"2027-01-04\"]",
            "except = [\"core-hours\"]",
            &["102:10 error: test `peak` fails: expected `peak`, got `stay`"],
        ),
        ("to = \"18:30\"", "to = \"01:30\"", &[]),
        ("during = \"peak\"", "during = \"paek\"", &["82:10 error: there is no window `paek` -> peak"]),
        ("during = \"peak\"\n", "", &["13:9 warning: window `peak` is asked for by nothing"]),
        // Practices and their exceptions.
        (
            "hours = \"core-hours\"",
            "hours = \"core-hour\"",
            &["20:9 error: there is no window `core-hour` -> core-hours"],
        ),
        (
            "hours = \"core-hours\"\n",
            "",
            &[
                "7:9 warning: window `core-hours` is asked for by nothing",
                "22:1 error: practice `elm-tree` has no `hours` that this could override",
            ],
        ),
        (
            "zone = \"Europe/London\"",
            "zone = \"Europe/Londn\"",
            &["21:8 error: there is no time zone `Europe/Londn` -> Europe/London"],
        ),
        (
            "nation = \"scotland\"",
            "nation = \"Scottland\"",
            &[
                "22:10 error: `nation` must be \"england-and-wales\", \"scotland\" or \"northern-ireland\", not \"Scottland\" -> scotland",
            ],
        ),
        ("closed = true", "closed = true\nfrom = \"09:00\"", &["26:8 error: what is closed has no times"]),
        (
            "closed = true",
            "closed = false",
            &["23:1 error: this override says neither closed = true nor `from` or `to`"],
        ),
        (
            "closed = true",
            "window = \"peaks\"\nclosed = true",
            &["25:10 error: there is no window `peaks` -> peak"],
        ),
        (
            "dates = [\"2026-12-24\", ",
            "date = [\"2026-12-24\", ",
            &[
                "23:1 error: this [[practice.NAME.override]] has no `dates`",
                "24:1 error: [[practice.NAME.override]] has no key `date` -> dates",
            ],
        ),
        (
            "\"2026-12-24\", \"2026-12-28",
            "\"2026-12-29\", \"2026-12-28",
            &["23:1 error: 2026-12-29 is overridden twice"],
        ),
        (
            "2026-12-28..2026-12-31",
            "2026-12-31..2026-12-28",
            &[
                "24:24 error: each of `dates` must be a date such as \"2026-12-24\", or two with \"..\" between, not \"2026-12-31..2026-12-28\" -> 2026-12-28..2026-12-31",
            ],
        ),
        // Skills and teams.
        (
            "skills = { nursing = 2 }",
            "skills = { nursng = 2 }",
            &["31:12 error: there is no skill `nursng` -> nursing"],
        ),
        (
            "skills = { nursing = 2 }",
            "skills = { nursing = 0 }",
            &["31:22 error: `nursing` must be from 1 to 10"],
        ),
        (
            "skills = { nursing = 2 }",
            "skills = [\"nursing\"]",
            &["31:10 error: `skills` must be a table, but this is a list"],
        ),
        ("skills = { nursing = 2 }\n", "", &[]),
        (
            "relax = [{ after = \"2m\", needs = { nursing = 1 } }, { after = \"4m\", needs = {} }]",
            "relax = []",
            &[],
        ),
        ("[skill.nursing]", "[skill.nursing]\nlevel = 2", &["28:1 error: [skill.NAME] has no key `level`"]),
        (
            "[skill.nursing]",
            "[skill.nursing]\n[skill.welsh]",
            &["28:8 warning: skill `welsh` is needed on no line"],
        ),
        (
            "strategy = \"ordered\"",
            "strategy = \"longest\"",
            &[
                "41:12 error: `strategy` cannot be \"longest\", only \"longest-idle\" or \"fewest-calls\" or \"round-robin\" or \"ordered\" or \"ring-all\" -> longest-idle",
            ],
        ),
        (
            "keep-free-for-emergency = 1",
            "keep-free-for-emergency = 2",
            &["42:27 warning: team `hub` has 2 agents, so that none would answer routine calls"],
        ),
        ("fair-share = true\n", "", &["43:9 warning: `share` is used only with fair-share = true"]),
        (
            "share = { elm-tree = 2 }",
            "share = { elmtree = 2 }",
            &["44:11 error: there is no practice `elmtree` -> elm-tree"],
        ),
        (
            "share = { elm-tree = 2 }",
            "share = { elm-tree = 0 }",
            &["44:22 error: `elm-tree` must be from 1 to 1000"],
        ),
        // Lines.
        (
            "{ after = \"4m\", needs = {} }",
            "{ after = \"1m\", needs = {} }",
            &["52:63 error: `after` must be later than that of the step before"],
        ),
        (
            "{ after = \"4m\", needs = {} }",
            "{ after = \"4m\", needs = { nursing = 3 } }",
            &["52:77 error: this asks for more than before, and so relaxes nothing"],
        ),
        (
            "{ after = \"4m\", needs = {} }",
            "{ after = \"4m\" }",
            &["52:53 error: this step of `relax` has no `needs`"],
        ),
        (
            "{ after = \"4m\", needs = {} }",
            "{ afte = \"4m\", needs = {} }",
            &[
                "52:53 error: this step of `relax` has no `after`",
                "52:55 error: step of `relax` has no key `afte` -> after",
            ],
        ),
        (
            "relax = [{ after = \"2m\", needs = { nursing = 1 } }, { after = \"4m\", needs = {} }]",
            "relax = { after = \"2m\", needs = {} }",
            &["52:9 error: `relax` must be a list of tables, but this is a table"],
        ),
        (
            "widen = [{ after = \"3m\", add-teams = [\"others\"] }]",
            "widen = [{ after = \"3m\", add-teams = [\"hub\"] }]",
            &["53:39 warning: team `hub` answers already"],
        ),
        (
            "widen = [{ after = \"3m\", add-teams = [\"others\"] }]",
            "widen = [{ after = \"3m\", add-teams = [] }]",
            &["53:38 error: this step adds no teams"],
        ),
        (
            "max-wait = \"45m\"",
            "max-wait = \"45\"",
            &["54:12 error: `max-wait` must be a duration, but \"45\" has no unit -> 45s"],
        ),
        ("max-wait = \"45m\"\n", "", &["54:11 warning: `way-out` is used only with `max-wait`"]),
        (
            "way-out = { route-to = \"pbx\" }\n",
            "",
            &["54:12 error: `max-wait` needs a `way-out`: nobody is dropped without a word"],
        ),
        (
            "way-out = { route-to = \"pbx\" }",
            "way-out = \"stay\"",
            &["55:11 error: `way-out` cannot be \"stay\", only \"goodbye\""],
        ),
        (
            "way-out = { route-to = \"pbx\" }",
            "way-out = { route = \"pbx\" }",
            &[
                "55:11 error: this `way-out` has no `route-to`",
                "55:13 error: `way-out` has no key `route` -> route-to",
            ],
        ),
        (
            "way-out = { route-to = \"pbx\" }",
            "way-out = { route-to = \"pbxx\" }",
            &["55:24 error: there is no destination `pbxx` -> pbx"],
        ),
        (
            "way-out = { route-to = \"pbx\" }",
            "way-out = 5",
            &["55:11 error: `way-out` must be a word or a table, but this is a number"],
        ),
        (
            "leave-when-empty = \"goodbye\"",
            "leave-when-empty = \"leave\"",
            &["56:20 error: `leave-when-empty` cannot be \"leave\", only \"stay\" or \"goodbye\""],
        ),
        (
            "leave-when-empty = \"goodbye\"",
            "join-when-empty = \"no\"",
            &["56:19 error: `join-when-empty` must be true or false, but this is a text -> false"],
        ),
        (
            "most-per-practice = 30",
            "most-per-practice = 0",
            &["57:21 error: `most-per-practice` must be from 1 to 100000"],
        ),
        (
            "first = \"pbx\"",
            "first = \"sip:reception@192.0.2.60\"",
            &["58:9 error: there is no destination `sip:reception@192.0.2.60`"],
        ),
        (
            "emergency-parallel = 2",
            "emergency-parallel = 101",
            &["62:22 error: `emergency-parallel` must be from 1 to 100"],
        ),
        (
            "emergency-parallel = 2",
            "max-wait = \"1h\"\nway-out = \"goodbye\"",
            &["62:12 warning: only emergency calls join line `emergency`, which this does not touch"],
        ),
        (
            "first = \"pbx\"",
            "first = \"pbx\"\nemergency-parallel = 2",
            &["59:22 warning: no emergency trunk joins line `elm-tree`"],
        ),
        // Destinations.
        ("capacity = 2", "capacity = 1001", &["66:12 error: `capacity` must be from 1 to 1000"]),
        ("capacity = 2", "capacty = 2", &["66:1 error: [destination.NAME] has no key `capacty` -> capacity"]),
        (
            "address = \"sip:reception@192.0.2.60\"",
            "address = \"reception@192.0.2.60\"",
            &["65:11 error: a SIP address begins with `sip:` -> sip:reception@192.0.2.60"],
        ),
        (
            "address = \"sip:reception@192.0.2.60\"\n",
            "",
            &["64:1 error: this [destination.NAME] has no `address`"],
        ),
        (
            "[destination.pbx]",
            "[destination.pbx2]\naddress = \"sip:x@192.0.2.61\"\n[destination.pbx]",
            &["64:14 warning: destination `pbx2` is sent no call"],
        ),
        // Rules.
        (
            "name = \"full\"",
            "name = \"peak\"",
            &["91:8 error: there is a rule `peak` already", "107:11 error: there is no rule `full`"],
        ),
        (
            "name = \"full\"",
            "name = \"stay\"",
            &[
                "91:8 error: `stay` is what a test says of no rule, and cannot be one's name",
                "107:11 error: there is no rule `full`",
            ],
        ),
        (
            "name = \"full\"\n",
            "",
            &["90:1 error: this [[overflow]] has no `name`", "106:11 error: there is no rule `full`"],
        ),
        (
            "from = [\"elm-tree\"]",
            "from = [\"elm-tre\"]",
            &["92:9 error: there is no line `elm-tre` -> elm-tree"],
        ),
        (
            "from = [\"elm-tree\"]",
            "from = []",
            &["92:8 error: `from` names no line, so that the rule could do nothing"],
        ),
        (
            "from = [\"elm-tree\"]",
            "from = 7",
            &["92:8 error: `from` must be a text or a list of texts, but this is a number"],
        ),
        ("from = [\"elm-tree\"]\n", "", &["90:1 error: this [[overflow]] has no `from`"]),
        (
            "waiting-over = 8",
            "waitng-over = 8",
            &["83:14 error: `when-any` has no key `waitng-over` -> waiting-over"],
        ),
        ("waiting-over = 8", "redial = true", &["83:14 error: `when-any` has no key `redial`"]),
        (
            "waiting-over = 8",
            "waiting-over = \"8\"",
            &["83:29 error: `waiting-over` must be a whole number, but this is a text -> 8"],
        ),
        (
            "longest-wait-over = \"4m\"",
            "longest-wait-over = 4",
            &[
                "83:52 error: `longest-wait-over` must be a duration such as \"20s\", but this is a number -> \"4s\"",
            ],
        ),
        (
            "until = { waiting-under = 5 }",
            "until = { waiting-under = 0 }",
            &["86:27 error: `waiting-under` must be from 1 to 1000000"],
        ),
        ("until = { waiting-under = 5 }", "until = {}", &["86:9 error: this states no limit"]),
        (
            "until = { waiting-under = 5 }",
            "until = \"09:30\"",
            &["86:9 error: `until` must be a table, but this is a text"],
        ),
        (
            "at = { emergency = { waiting-under = 3 } }",
            "at = { emergncy = { waiting-under = 3 } }",
            &["84:37 error: there is no line `emergncy` -> emergency"],
        ),
        (
            "at = { emergency = { waiting-under = 3 } }",
            "at = { emergency = 3 }",
            &["84:49 error: line in `at` must be a table, but this is a number"],
        ),
        (
            "for-at-least = \"20s\"",
            "for-at-least = \"2h\"",
            &["85:16 error: `for-at-least` must be from 0s to 1h"],
        ),
        (
            "add-teams = [\"others\"]\nannounce = \"busy\"",
            "",
            &["4:7 warning: clip `busy` is played on no line", "79:1 error: this rule does nothing"],
        ),
        (
            "add-teams = [\"others\"]\nannounce = \"busy\"",
            "add-team = [\"others\"]",
            &[
                "4:7 warning: clip `busy` is played on no line",
                "87:1 error: [[overflow]] has no key `add-team` -> add-teams",
            ],
        ),
        ("announce = \"busy\"", "announce = \"bsy\"", &["88:12 error: there is no clip `bsy` -> busy"]),
        (
            "announce = \"busy\"",
            "route-to = \"pbx\"\nif-its-wait-is-less = 1",
            &[
                "4:7 warning: clip `busy` is played on no line",
                "89:23 error: `if-its-wait-is-less` must be true or false, but this is a number",
            ],
        ),
        (
            "announce = \"busy\"",
            "if-its-wait-is-less = true",
            &[
                "4:7 warning: clip `busy` is played on no line",
                "88:23 error: `if-its-wait-is-less` is used only with `route-to`",
            ],
        ),
        (
            "announce = \"busy\"",
            "offer = \"callback\"",
            &["4:7 warning: clip `busy` is played on no line", "88:1 error: [[overflow]] has no key `offer`"],
        ),
        ("refuse = 503", "refuse = 500", &["94:10 error: `refuse` cannot be 500, only 503 or 302"]),
        (
            "refuse = 503",
            "refuse = 302",
            &[
                "94:10 error: refuse = 302 needs `to`, the destination to try instead",
                "95:15 error: `retry-after` is used only with refuse = 503",
            ],
        ),
        (
            "refuse = 503\n",
            "",
            &[
                "90:1 error: this rule does nothing",
                "94:15 error: `retry-after` is used only with refuse = 503",
            ],
        ),
        ("retry-after = \"1m\"", "to = \"pbx\"", &["95:6 error: `to` is used only with refuse = 302"]),
        ("retry-after = \"1m\"", "priority = \"2h\"", &["95:12 error: `priority` must be from 1s to 1h"]),
        (
            "expect = \"peak\"",
            "expect = \"stay\"",
            &["102:10 error: test `peak` fails: expected `stay`, got `peak`"],
        ),
        (
            "expect = \"peak\"",
            "expect = [\"peak\", \"full\"]",
            &["102:10 error: test `peak` fails: expected `peak`, `full`, got `peak`"],
        ),
        (
            "expect = \"peak\"",
            "expect = [\"peak\", \"stay\"]",
            &["102:19 error: `stay` means that no rule counts, so it stands alone"],
        ),
        ("expect = \"peak\"", "expect = \"peek\"", &["102:10 error: there is no rule `peek` -> peak"]),
        ("expect = \"peak\"", "", &["97:1 error: this [[test]] has no `expect`"]),
        (
            "trunk = \"elm-tree\"",
            "trunk = \"elm-tree\"\nline = \"elm-tree\"",
            &["100:9 error: `line` and `trunk` cannot both be given"],
        ),
        (
            "trunk = \"elm-tree\"",
            "trunk = \"elmtree\"",
            &["100:9 error: there is no trunk `elmtree` -> elm-tree"],
        ),
        (
            "trunk = \"elm-tree\"\ngiven = { \"elm-tree.waiting\" = 9 }\n",
            "",
            &["97:1 error: whose call is meant? neither `line` nor `trunk` is given"],
        ),
        (
            "\"elm-tree.waiting\" = 9",
            "\"elm-tree.waitng\" = 9",
            &["101:11 error: `elm-tree.waitng` is nothing that can be given -> elm-tree.waiting"],
        ),
        (
            "\"elm-tree.waiting\" = 9",
            "\"elmtree.waiting\" = 9",
            &["101:11 error: there is no line `elmtree` -> elm-tree"],
        ),
        (
            "\"elm-tree.waiting\" = 9",
            "waiting = 9",
            &["101:11 error: `waiting` is nothing that can be given"],
        ),
        (
            "\"elm-tree.waiting\" = 9",
            "\"elm-tree.longest-wait\" = 9",
            &[
                "101:37 error: `elm-tree.longest-wait` must be a duration such as \"20s\", but this is a number -> \"9s\"",
            ],
        ),
        (
            "\"elm-tree.waiting\" = 9",
            "\"caller.redail\" = true",
            &["101:11 error: `caller.redail` is nothing that can be given -> caller.redial"],
        ),
        (
            "caller.redial = true",
            "caller.redial = \"yes\"",
            &["106:50 error: `caller.redial` must be true or false, but this is a text -> true"],
        ),
        (
            "name = \"peak\"\nat = \"2026-11-23T08:15\"",
            "name = \"peak\"\nat = \"2026-11-23 8:15\"",
            &[
                "99:6 error: `at` must be a date with a time such as \"2026-08-31T08:15\", not \"2026-11-23 8:15\" -> 2026-11-23T08:15",
            ],
        ),
        (
            "name = \"peak\"\nat = \"2026-11-23T08:15\"",
            "name = \"peak\"\nat = 2026-11-23T08:15:00",
            &[
                "99:6 error: `at` must be a date with a time such as \"2026-08-31T08:15\", but this is a date or time -> \"2026-11-23T08:15\"",
            ],
        ),
        (
            "name = \"peak\"\nat = \"2026-11-23T08:15\"\n",
            "name = \"peak\"\n",
            &["97:1 error: this [[test]] has no `at`"],
        ),
        (
            "[[overflow]]\nname = \"full\"",
            "[overflow.x]\nname = \"full\"",
            &["90:11 error: [[overflow]] has no key `x`", "107:11 error: there is no rule `full`"],
        ),
        ("ready = \"\"", "ready = \"*11\"", &["111:9 error: *11 is dialled for `log-in` and for `ready`"]),
        ("ready = \"\"", "ready = \"*137\"", &["111:9 error: *137 is dialled for `pause` and for `ready`"]),
        ("ready = \"\"", "ready = \"eleven\"", &["111:9 error: \"eleven\" is nothing that a phone can dial"]),
        ("7 = \"prayer\"", "77 = \"prayer\"", &["110:13 error: \"77\" is not one digit"]),
        ("7 = \"prayer\"", "7 = \"\"", &["110:17 error: a reason must be words, at most 64 bytes"]),
        ("7 = \"prayer\"", "7 = 8", &["110:17 error: `7` must be a text, but this is a number -> \"8\""]),
        (
            "[sip]",
            "[node]\nholidays = \"bank.json\"\n[sip]",
            &["2:12 error: the bank holidays cannot be read: no such file or directory"],
        ),
        (
            "[sip]",
            "[media]\nprompts = \"prompts\"\n[sip]",
            &["2:11 error: the directory `prompts` lacks the prompt zero.wav and 58 more"],
        ),
        (
            "[sip]",
            "[distributor]\nrest-after-busy = \"1h\"\nretry-after = \"0s\"\n[sip]",
            &[
                "2:19 error: `rest-after-busy` must be from 0s to 5m",
                "3:15 error: `retry-after` must be from 1s to 1h",
            ],
        ),
        (
            "days = [\"mon\"]\nfrom = \"08:00\"",
            "days = [\"sun\"]\nfrom = \"01:30\"",
            &[
                "15:8 warning: window `peak`: the clocks of Europe/London show 01:30 twice on 2026-10-25: it opens the first time",
                "15:8 warning: window `peak`: the clocks of Europe/London skip 01:30 on 2027-03-28: it opens when they show 02:00",
                "102:10 error: test `peak` fails: expected `peak`, got `stay`",
            ],
        ),
        (
            "waiting-over = 30 }",
            "waiting-over = 30, waiting-under = 20 }",
            &[
                "93:49 warning: this rule can never turn on: `waiting-over = 30` contradicts `waiting-under = 20`",
                "107:10 error: test `number 2` fails: expected `full`, got `stay`",
            ],
        ),
        (
            "refuse = 503\nretry-after = \"1m\"",
            "add-teams = [\"hub\"]",
            &["94:13 warning: `add-teams` adds nothing: all their agents answer the line already"],
        ),
        (
            "[[test]]\nname = \"peak\"",
            "[[overflow]]\nname = \"fuller\"\nfrom = \"elm-tree\"\nwhen-all = { waiting-over = 40 }\nrefuse = 503\n\n[[test]]\nname = \"peak\"",
            &["101:10 warning: `refuse` never counts: `full` counts whenever this rule is on"],
        ),
        (
            "until = { waiting-under = 5 }",
            "until = { waiting-over = 0 }",
            &[
                "86:9 warning: this rule can never turn on: its `until` holds whenever its conditions do",
                "102:10 error: test `peak` fails: expected `peak`, got `stay`",
            ],
        ),
        ("until = { waiting-under = 5 }", "until = { waiting-under = 5, longest-wait-over = \"20h\" }", &[]),
        (
            "waiting-over = 8",
            "agents-free-over = 5",
            &[
                "83:33 warning: `agents-free-over = 5` can never be what turns this rule on",
                "102:10 error: test `peak` fails: expected `peak`, got `stay`",
            ],
        ),
        (
            "from = [\"elm-tree\"]",
            "from = [\"emergency\"]",
            &[
                "94:10 warning: `refuse` may not touch emergency calls, and this line has no others",
                "107:10 error: test `number 2` fails: expected `full`, got `stay`",
            ],
        ),
        (
            "during = \"peak\"",
            "during = \"peak\"\nnot-during = \"core-hours\"",
            &[
                "82:10 warning: this rule can never turn on: `peak` is open only while `core-hours` is",
                "103:10 error: test `peak` fails: expected `peak`, got `stay`",
            ],
        ),
        (
            "[line.emergency]\nteams = [\"hub\"]",
            "[line.emergency]\nteams = []",
            &["61:9 error: line `emergency` has no teams, so that nobody could answer it"],
        ),
        (
            "fair-share = true",
            "fair-share = \"yes\"",
            &["43:14 error: `fair-share` must be true or false, but this is a text -> true"],
        ),
        (
            "[destination.pbx]",
            "[destination.pbx]\nring-for = \"1s\"",
            &[
                "65:12 error: `ring-for` must be from 3s to 3m",
                "68:1 error: this was written before; a key or table may be written once",
            ],
        ),
        (
            "keep-free-for-emergency = 1",
            "keep-free-for-emergency = \"1\"",
            &["42:27 error: `keep-free-for-emergency` must be a whole number, but this is a text -> 1"],
        ),
        (
            "7 = \"prayer\" }",
            "7 = \"prayer\" }\nextension = \"2h\"\nlogin = \"*1\"",
            &[
                "111:13 error: `extension` must be from 1s to 1h",
                "112:1 error: [feature-codes] has no key `login` -> log-in",
            ],
        ),
        (
            "relax = [{ after = \"2m\"",
            "relax = [{ after = \"2\"",
            &["52:20 error: `after` must be a duration, but \"2\" has no unit -> 2s"],
        ),
    ] {
        assert_eq!(FULL.matches(what).count(), 1, "{what} must be in the file once");
        let found = shorts(&site.report(&FULL.replace(what, with)));
        if found != expected {
            failures
                .push_str(&format!("{what} -> {with}\n  found    {found:#?}\n  expected {expected:#?}\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn a_good_file_becomes_what_it_describes() {
    let loaded = Site::new().verdict(FULL).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((shorts(&loaded.warnings), loaded.tests), (vec![], 2));
    let config::Deployment { plan, calendar, rules, .. } = loaded.deployment;

    let spec = calendar.spec();
    assert_eq!(spec.practices[0].hours, Some(WindowId(0)));
    assert_eq!((spec.nation, spec.practices[0].nation), (Nation::EnglandAndWales, Some(Nation::Scotland)));
    assert_eq!(spec.windows[1].except[0], Occasion::BankHolidays);
    assert!(matches!(spec.windows[1].except[1], Occasion::Dates(_)));
    let closed = &spec.overrides[0];
    assert_eq!((closed.practice, closed.hours, closed.dates.len()), (PracticeId(0), Instead::Closed, 2));

    let [line, emergency] = &plan.acd.lines[..] else { panic!("two lines") };
    assert_eq!(line.needs, [(SkillId(0), 2)].into());
    assert_eq!((line.relax.len(), line.widen[0].add_teams[..].to_vec()), (2, vec![TeamId(1)]));
    assert_eq!((line.max_wait, line.way_out), (Some(secs(2_700)), WayOut::RouteTo(DestinationId(0))));
    assert_eq!((line.leave_when_empty, line.join_when_empty), (Some(WayOut::Goodbye), true));
    assert_eq!((line.most_per_practice, line.first), (Some(30), Some(DestinationId(0))));
    assert_eq!((line.emergency_parallel, emergency.emergency_parallel), (1, 2));
    let hub = &plan.acd.teams[0];
    assert_eq!((hub.strategy, hub.keep_free_for_emergency), (Strategy::Ordered, 1));
    assert_eq!(hub.fair_share, Some([(PracticeId(0), 2)].into()));
    assert_eq!(plan.acd.agents[0].skills, [(SkillId(0), 2)].into());

    let seats: Vec<_> = plan.acd.seats(DestinationId(0)).collect();
    assert_eq!(seats, [AgentId(3), AgentId(4)], "seats come behind the agents");
    assert_eq!(plan.phones.len(), 5, "each with a phone");
    assert_eq!(plan.phones[4].uri, "sip:reception@192.0.2.60");
    assert_eq!(plan.acd.rest.busy, secs(3));

    let [peak, full] = rules.rules() else { panic!("two rules") };
    assert_eq!(
        (peak.during, &peak.lines[..], peak.callers.redial),
        (Some(WindowId(1)), &[LineId(0)][..], Some(false))
    );
    let elsewhere = Condition::under(Measure::Waiting, 3).at(LineId(1));
    assert_eq!(peak.when_all, [elsewhere]);
    let longer = Condition::longer(Measure::LongestWait, secs(240));
    assert_eq!(peak.when_any, [Condition::over(Measure::Waiting, 8), longer]);
    assert_eq!((peak.for_at_least, &peak.actions.add_teams[..]), (secs(20), &[TeamId(1)][..]));
    assert_eq!(peak.actions.announce, Some(ClipId(0)));
    assert_eq!(full.actions.refuse, Some(Refusal::Unavailable { retry_after: secs(60) }));
    assert_eq!(rules.rules_of(LineId(0)).collect::<Vec<_>>(), [RuleId(0), RuleId(1)]);
    let outline = &rules.surroundings().lines;
    assert_eq!((outline[0].practice, outline[0].emergency), (Some(PracticeId(0)), false));
    assert!(outline[1].emergency && outline[1].practice.is_none());

    let dialled: Vec<_> = plan.codes.dialled.iter().map(|(number, code)| (number.as_str(), *code)).collect();
    let expected = [("*11", Code::LogIn), ("*12", Code::LogOut), ("*13", Code::Pause), ("*15", Code::Extend)];
    assert_eq!(dialled, expected, "an empty text switches a code off");
    assert_eq!(plan.codes.reasons, [('7', "prayer".to_owned())]);
}

#[test]
fn a_test_that_fails_says_what_was_expected_what_came_and_why() {
    let text = FULL.replace("\"elm-tree.waiting\" = 9", "\"elm-tree.waiting\" = 8");
    let errors = Site::new().verdict(&text).unwrap_err().to_string();
    let expected = r#"error: test `peak` fails: expected `peak`, got `stay`
   --> hearken.toml:102:10
    |
102 | expect = "peak"
    |          ^^^^^^
    |
    = help: `peak`: 8 callers wait, not over 8; the longest wait is 0s, not over 4m

"#;
    assert_eq!(errors, expected, "{errors}");
}

#[test]
fn a_rule_that_never_counts_is_drawn_with_the_one_that_does() {
    let later = r#"[[overflow]]
name = "fuller"
from = "elm-tree"
when-all = { waiting-over = 40 }
refuse = 503

[feature-codes]"#;
    let report = Site::new().report(&FULL.replace("[feature-codes]", later));
    let expected = r#"warning: `refuse` never counts: `full` counts whenever this rule is on
   --> hearken.toml:113:10
    |
 91 | name = "full"
    |        ------ this comes first
...
113 | refuse = 503
    |          ^^^

"#;
    assert_eq!(report.render(false), expected, "{report}");
}

#[test]
fn hours_in_which_nobody_can_answer_are_named() {
    let text = FULL
        .replace("[line.emergency]\nteams = [\"hub\"]", "[line.emergency]")
        .replace("from = \"elm-tree\"\nduring", "from = [\"elm-tree\", \"emergency\"]\nduring")
        .replace(
            "at = \"2026-11-23T08:15\"\ngiven = { elm-tree",
            "at = \"2026-11-24T08:15\"\ngiven = { elm-tree",
        )
        .replace("when-all = { redial = false, at = { emergency = { waiting-under = 3 } } }\n", "");
    let found = shorts(&Site::new().report(&text));
    let expected = "60:7 warning: nobody can answer `emergency` from Monday 00:00 to Monday 08:00, \
                    from Monday 09:30 to Monday 00:00";
    assert_eq!(found, [expected]);
}

#[test]
fn bank_holidays_come_from_a_file_and_are_known_to_end() {
    let site = Site::new();
    let json = |date: &str| {
        let nation = |name: &str| {
            format!(
                "\"{name}\": {{\"division\": \"{name}\", \"events\": [{{\"title\": \"Day\", \"date\": \"{date}\"}}]}}"
            )
        };
        let nations = ["england-and-wales", "scotland", "northern-ireland"].map(nation);
        format!("{{{}}}", nations.join(","))
    };
    let text = format!("[node]\nholidays = \"days.json\"\n{FULL}");
    let path = site.0.path().join("days.json");
    fs::write(&path, json("2026-11-23")).unwrap();
    let found = shorts(&site.report(&text));
    assert_eq!(found, ["104:10 error: test `peak` fails: expected `peak`, got `stay`"]);
    fs::write(&path, json("2026-08-29")).unwrap();
    let found = shorts(&site.report(&text));
    let ends =
        |nation| format!("2:12 warning: the bank holidays of {nation} are known until 2026-08-29 only");
    assert_eq!(found, [ends("england-and-wales"), ends("scotland")]);
    fs::write(&path, json("2026-08-30")).unwrap();
    assert_eq!(shorts(&site.report(&text)), [""; 0], "90 days ahead");
    fs::write(&path, "[]").unwrap();
    let found = shorts(&site.report(&text));
    assert!(found[0].starts_with("2:12 error: `days.json` is of no use: "), "{found:?}");
}

#[test]
fn lists_are_bounded() {
    let site = Site::new();
    let rule = "[[overflow]]\nname = \"x\"\n";
    let report = site.report(&format!("{FULL}{}", rule.repeat(999)));
    assert!(
        shorts(&report)
            .iter()
            .any(|found| found.ends_with("error: there are more than 1000 of [[overflow]]"))
    );
    let names = vec!["\"asha\""; 10_001].join(",");
    let report = site.report(&FULL.replace("[\"asha\", \"ben\"]", &format!("[{names}]")));
    assert!(shorts(&report).iter().any(|found| found.ends_with("`agents` lists more than 10000 texts")));
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
