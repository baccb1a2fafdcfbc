//! Calendars, lines, rules and tests: what they become, and what is said of bad ones.

use std::fs;
use std::time::Duration;

use hearken::acd::{Strategy, WayOut};
use hearken::calendar::{Date, Instead, Occasion};
use hearken::config;
use hearken::id::{AgentId, ClipId, DestinationId, LineId, PracticeId, RuleId, SkillId, TeamId, WindowId};
use hearken::policy::rules::{Condition, Measure, Refusal};
use hearken::switch::codes::Code;

use super::{Site, shorts, today};

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

[team.hub]
agents = ["asha", "ben"]
strategy = "ordered"
keep-free-for-emergency = 1
fair-share = true
share = { elm-tree = 2 }

[team.others]
agents = ["ben"]

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
fn dump() {
    let site = Site::new();
    for (what, with) in [
        (r#"days = ["mon"]"#, r#"days = ["Monday"]"#),
        (r#"days = ["mon"]"#, r#"days = "mon""#),
        (r#"days = ["mon"]"#, r#"months = ["Decembre"]"#),
        (r#"to = "09:30""#, r#"to = "9.30""#),
        (r#"to = "09:30""#, r#"to = 09:30:00"#),
        (r#"to = "09:30""#, r#"to = "noon""#),
        (r#"to = "09:30""#, r#"too = "09:30""#),
        (r#""2027-01-04""#, r#""04/01/2027""#),
        (r#""2027-01-04""#, r#""bank-holiday""#),
        (r#""2027-01-04""#, r#""core-hour""#),
        (r#""2027-01-04""#, r#""peak""#),
        (
            r#"[window.core-hours]
"#,
            r#"[window.core-hours]
dates = ["2026-01-05"]
"#,
        ),
        (
            r#"[window.core-hours]
"#,
            r#"[window.core-hours]
include = ["2027-05-01", "2027-05-02"]
"#,
        ),
        (r#"except = ["bank-holidays", "2027-01-04"]"#, r#"except = ["core-hours"]"#),
        (r#"to = "18:30""#, r#"to = "01:30""#),
        (r#"during = "peak""#, r#"during = "paek""#),
        (
            r#"during = "peak"
"#,
            r#""#,
        ),
        (r#"hours = "core-hours""#, r#"hours = "core-hour""#),
        (
            r#"hours = "core-hours"
"#,
            r#""#,
        ),
        (r#"zone = "Europe/London""#, r#"zone = "Europe/Londn""#),
        (r#"nation = "scotland""#, r#"nation = "Scottland""#),
        (
            r#"closed = true"#,
            r#"closed = true
from = "09:00""#,
        ),
        (r#"closed = true"#, r#"closed = false"#),
        (
            r#"closed = true"#,
            r#"window = "peaks"
closed = true"#,
        ),
        (r#"dates = ["2026-12-24", "#, r#"date = ["2026-12-24", "#),
        (r#""2026-12-24", "2026-12-28"#, r#""2026-12-29", "2026-12-28"#),
        (r#"2026-12-28..2026-12-31"#, r#"2026-12-31..2026-12-28"#),
        (r#"skills = { nursing = 2 }"#, r#"skills = { nursng = 2 }"#),
        (r#"skills = { nursing = 2 }"#, r#"skills = { nursing = 0 }"#),
        (r#"skills = { nursing = 2 }"#, r#"skills = ["nursing"]"#),
        (
            r#"skills = { nursing = 2 }
"#,
            r#""#,
        ),
        (
            r#"relax = [{ after = "2m", needs = { nursing = 1 } }, { after = "4m", needs = {} }]"#,
            r#"relax = []"#,
        ),
        (
            r#"[skill.nursing]"#,
            r#"[skill.nursing]
level = 2"#,
        ),
        (
            r#"[skill.nursing]"#,
            r#"[skill.nursing]
[skill.welsh]"#,
        ),
        (r#"strategy = "ordered""#, r#"strategy = "longest""#),
        (r#"keep-free-for-emergency = 1"#, r#"keep-free-for-emergency = 2"#),
        (
            r#"fair-share = true
"#,
            r#""#,
        ),
        (r#"share = { elm-tree = 2 }"#, r#"share = { elmtree = 2 }"#),
        (r#"share = { elm-tree = 2 }"#, r#"share = { elm-tree = 0 }"#),
        (r#"{ after = "4m", needs = {} }"#, r#"{ after = "1m", needs = {} }"#),
        (r#"{ after = "4m", needs = {} }"#, r#"{ after = "4m", needs = { nursing = 3 } }"#),
        (r#"{ after = "4m", needs = {} }"#, r#"{ after = "4m" }"#),
        (r#"{ after = "4m", needs = {} }"#, r#"{ afte = "4m", needs = {} }"#),
        (
            r#"relax = [{ after = "2m", needs = { nursing = 1 } }, { after = "4m", needs = {} }]"#,
            r#"relax = { after = "2m", needs = {} }"#,
        ),
        (
            r#"widen = [{ after = "3m", add-teams = ["others"] }]"#,
            r#"widen = [{ after = "3m", add-teams = ["hub"] }]"#,
        ),
        (
            r#"widen = [{ after = "3m", add-teams = ["others"] }]"#,
            r#"widen = [{ after = "3m", add-teams = [] }]"#,
        ),
        (r#"max-wait = "45m""#, r#"max-wait = "45""#),
        (
            r#"max-wait = "45m"
"#,
            r#""#,
        ),
        (
            r#"way-out = { route-to = "pbx" }
"#,
            r#""#,
        ),
        (r#"way-out = { route-to = "pbx" }"#, r#"way-out = "stay""#),
        (r#"way-out = { route-to = "pbx" }"#, r#"way-out = { route = "pbx" }"#),
        (r#"way-out = { route-to = "pbx" }"#, r#"way-out = { route-to = "pbxx" }"#),
        (r#"way-out = { route-to = "pbx" }"#, r#"way-out = 5"#),
        (r#"leave-when-empty = "goodbye""#, r#"leave-when-empty = "leave""#),
        (r#"leave-when-empty = "goodbye""#, r#"join-when-empty = "no""#),
        (r#"most-per-practice = 30"#, r#"most-per-practice = 0"#),
        (r#"first = "pbx""#, r#"first = "sip:reception@192.0.2.60""#),
        (r#"emergency-parallel = 2"#, r#"emergency-parallel = 101"#),
        (
            r#"emergency-parallel = 2"#,
            r#"max-wait = "1h"
way-out = "goodbye""#,
        ),
        (
            r#"first = "pbx""#,
            r#"first = "pbx"
emergency-parallel = 2"#,
        ),
        (r#"capacity = 2"#, r#"capacity = 1001"#),
        (r#"capacity = 2"#, r#"capacty = 2"#),
        (r#"address = "sip:reception@192.0.2.60""#, r#"address = "reception@192.0.2.60""#),
        (
            r#"address = "sip:reception@192.0.2.60"
"#,
            r#""#,
        ),
        (
            r#"[destination.pbx]"#,
            r#"[destination.pbx2]
address = "sip:x@192.0.2.61"
[destination.pbx]"#,
        ),
        (r#"name = "full""#, r#"name = "peak""#),
        (r#"name = "full""#, r#"name = "stay""#),
        (
            r#"name = "full"
"#,
            r#""#,
        ),
        (r#"from = ["elm-tree"]"#, r#"from = ["elm-tre"]"#),
        (r#"from = ["elm-tree"]"#, r#"from = []"#),
        (r#"from = ["elm-tree"]"#, r#"from = 7"#),
        (
            r#"from = ["elm-tree"]
"#,
            r#""#,
        ),
        (r#"waiting-over = 8"#, r#"waitng-over = 8"#),
        (r#"waiting-over = 8"#, r#"redial = true"#),
        (r#"waiting-over = 8"#, r#"waiting-over = "8""#),
        (r#"longest-wait-over = "4m""#, r#"longest-wait-over = 4"#),
        (r#"until = { waiting-under = 5 }"#, r#"until = { waiting-under = 0 }"#),
        (r#"until = { waiting-under = 5 }"#, r#"until = {}"#),
        (r#"until = { waiting-under = 5 }"#, r#"until = "09:30""#),
        (r#"at = { emergency = { waiting-under = 3 } }"#, r#"at = { emergncy = { waiting-under = 3 } }"#),
        (r#"at = { emergency = { waiting-under = 3 } }"#, r#"at = { emergency = 3 }"#),
        (r#"for-at-least = "20s""#, r#"for-at-least = "2h""#),
        (
            r#"add-teams = ["others"]
announce = "busy""#,
            r#""#,
        ),
        (
            r#"add-teams = ["others"]
announce = "busy""#,
            r#"add-team = ["others"]"#,
        ),
        (r#"announce = "busy""#, r#"announce = "bsy""#),
        (
            r#"announce = "busy""#,
            r#"route-to = "pbx"
if-its-wait-is-less = 1"#,
        ),
        (r#"announce = "busy""#, r#"if-its-wait-is-less = true"#),
        (r#"announce = "busy""#, r#"offer = "callback""#),
        (r#"refuse = 503"#, r#"refuse = 500"#),
        (r#"refuse = 503"#, r#"refuse = 302"#),
        (
            r#"refuse = 503
"#,
            r#""#,
        ),
        (r#"retry-after = "1m""#, r#"to = "pbx""#),
        (r#"retry-after = "1m""#, r#"priority = "2h""#),
        (r#"expect = "peak""#, r#"expect = "stay""#),
        (r#"expect = "peak""#, r#"expect = ["peak", "full"]"#),
        (r#"expect = "peak""#, r#"expect = ["peak", "stay"]"#),
        (r#"expect = "peak""#, r#"expect = "peek""#),
        (r#"expect = "peak""#, r#""#),
        (
            r#"trunk = "elm-tree""#,
            r#"trunk = "elm-tree"
line = "elm-tree""#,
        ),
        (r#"trunk = "elm-tree""#, r#"trunk = "elmtree""#),
        (
            r#"trunk = "elm-tree"
given = { "elm-tree.waiting" = 9 }
"#,
            r#""#,
        ),
        (r#""elm-tree.waiting" = 9"#, r#""elm-tree.waitng" = 9"#),
        (r#""elm-tree.waiting" = 9"#, r#""elmtree.waiting" = 9"#),
        (r#""elm-tree.waiting" = 9"#, r#"waiting = 9"#),
        (r#""elm-tree.waiting" = 9"#, r#""elm-tree.longest-wait" = 9"#),
        (r#""elm-tree.waiting" = 9"#, r#""caller.redail" = true"#),
        (r#"caller.redial = true"#, r#"caller.redial = "yes""#),
        (
            r#"name = "peak"
at = "2026-11-23T08:15""#,
            r#"name = "peak"
at = "2026-11-23 8:15""#,
        ),
        (
            r#"name = "peak"
at = "2026-11-23T08:15""#,
            r#"name = "peak"
at = 2026-11-23T08:15:00"#,
        ),
        (
            r#"name = "peak"
at = "2026-11-23T08:15"
"#,
            r#"name = "peak"
"#,
        ),
        (
            r#"[[overflow]]
name = "full""#,
            r#"[overflow.x]
name = "full""#,
        ),
        (r#"ready = """#, r#"ready = "*11""#),
        (r#"ready = """#, r#"ready = "*137""#),
        (r#"ready = """#, r#"ready = "eleven""#),
        (r#"7 = "prayer""#, r#"77 = "prayer""#),
        (r#"7 = "prayer""#, r#"7 = """#),
        (r#"7 = "prayer""#, r#"7 = 8"#),
        (
            r#"[sip]"#,
            r#"[node]
holidays = "bank.json"
[sip]"#,
        ),
        (
            r#"[sip]"#,
            r#"[media]
prompts = "prompts"
[sip]"#,
        ),
        (
            r#"[sip]"#,
            r#"[distributor]
rest-after-busy = "1h"
retry-after = "0s"
[sip]"#,
        ),
    ] {
        assert_eq!(FULL.matches(what).count(), 1, "{what}");
        println!("@@ {what:?} => {with:?}");
        for line in shorts(&site.report(&FULL.replace(what, with))) {
            println!("   {line:?},");
        }
    }
}
