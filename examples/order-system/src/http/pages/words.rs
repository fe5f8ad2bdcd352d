//! What codes and numbers are called on the pages.

use trade_core::{Channel, Timestamp};

use crate::{http::language::Lang, places::customer::CUSTOMERS, status::RefundStatus};

/// A customer's name as far as the seed data knows it.
pub(super) fn customer_name(id: i64) -> String {
    let known = CUSTOMERS.iter().find(|(known, _)| *known == id);
    known.map_or_else(|| id.to_string(), |(_, name)| (*name).to_owned())
}

/// What a service is sold by.
pub(super) fn unit(lang: Lang, code: i32) -> &'static str {
    match code {
        1 => lang.t("小时", "hour"),
        2 => lang.t("平方米", "m²"),
        _ => lang.t("次", "visit"),
    }
}

pub(super) fn channel(lang: Lang, channel: Channel) -> &'static str {
    match channel {
        Channel::WechatPay => lang.t("微信支付", "WeChat Pay"),
        Channel::AliPay => lang.t("支付宝", "Alipay"),
    }
}

pub(super) fn refund(lang: Lang, status: RefundStatus) -> &'static str {
    match status {
        RefundStatus::Refunding => lang.t("退款中", "Refund on its way"),
        RefundStatus::Success => lang.t("退款成功", "Refunded"),
        RefundStatus::Failed => lang.t("退款失败，请联系客服", "The refund failed; please call us"),
    }
}

/// What a line of the history says.
pub(super) fn event(lang: Lang, name: &str) -> &'static str {
    match name {
        "PLACE" => lang.t("下单", "Booked"),
        "PAYED" => lang.t("支付成功", "Paid"),
        "DISPATCH" => lang.t("已接单", "Taken by a worker"),
        "START_SERVE" => lang.t("开始服务", "Service began"),
        "COMPLETE_SERVE" | "COMPLETE_SERVE_FOR_EVALUATION" => lang.t("服务完成", "Service done"),
        "EVALUATE" => lang.t("已评价", "Reviewed"),
        "CANCEL" => lang.t("订单取消", "Cancelled"),
        "SERVE_PROVIDER_CANCEL" => lang.t("服务人员取消，重新派单", "Given back by the worker"),
        "LATE_PAYMENT" => lang.t(
            "取消后收到付款，将自动退款",
            "Paid after it was cancelled: refunded by itself",
        ),
        "REFUND_SUCCESS" => lang.t("退款成功", "Refunded"),
        "REFUND_FAIL" => lang.t("退款失败", "The refund failed"),
        "REFUND_AGAIN" => lang.t("重新发起退款", "The refund was begun again"),
        _ => lang.t("订单关闭，开始退款", "Closed, the refund begins"),
    }
}

/// Why money went back without being asked for.
pub(super) fn origin(lang: Lang, origin: &str) -> &'static str {
    match origin {
        "SURPLUS" => lang.t(
            "重复支付，自动退回",
            "Paid twice: this payment goes back by itself",
        ),
        "CONSOLE" => lang.t("商户后台退款", "Refunded in the merchant's console"),
        _ => lang.t("其他退款", "Another refund"),
    }
}

pub(super) fn time(ms: i64) -> String {
    Timestamp::from_ms(ms).to_beijing_text()
}
