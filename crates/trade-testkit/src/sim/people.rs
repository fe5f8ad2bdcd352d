//! Payers with codes new and old, an attacker, and somebody at the merchant console.

use trade_core::{
    Channel, Fen, TradingOrderNo,
    handler::{Payment, PaymentStatus},
};

use super::{
    ledger::{OrderState, Refunding},
    post::{self, Letter, STRANGER, Tells, enterprise},
    world::{State, World},
};

/// Somebody scans a code, or pays it: perhaps from an old screenshot.
pub(super) fn pay(world: &World) {
    world.with(|state| {
        if state.codes.is_empty() {
            return;
        }
        let (channel, number) = state.codes[state.rng.usize(0..state.codes.len())];
        let now_ms = state.now_ms;
        if state.rng.u8(0..4) == 0 {
            state.tell(|| format!("payer: scans {number}"));
            state.ledger.scan(number, now_ms);
        } else if state.ledger.pay(number, now_ms) {
            state.changed = true;
            state.tell(|| format!("payer: pays {number} at {channel}"));
            post::paid(world, state, number);
        }
    });
}

/// Somebody forges, repeats, and sends what is genuine where it does not belong.
pub(super) fn attack(world: &World) {
    world.with(|state| {
        if state.codes.is_empty() {
            return;
        }
        let (channel, number) = state.codes[state.rng.usize(0..state.codes.len())];
        match state.rng.u8(0..4) {
            0 => replay(world, state),
            1 => forge(world, state, channel, number),
            2 => stray(world, state, channel, number),
            _ => foreign(world, state, channel, number),
        }
    });
}

fn replay(world: &World, state: &mut State) {
    if state.letters.is_empty() {
        return;
    }
    let place = state.rng.usize(0..state.letters.len());
    let letter = state.letters[place].clone();
    state.tell(|| format!("attacker: sends EV-{place} again"));
    post::send(world, state, letter);
}

fn claim(state: &State, channel: Channel, number: TradingOrderNo, fen: i64) -> Letter {
    let payment = Payment {
        transaction_id: trade_core::TransactionId::new(format!("66{number}")),
        total: Fen::new(fen).expect("an amount"),
        currency: "CNY".into(),
        payer_total: None,
        paid_at: None,
        payer_id: None,
    };
    Letter::payment(
        state,
        channel,
        number,
        PaymentStatus::Paid(payment),
        Tells::Nothing,
    )
}

fn forge(world: &World, state: &mut State, channel: Channel, number: TradingOrderNo) {
    let fen = state.ledger.order(number).map_or(1, |order| order.fen);
    let mut letter = claim(state, channel, number, fen);
    letter.genuine = false;
    post::send(world, state, letter);
}

/// Genuine, of the right merchant, and over another amount: of a sister system with the same numbers.
fn stray(world: &World, state: &mut State, channel: Channel, number: TradingOrderNo) {
    let letter = claim(state, channel, number, 1);
    post::send(world, state, letter);
}

/// Genuine, of another merchant, about a number of ours: he made an order of his own under it.
fn foreign(world: &World, state: &mut State, channel: Channel, number: TradingOrderNo) {
    let fen = state.ledger.order(number).map_or(1, |order| order.fen);
    let mut letter = claim(state, channel, number, fen);
    letter.notice.enterprise_id = enterprise(STRANGER);
    post::send(world, state, letter);
}

/// Somebody gives money back by hand: Alipay tells of it, WeChat Pay does not.
pub(super) fn console_refund(world: &World) {
    world.with(|state| {
        let paid = |order: &&super::ledger::Order| order.state == OrderState::Paid;
        let paid: Vec<_> = state
            .ledger
            .orders
            .iter()
            .filter(paid)
            .map(|order| (order.channel, order.number))
            .collect();
        if paid.is_empty() {
            return;
        }
        let (channel, order) = paid[state.rng.usize(0..paid.len())];
        let asked = Refunding {
            order,
            number: format!("by-hand-{}", state.ledger.refunds.len()),
            fen: state.rng.i64(1..500),
        };
        if state.ledger.console_refund(&asked) {
            state.changed = true;
            state.tell(|| format!("console: {asked:?} at {channel}"));
            if channel == Channel::AliPay {
                post::refunded(world, state, order, &asked.number);
            }
        }
    });
}
