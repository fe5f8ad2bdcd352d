//! How a screen looks.

use super::{
    html::Html,
    screen::{Scanned, Screen},
    text,
};
use crate::{Channel, beijing};

const STYLE: &str = include_str!("pay.css");
const PAGE: &str = include_str!("pay.html");
const CARD: &str = include_str!("card.html");
const ACTIONS: &str = include_str!("actions.html");

/// An open page looks again this often, in seconds, so that it notices what others do to the order.
const REFRESH_S: i64 = 15;
/// Amounts with more characters than this get a smaller font.
const AMOUNT_CHARS: usize = 9;

const TICK: &str = r#"<svg class="mark" viewBox="0 0 64 64" aria-hidden="true"><circle cx="32" cy="32" r="32"/>
<path d="M18 33l10 10 19-21"/></svg>"#;
const CLOCK: &str = r#"<svg class="mark" viewBox="0 0 64 64" aria-hidden="true"><circle cx="32" cy="32" r="32"/>
<path d="M32 15v18l11 8"/></svg>"#;
const CROSS: &str = r#"<svg class="mark" viewBox="0 0 64 64" aria-hidden="true"><circle cx="32" cy="32" r="32"/>
<path d="M22 22l20 20M42 22l-20 20"/></svg>"#;
const CANCELLED: &str = r#"<p class="note">已取消，订单尚未支付，仍可继续支付。
<small>Cancelled: the code was scanned and the order left unpaid. It can still be paid.</small></p>"#;

/// The words and marks of a screen.
struct Look {
    mood: &'static str,
    mark: &'static str,
    heading: &'static str,
    heading_en: &'static str,
    state: &'static str,
    state_en: &'static str,
}

impl Look {
    fn of(screen: Screen) -> Self {
        match screen {
            Screen::Unpaid => Self {
                mood: "unpaid",
                mark: "",
                heading: "需支付",
                heading_en: "Amount to pay",
                state: "待支付",
                state_en: "waiting for payment",
            },
            Screen::Paid => Self {
                mood: "good",
                mark: TICK,
                heading: "支付成功",
                heading_en: "Payment successful",
                state: "已支付",
                state_en: "paid",
            },
            Screen::Expired => Self {
                mood: "bad",
                mark: CLOCK,
                heading: "订单已过期",
                heading_en: "Expired: this order can no longer be paid",
                state: "已过期",
                state_en: "expired",
            },
            Screen::Closed => Self {
                mood: "bad",
                mark: CROSS,
                heading: "订单已关闭",
                heading_en: "Closed: this order can no longer be paid",
                state: "已关闭",
                state_en: "closed",
            },
            Screen::CodeDead => Self {
                mood: "bad",
                mark: CROSS,
                heading: "二维码已失效",
                heading_en: "This code is too old, or a newer one replaced it",
                state: "二维码已失效",
                state_en: "code no longer valid",
            },
        }
    }
}

/// The page of a code. `cancelled`: the user has just left without paying.
pub(crate) fn page(scanned: &Scanned, now_ms: i64, cancelled: bool) -> String {
    let order = &scanned.order;
    let unpaid = scanned.screen == Screen::Unpaid;
    let look = Look::of(scanned.screen);
    let amount = text::yuan(order.amount_fen);
    let long = amount.chars().count() > AMOUNT_CHARS;
    let actions = [
        ("token", Html::text(&order.code_token)),
        ("amount", Html::text(&amount)),
    ];
    let card = [
        ("mood", Html::markup(look.mood)),
        ("mark", Html::markup(look.mark)),
        ("heading", Html::markup(look.heading)),
        ("heading_en", Html::markup(look.heading_en)),
        ("amount_class", Html::markup(if long { "long" } else { "" })),
        ("amount", Html::text(&amount)),
        ("description", Html::text(&order.description)),
        ("rows", rows(scanned, &look, now_ms)),
        (
            "note",
            Html::markup(if unpaid && cancelled { CANCELLED } else { "" }),
        ),
        (
            "actions",
            if unpaid {
                Html::fill(ACTIONS, &actions)
            } else {
                Html::default()
            },
        ),
    ];
    let refresh = if unpaid {
        refresh(order.payable_until_ms.saturating_sub(now_ms))
    } else {
        Html::default()
    };
    whole(
        Some(order.key.channel),
        look.heading,
        refresh,
        Html::fill(CARD, &card),
    )
}

