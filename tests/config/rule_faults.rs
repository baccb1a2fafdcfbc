//! What is said of bad rules, tests and feature codes.

use super::rules::check;

#[test]
fn each_fault_of_a_rule_is_shown_at_its_place_with_what_was_meant() {
    check(&[
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
            "until = { waiting-under = 5, longest-wait-under = \"2m\" }",
            "until = { waiting-under = 0 }",
            &["86:27 error: `waiting-under` must be from 1 to 1000000"],
        ),
        (
            "until = { waiting-under = 5, longest-wait-under = \"2m\" }",
            "until = {}",
            &["86:9 error: this states no limit"],
        ),
        (
            "until = { waiting-under = 5, longest-wait-under = \"2m\" }",
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
            "if-its-wait-is-less = true",
            &[
                "4:7 warning: clip `busy` is played on no line",
                "88:23 error: `if-its-wait-is-less` is used only with `route-to`",
            ],
        ),
        (
            "announce = \"busy\"",
            "offer = \"callback\"",
            &[
                "4:7 warning: clip `busy` is played on no line",
                "88:9 error: callers of trunk `elm-tree` could not be called back",
            ],
        ),
        (
            "announce = \"busy\"",
            "offer = \"a callback\"",
            &[
                "4:7 warning: clip `busy` is played on no line",
                "88:9 error: `offer` cannot be \"a callback\", only \"callback\" -> callback",
            ],
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
            &["2:11 error: the directory `prompts` lacks the prompt zero.wav and 68 more"],
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
            "[[overflow]]\nname = \"fuller\"\nfrom = \"elm-tree\"\nwhen-all = { waiting-over = 40 }\nrefuse = 503\nduring = \"core-hours\"\n[[test]]\nname = \"peak\"",
            &["101:10 warning: `refuse` never counts: `full` counts whenever this rule is on"],
        ),
        (
            "until = { waiting-under = 5, longest-wait-under = \"2m\" }",
            "until = { waiting-over = 0 }",
            &[
                "86:9 warning: this rule can never turn on: its `until` holds whenever its conditions do",
                "102:10 error: test `peak` fails: expected `peak`, got `stay`",
            ],
        ),
        (
            "until = { waiting-under = 5, longest-wait-under = \"2m\" }",
            "until = { waiting-under = 5 }",
            &[
                "86:9 warning: `until` may hold while `longest-wait-over = \"4m\"` still does, and then turns this rule off all the same",
            ],
        ),
        (
            "until = { waiting-under = 5, longest-wait-under = \"2m\" }",
            "until = { agents-free-over = 0 }",
            &[],
        ),
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
                "23:1 warning: this override changes nothing: no rule of `elm-tree`'s lines asks for `core-hours`",
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
        (
            "most-per-practice = 30",
            "announce-position = 1\nannounce-estimate = \"yes\"\nannounce-after = \"1s\"\nannounce-every = \"2h\"",
            &[
                "57:21 error: `announce-position` must be true or false, but this is a number",
                "58:21 error: `announce-estimate` must be true or false, but this is a text -> true",
                "59:18 error: `announce-after` must be from 5s to 1h",
                "60:18 error: `announce-every` must be from 0s to 1h",
            ],
        ),
        (
            "[destination.pbx]",
            "[removed.elm-tree]\ndrain = true\n[destination.pbx]",
            &["64:10 error: line `elm-tree` is in this file, so it is not removed"],
        ),
        (
            "[destination.pbx]",
            "[removed.old]\nremap-to = \"elmtree\"\n[destination.pbx]",
            &["65:12 error: there is no line `elmtree` -> elm-tree"],
        ),
        (
            "[destination.pbx]",
            "[removed.old]\ndrain = true\nremap-to = \"elm-tree\"\n[destination.pbx]",
            &["64:1 error: a removed line has either `drain = true` or `remap-to`"],
        ),
        (
            "[destination.pbx]",
            "[removed.old]\n[destination.pbx]",
            &["64:1 error: a removed line has either `drain = true` or `remap-to`"],
        ),
        (
            "[sip]",
            "[distributor]\nredial-window = \"2w\"\nestimate-most-late = 5\n[sip]",
            &[
                "2:17 error: `redial-window` must be a duration, but \"2w\" has an unknown unit",
                "3:22 error: `estimate-most-late` must be from 10 to 90",
            ],
        ),
    ]);
}
