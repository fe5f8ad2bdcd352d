//! `alipay.trade.precreate`: makes a code, not a trade. The trade exists from the scan on.

use std::collections::BTreeMap;

use super::{
    amount,
    answer::{Fields, Refusal},
    content::{Content, Field, Kind, optional, required},
    deadline,
    trade::{self, INVALID, Status},
};
use crate::{
    Channel, beijing,
    ledger::{Book, NewOrder, Order, OrderState},
    world::World,
};

const FIELDS: &[Field] = &[
    required("out_trade_no", Kind::Text(64)),
    required("total_amount", Kind::Amount(11)),
    required("subject", Kind::Text(256)),
    optional("product_code", Kind::Text(64)),
    optional("seller_id", Kind::Text(28)),
    optional("body", Kind::Text(128)),
    optional("goods_detail", Kind::List),
    optional("operator_id", Kind::Text(28)),
    optional("store_id", Kind::Text(32)),
    optional("terminal_id", Kind::Text(32)),
    optional("alipay_store_id", Kind::Text(32)),
    optional("merchant_order_no", Kind::Text(32)),
    optional("timeout_express", Kind::Text(6)),
    optional("time_expire", Kind::Text(32)),
    optional("qr_code_timeout_express", Kind::Text(6)),
    optional("discountable_amount", Kind::Amount(11)),
    optional("undiscountable_amount", Kind::Amount(11)),
    optional("buyer_logon_id", Kind::Text(100)),
    optional("enable_pay_channels", Kind::Text(128)),
    optional("disable_pay_channels", Kind::Text(128)),
    optional("extend_params", Kind::Object),
    optional("business_params", Kind::Object),
    optional("sub_merchant", Kind::Object),
    optional("settle_info", Kind::Object),
    optional("royalty_info", Kind::Object),
    optional("ext_user_info", Kind::Object),
    optional("passback_params", Kind::Text(512)),
    optional("query_options", Kind::List),
];

/// The products an app of the sandbox has signed for (已签约).
const PRODUCTS: &[&str] = &["FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE"];

/// What the ledger remembers of the request beside its own columns.
const REMEMBERED: &[&str] = &["body", "store_id", "terminal_id", "operator_id"];

/// Issues a code, or the code of the same request once more.
pub(super) fn precreate(
    world: &World,
    content: &Content,
    notify_url: Option<&str>,
) -> Result<Fields, Refusal> {
    content.check(FIELDS, INVALID)?;
    check_parties(world, content)?;
    check_goods(content)?;
    let now_ms = world.clock.now_ms();
    let deadlines = Deadlines::read(content, now_ms)?;
    let new = new_order(world, content, notify_url, &deadlines)?;
    let order = world.ledger.write(|book| enter(book, new, &deadlines, now_ms))?;
    let url = if world.config.real_qr_shape {
        format!("https://qr.alipay.com/{}", order.code_token)
    } else {
        world.pay_page(&order.code_token)
    };
    Ok(Fields::new()
        .text("out_trade_no", order.key.out_trade_no)
        .text("qr_code", url))
}

/// When the code and the trade die.
#[derive(Debug)]
struct Deadlines {
    payable_until_ms: i64,
    code_until_ms: i64,
    /// `time_expire` is over.
    over: bool,
}

impl Deadlines {
    fn read(content: &Content, now_ms: i64) -> Result<Self, Refusal> {
        let refuse = |name: &str| Refusal::new(INVALID, format!("参数有误：{name}的格式不正确"));
        let relative = |name: &str, default_ms: i64| match content.text(name) {
            None => Ok(now_ms.saturating_add(default_ms)),
            Some(text) => deadline::end_ms(text, now_ms).ok_or_else(|| refuse(name)),
        };
        let by_timeout_ms = relative("timeout_express", deadline::TRADE_MS)?;
        let code_until_ms = relative("qr_code_timeout_express", deadline::CODE_MS)?;
        let payable_until_ms = match content.text("time_expire") {
            None => by_timeout_ms,
            Some(text) => beijing::parse_wall(text).ok_or_else(|| refuse("time_expire"))?,
        };
        Ok(Self {
            payable_until_ms,
            code_until_ms,
            over: payable_until_ms <= now_ms,
        })
    }
}

