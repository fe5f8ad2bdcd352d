//! Invariants of refunds, of the sums in their tradings, and of their journal and events.

use trade_core::{RefundOrigin, RefundState, TradingState};

use super::{Check, words};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = sums();
    checks.extend(history());
    checks
}

fn sums() -> Vec<Check> {
    let (failed, success) = (RefundState::Failed.key(), RefundState::Success.key());
    let settled = TradingState::Settled.key();
    let sum_of = |column: &str, wanted: String| {
        format!(
            "SELECT t.trading_order_no FROM trading t LEFT JOIN refund_record r \
             ON r.trading_order_no = t.trading_order_no AND r.state_key {wanted} \
             GROUP BY t.trading_order_no, t.{column} HAVING COALESCE(SUM(r.refund_amount), 0) <> t.{column}"
        )
    };
    vec![
        Check::new(
            "what is reserved of a trading is what its refunds come to",
            "trading",
            sum_of("refund_reserved", format!("<> '{failed}'")),
        ),
        Check::new(
            "what went back of a trading is what its successful refunds come to",
            "trading",
            sum_of("refund", format!("= '{success}'")),
        ),
        Check::new(
            "no more goes back of a trading than was paid",
            "trading",
            "SELECT trading_order_no FROM trading \
             WHERE refund < 0 OR refund > refund_reserved OR refund_reserved > trading_amount",
        ),
        Check::new(
            "only a settled trading is refunded",
            "refund",
            format!(
                "SELECT r.refund_no FROM refund_record r LEFT JOIN trading t \
                 ON t.trading_order_no = r.trading_order_no \
                 WHERE t.trading_order_no IS NULL OR t.state_key <> '{settled}'"
            ),
        ),
        Check::new(
            "a refund is of its trading's order, merchant, channel and total",
            "refund",
            "SELECT r.refund_no FROM refund_record r JOIN trading t \
             ON t.trading_order_no = r.trading_order_no \
             WHERE r.product_app_id <> t.product_app_id OR r.product_order_no <> t.product_order_no \
             OR r.enterprise_id <> t.enterprise_id OR r.trading_channel <> t.trading_channel \
             OR r.total <> t.trading_amount",
        ),
    ]
}

fn history() -> Vec<Check> {
    let ended = words(
        [RefundState::Success, RefundState::Failed]
            .map(RefundState::key)
            .into_iter(),
    );
    let (success, caller) = (RefundState::Success.key(), RefundOrigin::Caller.key());
    vec![
        Check::new(
            "a running refund is looked at again, or a person is asked",
            "refund",
            format!(
                "SELECT refund_no FROM refund_record WHERE state_key NOT IN ({ended}) \
                 AND next_check_at IS NULL AND stuck IS NULL"
            ),
        ),
        Check::new(
            "a refund's journal runs to its own version without gap",
            "refund",
            "SELECT r.refund_no FROM refund_record r \
             LEFT JOIN refund_journal j ON j.refund_no = r.refund_no GROUP BY r.refund_no, r.version \
             HAVING COUNT(j.version) = 0 OR MAX(j.version) <> r.version \
             OR COUNT(j.version) <> MAX(j.version) - MIN(j.version) + 1",
        ),
        Check::new(
            "a refund's journal ends with the state it is in",
            "refund",
            "SELECT r.refund_no FROM refund_record r JOIN refund_journal j \
             ON j.refund_no = r.refund_no AND j.version = r.version WHERE j.to_state <> r.state_key",
        ),
        Check::new(
            "each line of a refund's journal begins where the one before ended",
            "refund",
            "SELECT DISTINCT a.refund_no FROM refund_journal a JOIN refund_journal b \
             ON b.refund_no = a.refund_no AND b.version = a.version + 1 \
             WHERE b.from_state IS NULL OR b.from_state <> a.to_state",
        ),
        Check::new(
            "nothing leaves a refund's success",
            "refund",
            format!(
                "SELECT DISTINCT refund_no FROM refund_journal \
                 WHERE from_state = '{success}' AND to_state <> '{success}'"
            ),
        ),
        Check::new(
            "every move of a refund is announced",
            "refund",
            // The first line of a caller's refund is its own request; one of a migration has no move.
            format!(
                "SELECT DISTINCT j.refund_no FROM refund_journal j \
                 JOIN refund_record r ON r.refund_no = j.refund_no \
                 WHERE (j.from_state IS NOT NULL OR r.origin <> '{caller}') AND NOT EXISTS \
                 (SELECT 1 FROM trade_outbox o \
                 WHERE o.event_key = CONCAT('refund:', j.refund_no, ':', j.version))"
            ),
        ),
    ]
}
