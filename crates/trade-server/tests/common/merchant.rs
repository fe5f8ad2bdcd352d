//! The sandbox's merchant: its keys, the settings of a server for it, and what is ordered from it.

use std::sync::OnceLock;

use serde_json::{Value, json};
use trade_sandbox::{Channel as Bank, Sandbox, SandboxKeys};

pub(crate) const MERCHANT: i64 = 1001;

/// Keys take seconds to make; one set serves every test.
pub(crate) fn keys() -> &'static SandboxKeys {
    static KEYS: OnceLock<SandboxKeys> = OnceLock::new();
    KEYS.get_or_init(|| SandboxKeys::generate(Some(7)).unwrap())
}

pub(crate) fn bank(channel: &str) -> Bank {
    if channel == "WECHAT_PAY" {
        Bank::Wechat
    } else {
        Bank::Alipay
    }
}

/// What an order system asks for to be paid 19.90 yuan.
pub(crate) fn payment(channel: &str, order: i64) -> Value {
    json!({
        "enterpriseId": MERCHANT.to_string(),
        "productAppId": "jzo2o.orders",
        "productOrderNo": order.to_string(),
        "tradingChannel": channel,
        "tradingAmount": "19.90",
        "memo": "日常保洁",
    })
}

/// The settings of a server for the sandbox's merchant, which is sent notices at `notify`.
pub(crate) fn settings(
    sandbox: &Sandbox,
    notify: &str,
    wechat_url: &str,
    gateway_url: &str,
    folder: &std::path::Path,
) -> String {
    let kit = sandbox.merchant();
    let mut wechat = json!({
        "mchid": kit.wechat.mchid, "appid": kit.wechat.appid,
        "private_key": kit.wechat.private_key_pem, "certificate": kit.wechat.certificate_pem,
        "apiv3_key": kit.wechat.apiv3_key, "base_url": wechat_url,
        "public_key_id": kit.wechat.public_key_id, "public_key": kit.wechat.public_key_pem,
        "notify_url": format!("{notify}/trade/open/notify/wx/{MERCHANT}"),
    });
    let alipay = json!({
        "app_id": kit.alipay.app_id, "seller_id": kit.alipay.seller_id,
        "private_key": kit.alipay.app_private_key, "alipay_public_key": kit.alipay.alipay_public_key,
        "gateway_url": gateway_url,
        "notify_url": format!("{notify}/trade/open/notify/alipay/{MERCHANT}"),
    });
    wechat["platform_certificates"] = json!(false);
    let root = json!({
        "store": {"path": folder.join("trade.db").display().to_string()},
        "jobs": {"interval_ms": 50},
        "merchant": [{"enterprise_id": MERCHANT, "wechat": wechat, "alipay": alipay}],
    });
    toml::to_string(&root).unwrap()
}
