//! `hearken check`: what is wrong with a configuration and its clips, or what it means.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use ipnet::IpNet;

use super::{BAD_CONFIGURATION, today};
use crate::config::{self, Collector, Deployment, Report};
use crate::id::WindowId;
use crate::media::Clip;
use crate::policy::rules::Kind;

/// Checks the file at `path`: every fault and a count on standard error and status 2, or else its warnings
/// there, a summary on standard output and status 0.
pub(super) fn run(path: &Path) -> ExitCode {
    let colour =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let Checked { found, summary, status } = check(path, colour);
    // A reader that has gone away does not change the verdict.
    let _ = io::stderr().write_all(found.as_bytes());
    let _ = io::stdout().write_all(summary.as_bytes());
    ExitCode::from(status)
}

/// What a check has to say.
struct Checked {
    /// Faults, warnings and their count; empty when there are none.
    found: String,
    /// What a good configuration means; empty for one that is not.
    summary: String,
    status: u8,
}

fn check(path: &Path, colour: bool) -> Checked {
    let (report, deployment, tests) = match config::load(path, today()) {
        Ok(loaded) => (loaded.warnings, Some(loaded.deployment), loaded.tests),
        Err(errors) => (errors.0, None, 0),
    };
    let clips = deployment.iter().flat_map(|deployment| &deployment.clips);
    let unplayable: Vec<String> = clips
        .filter_map(|clip| {
            Some(format!("error: clip `{}`: {}\n\n", clip.name, Clip::read(&clip.path).err()?))
        })
        .collect();
    let mut found = report.render(colour);
    found.extend(unplayable.iter().map(String::as_str));
    found.push_str(&counted(report.errors() + unplayable.len(), report.warnings(), report.file()));
    let deployment = deployment.filter(|_| unplayable.is_empty());
    let on_trial = match deployment.as_ref().map(|deployment| on_trial(deployment, colour)) {
        Some(Ok((warnings, summary))) => {
            found.push_str(&warnings);
            Some(summary)
        }
        Some(Err(faults)) => {
            found.push_str(&faults);
            None
        }
        None => None,
    };
    match deployment.zip(on_trial) {
        Some((deployment, on_trial)) => {
            let tests = match tests {
                0 => String::new(),
                1 => "1 test passed\n".to_owned(),
                tests => format!("{tests} tests passed\n"),
            };
            let summary = format!("{}\n{on_trial}{tests}good\n", summary(&deployment));
            Checked { found, summary, status: 0 }
        }
        None => Checked { found, summary: String::new(), status: BAD_CONFIGURATION },
    }
}

/// The rules on trial, if the file names any: what is odd about them, and how many they are; or their faults.
fn on_trial(deployment: &Deployment, colour: bool) -> Result<(String, String), String> {
    let Some(path) = &deployment.shadow else { return Ok(Default::default()) };
    let found = |report: &Report| {
        format!("{}{}", report.render(colour), counted(report.errors(), report.warnings(), report.file()))
    };
    let shadow = config::load_shadow(path, today(), deployment).map_err(|errors| found(&errors.0))?;
    let rules = match shadow.trial.rules.rules().len() {
        1 => "1 rule".to_owned(),
        rules => format!("{rules} rules"),
    };
    Ok((found(&shadow.warnings), format!("{rules} on trial in {}\n", path.display())))
}

/// `3 errors, 1 warning in config/hearken.toml`, or nothing when there is nothing to count.
fn counted(errors: usize, warnings: usize, file: &str) -> String {
    let counts: Vec<_> = [(errors, "error"), (warnings, "warning")]
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if counts.is_empty() { String::new() } else { format!("{} in {file}\n", counts.join(", ")) }
}

