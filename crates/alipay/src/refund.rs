//! Refunds: a call answered with 10000 was accepted, and only moved money or a query proves more.

use serde_json::json;
use trade_core::{
    ChannelError, ErrorKind, Fen, TradingOrderNo,
    handler::{ChannelAnswer, RefundQuery, RefundReply, RefundStatus, RequestContent},
};

use crate::{
    client::Line,
    content::{self, REFUND},
    error::nonsense,
    map::{self, answer_of, parse, same_number},
    wire::{RefundBiz, RefundQueryReply, RefundReplyBody},
};

const REFUND_QUERY: &str = "alipay.trade.fastpay.refund.query";

/// `alipay.trade.refund`
pub(crate) async fn refund(line: &Line, content: &RequestContent) -> Result<RefundReply, ChannelError> {
    const OPERATION: &str = "refund";
    let content = content::read(OPERATION, REFUND, content)?;
    let asked: RefundBiz =
        serde_json::from_str(&content.biz_content).map_err(|_| content::foreign(OPERATION))?;
    let reply = line.call(OPERATION, REFUND, &content.biz_content, None).await?;
    let body: RefundReplyBody = parse(OPERATION, &reply)?;
    same_number(
        OPERATION,
        body.out_trade_no.as_deref(),
        &asked.out_trade_no,
        &reply,
    )?;
    let told = body.fund_change.as_deref().unwrap_or_default();
    let accepted = |status| RefundReply {
        status,
        // refund_fee is what was refunded in all, not this refund: it proves nothing about the amount.
        amount: Fen::from_yuan(&asked.refund_amount).ok(),
        refund_id: None,
        answer: answer_of(&reply, if told.is_empty() { "10000" } else { told }),
    };
    if told == "Y" {
        return Ok(accepted(RefundStatus::Success));
    }
    // No money moved by this call: it moved before, or has not moved yet. Only a query tells, and when
    // it tells nothing, the refund is on its way.
    match ask_again(line, &asked).await {
        Some(queried) if queried.status == RefundStatus::Success => Ok(queried),
        Some(_) | None => Ok(accepted(RefundStatus::Processing)),
    }
}

async fn ask_again(line: &Line, asked: &RefundBiz) -> Option<RefundReply> {
    let query = RefundQuery {
        out_refund_no: asked.out_request_no.clone(),
        trading_order_no: TradingOrderNo::from_digits(&asked.out_trade_no)?,
    };
    match query_refund(line, &query).await {
        Ok(reply) => Some(reply),
        Err(error) => {
            tracing::info!(%error, "a refund that was accepted could not be looked up just now");
            None
        }
    }
}

/// `alipay.trade.fastpay.refund.query`
pub(crate) async fn query_refund(line: &Line, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
    const OPERATION: &str = "query_refund";
    let (trading, refund) = (query.trading_order_no.to_string(), &query.out_refund_no);
    let biz_content = json!({"out_trade_no": trading, "out_request_no": refund}).to_string();
    let reply = match line.call(OPERATION, REFUND_QUERY, &biz_content, None).await {
        Ok(reply) => reply,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(absent(ChannelAnswer::from(&error)));
        }
        Err(error) => return Err(error),
    };
    let body: RefundQueryReply = parse(OPERATION, &reply)?;
    same_number(OPERATION, body.out_trade_no.as_deref(), &trading, &reply)?;
    same_number(OPERATION, body.out_request_no.as_deref(), refund, &reply)?;
    let told = body.refund_status.as_deref().unwrap_or_default();
    let amount = body.refund_amount.as_deref().filter(|text| !text.is_empty());
    let amount = amount
        .map(Fen::from_yuan)
        .transpose()
        .map_err(|error| nonsense(OPERATION, error.to_string(), reply.request_id.clone()))?
        .filter(|amount| *amount > Fen::ZERO);
    let answer = answer_of(&reply, if told.is_empty() { "10000" } else { told });
    // A success without a word about a refund: there is none under this number, or not yet.
    if amount.is_none() && told.is_empty() {
        return Ok(absent(answer));
    }
    Ok(RefundReply {
        status: map::refund_status(OPERATION, told, &reply)?,
        amount,
        refund_id: None,
        answer,
    })
}

fn absent(answer: ChannelAnswer) -> RefundReply {
    RefundReply {
        status: RefundStatus::Absent,
        amount: None,
        refund_id: None,
        answer,
    }
}
