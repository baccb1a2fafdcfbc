//! What is said of bad windows, practices, skills, teams, lines and destinations.

use super::rules::check;

#[test]
fn each_fault_of_the_floor_is_shown_at_its_place_with_what_was_meant() {
    check(&[
        // Windows.
        (
            "days = [\"mon\"]",
            "days = [\"Monday\"]",
            &[
                "14:9 error: each of `days` must be a weekday: \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" or \"sun\", not \"Monday\" -> mon",
            ],
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
            &[
                "7:9 warning: window `core-hours`: it has no day between 2026-06-01 and 2027-07-06",
                "97:10 warning: this rule can never turn on: `core-hours` does not open in the next 400 days",
                "108:10 error: test `number 2` fails: expected `full`, got `stay`",
            ],
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
            &["22:1 error: practice `elm-tree` has no `hours` that this could override"],
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
        (
            "during = \"core-hours\"\n",
            "",
            &[
                "23:1 warning: this override changes nothing: no rule of `elm-tree`'s lines asks for `core-hours`",
            ],
        ),
        (
            "[trunk.as-999]",
            "[practice.oak]\n[trunk.oak]\nfrom = [\"198.51.100.8\"]\npractice = \"oak\"\nline = \"elm-tree\"\n\
             [trunk.as-999]",
            &[
                "23:1 warning: this override changes nothing: `elm-tree` shares its lines with other practices",
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
            "needs = { nursing = 2 }\nrelax = [{ after = \"2m\", needs = { nursing = 1 } }, { after = \"4m\", needs = {} }]",
            "needs = { nursing = 3 }",
            &["51:9 error: nobody who answers line `elm-tree` has the skills it needs"],
        ),
        (
            "\"sip:carys@192.0.2.52\"",
            "\"sip:carys@192.0.2.52\"\nlogged-in = false\n[line.night]\nteams = [\"others\"]\n[trunk.night]\n\
             from = [\"198.51.100.8\"]\nline = \"night\"",
            &["39:7 warning: no agent of line `night` is logged in at the start"],
        ),
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
            &["55:11 error: `way-out` cannot be \"stay\", only \"goodbye\" or \"callback\""],
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
            "max-wait = \"45m\"\nway-out = { route-to = \"pbx\" }",
            "max-wait = \"3m\"\nway-out = \"goodbye\"",
            &[
                "52:63 warning: callers leave line `elm-tree` before they have waited for so long",
                "53:20 warning: callers leave line `elm-tree` before they have waited for so long",
                "83:52 warning: callers leave line `elm-tree` before they have waited for so long",
            ],
        ),
        ("max-wait = \"45m\"", "max-wait = \"3m\"", &[]),
        (
            "[line.elm-tree]",
            "[line.elm-tree]\nwrap-up = \"11m\"",
            &["50:11 warning: this is longer than `wrap-up-limit`, so agents cannot extend it"],
        ),
        (
            "[line.elm-tree]",
            "[distributor]\nwrap-up-limit = \"11m\"\n[line.elm-tree]\nwrap-up = \"11m\"",
            &[],
        ),
        (
            "leave-when-empty = \"goodbye\"",
            "leave-when-empty = \"leave\"",
            &[
                "56:20 error: `leave-when-empty` cannot be \"leave\", only \"stay\" or \"goodbye\" or \"callback\"",
            ],
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
    ]);
}
