//! A palette PNG: a few kilobytes, and any reader knows it.

use trade_core::Channel;

use super::{DrawError, Modules, QrOptions, logo};

const BACK: u8 = 0;
const FORE: u8 = 1;
/// The logo's own colours follow.
const LOGO: u8 = 2;

pub(super) fn draw(modules: &Modules, channel: Channel, options: &QrOptions) -> Result<Vec<u8>, DrawError> {
    let size = usize::try_from(options.size).unwrap_or(usize::MAX);
    let margin = usize::try_from(options.margin).unwrap_or(0);
    let width = modules.rows.len() + 2 * margin;
    // Whole pixels a module keep the edges sharp; what is left over widens the quiet zone.
    let scale = size / width;
    if scale == 0 {
        return Err(DrawError::TooSmall(width));
    }
    let offset = (size - scale * modules.rows.len()) / 2;
    let mut pixels = Vec::with_capacity(size * size);
    for y in 0..size {
        for x in 0..size {
            pixels.push(match pixel_of_logo(x, y, size, channel, options) {
                Some(index) => index,
                None => match (y.checked_sub(offset), x.checked_sub(offset)) {
                    (Some(y), Some(x)) if modules.dark(y / scale, x / scale) => FORE,
                    _ => BACK,
                },
            });
        }
    }
    encode(&pixels, channel, options)
}

fn pixel_of_logo(x: usize, y: usize, size: usize, channel: Channel, options: &QrOptions) -> Option<u8> {
    if !options.logo {
        return None;
    }
    let side = logo::side(size);
    let start = (size - side) / 2;
    let (x, y) = (x.checked_sub(start)?, y.checked_sub(start)?);
    (x < side && y < side)
        .then(|| logo::pixel(channel, x, y, side))
        .flatten()
        .map(|index| LOGO + index)
}

fn encode(pixels: &[u8], channel: Channel, options: &QrOptions) -> Result<Vec<u8>, DrawError> {
    let mut palette = Vec::new();
    palette.extend(options.back_color.0);
    palette.extend(options.fore_color.0);
    palette.extend(logo::palette(channel).as_flattened());
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, options.size, options.size);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Color, QrOptions, png_data_url};
    use super::*;

    fn decode(png: &[u8]) -> (String, usize) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let palette = reader.info().palette.clone().unwrap().to_vec();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let width = usize::try_from(info.width).unwrap();
        let luma = |x: usize, y: usize| palette[usize::from(pixels[y * width + x]) * 3 + 1];
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, width, luma);
        let grids = image.detect_grids();
        (grids[0].decode().unwrap().1, width)
    }

    #[test]
    fn a_reader_reads_the_code_around_the_logo() {
        for channel in Channel::ALL {
            for text in [
                "weixin://wxpay/bizpayurl?pr=a1b2C3d4",
                "https://qr.alipay.com/bax03206ug0kulveltqc80a8",
            ] {
                let png = super::super::png(text, channel, &QrOptions::default()).unwrap();
                assert_eq!(decode(&png), (text.to_owned(), 300));
            }
        }
    }

    #[test]
    fn options_are_obeyed() {
        let options = QrOptions {
            size: 400,
            margin: 4,
            fore_color: Color([20, 30, 40]),
            logo: false,
            ..QrOptions::default()
        };
        let png = super::super::png("x", Channel::AliPay, &options).unwrap();
        assert_eq!(decode(&png), ("x".to_owned(), 400));
        let tiny = QrOptions {
            size: 10,
            ..QrOptions::default()
        };
        assert!(matches!(
            super::super::png("x", Channel::AliPay, &tiny),
            Err(DrawError::TooSmall(25))
        ));
        assert!(super::super::png(&"x".repeat(3000), Channel::AliPay, &options).is_err());
    }

    #[test]
    fn the_same_text_gives_the_same_picture() {
        let draw = || png_data_url("weixin://x", Channel::WechatPay, &QrOptions::default()).unwrap();
        assert_eq!(draw(), draw());
        assert!(draw().starts_with("data:image/png;base64,iVBOR"));
    }
}
