//! The command line: presets, files of one's own, several policies, pictures, the least staff.

use super::*;

/// A small day on the sample configuration.
const MONDAY: &str = "date = \"2026-11-23\"\nfrom = \"07:30\"\nto = \"11:00\"\n\
    [[calls]]\ntrunks = [\"elm-tree\", \"riverside\"]\nlist-size = 4000\nfifth = 2\n\
    [[calls]]\ntrunks = [\"as-999\"]\nper-day = 100\n";

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let load = file(&dir, "monday.toml", MONDAY);
    for json in [&[][..], &["--json"]] {
        let arguments = [&["--load", str(&load), "--seed", "7"], json].concat();
        assert_eq!(said(&arguments), said(&arguments));
    }
    let other = said(&["--load", str(&load), "--seed", "8"]);
    assert_ne!(said(&["--load", str(&load), "--seed", "7"]).split_once("seed").unwrap().1, other);
}

#[test]
fn a_day_on_ones_own_configuration_is_told_by_band_hour_line_fifth_and_practice() {
    let dir = tempfile::tempdir().unwrap();
    let load = file(&dir, "monday.toml", MONDAY);
    let shown = said(&["--load", str(&load)]);
    for part in [
        "Monday 2026-11-23, seed 1\n",
        "\nemergency ",
        "\n08:00 ",
        "\nriverside ",
        "\nElm Tree Surgery (fifth 2) ",
        "\nagents ",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    let figures = figures(&["--load", str(&load), "--seeds", "3"]);
    let mean = |group: &Value, key: &str| group[key]["mean"].as_f64().unwrap();
    for group in [&figures["all"], &figures["routine"], &figures["emergency"], &figures["fifths"][1]] {
        let parts = ["answered", "abandoned", "refused", "released", "promised", "waiting_at_end"];
        let sum: f64 = parts.iter().map(|part| mean(group, part)).sum();
        assert!(mean(group, "calls") > 10.0 && (sum - mean(group, "calls")).abs() < 1e-3, "{group}");
    }
    let by_hour: f64 = figures["hours"].as_array().unwrap().iter().map(|hour| mean(hour, "calls")).sum();
    assert!((by_hour - mean(&figures["routine"], "calls")).abs() < 1e-3);
    let emergency = mean(&figures["emergency"], "p95_wait_s");
    assert!(emergency < mean(&figures["routine"], "p95_wait_s"), "{emergency}");
}

#[test]
fn the_example_is_sound_and_all_its_examples_are_too() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/simulate/monday.toml");
    let example = fs::read_to_string(&path).unwrap();
    let of = |load: &Path| figures(&["--load", str(load)])["routine"]["calls"]["mean"].as_f64().unwrap();
    assert!(of(&path) > 100.0);
    // What is commented out with a blank, but for what cannot stand beside the rest.
    let written = |line: &str| {
        let Some(rest) = line.strip_prefix("# ") else { return line.to_owned() };
        let key = rest.split_once(" = ").map_or("", |(key, _)| key);
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        let is_part = ["[", "]", "    {"].iter().any(|begin| rest.starts_with(begin));
        let apart = ["ledger", "hours"].contains(&key);
        if (is_key || is_part) && !apart { rest.to_owned() } else { line.to_owned() }
    };
    let all: Vec<String> = example.lines().map(written).collect();
    let dir = tempfile::tempdir().unwrap();
    let all = file(&dir, "all.toml", &all.join("\n"));
    assert!(fs::read_to_string(&all).unwrap().contains("\n[callers.patients]\n"));
    assert!(of(&all) > 100.0);
}

#[test]
fn policies_are_compared_on_the_same_callers() {
    let dir = tempfile::tempdir().unwrap();
    let sample =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/hearken.toml")).unwrap();
    let sample = sample.replace("prompts/", &format!("{}/config/prompts/", env!("CARGO_MANIFEST_DIR")));
    let now = file(&dir, "now.toml", &sample);
    let faster = file(&dir, "faster.toml", &sample.replace("#wrap-up = \"10s\"", "wrap-up = \"1s\""));
    let load = file(&dir, "monday.toml", MONDAY);
    let arguments = ["--load", str(&load), "--policy", str(&now), "--policy", str(&faster), "--seeds", "4"];
    let json: Value = serde_json::from_str(&said(&[&arguments[..], &["--json"]].concat())).unwrap();
    let [now, faster] = [0, 1].map(|at| &json["policies"][at]);
    assert_eq!(now["callers"], faster["callers"]);
    let difference = &faster["minus_first"]["routine"]["mean_wait_s"];
    let (mean, within) = (difference["mean"].as_f64().unwrap(), difference["within"].as_f64().unwrap());
    let wait = |policy: &Value| policy["routine"]["mean_wait_s"]["mean"].as_f64().unwrap();
    assert!((mean - (wait(faster) - wait(now))).abs() < 1e-3);
    assert!(mean < -within, "after a shorter wrap-up less is waited: {mean} +- {within}");
    let shown = said(&arguments);
    assert!(shown.contains("B - A") && shown.contains(" *\n"), "{shown}");
}

