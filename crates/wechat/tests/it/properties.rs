//! Whatever arrives where notices arrive, it is answered with an error and never with a panic.

use std::sync::OnceLock;

use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_oneof, proptest};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use trade_core::handler::{PayHandler, RawNotice, VerifiedNotice};
use trade_wechat::WechatPay;

use crate::support::{APPID, MCHID, NOW, PUBLIC_KEY_ID, Seal, alone, notice, raw};

fn verify(notice: &RawNotice) -> Option<VerifiedNotice> {
    static ADAPTER: OnceLock<(Runtime, WechatPay)> = OnceLock::new();
    let (runtime, wechat) = ADAPTER.get_or_init(|| (Runtime::new().unwrap(), alone()));
    runtime.block_on(wechat.verify_notice(notice)).ok()
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("Wechatpay-Timestamp".to_owned()),
        Just("Wechatpay-Nonce".to_owned()),
        Just("wechatpay-signature".to_owned()),
        Just("WECHATPAY-SERIAL".to_owned()),
        ".{0,12}",
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(NOW.to_string()),
        Just(PUBLIC_KEY_ID.to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[A-Za-z0-9+/]{0,344}={0,2}",
        ".{0,64}",
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..512),
        json().prop_map(|value| value.to_string().into_bytes()),
    ]
}

/// JSON out of the names and values of notices, in any order and of any type.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!(MCHID)),
        Just(json!(APPID)),
        Just(json!("AEAD_AES_256_GCM")),
        Just(json!("TRANSACTION.SUCCESS")),
        Just(json!("SUCCESS")),
        ".{0,24}".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "id",
        "event_type",
        "resource",
        "algorithm",
        "ciphertext",
        "nonce",
        "associated_data",
        "mchid",
        "appid",
        "out_trade_no",
        "transaction_id",
        "trade_state",
        "amount",
        "total",
        "refund",
        "refund_status",
        "refund_id",
        "out_refund_no",
        "payer",
        "openid",
        "success_time",
        "combine_out_trade_no",
    ]);
    leaf.prop_recursive(3, 48, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(String::from), inner, 0..12)
                .prop_map(|map| Value::from(serde_json::Map::from_iter(map))),
        ]
    })
}

proptest! {
    #[test]
    fn anything_is_refused(headers in prop::collection::vec((name(), value()), 0..8), body in body()) {
        prop_assert!(verify(&raw(headers, &body)).is_none());
    }

    #[test]
    fn anything_signed_rightly_does_not_panic(body in body()) {
        // Nobody but WeChat Pay seals with the APIv3 key, so no fact can come of it.
        prop_assert!(verify(&raw(Seal::default().headers(&body), &body)).is_none());
    }

    #[test]
    fn anything_sealed_rightly_is_about_this_merchant_or_refused(plain in json()) {
        for event in ["TRANSACTION.SUCCESS", "REFUND.SUCCESS"] {
            if verify(&notice(event, &plain)).is_some() {
                let combined = event.starts_with('T') && plain.get("combine_out_trade_no").is_some();
                prop_assert!(combined || plain["mchid"] == MCHID, "{}", plain);
            }
        }
    }

    #[test]
    fn a_genuine_notice_with_one_byte_changed_is_refused(position in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut notice = notice("TRANSACTION.SUCCESS", &crate::support::transaction());
        let position = position.index(notice.body.len());
        notice.body[position] ^= 1 << bit;
        prop_assert!(verify(&notice).is_none());
    }
}
