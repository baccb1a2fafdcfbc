//! `hearken check`: what is wrong with a configuration, or what it means.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use ipnet::IpNet;

use crate::config::{self, Deployment, Report};

/// Exit status of a configuration that cannot be used.
const NOT_GOOD: u8 = 2;

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
    match config::load(path) {
        Ok(loaded) => Checked {
            found: found(&loaded.warnings, colour),
            summary: format!("{}\ngood\n", summary(&loaded.deployment)),
            status: 0,
        },
        Err(errors) => Checked { found: found(&errors.0, colour), summary: String::new(), status: NOT_GOOD },
    }
}

fn found(report: &Report, colour: bool) -> String {
    let mut text = report.render(colour);
    let counts: Vec<_> = [(report.errors(), "error"), (report.warnings(), "warning")]
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if !counts.is_empty() {
        let _ = writeln!(text, "{} in {}", counts.join(", "), report.file());
    }
    text
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
