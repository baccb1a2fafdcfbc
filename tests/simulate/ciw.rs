//! The same queues in Hearken and in Ciw (Palmer and others, 2019), which knows nothing of Hearken: the means agree.
//!
//! `tests/run` installs Ciw beside the build.

use std::fmt::Write as _;

use super::*;

/// A queue that both can run; times in minutes.
struct Model {
    agents: u32,
    /// How long calls come, on each day; those of the first hour do not count.
    hours: u32,
    /// Calls a minute.
    emergency: f64,
    routine: f64,
    /// Of talk: the mean of the logarithm, chosen so that the mean is 1, and its deviation.
    talk: [f64; 2],
    /// The same of patience; `None` for endless.
    patience: Option<[f64; 2]>,
}

const DAYS: u32 = 40;
/// Student's 99.5th and 97.5th centiles for 39 degrees of freedom.
const SURE: f64 = 2.708;
const SHOWN: f64 = 2.023;

impl Model {
    fn in_ciw(&self) -> Value {
        let model = serde_json::json!({
            "agents": self.agents, "emergency": self.emergency, "routine": self.routine, "talk": self.talk,
            "patience": self.patience, "minutes": self.hours * 60, "count_from": 60, "days": DAYS,
        });
        let python =
            Path::new(env!("CARGO_BIN_EXE_hearken")).ancestors().nth(2).unwrap().join("python/bin/python");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulate/days_in_ciw.py");
        let output = Command::new(&python).arg("-B").arg(script).arg(model.to_string()).output();
        let output = output.unwrap_or_else(|error| {
            panic!("{}: {error}; `bash tests/run` installs Ciw there", python.display())
        });
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn in_hearken(&self) -> Value {
        let dir = tempfile::tempdir().unwrap();
        let (config, load) =
            (file(&dir, "hearken.toml", &self.config()), file(&dir, "load.toml", &self.load()));
        let days = DAYS.to_string();
        figures(&["--load", str(&load), "--policy", str(&config), "--seeds", &days])
    }

    fn config(&self) -> String {
        let names: Vec<String> = (1..=self.agents).map(|number| format!("a{number}")).collect();
        let mut text = format!(
            "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\n[team.all]\nagents = {names:?}\n\
             [line.gp]\nteams = [\"all\"]\nwrap-up = \"0s\"\n[trunk.gp]\nfrom = [\"127.9.0.1\"]\nline = \"gp\"\n\
             [line.999]\nteams = [\"all\"]\nwrap-up = \"0s\"\n\
             [trunk.999]\nfrom = [\"127.9.0.2\"]\nline = \"999\"\nemergency = true\n"
        );
        for (number, name) in (1u32..).zip(&names) {
            let _ = writeln!(text, "[agent.{name}]\naddress = \"sip:a@127.3.0.{number}:5060\"");
        }
        text
    }

    fn load(&self) -> String {
        let spread = |[mu, sigma]: [f64; 2]| {
            let median = (mu.exp() * 60_000.0).round() as u64;
            format!("{{ median = \"{}s{}ms\", sigma = {sigma} }}", median / 1_000, median % 1_000)
        };
        let patience = self.patience.map_or("{ fixed = \"24h\" }".to_owned(), spread);
        let mut text = format!(
            "date = \"2026-11-23\"\nto = \"{:02}:00\"\ncount-from = \"01:00\"\n\
             [profile.even]\nsteps = [{{ from = \"00:00\", share = 1 }}]\n\
             [callers.all]\ntalk = {}\npatience = {patience}\nredial = 0\n\
             [[staff]]\nteams = [\"all\"]\npick-up = {{ fixed = \"0s\" }}\n",
            self.hours,
            spread(self.talk)
        );
        for (trunk, rate) in [("gp", self.routine), ("999", self.emergency)] {
            let _ = write!(
                text,
                "[[calls]]\ntrunks = [\"{trunk}\"]\nper-day = {}\nprofile = \"even\"\ncallers = \"all\"\n",
                rate * 1_440.0
            );
        }
        text
    }

    /// Means of both lie within the interval of their difference at 99 %, which is narrower than a fifth of them.
    fn assert_agrees(&self, bands: &[&str]) {
        let (ciw, hearken) = (self.in_ciw(), self.in_hearken());
        for band in bands {
            let mut compared = vec![("mean", "mean_wait_s", 60.0)];
            compared.extend(self.patience.map(|_| ("abandoned", "abandoned_share", 1.0)));
            for (theirs, ours, unit) in compared {
                let days: Vec<f64> = ciw[band][theirs]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|day| day.as_f64().unwrap() * unit)
                    .collect();
                let count = days.len() as f64;
                let mean = days.iter().sum::<f64>() / count;
                let variance =
                    days.iter().map(|day| (day - mean).powi(2)).sum::<f64>() / (count - 1.0) / count;
                let found = |key| hearken[band][ours][key].as_f64().unwrap();
                let error = (variance + (found("within") / SHOWN).powi(2)).sqrt() * SURE;
                let what = format!("{band}, {ours}: {} here, {mean} in Ciw, +- {error}", found("mean"));
                assert!((found("mean") - mean).abs() <= error, "{what}");
                assert!(error < 0.2 * mean, "proves little: {what}");
            }
        }
    }
}

#[test]
fn two_priorities_with_lognormal_talk_wait_as_long_as_in_ciw() {
    let model =
        Model { agents: 10, hours: 11, emergency: 3.0, routine: 4.5, talk: [-0.28125, 0.75], patience: None };
    model.assert_agrees(&["emergency", "routine"]);
}

#[test]
fn as_many_impatient_callers_give_up_as_in_ciw() {
    let talk = [-0.28125, 0.75];
    let model =
        Model { agents: 10, hours: 4, emergency: 2.0, routine: 10.0, talk, patience: Some([0.0, 1.0]) };
    model.assert_agrees(&["routine"]);
}
