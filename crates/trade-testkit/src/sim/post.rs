//! Notices: sent again and again until they are acknowledged, lost, doubled, and forged by others.

use std::time::Duration;

use futures_util::FutureExt;
use trade_core::{
    Channel, EnterpriseId, Fen, RefundNo, TradingOrderNo,
    handler::{
        ChannelAnswer, Headers, NoticeFact, PaymentNotice, PaymentStatus, RawNotice, RefundNotice,
        RefundStatus, VerifiedNotice,
    },
    port::NoticeInbox,
    service::NoticeOutcome,
};

use super::{
    client::ask,
    executor::Owner,
    world::{State, World},
};
use crate::fixture;

/// The merchant whose orders these are.
pub(super) const MERCHANT: i64 = 1001;
/// One who has nothing to do with them.
pub(super) const STRANGER: i64 = 1002;

/// The seconds between one attempt and the next.
const WAITS: [u64; 11] = [0, 15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600];

/// A notice under way.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// Whether the channel wrote it.
    pub(super) genuine: bool,
    pub(super) notice: VerifiedNotice,
    /// What its acknowledgement promises.
    pub(super) tells: Tells,
}

/// What whoever acknowledges a notice says to have taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tells {
    Paid(TradingOrderNo),
    Refunded(TradingOrderNo, String),
    Nothing,
}

impl Letter {
    fn new(state: &State, channel: Channel, fact: NoticeFact, tells: Tells) -> Self {
        Self {
            genuine: true,
            notice: VerifiedNotice {
                channel,
                enterprise_id: enterprise(MERCHANT),
                notice_id: format!("EV-{}", state.letters.len()),
                fact,
                answer: ChannelAnswer::default(),
            },
            tells,
        }
    }

    /// About a payment, whatever it says of it.
    pub(super) fn payment(
        state: &State,
        channel: Channel,
        number: TradingOrderNo,
        status: PaymentStatus,
        tells: Tells,
    ) -> Self {
        let fact = NoticeFact::Payment(PaymentNotice {
            out_trade_no: number.to_string(),
            status,
        });
        Self::new(state, channel, fact, tells)
    }
}

pub(super) fn enterprise(number: i64) -> EnterpriseId {
    fixture::enterprise(number)
}

/// Sends a notice until somebody acknowledges it.
pub(super) fn send(world: &World, state: &mut State, letter: Letter) {
    let place = state.letters.len();
    state.tell(|| format!("post: {} {:?}", letter.notice.notice_id, letter.tells));
    state.letters.push(letter);
    let world = world.clone();
    state.spawn(Owner::World, async move {
        for wait in WAITS {
            let ms = world.with(|state| state.rng.u64(0..2_000));
            world
                .sleep(Duration::from_secs(wait) + Duration::from_millis(ms))
                .await;
            if world.with(|state| state.chance(state.weather.post)) {
                continue;
            }
            if world.with(|state| state.chance(10)) {
                let again = world.clone();
                world.spawn(Owner::World, async move {
                    hand_over(&again, place).await;
                });
            }
            if hand_over(&world, place).await {
                return;
            }
        }
    });
}

/// Hands a notice to an instance. Whether it was acknowledged.
pub(super) async fn hand_over(world: &World, place: usize) -> bool {
    let notice = world.with(|state| state.letters[place].notice.clone());
    let raw = RawNotice {
        headers: Headers::default(),
        body: place.to_string().into_bytes(),
    };
    let answer = ask(world, async move |service| {
        service.notice(notice.enterprise_id, notice.channel, &raw).await
    })
    .await;
    let Some(Ok(answer)) = answer else {
        return false;
    };
    world.with(|state| {
        let outcome = &answer.outcome;
        state.tell(|| format!("post: EV-{place} is answered {outcome:?}"));
        let taken = *outcome == NoticeOutcome::Taken;
        if taken {
            acknowledged(state, place);
        }
        taken
    })
}

