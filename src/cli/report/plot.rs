//! The half hours of the day as a picture: what became of those who called, and how long the answered ones waited.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::super::font::{self, COLOURS};
use crate::ledger::report::HalfHour;

const SIZE: (u32, u32) = (1_200, 760);

type Drawn = Result<(), Box<dyn Error>>;
/// From where to where a part of a bar goes, in calls.
type Part = fn(&HalfHour) -> (u64, u64);
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The picture as SVG.
pub(super) fn draw(title: &str, half_hours: &[HalfHour]) -> Result<String, Box<dyn Error>> {
    font::register();
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let area = area.margin(12, 4, 4, 24).titled(title, ("sans-serif", 20))?;
        let (upper, lower) = area.split_vertically((SIZE.1 - 46) / 2);
        draw_calls(&upper, half_hours)?;
        draw_waits(&lower, half_hours)?;
        area.present()?;
    }
    Ok(svg)
}

/// Bars of those answered, those who gave up and all others, one on the other: their top is all calls.
fn draw_calls(area: &Area<'_>, half_hours: &[HalfHour]) -> Drawn {
    let highest = half_hours.iter().map(|of| of.calls).max().unwrap_or(0).max(1);
    let hours = hours(half_hours);
    let mut chart = ChartBuilder::on(area)
        .caption("Calls in each half hour", ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(28)
        .y_label_area_size(64)
        .build_cartesian_2d(hours.0..hours.1, 0.0..highest as f64 * 1.1)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_labels((hours.1 - hours.0) as usize + 1)
        .x_label_formatter(&|hour| format!("{hour:02.0}:00"))
        .y_label_formatter(&|calls| format!("{calls:.0}"))
        .label_style(("sans-serif", 14))
        .draw()?;
    let parts: [(&str, RGBColor, Part); 3] = [
        ("answered", COLOURS[0], |of| (0, of.answered)),
        ("abandoned", COLOURS[1], |of| (of.answered, of.answered + of.abandoned)),
        ("refused, lost, released or promised", RGBColor(160, 160, 160), |of| {
            (of.answered + of.abandoned, of.calls)
        }),
    ];
    for (name, colour, part) in parts {
        let bars = half_hours.iter().enumerate().filter_map(|(at, of)| {
            let (low, high) = part(of);
            let (from, to) = (at as f64 / 2.0 + 0.04, (at + 1) as f64 / 2.0 - 0.04);
            (high > low).then(|| Rectangle::new([(from, low as f64), (to, high as f64)], colour.filled()))
        });
        let bars: Vec<_> = bars.collect();
        if !bars.is_empty() {
            chart
                .draw_series(bars)?
                .label(name)
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 14))
        .draw()?;
    Ok(())
}

/// Median and 95th centile of the waits of answered calls, in minutes; a gap where nobody was answered.
fn draw_waits(area: &Area<'_>, half_hours: &[HalfHour]) -> Drawn {
    let minutes = |wait: std::time::Duration| wait.as_secs_f64() / 60.0;
    let longest =
        half_hours.iter().filter_map(|of| of.waits).map(|waits| minutes(waits.1)).fold(0.0, f64::max);
    let hours = hours(half_hours);
    let mut chart = ChartBuilder::on(area)
        .caption("Waits of answered calls, by when they came (minutes)", ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(28)
        .y_label_area_size(64)
        .build_cartesian_2d(hours.0..hours.1, 0.0..longest.max(0.1) * 1.1)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_labels((hours.1 - hours.0) as usize + 1)
        .x_label_formatter(&|hour| format!("{hour:02.0}:00"))
        .y_label_formatter(&|wait| format!("{wait:.1}"))
        .label_style(("sans-serif", 14))
        .draw()?;
    let series: [(&str, RGBColor, usize); 2] = [("95th centile", COLOURS[1], 1), ("median", COLOURS[0], 0)];
    for (name, colour, of) in series {
        let points: Vec<Option<(f64, f64)>> = half_hours
            .iter()
            .enumerate()
            .map(|(at, half_hour)| {
                let waits = half_hour.waits.map(|(median, p95)| [median, p95])?;
                Some((at as f64 / 2.0 + 0.25, minutes(waits[of])))
            })
            .collect();
        let mut named = false;
        for run in points.split(Option::is_none).filter(|run| !run.is_empty()) {
            let run: Vec<(f64, f64)> = run.iter().filter_map(|point| *point).collect();
            chart.draw_series(run.iter().map(|&point| Circle::new(point, 3, colour.filled())))?;
            let drawn = chart.draw_series(LineSeries::new(run, colour.stroke_width(2)))?;
            if !named {
                drawn
                    .label(name)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], colour.stroke_width(2)));
                named = true;
            }
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 14))
        .draw()?;
    Ok(())
}

/// The whole hours in which there are calls; the whole day when there are none.
fn hours(half_hours: &[HalfHour]) -> (f64, f64) {
    let busy = |of: &HalfHour| of.calls > 0;
    match (half_hours.iter().position(busy), half_hours.iter().rposition(busy)) {
        (Some(first), Some(last)) => ((first / 2) as f64, (last / 2 + 1) as f64),
        _ => (0.0, 24.0),
    }
}
