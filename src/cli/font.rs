//! What pictures have in common: letters and colours.

use std::sync::Once;

use plotters::style::{FontStyle, RGBColor, register_font};

/// The letters of DejaVu Sans that are in ASCII (see simulate/LICENSE-DejaVu).
static FONT: &[u8] = include_bytes!("simulate/DejaVuSans-ascii.ttf");

/// Colours that people who see few colours can tell apart (Okabe and Ito).
pub(super) const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// Has the letters known to whatever is drawn from now on: a server may have none.
pub(super) fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // Refused only for a broken font.
        let _ = register_font("sans-serif", FontStyle::Normal, FONT);
    });
}
