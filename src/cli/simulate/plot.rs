//! Waits, lines and staff through the day, drawn as SVG or PNG.
//!
//! One policy: its median and 95th wait; several: the 95th of each. Below, who waits; then who is at work, of the
//! first policy. A PNG has the text of a font that is built in, because a server may have none.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::curve::{Curve, STEP};
use super::setup::Setup;
use crate::cli::font::{self, COLOURS};

const SIZE: (u32, u32) = (1_200, 960);

type Drawn = Result<(), Box<dyn Error>>;

/// A line of a panel: what it is called, its colour, and its points by hour of the day.
struct Series {
    name: String,
    colour: RGBColor,
    /// A gap where there is nothing to show.
    points: Vec<(f64, Option<f64>)>,
    filled: bool,
}

/// Draws the curves of each policy to a file, whose name's end says how.
pub(super) fn draw(path: &Path, setup: &Setup, curves: &[Curve]) -> Drawn {
    font::register();
    match path.extension().and_then(|end| end.to_str()) {
        Some("svg") => picture(&SVGBackend::new(path, SIZE).into_drawing_area(), setup, curves),
        Some("png") => picture(&BitMapBackend::new(path, SIZE).into_drawing_area(), setup, curves),
        _ => Err("the file's name must end in .svg or .png".into()),
    }
}

fn picture<D: DrawingBackend>(area: &DrawingArea<D, Shift>, setup: &Setup, curves: &[Curve]) -> Drawn
where
    D::ErrorType: 'static,
{
    area.fill(&WHITE)?;
    let names: Vec<&str> = setup.policies.iter().map(|policy| policy.name.as_str()).collect();
    let emergencies = emergencies(&names, curves);
    let panels = area.split_evenly((if emergencies.is_empty() { 3 } else { 4 }, 1));
    let mut panels = panels.iter();
    let mut add = |title: &str, series: Vec<Series>| match panels.next() {
        Some(panel) => draw_panel(panel, title, &series),
        None => Ok(()),
    };
    let title = match names[..] {
        [name] => format!("{name}: how long routine callers wait, by when they call (minutes)"),
        _ => "95th centile of routine waits, by when they call (minutes)".to_owned(),
    };
    add(&title, waits(&names, curves))?;
    if !emergencies.is_empty() {
        add("95th centile of 999 waits (seconds)", emergencies)?;
    }
    add("Routine callers waiting", waiting(&names, curves))?;
    add(&format!("Agents: {}", names.first().unwrap_or(&"")), staff(curves))?;
    area.present()?;
    Ok(())
}

fn quarters<T: Copy>(values: &[Option<T>], of: impl Fn(T) -> f64) -> Vec<(f64, Option<f64>)> {
    let middle = |at: usize| (at as f64 + 0.5) * f64::from(STEP) / 60.0;
    values.iter().enumerate().map(|(at, value)| (middle(at), value.map(&of))).collect()
}

fn waits(names: &[&str], curves: &[Curve]) -> Vec<Series> {
    if let ([_], [curve]) = (names, curves) {
        let points = quarters(&curve.waits, |wait| wait.1);
        let p95 = Series { name: "95th centile".to_owned(), colour: COLOURS[1], points, filled: false };
        let points = quarters(&curve.waits, |wait| wait.0);
        return vec![p95, Series { name: "median".to_owned(), colour: COLOURS[0], points, filled: false }];
    }
    each(names, curves, |curve| quarters(&curve.waits, |wait| wait.1))
}

fn emergencies(names: &[&str], curves: &[Curve]) -> Vec<Series> {
    let mut series = each(names, curves, |curve| quarters(&curve.emergencies, |wait| wait));
    series.retain(|series| series.points.iter().any(|point| point.1.is_some()));
    series
}

fn waiting(names: &[&str], curves: &[Curve]) -> Vec<Series> {
    let mut series = each(names, curves, |curve| {
        let waiting = curve.minutes.iter().map(|minute| Some(f64::from(minute.waiting)));
        by_minute(waiting)
    });
    series.iter_mut().for_each(|series| series.filled = names.len() == 1);
    series
}

fn staff(curves: &[Curve]) -> Vec<Series> {
    let Some(curve) = curves.first() else { return Vec::new() };
    let line = |name: &str, colour, filled, of: fn(&crate::sim::day::Minute) -> u32| Series {
        name: name.to_owned(),
        colour,
        points: by_minute(curve.minutes.iter().map(|minute| Some(f64::from(of(minute))))),
        filled,
    };
    vec![
        line("talking", COLOURS[4], true, |minute| minute.talking),
        line("at work", COLOURS[5], false, |minute| minute.at_work),
    ]
}

fn by_minute(values: impl Iterator<Item = Option<f64>>) -> Vec<(f64, Option<f64>)> {
    values.enumerate().map(|(at, value)| (at as f64 / 60.0, value)).collect()
}

fn each(names: &[&str], curves: &[Curve], points: impl Fn(&Curve) -> Vec<(f64, Option<f64>)>) -> Vec<Series> {
    let coloured = names.iter().zip(curves).zip(COLOURS.iter().cycle());
    let line = |((name, curve), colour): ((&&str, &Curve), &RGBColor)| Series {
        name: (*name).to_owned(),
        colour: *colour,
        points: points(curve),
        filled: false,
    };
    coloured.map(line).collect()
}

/// The hours in which there is anything to see, over all panels.
const EARLIEST: f64 = 0.0;
const LATEST: f64 = 24.0;

fn draw_panel<D: DrawingBackend>(area: &DrawingArea<D, Shift>, title: &str, series: &[Series]) -> Drawn
where
    D::ErrorType: 'static,
{
    let values = series.iter().flat_map(|series| &series.points).filter_map(|point| point.1);
    let highest = values.fold(0.0, f64::max).max(0.5) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(56)
        .build_cartesian_2d(EARLIEST..LATEST, 0.0..highest)?;
    chart
        .configure_mesh()
        .x_labels(25)
        .y_labels(6)
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_label_formatter(&|hour| format!("{hour:02.0}"))
        .y_label_formatter(&|value| label(*value))
        .label_style(("sans-serif", 14))
        .draw()?;
    for Series { name, colour, points, filled } in series {
        let style = colour.stroke_width(2);
        let runs = points.split(|point| point.1.is_none()).filter(|run| !run.is_empty());
        let mut named = false;
        for run in runs {
            let run: Vec<(f64, f64)> = run.iter().filter_map(|&(at, value)| Some((at, value?))).collect();
            if *filled {
                chart.draw_series(AreaSeries::new(run.iter().copied(), 0.0, colour.mix(0.35)))?;
            }
            let drawn = chart.draw_series(LineSeries::new(run, style))?;
            if !named && (series.len() > 1) {
                drawn.label(name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
                named = true;
            }
        }
    }
    if series.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .label_font(("sans-serif", 14))
            .draw()?;
    }
    Ok(())
}

fn label(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}