/// A deployment for people to read: where it listens, who may call, who answers.
fn summary(deployment: &Deployment) -> String {
    let plan = &deployment.plan;
    let mut text = format!("node {}, {}\n", deployment.node.name, deployment.node.zone);
    for listen in &deployment.listen {
        let _ = write!(text, "listens on {} {}", listen.transport.name().to_ascii_lowercase(), listen.bind);
        let _ = match listen.advertise {
            Some(ip) => writeln!(text, ", seen as {ip}"),
            None => writeln!(text),
        };
    }
    let media = &deployment.media;
    let _ = write!(text, "media on {}", media.bind);
    if plan.media.address != media.bind {
        let _ = write!(text, ", seen as {}", plan.media.address);
    }
    let ports = 2 * media.threads * (media.shared_ports + media.spill_ports);
    let _ = match usize::from(media.first_port) {
        0 => writeln!(text, ", {ports} ports"),
        first => writeln!(text, ", ports {first} to {}", first + ports - 1),
    };
    if let Some(hep) = &deployment.hep {
        let _ = writeln!(text, "copies of SIP messages, with callers' numbers, go to {}", hep.to);
    }
    if let Some(Collector { host, port, .. }) = &deployment.telemetry {
        let _ = writeln!(text, "traces of calls go to {host}:{port}");
    }

    let _ = writeln!(text, "\nlines");
    let lines = plan.acd.lines.iter().map(|line| {
        let teams = line.teams.iter().map(|team| plan.acd.teams[team.index()].name.as_str());
        vec![line.name.clone(), format!("answered by {}", joined(teams))]
    });
    table(&mut text, lines.collect());

    let _ = writeln!(text, "\nteams");
    let teams = plan.acd.teams.iter().map(|team| {
        let agents = team.agents.iter().map(|agent| plan.acd.agents[agent.index()].name.as_str());
        vec![team.name.clone(), joined(agents)]
    });
    table(&mut text, teams.collect());

    let calendar = &deployment.plan.guide.calendar;
    section(&mut text, "windows", calendar.spec().windows.iter().zip(0u32..), |(window, at)| {
        vec![window.name.clone(), calendar.describe(WindowId(at))]
    });
    section(&mut text, "destinations", &plan.acd.destinations, |destination| {
        vec![destination.name.clone(), format!("{} at once", destination.capacity)]
    });
    section(&mut text, "overflow", deployment.plan.guide.rules.rules(), |rule| {
        let lines = rule.lines.iter().map(|line| plan.acd.lines[line.index()].name.as_str());
        vec![rule.name.clone(), format!("for {}", joined(lines)), joined(rule.actions.kinds().map(Kind::key))]
    });

    let _ = writeln!(text, "\ntrunks");
    let trunks = plan.ingress.trunks.iter().map(|trunk| {
        let numbers = match trunk.ddis.as_slice() {
            [] => "any number".to_owned(),
            ddis => joined(ddis.iter().map(String::as_str)),
        };
        let practice = trunk.practice.map(|practice| plan.ingress.practices[practice.index()].name.clone());
        vec![
            trunk.name.clone(),
            if trunk.emergency { "emergency" } else { "routine" }.to_owned(),
            format!("to {}", plan.acd.lines[trunk.line.index()].name),
            format!("from {}", joined(trunk.from.iter().map(address))),
            numbers,
            practice.unwrap_or_default(),
        ]
    });
    table(&mut text, trunks.collect());
    text
}

/// A heading and a row for each of `items`; nothing when there are none.
fn section<T>(
    text: &mut String,
    heading: &str,
    items: impl IntoIterator<Item = T>,
    row: impl Fn(T) -> Vec<String>,
) {
    let rows: Vec<_> = items.into_iter().map(row).collect();
    if !rows.is_empty() {
        let _ = writeln!(text, "\n{heading}");
        table(text, rows);
    }
}

/// A network as people write it: a single host without its prefix.
fn address(network: &IpNet) -> String {
    match network.prefix_len() == network.max_prefix_len() {
        true => network.addr().to_string(),
        false => network.to_string(),
    }
}

