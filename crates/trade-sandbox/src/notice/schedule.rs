//! How long each channel waits between attempts.

use crate::Channel;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// WeChat Pay: 15 repetitions over 24 h 4 min.
const WECHAT_MS: &[i64] = &[
    15_000,
    15_000,
    30_000,
    3 * MINUTE_MS,
    10 * MINUTE_MS,
    20 * MINUTE_MS,
    30 * MINUTE_MS,
    30 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    3 * HOUR_MS,
    3 * HOUR_MS,
    3 * HOUR_MS,
    6 * HOUR_MS,
    6 * HOUR_MS,
];

/// Alipay: 7 repetitions over 24 h 24 min.
const ALIPAY_MS: &[i64] = &[
    4 * MINUTE_MS,
    10 * MINUTE_MS,
    10 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    6 * HOUR_MS,
    15 * HOUR_MS,
];

/// How long to wait after the failed attempt number `round` (from 0); `None` when it was the last one.
pub(super) fn wait_ms(channel: Channel, round: usize, speed: u32) -> Option<i64> {
    let waits = match channel {
        Channel::Wechat => WECHAT_MS,
        Channel::Alipay => ALIPAY_MS,
    };
    let wait = waits.get(round)?;
    Some(wait.checked_div(i64::from(speed)).unwrap_or(*wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedules_last_as_long_as_the_channels_say() {
        assert_eq!(WECHAT_MS.iter().sum::<i64>(), 24 * HOUR_MS + 4 * MINUTE_MS);
        assert_eq!(ALIPAY_MS.iter().sum::<i64>(), 24 * HOUR_MS + 24 * MINUTE_MS);
        assert_eq!(wait_ms(Channel::Wechat, 0, 3), Some(5_000));
        assert_eq!(wait_ms(Channel::Alipay, 7, 1), None);
    }
}
