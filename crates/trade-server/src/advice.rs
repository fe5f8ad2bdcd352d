//! What a person can do about a refund or a trading, in words; for answers and for the terminal.

use trade_core::{
    Event, Refund, RefundOrigin, RefundState, RefundStep, Step, Timestamp, Trading, TradingState,
};

/// What is being waited for, or what somebody must do, while a refund is not done; `None` when nothing is.
#[must_use]
pub fn about_refund(refund: &Refund, now: Timestamp) -> Option<String> {
    let number = refund.refund_no;
    let words = match refund.state {
        RefundState::Success => return None,
        RefundState::Failed if refund.origin == RefundOrigin::Caller => {
            "it will not happen and its amount is free again: correct the cause, then ask for a new refund under a \
             new number"
                .to_owned()
        }
        RefundState::Failed => {
            "it will not happen: look at the channel's answer, and give the money back in the merchant console"
                .to_owned()
        }
        RefundState::Applied if refund.send_at > now => format!(
            "waiting its turn until {}, since the channel wants time between two refunds of one payment",
            refund.send_at.to_beijing_text()
        ),
        RefundState::Applied => "it is about to be sent".to_owned(),
        RefundState::Sending(RefundStep::Unknown) => {
            "the channel is being asked what became of it: wait; it is never sent under another number".to_owned()
        }
        RefundState::Sending(RefundStep::Accepted) => {
            "the channel has accepted it: wait until the money is back".to_owned()
        }
        RefundState::Sending(RefundStep::Unfunded) => format!(
            "the merchant's balance is short: top it up; it goes on by itself within the hour, or at once after \
             POST /trade/admin/refunds/{number}/retry"
        ),
        RefundState::Sending(RefundStep::Abnormal) => format!(
            "the payer's account cannot take it: settle it in the merchant console, then POST \
             /trade/admin/refunds/{number}/retry"
        ),
    };
    if refund.stuck.is_some() && !words.contains("/retry") {
        return Some(format!(
            "{words}; it is not looked at any more: remove the cause, then POST /trade/admin/refunds/{number}/retry"
        ));
    }
    Some(words)
}

/// What to do about a trading that needs a person.
#[must_use]
pub fn about_stuck_trading(trading: &Trading) -> String {
    let number = trading.trading_order_no;
    let retry = format!("then POST /trade/admin/tradings/{number}/retry");
    match trading.state {
        TradingState::Paying(Step::Intended | Step::Unknown | Step::Placed | Step::Closing) => format!(
            "look up {number} as out_trade_no in the merchant console of {}, remove the cause, {retry}",
            trading.channel.label()
        ),
        TradingState::Settled => format!(
            "compare payment and refunds of {number} with the merchant console of {}, {retry}",
            trading.channel.label()
        ),
        TradingState::Cancelled | TradingState::Failed | TradingState::Free | TradingState::OnAccount => {
            format!(
                "look in the merchant console of {} whether {number} was paid, {retry}",
                trading.channel.label()
            )
        }
    }
}

/// What to do about an event that needs a person.
#[must_use]
pub fn about_stuck_event(event: &Event) -> String {
    let id = event.event_id;
    format!(
        "it was refused for a day, and the later events of its order wait behind it: remove the cause, then POST \
         /trade/admin/events/{id}/resend or `trade resend {id}`, or for all of them `trade resend --stuck`"
    )
}
