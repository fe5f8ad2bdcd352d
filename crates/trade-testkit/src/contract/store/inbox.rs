//! The notice inbox: a duplicate is known, and a person can see what came.

use trade_core::{
    Channel,
    port::{NoticeRecord, NoticeSeen, Recorded},
};

use super::{Promise, Store};
use crate::fixture::{self, at, trading_no};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(first_delivery_is_new_and_others_are_not),
        Promise::new(notices_are_told_apart_by_all_three),
        Promise::new(notices_of_a_trading_first_come_first),
        Promise::new(a_notice_is_what_came_last_since_when_it_came_first),
    ]
}

/// The first delivery is new, every further one is not, whatever its verdict.
pub async fn first_delivery_is_new_and_others_are_not(store: Store) {
    let record = async |verdict, seconds| {
        store
            .record_notice(&NoticeRecord {
                verdict: String::from(verdict),
                at: at(seconds),
                ..fixture::notice("EV-2018022511223320873", 1)
            })
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
            let notice = NoticeRecord {
                channel,
                enterprise_id: fixture::enterprise(merchant),
                ..fixture::notice(id, 1)
            };
            let recorded = store.record_notice(&notice).await;
            assert_eq!(recorded.unwrap(), expected, "{channel} {merchant} {id:.20}");
        }
    }
}

/// The notices about a trading come in the order of their first deliveries, and only its own; what names
/// no trading of ours is on record without one.
pub async fn notices_of_a_trading_first_come_first(store: Store) {
    let notices = [
        ("c", 1, 10),
        ("a", 1, 20),
        ("b", 1, 30),
        ("d", 2, 15),
        ("c", 1, 40),
    ];
    for (id, trading, second) in notices {
        let notice = NoticeRecord {
            at: at(second),
            ..fixture::notice(id, trading)
        };
        store.record_notice(&notice).await.unwrap();
    }
    let nobodys = NoticeRecord {
        trading_order_no: None,
        ..fixture::notice("e", 1)
    };
    for recorded in [Recorded::New, Recorded::Again] {
        assert_eq!(store.record_notice(&nobodys).await.unwrap(), recorded);
    }
    let ids = async |trading| -> Vec<_> {
        let seen = store.notices_of(trading_no(trading)).await.unwrap();
        seen.into_iter().map(|seen| seen.notice.notice_id).collect()
    };
    assert_eq!(ids(1).await, ["c", "a", "b"]);
    assert_eq!(ids(2).await, ["d"]);
    assert_eq!(ids(3).await, [""; 0]);
}

/// A notice that came again is read with every field of the latest delivery, the time of the first and
/// of the last, and how often it came.
pub async fn a_notice_is_what_came_last_since_when_it_came_first(store: Store) {
    let first = NoticeRecord {
        channel: Channel::AliPay,
        enterprise_id: fixture::enterprise(9_007_199_254_740_993),
        trading_order_no: None,
        verdict: "no such trading: '未知' \"q\" \\ 🧾\n".into(),
        at: at(7),
        ..fixture::notice("2026112300222 'q' 通知", 1)
    };
    assert_eq!(store.record_notice(&first).await.unwrap(), Recorded::New);
    let deliveries = [("no such trading", 22), ("settled", 7), ("seen before: '已'", 99)];
    for (count, (verdict, second)) in (2..).zip(deliveries) {
        let latest = NoticeRecord {
            trading_order_no: Some(trading_no(1)),
            verdict: verdict.into(),
            at: at(second),
            ..first.clone()
        };
        assert_eq!(store.record_notice(&latest).await.unwrap(), Recorded::Again);
        let expected = NoticeSeen {
            notice: NoticeRecord { at: at(7), ..latest },
            last_at: at(second),
            deliveries: count,
        };
        assert_eq!(store.notices_of(trading_no(1)).await.unwrap(), [expected]);
    }
}