#[test]
fn promised_callbacks_are_told_of_in_a_table_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let config = file(
        &dir,
        "hearken.toml",
        "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\n[team.all]\nagents = [\"a\", \"b\"]\n\
         [agent.a]\naddress = \"sip:a@127.3.0.1:5060\"\n[agent.b]\naddress = \"sip:b@127.3.0.2:5060\"\n\
         [line.gp]\nteams = [\"all\"]\n[trunk.gp]\nfrom = [\"127.9.0.1\"]\nline = \"gp\"\n\
         [callback]\nvia = \"sip:127.0.0.9:5060\"\n\
         [[overflow]]\nname = \"offer\"\nfrom = [\"gp\"]\nwhen-any = { waiting-over = 1 }\noffer = \"callback\"\n",
    );
    let load = file(&dir, "monday.toml", "date = \"2026-11-23\"\nfrom = \"08:00\"\nto = \"11:00\"\n");
    let arguments = ["--load", str(&load), "--policy", str(&config), "--seeds", "2"];
    let shown = said(&arguments);
    assert!(shown.contains("\ncallbacks  promised "), "{shown}");
    let routine = &figures(&arguments)["routine"];
    let mean = |key: &str| routine[key]["mean"].as_f64().unwrap();
    assert!(mean("promised") >= mean("called_back") + mean("not_called_back"));
    assert!(mean("called_back") > 10.0 && mean("p95_callback_s") > mean("median_callback_s"), "{routine}");
}

#[test]
fn a_picture_is_drawn_as_svg_and_as_png() {
    let dir = tempfile::tempdir().unwrap();
    let load = file(&dir, "monday.toml", MONDAY);
    let (svg, png) = (dir.path().join("day.svg"), dir.path().join("day.png"));
    for picture in [&svg, &png] {
        said(&["--load", str(&load), "--plot", str(picture)]);
    }
    let drawn = fs::read_to_string(svg).unwrap();
    assert!(drawn.starts_with("<svg") && drawn.contains("95th centile") && drawn.contains("at work"));
    assert!(fs::read(png).unwrap().starts_with(b"\x89PNG"));
    let refused = hearken(&["--load", str(&load), "--plot", "day.gif"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("must end in .svg or .png"));
}

#[test]
fn the_least_staff_meets_the_target_and_less_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let load = file(&dir, "monday.toml", &MONDAY.replace("4000", "1000"));
    let arguments = |target| {
        [
            "--load",
            str(&load),
            "--find",
            "agents",
            "--target",
            target,
            "--team",
            "hub-navigators",
            "--seeds",
            "2",
        ]
    };
    let staff = |shown: &str| -> Vec<u32> {
        let rows = shown.lines().filter(|line| line.get(2..3) == Some(":"));
        rows.map(|row| row.split_whitespace().nth(1).unwrap().parse().unwrap()).collect()
    };
    let (strict, lax) = (said(&arguments("p95 wait < 1m")), said(&arguments("p95 wait < 6m")));
    let (strict, lax) = (staff(&strict), staff(&lax));
    assert_eq!((strict.len(), lax.len()), (7, 7));
    assert!(strict.iter().sum::<u32>() > lax.iter().sum::<u32>(), "{strict:?} {lax:?}");
    assert!(strict.iter().all(|&agents| agents <= 4), "the team has four");
    let refused = hearken(&arguments("p95 wait"));
    assert!(text(&refused.stderr).contains("a target is \"p95 wait < 2m\""));
}

#[test]
fn the_files_of_a_preset_can_be_had_and_simulate_alike() {
    let dir = tempfile::tempdir().unwrap();
    let there = dir.path().join("pilot");
    let written = said(&["--load", "quiet-tuesday", "--write", str(&there)]);
    assert_eq!(written.lines().count(), 2);
    let (config, load) = (there.join("hearken.toml"), there.join("load.toml"));
    let preset = figures(&["--load", "quiet-tuesday"]);
    let files = figures(&["--load", str(&load), "--policy", str(&config)]);
    assert_eq!(preset["practices"], files["practices"]);
    assert_eq!(preset["practices"].as_array().unwrap().len(), 112);
    let again = hearken(&["--load", "quiet-tuesday", "--write", str(&there)]);
    assert_eq!(again.status.code(), Some(1), "files are not written over");
}

#[test]
fn what_cannot_be_simulated_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let bad = file(&dir, "bad.toml", "date = \"2026-11-23\"\n[[calls]]\ntrunks = [\"elm-tre\"]\n");
    for (arguments, said) in [
        (
            vec!["--load", "pilot-munday"],
            "there is no load pilot-munday: give a file, or one of pilot-monday,",
        ),
        (vec!["--load", "ledger:yesterday"], "`yesterday` is no date"),
        (vec!["--load", str(&bad)], "did you mean `elm-tree`?"),
    ] {
        let output = hearken(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
}
