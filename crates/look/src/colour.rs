//! Colours, and whether they can be read on one another (WCAG 2.2, 1.4.3).

use std::fmt;

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// What text needs at least.
pub const READABLE: f64 = 4.5;

/// What text and buttons stand on, in the light and in the dark: the paper, the card and what is sunk. A test compares
/// them with the style sheet.
pub const LIGHT: [Colour; 3] = [Colour([0xfa, 0xf9, 0xf6]), Colour([0xff; 3]), Colour([0xf1, 0xef, 0xe9])];
/// [`LIGHT`] in the dark.
pub const DARK: [Colour; 3] =
    [Colour([0x12, 0x16, 0x14]), Colour([0x1a, 0x1f, 0x1d]), Colour([0x0e, 0x11, 0x10])];

/// Text on a colour: white, or nearly black.
const INKS: [Colour; 2] = [Colour([0xff; 3]), Colour([0x0c, 0x11, 0x0f])];

impl Colour {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text
            .strip_prefix('#')
            .filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// The contrast of two colours: 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The lowest contrast with any of `grounds`.
    pub fn on(self, grounds: &[Self]) -> f64 {
        grounds.iter().map(|ground| self.contrast(*ground)).fold(f64::INFINITY, f64::min)
    }

    /// What is best read on it.
    pub fn ink(self) -> Self {
        if self.contrast(INKS[0]) >= self.contrast(INKS[1]) { INKS[0] } else { INKS[1] }
    }

    /// The nearest shade, towards `end`, that can be read on all of `grounds` and has a readable ink itself.
    pub fn readable(self, grounds: &[Self], end: Self) -> Option<Self> {
        (0..=100).map(|step| self.mix(end, step)).find(|shade| shade.reads(grounds))
    }

    /// Whether it can be read on all of `grounds`, and text on it.
    pub fn reads(self, grounds: &[Self]) -> bool {
        self.on(grounds) >= READABLE && self.contrast(self.ink()) >= READABLE
    }

    fn mix(self, end: Self, percent: u16) -> Self {
        let mut out = self.0;
        for (part, end) in out.iter_mut().zip(end.0) {
            let mixed = (u16::from(*part) * (100 - percent) + u16::from(end) * percent + 50) / 100;
            *part = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
        Self(out)
    }

    /// White.
    pub const WHITE: Self = Self([0xff; 3]);
    /// Black.
    pub const BLACK: Self = Self([0; 3]);
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::parse(text).expect("a colour")
    }

    #[test]
    fn contrast_is_as_wcag_says() {
        assert!((Colour::WHITE.contrast(Colour::BLACK) - 21.0).abs() < 0.001);
        assert!((colour("#777777").contrast(Colour::WHITE) - 4.478).abs() < 0.001);
        assert!((colour("#ffcc00").contrast(Colour::WHITE) - 1.5).abs() < 0.02);
        for wrong in ["", "#fff", "red", "#12345g", "#1234567", "123456", "#ä2345"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_colour_has_a_shade_that_can_be_read() {
        for r in (0..=255).step_by(51) {
            for g in (0..=255).step_by(51) {
                for b in (0..=255).step_by(51) {
                    let any = Colour([r, g, b]);
                    for (grounds, end) in [(&LIGHT, Colour::BLACK), (&DARK, Colour::WHITE)] {
                        let shade = any.readable(grounds, end).expect("a shade");
                        assert!(shade.reads(grounds), "{any} {shade}");
                    }
                }
            }
        }
        assert_eq!(colour("#14524b").readable(&LIGHT, Colour::BLACK), Some(colour("#14524b")));
    }
}
