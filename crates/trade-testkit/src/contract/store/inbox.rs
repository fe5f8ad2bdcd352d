//! The notice inbox: a duplicate is known.

use trade_core::{Channel, port::Recorded};

use super::{Promise, Store};
use crate::fixture::{self, START, at};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(first_delivery_is_new_and_others_are_not),
        Promise::new(notices_are_told_apart_by_all_three),
    ]
}

/// The first delivery is new, every further one is not, whatever its verdict.
pub async fn first_delivery_is_new_and_others_are_not(store: Store) {
    let record = async |verdict, seconds| {
        store
            .record_notice(
                Channel::WechatPay,
                fixture::enterprise(1),
                "EV-2018022511223320873",
                verdict,
                at(seconds),
            )
            .await
            .unwrap()
    };
    assert_eq!(record("settled", 0).await, Recorded::New);
    assert_eq!(record("settled", 0).await, Recorded::Again);
    assert_eq!(record("no such trading: '未知'", 99).await, Recorded::Again);
}

/// The same id at another channel, for another merchant, or spelled otherwise is another notice,
/// however long it is.
pub async fn notices_are_told_apart_by_all_three(store: Store) {
    let long = "n".repeat(5000);
    let longer = format!("{long}m");
    let notices = [
        (Channel::WechatPay, 1, "abc"),
        (Channel::AliPay, 1, "abc"),
        (Channel::WechatPay, 2, "abc"),
        (Channel::WechatPay, 1, "ABC"),
        (Channel::WechatPay, 1, "abc "),
        (Channel::WechatPay, 1, ""),
        (Channel::WechatPay, 1, long.as_str()),
        (Channel::WechatPay, 1, longer.as_str()),
    ];
    for expected in [Recorded::New, Recorded::Again] {
        for (channel, merchant, id) in notices {
            let merchant = fixture::enterprise(merchant);
            let recorded = store.record_notice(channel, merchant, id, "settled", START).await;
            assert_eq!(recorded.unwrap(), expected, "{channel} {merchant} {id:.20}");
        }
    }
}