/// The page of a code that was never issued.
pub(crate) fn unknown() -> String {
    const UNKNOWN: &str = r#"<section class="card bad"><h1>二维码不存在</h1>
<p>它可能由另一个沙箱生成，或沙箱已被清空。</p>
<p class="en">No such code: was it made by another sandbox, or before a reset?</p><br></section>"#;
    whole(None, "二维码不存在", Html::default(), Html::markup(UNKNOWN))
}

fn whole(channel: Option<Channel>, title: &'static str, refresh: Html, card: Html) -> String {
    let (theme, name, name_en) = match channel {
        Some(Channel::Wechat) => ("wechat", "微信支付", "WeChat Pay"),
        Some(Channel::Alipay) => ("alipay", "支付宝", "Alipay"),
        None => ("", "收银台", "Checkout"),
    };
    let values = [
        ("refresh", refresh),
        ("title", Html::markup(title)),
        ("style", Html::markup(STYLE)),
        ("theme", Html::markup(theme)),
        ("channel", Html::markup(name)),
        ("channel_en", Html::markup(name_en)),
        ("card", card),
    ];
    Html::fill(PAGE, &values).into_string()
}

/// Looks again soon, and right after the deadline.
fn refresh(left_ms: i64) -> Html {
    let seconds = left_ms.max(0).saturating_add(999) / 1_000;
    let seconds = seconds.clamp(1, REFRESH_S).to_string();
    Html::fill(
        r#"<meta http-equiv="refresh" content="{{seconds}}">"#,
        &[("seconds", Html::text(&seconds))],
    )
}

fn rows(scanned: &Scanned, look: &Look, now_ms: i64) -> Html {
    let order = &scanned.order;
    let mut rows = vec![
        row("商户", "Merchant", &order.key.merchant, ""),
        row("订单号", "Order number", &order.key.out_trade_no, ""),
        row("状态", "State", look.state, look.state_en),
    ];
    match scanned.screen {
        Screen::Unpaid => {
            let left = text::duration(order.payable_until_ms.saturating_sub(now_ms));
            let until = format!("until {}", beijing::wall(order.payable_until_ms));
            rows.push(row("剩余时间", "Time left", &left, &until));
        }
        Screen::Expired | Screen::CodeDead => {
            let until_ms = order.payable_until_ms;
            rows.push(row("支付截止", "Payable until", &beijing::wall(until_ms), ""));
        }
        Screen::Paid | Screen::Closed => {}
    }
    if let Some(payment) = &order.payment {
        rows.push(row("支付时间", "Paid at", &beijing::wall(payment.paid_ms), ""));
    }
    if let Some(id) = &order.transaction_id {
        rows.push(row("交易号", "Transaction", id, ""));
    }
    if scanned.refunded_fen > 0 {
        let refunded = format!("¥{}", text::yuan(scanned.refunded_fen));
        rows.push(row("已退款", "Refunded", &refunded, ""));
    }
    rows.into_iter().collect()
}

fn row(name: &'static str, name_en: &'static str, value: &str, small: &str) -> Html {
    let small = if small.is_empty() {
        Html::default()
    } else {
        Html::fill("<small>{{small}}</small>", &[("small", Html::text(small))])
    };
    Html::fill(
        "<div><dt>{{name}}<small>{{name_en}}</small></dt><dd>{{value}}{{small}}</dd></div>\n",
        &[
            ("name", Html::markup(name)),
            ("name_en", Html::markup(name_en)),
            ("value", Html::text(value)),
            ("small", small),
        ],
    )
}