fn joined<S: AsRef<str>>(parts: impl Iterator<Item = S>) -> String {
    let parts: Vec<_> = parts.collect();
    parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

/// Writes rows of equal length with their columns aligned.
fn table(text: &mut String, rows: Vec<Vec<String>>) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "  {cell:width$}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_good_file_is_summed_up() {
        let Checked { found, summary, status } =
            check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/hearken.toml"), false);
        assert_eq!((found.as_str(), status), ("", 0));
        for line in [
            "listens on udp 127.0.0.1:5060\n",
            "media on 127.0.0.1, ports 20000 to 20527\n",
            "  emergency  answered by clinicians, hub-navigators\n",
            "  clinicians      dr-evans, dr-farah\n",
            "  as-999     emergency  to emergency  from 127.0.0.9  any number\n",
            "  monday-peak  Mondays 08:00 to 09:30, not on bank holidays\n",
            "  full         for elm-tree, riverside  refuse\n",
            "\n4 tests passed\n",
        ] {
            assert!(summary.contains(line), "{line:?} is not in\n{summary}");
        }
        assert!(summary.ends_with("\ngood\n"), "{summary}");
    }

    #[test]
    fn whoever_is_told_of_calls_is_named() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let text = std::fs::read_to_string(sample.join("hearken.toml")).unwrap();
        let text = text.replace("# to = \"10.", "to = \"10.").replace("# otlp = ", "otlp = ");
        let loaded = config::parse(&text, "hearken.toml", &sample, today()).unwrap();
        let summary = summary(&loaded.deployment);
        assert!(summary.contains("\ncopies of SIP messages, with callers' numbers, go to 10.0.0.9:9060\n"));
        assert!(summary.contains("\ntraces of calls go to 127.0.0.1:4318\n"), "{summary}");
    }

    #[test]
    fn faults_are_counted_and_nothing_is_summed_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hearken.toml");
        std::fs::write(&path, "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\n[practice.x]\nods = \"y00001\"\n")
            .unwrap();
        let Checked { found, summary, status } = check(&path, false);
        assert_eq!((summary.as_str(), status), ("", 2));
        let count = format!("1 error, 2 warnings in {}\n", path.display());
        assert!(found.ends_with(&count), "{found}");
    }

    #[test]
    fn rules_on_trial_are_checked_with_those_they_are_tried_beside() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let live = std::fs::read_to_string(sample.join("hearken.toml")).unwrap();
        let live = live.replace("file = \"prompts/", &format!("file = \"{}/prompts/", sample.display()));
        let dir = tempfile::tempdir().unwrap();
        let [path, other] = ["hearken.toml", "other.toml"].map(|name| dir.path().join(name));
        std::fs::write(&other, &live).unwrap();
        std::fs::write(&path, live.replace("[node]\n", "[node]\nshadow = \"other.toml\"\n")).unwrap();
        let Checked { found, summary, status } = check(&path, false);
        assert_eq!((found.as_str(), status), ("", 0));
        assert!(summary.contains(&format!("rules on trial in {}\n", other.display())), "{summary}");
        std::fs::write(&other, "[sip]\nlistne = []\n").unwrap();
        let Checked { found, summary, status } = check(&path, false);
        assert_eq!((summary.as_str(), status), ("", 2));
        assert!(
            found.contains("no key `listne`") && found.contains(&format!("in {}\n", other.display())),
            "{found}"
        );
    }

    #[test]
    fn a_clip_that_cannot_be_played_is_a_fault() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("prompts")).unwrap();
        for clip in ["welcome", "waiting", "emergency"] {
            std::fs::copy(
                sample.join(format!("prompts/{clip}.wav")),
                dir.path().join(format!("prompts/{clip}.wav")),
            )
            .unwrap();
        }
        let path = dir.path().join("hearken.toml");
        std::fs::copy(sample.join("hearken.toml"), &path).unwrap();
        assert_eq!(check(&path, false).status, 0);
        std::fs::write(dir.path().join("prompts/waiting.wav"), "music").unwrap();
        let Checked { found, status, .. } = check(&path, false);
        assert_eq!(status, 2);
        assert!(found.starts_with("error: clip `waiting`: "), "{found}");
        assert!(found.ends_with(&format!("1 error in {}\n", path.display())), "{found}");
    }
}
