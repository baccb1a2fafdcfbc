//! The text of a configuration: no file panics, and every fault of a bad one has a place within it and can be drawn.

#![no_main]

use std::path::Path;

use hearken::config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let today = jiff::civil::date(2026, 11, 23);
    let report = match config::parse(text, "hearken.toml", Path::new("/nonexistent"), today) {
        Ok(loaded) => loaded.warnings,
        Err(errors) => errors.0,
    };
    for diagnostic in report.diagnostics() {
        let places = diagnostic.place.iter().chain(diagnostic.also.iter().map(|(place, _)| place));
        for place in places {
            assert!(text.get(place.span.clone()).is_some(), "{diagnostic:?}");
        }
    }
    let _ = (report.render(false), report.render(true));
});
