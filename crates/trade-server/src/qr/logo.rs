//! A small sign in the channel's colour, drawn here rather than shipped as somebody's trademark.

use trade_core::Channel;

/// The side of the grid the signs are drawn on.
pub(super) const GRID: usize = 14;

/// `.` shows the code, `w` white, `c` the channel's colour.
const WECHAT: [&str; GRID] = [
    ".wwwwwwwwwwww.",
    "wccccccccccccw",
    "wccccccccccccw",
    "wccccccccccwcw",
    "wcccccccccwwcw",
    "wccccccccwwccw",
    "wccwccccwwcccw",
    "wccwwccwwccccw",
    "wcccwwwwcccccw",
    "wccccwwccccccw",
    "wccccccccccccw",
    "wccccccccccccw",
    "wccccccccccccw",
    ".wwwwwwwwwwww.",
];

const ALIPAY: [&str; GRID] = [
    ".wwwwwwwwwwww.",
    "wccccccccccccw",
    "wcccccwwcccccw",
    "wccwwwwwwwwccw",
    "wcccccwwcccccw",
    "wcccwwwwwwcccw",
    "wcccccccwwcccw",
    "wccccccwwccccw",
    "wcwwwcwwcccccw",
    "wwcccwwcccccw.",
    "wcwwwcwwwccccw",
    "wccccccccwwwcw",
    "wccccccccccccw",
    ".wwwwwwwwwwww.",
];

/// The side of the sign on a picture: a seventh, small enough for every error correction level.
pub(super) const fn side(picture: usize) -> usize {
    picture / 7
}

/// White, then the channel's colour.
pub(super) const fn palette(channel: Channel) -> [[u8; 3]; 2] {
    let color = match channel {
        Channel::WechatPay => [0x07, 0xc1, 0x60],
        Channel::AliPay => [0x16, 0x77, 0xff],
    };
    [[255, 255, 255], color]
}

/// The palette index of a pixel of a sign drawn `side` wide, or `None` where the code shows.
pub(super) fn pixel(channel: Channel, x: usize, y: usize, side: usize) -> Option<u8> {
    let sign = match channel {
        Channel::WechatPay => &WECHAT,
        Channel::AliPay => &ALIPAY,
    };
    let row = sign.get(y * GRID / side)?;
    match row.as_bytes().get(x * GRID / side)? {
        b'w' => Some(0),
        b'c' => Some(1),
        _ => None,
    }
}
