//! The notices of WeChat Pay: encrypted under the APIv3 key, signed anew for every attempt.

use serde_json::{Value, json};

use super::{seal, view};
use crate::{
    Channel, beijing,
    faults::Plan,
    ledger::{Order, Refund, RefundState},
    notice::{NewNotice, NoticeContent, NoticeKind, Rendered},
    world::World,
};

/// What is announced; encrypted and signed anew for every attempt.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    id: String,
    created_ms: i64,
    event_type: &'static str,
    summary: &'static str,
    original_type: &'static str,
    content: Value,
}

/// The order was paid: posts `TRANSACTION.SUCCESS`.
pub(crate) fn paid(world: &World, order: &Order) {
    let Some(url) = &order.notify_url else {
        return;
    };
    let event = Event {
        id: world.random.uuid(),
        created_ms: world.clock.now_ms(),
        event_type: "TRANSACTION.SUCCESS",
        summary: "支付成功",
        original_type: "transaction",
        content: world.ledger.read(|book| view::transaction(book, order, 0)),
    };
    let notice = NewNotice {
        id: event.id.clone(),
        kind: NoticeKind::Payment,
        out_trade_no: order.key.out_trade_no.clone(),
        refund_no: None,
        url: url.clone(),
        content: NoticeContent::Wechat(event),
    };
    world.post_notice(Channel::Wechat, notice);
}

/// The refund ended: posts `REFUND.SUCCESS`, `REFUND.ABNORMAL` or `REFUND.CLOSED`.
pub(crate) fn refunded(world: &World, refund: &Refund) {
    let (event_type, summary) = match refund.state {
        RefundState::Processing => return,
        RefundState::Success => ("REFUND.SUCCESS", "退款成功"),
        RefundState::Abnormal => ("REFUND.ABNORMAL", "退款异常"),
        RefundState::Closed => ("REFUND.CLOSED", "退款关闭"),
    };
    let order = world.ledger.read(|book| book.order(&refund.order).cloned());
    let (Some(url), Some(order)) = (&refund.notify_url, order) else {
        return;
    };
    let event = Event {
        id: world.random.uuid(),
        created_ms: world.clock.now_ms(),
        event_type,
        summary,
        original_type: "refund",
        content: refund_content(&order, refund),
    };
    let notice = NewNotice {
        id: event.id.clone(),
        kind: NoticeKind::Refund,
        out_trade_no: order.key.out_trade_no,
        refund_no: Some(refund.key.number.clone()),
        url: url.clone(),
        content: NoticeContent::Wechat(event),
    };
    world.post_notice(Channel::Wechat, notice);
}

/// Unlike the API's refund object: `refund_status` instead of `status`, and a smaller `amount`.
fn refund_content(order: &Order, refund: &Refund) -> Value {
    let mut content = json!({
        "mchid": order.key.merchant,
        "out_trade_no": order.key.out_trade_no,
        "transaction_id": order.transaction_id,
        "out_refund_no": refund.key.number,
        "refund_id": refund.refund_id,
        "refund_status": view::status(refund.state),
        "user_received_account": view::received_account(order),
        "amount": {
            "total": order.amount_fen,
            "refund": refund.amount_fen,
            "payer_total": view::payer_total_fen(order),
            "payer_refund": view::payer_refund_fen(order, refund.amount_fen),
        },
    });
    if let (Some(content), Some(success_ms)) = (content.as_object_mut(), refund.success_ms) {
        content.insert("success_time".to_owned(), json!(beijing::rfc3339(success_ms)));
    }
    content
}

/// Writes one attempt: the same event, with a new time, nonce and signature.
pub(crate) fn render(world: &World, event: &Event, plan: &Plan) -> Rendered {
    let body = envelope(world, event, plan.wrong_amount_fen);
    let key = seal::notice_key(world);
    let mut headers = vec![
        ("Accept", "*/*".to_owned()),
        ("Cache-Control", "no-cache".to_owned()),
        ("Pragma", "no-cache".to_owned()),
        ("Content-Type", "application/json".to_owned()),
        ("User-Agent", "Mozilla/4.0".to_owned()),
    ];
    headers.extend(seal::headers(world, &key, body.as_bytes(), plan.signature));
    Rendered {
        headers,
        body: body.into_bytes(),
    }
}

fn envelope(world: &World, event: &Event, wrong_fen: i64) -> String {
    let mut content = event.content.clone();
    let amount = match event.original_type {
        "refund" => content.pointer_mut("/amount/refund"),
        _ => content.pointer_mut("/amount/total"),
    };
    if let Some(amount) = amount {
        *amount = json!(amount.as_i64().unwrap_or_default().saturating_add(wrong_fen));
    }
    let text = content.to_string();
    let mut resource = seal::encrypt(world, event.original_type, text.as_bytes());
    if let Some(resource) = resource.as_object_mut() {
        resource.insert("original_type".to_owned(), json!(event.original_type));
    }
    let envelope = json!({
        "id": event.id,
        "create_time": beijing::rfc3339(event.created_ms),
        "event_type": event.event_type,
        "resource_type": "encrypt-resource",
        "summary": event.summary,
        "resource": resource,
    });
    envelope.to_string()
}
