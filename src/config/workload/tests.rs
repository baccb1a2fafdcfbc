#![allow(clippy::unwrap_used)]

use super::*;

fn sample() -> Deployment {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/hearken.toml");
    crate::config::load(&path, "2026-11-23".parse().unwrap()).unwrap().deployment
}

fn read(text: &str) -> Load {
    parse(text, "load.toml", &sample()).unwrap_or_else(|errors| panic!("{errors}"))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9 * b.abs().max(1.0)
}

#[test]
fn a_load_of_a_date_alone_is_englands_mean_practice_behind_each_routine_trunk() {
    let load = read("date = \"2026-11-23\"\n");
    let names: Vec<&str> = load.calls.iter().map(|calls| calls.name.as_str()).collect();
    assert_eq!(names, ["elm-tree", "riverside"]);
    for calls in &load.calls {
        assert!(close(calls.per_day, 8_916.0 * 36.3 / 1_000.0), "{}", calls.per_day);
        let shares: f64 = calls.profile.steps.iter().map(|step| step.share).sum();
        assert!(close(shares, 1.0));
    }
    assert_eq!((load.from, load.to, load.copies), (Duration::ZERO, Duration::from_secs(86_400), 1));
    assert!(load.teams.iter().all(|staff| staff.levels.is_none()));
}

#[test]
fn of_several_entries_the_first_that_names_a_trunk_or_team_counts() {
    let load = read(
        "date = \"2026-11-24\"\n\
         [[calls]]\ntrunks = \"elm-tree\"\nlist-size = 10000\nfifth = 1\n\
         [[calls]]\ntrunks = [\"*\"]\nper-day = 12.5\n\
         [[calls]]\ntrunks = [\"as-999\"]\nper-day = 20\n\
         [[staff]]\nteams = [\"clin*\"]\nagents = [{ from = \"08:00\", at-work = 1 }]\nno-answer = 0.25\n\
         [[staff]]\nteams = [\"*\"]\ntalk-times = 1.5\n",
    );
    let per_day: Vec<f64> = load.calls.iter().map(|calls| calls.per_day).collect();
    assert!(close(per_day[0], 10.0 * 27.5 * 28.7 / 25.4), "{per_day:?}");
    assert_eq!(per_day[1..], [12.5, 20.0]);
    let clinicians = &load.teams[1];
    assert_eq!(clinicians.levels, Some(vec![Level { from: Duration::from_secs(28_800), agents: 1 }]));
    assert_eq!((clinicians.answering.no_answer, clinicians.answering.talk_times), (0.25, 1.0));
    assert_eq!(load.teams[0].answering.talk_times, 1.5);
}

#[test]
fn times_vary_in_each_way_that_can_be_written() {
    let load = read(
        "date = \"2026-11-23\"\n[[calls]]\ntrunks = [\"*\"]\ncallers = \"slow\"\n\
         [callers.slow]\ntalk = { mean = \"2m\", sigma = 1 }\nredial-after = { median = \"1m\", sigma = 0.5 }\n\
         patience = { hazard = [{ from = \"1m\", per-minute = 0.6 }, { from = \"0s\", per-minute = 6 }] }\n\
         [[staff]]\nteams = [\"*\"]\npick-up = { fixed = \"4s\" }\n",
    );
    let callers = &load.calls[0].callers;
    assert_eq!(callers.talk, Spread::Lognormal { mu: 120f64.ln() - 0.5, sigma: 1.0 });
    assert_eq!(callers.redial_after, Spread::Lognormal { mu: 60f64.ln(), sigma: 0.5 });
    let (zero, minute) = (Duration::ZERO, Duration::from_secs(60));
    assert_eq!(callers.patience, Spread::Hazard(vec![(zero, 0.1), (minute, 0.01)]));
    assert_eq!(load.teams[0].answering.pick_up, Spread::Fixed(Duration::from_secs(4)));
}

#[test]
fn faults_are_shown_at_their_places_with_what_was_meant() {
    for (text, line, message, meant) in [
        ("", 0, "the load has no `date`", None),
        ("date = \"2026-11-23\"\nform = \"08:00\"\n", 2, "the file has no key `form`", Some("from")),
        (
            "date = \"2026-11-23\"\n[[calls]]\ntrunks = [\"elm-tre\"]\n",
            3,
            "there is no trunk `elm-tre`",
            Some("elm-tree"),
        ),
        (
            "date = \"2026-11-23\"\n[[calls]]\ntrunks = [\"as-999\"]\n",
            3,
            "an emergency trunk needs `per-day`",
            None,
        ),
        (
            "date = \"2026-11-23\"\n[[staff]]\nteams = [\"clinicians\"]\nagents = [{ from = \"08:00\", at-work = 9 }]\n",
            3,
            "team `clinicians` has only 2 agents, not 9",
            None,
        ),
        (
            "date = \"2026-11-23\"\n[[calls]]\ntrunks = [\"*\"]\ncallers = \"x\"\n",
            4,
            "there is no [callers.x]",
            None,
        ),
        (
            "date = \"2026-11-23\"\n[callers.x]\ntalk = { mean = \"2m\" }\n",
            3,
            "a time that varies is `fixed`, `exponential`, `hazard`, or `mean` or `median` with `sigma`",
            None,
        ),
        ("date = \"2026-11-23\"\n[callers.x]\nredial = 1.5\n", 3, "`redial` must be from 0 to 1", None),
        ("date = \"2026-11-23\"\nfrom = \"09:00\"\nto = \"08:00\"\n", 3, "`to` must be after `from`", None),
    ] {
        let errors = parse(text, "load.toml", &sample()).unwrap_err();
        let found = &errors.0.diagnostics()[0];
        assert_eq!(found.message, message);
        assert_eq!(found.place.as_ref().map_or(0, |place| place.line), line, "{message}");
        assert_eq!(found.suggestion.as_deref(), meant, "{message}");
    }
}
