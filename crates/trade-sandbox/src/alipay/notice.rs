//! The notices of Alipay: signed forms, answered with exactly `success`.

use encoding_rs::GBK;
use serde_json::Value;

use super::{
    amount,
    params::signed_text,
    seal,
    trade::{self, Status},
};
use crate::{
    Channel, beijing,
    faults::Plan,
    ledger::{Order, Refund, RefundState},
    notice::{NewNotice, NoticeContent, NoticeKind, Rendered},
    world::World,
};

/// The order was paid: posts the notice.
pub(crate) fn paid(world: &World, order: &Order) {
    if let Some(url) = &order.notify_url {
        let form = Form::about(world, order, Status::Success);
        form.post(world, NoticeKind::Payment, order, None, url);
    }
}

/// The refund ended: closes the trade when it was the rest of it, and posts the notice. It goes to the
/// payment's address and looks like a payment's, but for its refund fields.
pub(crate) fn refunded(world: &World, refund: &Refund) {
    if refund.state != RefundState::Success {
        return;
    }
    let now_ms = world.clock.now_ms();
    let found = world.ledger.write(|book| {
        trade::close_when_refunded(book, &refund.order, now_ms);
        // A later refund that overtook this one belongs to its own notice.
        let until = |other: &&Refund| other.success_ms <= refund.success_ms;
        let so_far_fen = book
            .refunds_of(&refund.order)
            .filter(|other| other.state == RefundState::Success)
            .filter(until)
            .fold(0_i64, |sum, other| sum.saturating_add(other.amount_fen));
        Some((book.order(&refund.order)?.clone(), so_far_fen))
    });
    let Some((order, so_far_fen)) = found else {
        return;
    };
    let Some(url) = &order.notify_url else {
        return;
    };
    let whole = so_far_fen >= order.amount_fen;
    let status = if whole { Status::Closed } else { Status::Success };
    let refunded_ms = refund.success_ms.unwrap_or(now_ms);
    let millis = refunded_ms.rem_euclid(1_000);
    let mut form = Form::about(world, &order, status);
    form.add("refund_fee", amount::format(so_far_fen));
    form.add(
        "gmt_refund",
        format!("{}.{millis:03}", beijing::wall(refunded_ms)),
    );
    form.add("out_biz_no", refund.key.number.clone());
    if whole {
        form.add("gmt_close", beijing::wall(order.closed_ms.unwrap_or(refunded_ms)));
    }
    form.post(world, NoticeKind::Refund, &order, Some(refund), url);
}

/// The order was closed because its time was over. For trades paid by code, Alipay tells nobody.
pub(crate) fn closed(_world: &World, _order: &Order) {}

/// The merchant closed the trade and gave an address that wants to know.
pub(super) fn closed_by_merchant(world: &World, order: &Order, url: &str) {
    let mut form = Form::about(world, order, Status::Closed);
    if let Some(closed_ms) = order.closed_ms {
        form.add("gmt_close", beijing::wall(closed_ms));
    }
    form.post(world, NoticeKind::Payment, order, None, url);
}

/// Writes one attempt: `params` with the time of sending and a fresh signature.
pub(crate) fn render(world: &World, params: &[(String, String)], plan: &Plan) -> Rendered {
    let mut form = Form {
        params: params.to_vec(),
    };
    form.add("notify_time", beijing::wall(world.clock.now_ms()));
    for (name, value) in &mut form.params {
        if name == "total_amount"
            && let Some(fen) = amount::parse(value)
        {
            *value = amount::format(fen.saturating_add(plan.wrong_amount_fen));
        }
        if name == "charset" && plan.gbk {
            "GBK".clone_into(value);
        }
    }
    let pairs = form
        .params
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let signed = encoded(&signed_text(pairs), plan.gbk);
    // Neither `sign` nor, unlike in requests, `sign_type` is part of what is signed.
    if let Some(signature) = seal::sign(world, &signed, plan.signature) {
        form.add("sign", signature);
        form.add("sign_type", "RSA2");
    }
    let charset = if plan.gbk { "GBK" } else { "utf-8" };
    let content_type = format!("application/x-www-form-urlencoded; charset={charset}");
    Rendered {
        headers: vec![("Content-Type", content_type)],
        body: form.urlencoded(plan.gbk).into_bytes(),
    }
}

/// The parameters of a notice.
#[derive(Debug)]
struct Form {
    params: Vec<(String, String)>,
}

impl Form {
    /// What every notice says of its order.
    fn about(world: &World, order: &Order, status: Status) -> Self {
        let now_ms = world.clock.now_ms();
        let id = format!(
            "{}00222{}",
            beijing::compact_date(now_ms),
            world.random.digits(21)
        );
        let mut form = Self { params: Vec::new() };
        form.add("notify_type", "trade_status_sync");
        form.add("notify_id", id);
        form.add("charset", "utf-8");
        form.add("version", "1.0");
        form.add("app_id", &order.app_id);
        form.add("auth_app_id", &order.app_id);
        form.add("seller_id", &order.key.merchant);
        form.add("out_trade_no", &order.key.out_trade_no);
        form.maybe("trade_no", order.transaction_id.as_ref());
        form.add("trade_status", status.name());
        form.add("total_amount", amount::format(order.amount_fen));
        form.add("subject", &order.description);
        form.maybe("body", order.memo.get("body"));
        form.maybe("passback_params", order.attach.as_ref());
        form.add("buyer_id", trade::buyer_id(order));
        form.add("buyer_logon_id", trade::buyer_logon_id(order));
        form.maybe("gmt_create", order.scanned_ms.map(beijing::wall).as_ref());
        if let Some(payment) = &order.payment {
            let paid = amount::format(payment.payer_total_fen);
            form.add("receipt_amount", amount::format(order.amount_fen));
            form.add("buyer_pay_amount", &paid);
            form.add("invoice_amount", &paid);
            form.add("point_amount", amount::format(0));
            form.add("gmt_payment", beijing::wall(payment.paid_ms));
            // The names in this list are in camel case, unlike those in answers.
            let bills: Value = trade::fund_bills(order, "fundChannel");
            form.add("fund_bill_list", bills.to_string());
        }
        form
    }

    fn add(&mut self, name: &str, value: impl Into<String>) {
        self.params.push((name.to_owned(), value.into()));
    }

    fn maybe(&mut self, name: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn post(self, world: &World, kind: NoticeKind, order: &Order, refund: Option<&Refund>, url: &str) {
        let new = NewNotice {
            id: self.get("notify_id").unwrap_or_default().to_owned(),
            kind,
            out_trade_no: order.key.out_trade_no.clone(),
            refund_no: refund.map(|refund| refund.key.number.clone()),
            url: url.to_owned(),
            content: NoticeContent::Alipay(self.params),
        };
        world.post_notice(Channel::Alipay, new);
    }

    fn urlencoded(&self, gbk: bool) -> String {
        let escape =
            |text: &str| -> String { form_urlencoded::byte_serialize(&encoded(text, gbk)).collect() };
        let pairs: Vec<String> = self
            .params
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect();
        pairs.join("&")
    }
}

fn encoded(text: &str, gbk: bool) -> Vec<u8> {
    if gbk {
        GBK.encode(text).0.into_owned()
    } else {
        text.as_bytes().to_vec()
    }
}
