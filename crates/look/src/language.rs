//! The languages that pages and mails speak, and which of them somebody gets.

use serde::{Deserialize, Serialize};

/// A language that every word exists in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Language {
    /// English, which the others are translated from.
    #[default]
    #[serde(rename = "en")]
    English,
    /// German.
    #[serde(rename = "de")]
    German,
    /// Arabic, written from right to left.
    #[serde(rename = "ar")]
    Arabic,
}

/// Most ranges of an `Accept-Language` that are looked at. Browsers send a handful.
const RANGES: usize = 16;

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::English, Self::German, Self::Arabic];

    /// The language tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Arabic => "ar",
        }
    }

    /// What its speakers call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Arabic => "العربية",
        }
    }

    /// The value of HTML's `dir`.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::Arabic => "rtl",
            Self::English | Self::German => "ltr",
        }
    }

    /// The language of a tag such as `de`, `de-AT` or `DE_at`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// What somebody with this `Accept-Language` (RFC 9110, 12.5.4) likes best among `offered`, the first named where
    /// several are liked as much.
    pub fn accepted(header: &str, offered: &[Self]) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for range in header.split(',').take(RANGES) {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(Self::of_tag) else { continue };
            let quality = parts.next().map_or(Some(1_000), quality).unwrap_or(0);
            if quality > 0 && offered.contains(&language) && best.is_none_or(|(most, _)| quality > most) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// A weight such as `q=0.8`, in thousandths.
fn quality(text: &str) -> Option<u16> {
    let value = text.trim().strip_prefix("q=").or_else(|| text.trim().strip_prefix("Q="))?;
    let (whole, rest) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    match whole {
        "1" => Some(1_000),
        "0" if digits(rest) => format!("{rest:0<3}").parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_what_they_like_best() {
        let all = &Language::ALL;
        for (header, language) in [
            ("de-AT,de;q=0.9,en;q=0.5", Some(Language::German)),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Some(Language::English)),
            ("ar-EG", Some(Language::Arabic)),
            ("en;q=0.1,de;q=0.125", Some(Language::German)),
            ("de;q=0, en;q=0.001", Some(Language::English)),
            ("EN_gb", Some(Language::English)),
            ("fr, es", None),
            ("*", None),
            ("", None),
            ("de;q=2, en;q=x, ar;q=0.0001", None),
        ] {
            assert_eq!(Language::accepted(header, all), language, "{header}");
        }
        assert_eq!(Language::accepted("de, en", &[Language::English]), Some(Language::English));
    }

    #[test]
    fn attack_a152_a_long_header_is_read_in_part() {
        let long = format!("{},de", "x-".repeat(50_000));
        assert_eq!(Language::accepted(&long, &Language::ALL), Some(Language::German));
        let many = format!("{}de", "x,".repeat(50_000));
        assert_eq!(Language::accepted(&many, &Language::ALL), None);
    }
}
