//! An SVG: one path for the modules, shapes for the logo.

use std::fmt::Write;

use trade_core::Channel;

use super::{Color, Modules, QrOptions, logo};

pub(super) fn draw(modules: &Modules, channel: Channel, options: &QrOptions) -> String {
    let margin = usize::try_from(options.margin).unwrap_or(0);
    let width = modules.rows.len() + 2 * margin;
    let mut path = String::new();
    for (y, row) in modules.rows.iter().enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, dark)| **dark) {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{} {}h1v1h-1z", x + margin, y + margin);
        }
    }
    let (size, back, fore) = (options.size, hex(options.back_color), hex(options.fore_color));
    let logo = if options.logo {
        logo_shapes(width, channel)
    } else {
        String::new()
    };
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {width} {width}" shape-rendering="crispEdges"><rect width="{width}" height="{width}" fill="{back}"/><path fill="{fore}" d="{path}"/>{logo}</svg>"#
    )
}

/// The logo as one rectangle per run of equal pixels of its own grid.
fn logo_shapes(width: usize, channel: Channel) -> String {
    let side = logo::GRID;
    // A seventh of the code, as in the PNG, in thousandths of a module so that no fraction is lost.
    let unit = width * 1000 / 7 / side;
    let start = (width * 1000 - unit * side) / 2;
    let mut shapes = String::new();
    for y in 0..side {
        for x in 0..side {
            let Some(index) = logo::pixel(channel, x, y, side) else {
                continue;
            };
            let color = logo::palette(channel)
                .get(usize::from(index))
                .copied()
                .unwrap_or_default();
            let (x, y) = (thousandths(start + x * unit), thousandths(start + y * unit));
            let (fill, unit) = (hex(Color(color)), thousandths(unit));
            let _ = write!(
                shapes,
                r#"<rect x="{x}" y="{y}" width="{unit}" height="{unit}" fill="{fill}"/>"#
            );
        }
    }
    shapes
}

fn thousandths(value: usize) -> String {
    format!("{}.{:03}", value / 1000, value % 1000)
}

fn hex(Color([red, green, blue]): Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::super::{QrOptions, svg};
    use super::*;

    #[test]
    fn a_document_with_every_dark_module() {
        let options = QrOptions {
            logo: false,
            ..QrOptions::default()
        };
        let document = svg("weixin://x", Channel::WechatPay, &options).unwrap();
        let modules = Modules::of("weixin://x", &options).unwrap();
        let dark = modules.rows.iter().flatten().filter(|dark| **dark).count();
        assert_eq!(document.matches("h1v1h-1z").count(), dark);
        assert!(document.starts_with("<svg ") && document.ends_with("</svg>"));
        let with_logo = svg("weixin://x", Channel::WechatPay, &QrOptions::default()).unwrap();
        assert!(with_logo.contains("#07c160"));
    }
}
