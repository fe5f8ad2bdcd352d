//! Invariants of tradings, their journal and their events.

use trade_core::{Role, TradingState};

use super::{Check, words};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = slots();
    checks.extend(history());
    checks.extend(events());
    checks
}

fn live() -> String {
    words(
        TradingState::ALL
            .into_iter()
            .filter(|state| state.is_live())
            .map(TradingState::key),
    )
}

fn slots() -> Vec<Check> {
    let (live, settled) = (live(), TradingState::Settled.key());
    let (winner, surplus) = (Role::Winner.key(), Role::Surplus.key());
    vec![
        Check::new(
            "an order has at most one live trading",
            "order",
            format!(
                "SELECT product_order_no FROM trading WHERE state_key IN ({live}) \
                 GROUP BY product_app_id, product_order_no HAVING COUNT(*) > 1"
            ),
        ),
        Check::new(
            "an order has at most one winner",
            "order",
            format!(
                "SELECT product_order_no FROM trading WHERE role = '{winner}' \
                 GROUP BY product_app_id, product_order_no HAVING COUNT(*) > 1"
            ),
        ),
        Check::new(
            "a trading holds its order's live slot if and only if it is live",
            "trading",
            format!(
                "SELECT trading_order_no FROM trading WHERE (state_key IN ({live}) AND live_slot IS NULL) \
                 OR (state_key NOT IN ({live}) AND live_slot IS NOT NULL)"
            ),
        ),
        Check::new(
            "a trading holds its order's winner slot if and only if it is the winner",
            "trading",
            format!(
                "SELECT trading_order_no FROM trading WHERE (role = '{winner}' AND winner_slot IS NULL) \
                 OR (winner_slot IS NOT NULL AND (role IS NULL OR role <> '{winner}'))"
            ),
        ),
        Check::new(
            "a trading is winner or surplus if and only if it is settled",
            "trading",
            format!(
                "SELECT trading_order_no FROM trading WHERE (state_key = '{settled}' AND role IS NULL) \
                 OR (state_key <> '{settled}' AND role IS NOT NULL)"
            ),
        ),
        Check::new(
            "a surplus goes back, or a person is asked",
            "trading",
            format!(
                "SELECT trading_order_no FROM trading WHERE role = '{surplus}' \
                 AND refund_reserved < trading_amount AND stuck IS NULL"
            ),
        ),
        Check::new(
            "a live trading is looked at again, or a person is asked",
            "trading",
            format!(
                "SELECT trading_order_no FROM trading WHERE state_key IN ({live}) \
                 AND next_check_at IS NULL AND stuck IS NULL"
            ),
        ),
    ]
}

fn history() -> Vec<Check> {
    let settled = TradingState::Settled.key();
    let ended = words(
        [TradingState::Failed, TradingState::Cancelled]
            .map(TradingState::key)
            .into_iter(),
    );
    vec![
        Check::new(
            "a trading's journal runs from version 1 to its own without gap",
            "trading",
            "SELECT t.trading_order_no FROM trading t \
             LEFT JOIN trade_journal j ON j.trading_order_no = t.trading_order_no \
             GROUP BY t.trading_order_no, t.version \
             HAVING COUNT(j.version) <> t.version OR MIN(j.version) <> 1 OR MAX(j.version) <> t.version",
        ),
        Check::new(
            "a trading's journal ends with the state it is in",
            "trading",
            "SELECT t.trading_order_no FROM trading t JOIN trade_journal j \
             ON j.trading_order_no = t.trading_order_no AND j.version = t.version \
             WHERE j.to_state <> t.state_key",
        ),
        Check::new(
            "each line of a trading's journal begins where the one before ended",
            "trading",
            "SELECT DISTINCT a.trading_order_no FROM trade_journal a JOIN trade_journal b \
             ON b.trading_order_no = a.trading_order_no AND b.version = a.version + 1 \
             WHERE b.from_state IS NULL OR b.from_state <> a.to_state",
        ),
        Check::new(
            "nothing leaves settled",
            "trading",
            format!(
                "SELECT DISTINCT trading_order_no FROM trade_journal \
                 WHERE from_state = '{settled}' AND to_state <> '{settled}'"
            ),
        ),
        Check::new(
            "a trading is settled once",
            "trading",
            format!(
                "SELECT trading_order_no FROM trade_journal \
                 WHERE to_state = '{settled}' AND (from_state IS NULL OR from_state <> '{settled}') \
                 GROUP BY trading_order_no HAVING COUNT(*) > 1"
            ),
        ),
        Check::new(
            "what has failed or was cancelled only ever becomes settled",
            "trading",
            format!(
                "SELECT DISTINCT trading_order_no FROM trade_journal \
                 WHERE from_state IN ({ended}) AND to_state <> from_state AND to_state <> '{settled}'"
            ),
        ),
    ]
}

fn events() -> Vec<Check> {
    let (settled, winner) = (TradingState::Settled, Role::Winner.key());
    let mut checks = vec![
        Check::new(
            "a settled order is announced",
            "trading",
            format!(
                "SELECT t.trading_order_no FROM trading t WHERE t.role = '{winner}' AND NOT EXISTS \
                 (SELECT 1 FROM trade_outbox o \
                 WHERE o.event_key = CONCAT('trading:', t.trading_order_no, ':{}'))",
                settled.name()
            ),
        ),
        Check::new(
            "the events of an order are counted from 1 without gap",
            "order",
            "SELECT product_order_no FROM trade_outbox GROUP BY product_app_id, product_order_no \
             HAVING MIN(seq) <> 1 OR MAX(seq) <> COUNT(*)",
        ),
        Check::new(
            "an event that was not announced yet is due at some time",
            "order",
            "SELECT DISTINCT product_order_no FROM trade_outbox WHERE sent_at IS NULL AND due_at IS NULL",
        ),
    ];
    for (invariant, state) in [
        ("a failed trading is announced", TradingState::Failed),
        ("a cancelled trading is announced", TradingState::Cancelled),
    ] {
        let broken = format!(
            "SELECT t.trading_order_no FROM trading t WHERE t.state_key = '{}' AND NOT EXISTS \
             (SELECT 1 FROM trade_outbox o WHERE o.event_key = CONCAT('trading:', t.trading_order_no, ':{}'))",
            state.key(),
            state.name()
        );
        checks.push(Check::new(invariant, "trading", broken));
    }
    checks
}