/// Nobody sends it again: what it told must be on record now.
fn acknowledged(state: &mut State, place: usize) {
    let letter = state.letters[place].clone();
    let number = match &letter.tells {
        Tells::Paid(number) => {
            state.promises.settled.push(*number);
            *number
        }
        Tells::Refunded(order, number) => {
            if let Some(refund) = state.ledger.refund(*order, number) {
                refund.silent = false;
            }
            state.promises.refunded.push(number.clone());
            *order
        }
        Tells::Nothing => return,
    };
    state.changed = true;
    let on_record = state.store.notices_of(number).now_or_never();
    let on_record = on_record
        .expect("memory never waits")
        .expect("memory never fails");
    let id = &letter.notice.notice_id;
    if !on_record.iter().any(|seen| seen.notice.notice_id == *id) {
        state
            .wrong
            .insert(format!("{id} was acknowledged and is not on record"));
    }
}

/// A payment was made: the channel tells.
pub(super) fn paid(world: &World, state: &mut State, number: TradingOrderNo) {
    let Some(order) = state.ledger.order(number) else {
        return;
    };
    let (channel, status) = (order.channel, PaymentStatus::Paid(order.payment()));
    let letter = Letter::payment(state, channel, number, status, Tells::Paid(number));
    send(world, state, letter);
}

/// A refund was accepted: WeChat Pay does it later, Alipay has done it.
pub(super) fn refund_begun(world: &World, state: &mut State, order: TradingOrderNo, number: String) {
    let Some(channel) = state.ledger.order(order).map(|order| order.channel) else {
        return;
    };
    if channel == Channel::AliPay {
        refunded(world, state, order, &number);
        return;
    }
    let surplus = RefundNo::from_digits(&number).is_some_and(|refund| refund.get() == order.get());
    let world_of_task = world.clone();
    state.spawn(Owner::World, async move {
        let world = world_of_task;
        let ms = world.with(|state| state.rng.u64(1_000..120_000));
        world.sleep(Duration::from_millis(ms)).await;
        let end = world.with(|state| state.rng.u8(0..10));
        // A person deals with what the payer's account cannot take, and the money goes back after all.
        if end == 0 {
            set(&world, order, &number, RefundStatus::Abnormal);
            world.sleep(Duration::from_mins(20)).await;
        }
        // What goes back by itself the merchant does not stop.
        let closed = end == 1 && !surplus;
        let status = if closed {
            RefundStatus::Closed
        } else {
            RefundStatus::Success
        };
        set(&world, order, &number, status);
    });
}

fn set(world: &World, order: TradingOrderNo, number: &str, status: RefundStatus) {
    world.with(|state| {
        if let Some(refund) = state.ledger.refund(order, number) {
            refund.status = status;
        }
        state.changed = true;
        state.tell(|| format!("refund {number} of {order} is {status:?} at the channel"));
        refunded(world, state, order, number);
    });
}

/// Something became of a refund: the channel tells.
pub(super) fn refunded(world: &World, state: &mut State, order: TradingOrderNo, number: &str) {
    let cumulative = state.ledger.given_back(order);
    let Some((status, fen)) = state
        .ledger
        .refund(order, number)
        .map(|row| (row.status, row.fen))
    else {
        return;
    };
    let Some((channel, total, payment)) = state
        .ledger
        .order(order)
        .map(|order| (order.channel, order.fen, order.payment()))
    else {
        return;
    };
    let ali = channel == Channel::AliPay;
    let fact = NoticeFact::Refund(RefundNotice {
        out_trade_no: order.to_string(),
        out_refund_no: Some(number.to_owned()),
        refund_id: None,
        status,
        amount: if ali { None } else { Fen::new(fen).ok() },
        cumulative: if ali { Fen::new(cumulative).ok() } else { None },
        payment: ali.then_some(payment),
    });
    let tells = match status {
        RefundStatus::Success => Tells::Refunded(order, number.to_owned()),
        RefundStatus::Absent | RefundStatus::Processing | RefundStatus::Abnormal | RefundStatus::Closed => {
            Tells::Nothing
        }
    };
    let letter = Letter::new(state, channel, fact, tells);
    send(world, state, letter);
    // A trade that was wholly refunded ends as closed, and Alipay says so.
    if ali && cumulative == total {
        let letter = Letter::payment(state, channel, order, PaymentStatus::Closed, Tells::Nothing);
        send(world, state, letter);
    }
}
