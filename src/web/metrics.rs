//! Health, and figures in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::day::{BUCKETS, Waits};
use super::problem::Problem;
use super::{Ask, locked};
use super::{Shared, routes};

/// What the daemon says of itself.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// What is unwell, as [`Ask::Health`] has it.
    pub unwell: Vec<String>,
    /// Everything that is counted or measured. Those of one name stand together.
    pub samples: Vec<Sample>,
}

/// One number.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The metric, without `hearken_`; one that ends in `_total` only grows.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// What it is of; names come from the code or the configuration.
    pub labels: Vec<(&'static str, String)>,
    /// How much.
    pub value: f64,
}

impl Sample {
    /// A number of its own.
    pub fn of(name: &'static str, help: &'static str, value: u64) -> Sample {
        Sample { name, help, labels: Vec::new(), value: value as f64 }
    }

    /// The same of one of several.
    pub fn labelled(mut self, key: &'static str, value: impl Into<String>) -> Sample {
        self.labels.push((key, value.into()));
        self
    }
}

/// `GET /metrics`
pub(super) async fn metrics(web: &Shared) -> Result<Response, Problem> {
    let asking = async {
        let mut figures = web.ask(Ask::Figures).await?;
        let ready = u64::from(figures.unwell.is_empty());
        figures.samples.push(Sample::of("ready", "Whether the daemon takes calls and is well.", ready));
        let news = locked(&web.news).last();
        figures.samples.push(Sample::of("news_total", "News told to clients since the start.", news));
        let mut text = text(&figures.samples);
        waits(&mut text, locked(&web.day).waits());
        Ok(Bytes::from(text))
    };
    let mut response = Response::new(Body::from(web.metrics.at(|_| true, asking).await?));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// `GET /readyz`
pub(super) async fn ready(web: &Shared) -> Result<Response, Problem> {
    let unwell = web.ask(Ask::Health).await?;
    if unwell.is_empty() {
        return Ok(routes::text("ready\n"));
    }
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, unwell.join("; ")))
}

/// How long answered callers had waited, as histograms.
fn waits(text: &mut String, lines: &BTreeMap<String, Waits>) {
    if lines.is_empty() {
        return;
    }
    let name = "hearken_line_wait_seconds";
    let _ = write!(text, "# HELP {name} Wait until the answer.\n# TYPE {name} histogram\n");
    for (line, waits) in lines {
        let line = escaped(line);
        for (bound, within) in BUCKETS.iter().zip(waits.within) {
            let _ = writeln!(text, "{name}_bucket{{line=\"{line}\",le=\"{bound}\"}} {within}");
        }
        let _ = writeln!(text, "{name}_bucket{{line=\"{line}\",le=\"+Inf\"}} {}", waits.count);
        let _ = writeln!(text, "{name}_sum{{line=\"{line}\"}} {}", waits.sum.as_secs_f64());
        let _ = writeln!(text, "{name}_count{{line=\"{line}\"}} {}", waits.count);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The samples in the text format.
fn text(samples: &[Sample]) -> String {
    let mut text = String::new();
    let mut before = "";
    for Sample { name, help, labels, value } in samples {
        if *name != before {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            let _ = write!(text, "# HELP hearken_{name} {help}\n# TYPE hearken_{name} {kind}\n");
            before = name;
        }
        let _ = write!(text, "hearken_{name}");
        for (at, (key, value)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let _ = write!(text, "{open}{key}=\"{}\"", escaped(value));
        }
        let _ = writeln!(text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_one_name_have_one_head_and_labels_are_escaped() {
        let waiting = |line: &str, value| Sample::of("waiting", "Callers.", value).labelled("line", line);
        let samples = [waiting("a", 2), waiting("b\"\\", 0), Sample::of("calls_total", "Calls.", 7)];
        let expected = "# HELP hearken_waiting Callers.\n# TYPE hearken_waiting gauge\n\
            hearken_waiting{line=\"a\"} 2\nhearken_waiting{line=\"b\\\"\\\\\"} 0\n\
            # HELP hearken_calls_total Calls.\n# TYPE hearken_calls_total counter\nhearken_calls_total 7\n";
        assert_eq!(text(&samples), expected);
    }
}