fn check_parties(world: &World, content: &Content) -> Result<(), Refusal> {
    if content
        .text("seller_id")
        .is_some_and(|seller| seller != world.config.alipay.pid)
    {
        return Err(Refusal::new(
            "ACQ.SELLER_NOT_EXIST",
            "卖家不存在：seller_id不是该应用的商户",
        ));
    }
    if content
        .text("product_code")
        .is_some_and(|product| !PRODUCTS.contains(&product))
    {
        let text = format!("无权限使用接口：已签约的product_code为{}", PRODUCTS.join("、"));
        return Err(Refusal::new("ACQ.ACCESS_FORBIDDEN", text));
    }
    Ok(())
}

fn check_goods(content: &Content) -> Result<(), Refusal> {
    let invalid = |text: &str| Err(Refusal::new(INVALID, format!("参数有误：{text}")));
    let number = content.text("out_trade_no").unwrap_or_default();
    if !number
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return invalid("out_trade_no只能由字母、数字和下划线组成");
    }
    if content
        .text("subject")
        .is_some_and(|subject| subject.contains(['/', '=', '&']))
    {
        return invalid("subject不能含有特殊字符/、=、&");
    }
    let total_fen = content.fen("total_amount").unwrap_or_default();
    if total_fen > amount::FEN_MAX {
        return Err(Refusal::new("ACQ.TOTAL_FEE_EXCEED", "订单总金额不在允许范围内"));
    }
    let parts = content
        .fen("discountable_amount")
        .zip(content.fen("undiscountable_amount"));
    if parts.is_some_and(|(with, without)| with.saturating_add(without) != total_fen) {
        return invalid("discountable_amount与undiscountable_amount之和应等于total_amount");
    }
    if content.has("enable_pay_channels") && content.has("disable_pay_channels") {
        return invalid("enable_pay_channels与disable_pay_channels不能同时使用");
    }
    Ok(())
}

fn new_order(
    world: &World,
    content: &Content,
    notify_url: Option<&str>,
    deadlines: &Deadlines,
) -> Result<NewOrder, Refusal> {
    let text = |name: &str| content.text(name).map(str::to_owned);
    // The table of fields has made sure of all three.
    let required =
        |name: &str| text(name).ok_or_else(|| Refusal::new(INVALID, format!("参数有误：{name}缺失")));
    let memo = |name: &&str| Some(((*name).to_owned(), text(name)?));
    Ok(NewOrder {
        key: world.order_key(Channel::Alipay, &required("out_trade_no")?),
        app_id: world.config.alipay.app_id.clone(),
        trade_type: text("product_code").unwrap_or_else(|| "FACE_TO_FACE_PAYMENT".to_owned()),
        amount_fen: content.fen("total_amount").unwrap_or_default(),
        description: required("subject")?,
        attach: text("passback_params"),
        fingerprint: content.fingerprint(),
        notify_url: notify_url.map(str::to_owned),
        code_token: format!("bax{}", world.random.hex(21)),
        payable_until_ms: deadlines.payable_until_ms,
        code_until_ms: deadlines.code_until_ms,
        closes_ms: deadlines.payable_until_ms,
        memo: REMEMBERED.iter().filter_map(memo).collect::<BTreeMap<_, _>>(),
    })
}

/// A new order, or the one that the same request made before.
fn enter(book: &mut Book, new: NewOrder, deadlines: &Deadlines, now_ms: i64) -> Result<Order, Refusal> {
    let over = || {
        Refusal::new(
            "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR",
            "当前时间已大于允许支付时间",
        )
    };
    let Some(known) = book.order(&new.key).cloned() else {
        if deadlines.over {
            return Err(over());
        }
        let opened = book.open_order(new, now_ms);
        return opened.cloned().map_err(|_taken| Refusal::system_error());
    };
    match trade::status(&known) {
        Some(Status::Success | Status::Finished) => {
            return Err(Refusal::new("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"));
        }
        Some(Status::Closed) => return Err(Refusal::new("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")),
        Some(Status::Wait) | None => {}
    }
    if known.fingerprint != new.fingerprint {
        let text = "交易信息被篡改：同一out_trade_no的参数与首次请求不一致";
        return Err(Refusal::new("ACQ.CONTEXT_INCONSISTENT", text));
    }
    if deadlines.over {
        return Err(over());
    }
    if known.state == OrderState::Closed {
        return Err(Refusal::new("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"));
    }
    if now_ms < known.code_until_ms {
        return Ok(known);
    }
    let renewed = book.replace_code(&known.key, new.code_token, deadlines.code_until_ms);
    renewed.cloned().map_err(|_gone| Refusal::system_error())
}
