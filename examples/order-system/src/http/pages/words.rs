//! What codes and numbers are called on the pages.

use trade_core::{Channel, Timestamp};

use crate::{
    http::language::Lang,
    places::customer::CUSTOMERS,
    status::{OrderStatus, RefundStatus},
};

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

/// What an order's status means for its customer, with what became of money that goes back.
pub(super) fn hint(lang: Lang, status: OrderStatus, refund: Option<RefundStatus>) -> &'static str {
    match (status, refund) {
        (OrderStatus::Canceled | OrderStatus::Closed, Some(RefundStatus::Success)) => lang.t(
            "已付款项已原路退回",
            "What you paid has gone back the way it came.",
        ),
        (OrderStatus::Canceled, Some(_)) => lang.t(
            "取消后收到的付款将原路退回",
            "What was paid afterwards goes back the way it came.",
        ),
        (status, _) => meaning(lang, status),
    }
}

fn meaning(lang: Lang, status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::NoPay => lang.t(
            "请在倒计时结束前支付，超时自动取消",
            "Pay before the time is over; the order is cancelled then.",
        ),
        OrderStatus::Dispatching => lang.t(
            "已收到付款，正在为您安排服务人员",
            "Your payment is here. We are finding somebody for you.",
        ),
        OrderStatus::NoServe => lang.t(
            "服务人员已接单，将按预约时间上门",
            "Somebody will be there at the time you booked.",
        ),
        OrderStatus::Serving => lang.t("服务人员正在服务", "The work is under way."),
        OrderStatus::NoEvaluation => lang.t("服务已完成，欢迎评价", "The work is done: tell us how it was."),
        OrderStatus::Finished => lang.t("服务已完成，感谢您的信任", "The work is done. Thank you."),
        OrderStatus::Canceled => lang.t("订单没有付款，无需退款", "Nothing was paid for it."),
        OrderStatus::Closed => lang.t("已付款项将原路退回", "What you paid goes back the way it came."),
    }
}

/// The way of an order that nothing comes between.
const WAY: [(&str, &str); 5] = [
    ("支付", "Pay"),
    ("派单", "Matching"),
    ("待服务", "Assigned"),
    ("服务", "Work"),
    ("完成", "Done"),
];

/// A stretch of an order's way.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) done: bool,
    pub(super) current: bool,
}

/// How far an order is on its way; empty when it left it.
pub(super) fn steps(lang: Lang, status: OrderStatus) -> Vec<Step> {
    let here = match status {
        OrderStatus::NoPay => 0,
        OrderStatus::Dispatching => 1,
        OrderStatus::NoServe => 2,
        OrderStatus::Serving => 3,
        OrderStatus::NoEvaluation | OrderStatus::Finished => 4,
        OrderStatus::Canceled | OrderStatus::Closed => return Vec::new(),
    };
    let way = WAY.into_iter().enumerate();
    way.map(|(at, (chinese, english))| Step {
        name: lang.t(chinese, english),
        done: at < here,
        current: at == here,
    })
    .collect()
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
