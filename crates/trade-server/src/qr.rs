//! The QR code a payer scans: PNG with the channel's logo, or SVG.

mod logo;
mod png;
mod svg;

use base64::{Engine, engine::general_purpose::STANDARD};
use qrcode::{EcLevel, QrCode, types::QrError};
use serde::Deserialize;
use trade_core::Channel;

/// How codes are drawn. The defaults are those of the service this one replaces.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QrOptions {
    /// Width and height in pixels, 120 to 2000.
    pub size: u32,
    /// The quiet zone in modules.
    pub margin: u32,
    /// The colour of the modules, `#rrggbb`.
    pub fore_color: Color,
    /// The colour between them, `#rrggbb`.
    pub back_color: Color,
    /// The error correction: L, M, Q or H.
    pub error_correction: Correction,
    /// Whether the channel's logo is drawn in the middle.
    pub logo: bool,
}

/// An opaque colour, written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Color(pub [u8; 3]);

/// How much of a code may be hidden and still be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Correction {
    /// About 7 %.
    L,
    /// About 15 %.
    M,
    /// About 25 %.
    Q,
    /// About 30 %.
    H,
}

/// Why no code could be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// The text does not fit a QR code.
    #[error("the text does not fit a QR code")]
    Encode(#[from] QrError),
    /// The code does not fit the picture.
    #[error("the code needs {0} modules, more than the picture has pixels: raise qr.size")]
    TooSmall(usize),
    /// The picture could not be written.
    #[error("the picture could not be written")]
    Png(#[from] ::png::EncodingError),
}

impl Default for QrOptions {
    fn default() -> Self {
        Self {
            size: 300,
            margin: 2,
            fore_color: Color([0, 0, 0]),
            back_color: Color([255, 255, 255]),
            error_correction: Correction::M,
            logo: true,
        }
    }
}

impl TryFrom<String> for Color {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no colour: write #rrggbb, such as #000000");
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6)
            .ok_or_else(wrong)?;
        let value = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl From<Correction> for EcLevel {
    fn from(correction: Correction) -> Self {
        match correction {
            Correction::L => Self::L,
            Correction::M => Self::M,
            Correction::Q => Self::Q,
            Correction::H => Self::H,
        }
    }
}

/// The code as rows of modules, dark ones `true`.
struct Modules {
    rows: Vec<Vec<bool>>,
}

impl Modules {
    fn of(text: &str, options: &QrOptions) -> Result<Self, DrawError> {
        let code = QrCode::with_error_correction_level(text, options.error_correction.into())?;
        let colors = code.to_colors();
        let rows = colors
            .chunks(code.width())
            .map(|row| row.iter().map(|color| *color == qrcode::Color::Dark).collect());
        Ok(Self { rows: rows.collect() })
    }

    fn dark(&self, row: usize, column: usize) -> bool {
        self.rows
            .get(row)
            .and_then(|cells| cells.get(column))
            .copied()
            .unwrap_or(false)
    }
}

/// The code as a PNG in a data URL, as an order system shows it.
///
/// # Errors
/// The text or the code does not fit.
pub fn png_data_url(text: &str, channel: Channel, options: &QrOptions) -> Result<String, DrawError> {
    Ok(format!(
        "data:image/png;base64,{}",
        STANDARD.encode(self::png(text, channel, options)?)
    ))
}

/// The code as a PNG.
///
/// # Errors
/// The text or the code does not fit.
pub fn png(text: &str, channel: Channel, options: &QrOptions) -> Result<Vec<u8>, DrawError> {
    png::draw(&Modules::of(text, options)?, channel, options)
}

/// The code as an SVG document.
///
/// # Errors
/// The text does not fit.
pub fn svg(text: &str, channel: Channel, options: &QrOptions) -> Result<String, DrawError> {
    Ok(svg::draw(&Modules::of(text, options)?, channel, options))
}

/// The code as text for a terminal, two modules a character.
///
/// # Errors
/// The text does not fit.
pub fn terminal(text: &str) -> Result<String, DrawError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)?;
    // Inverted, so that it is dark on light in the usual dark terminal.
    Ok(code
        .render::<qrcode::render::unicode::Dense1x2>()
        .dark_color(qrcode::render::unicode::Dense1x2::Light)
        .light_color(qrcode::render::unicode::Dense1x2::Dark)
        .build())
}
