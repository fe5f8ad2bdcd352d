//! New tradings: what is written is what is read, and an order has one live trading at most.

use std::time::Duration;

use trade_core::{
    Channel, Role, Step, Timestamp, Trading, TradingState,
    handler::{ChannelAnswer, RequestContent},
    port::Inserted,
};

use super::{Promise, Store, commit, insert, settled};
use crate::fixture;

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(reads_back_every_field),
        Promise::new(reads_back_every_state),
        Promise::new(reads_back_extremes),
        Promise::new(unknown_number_is_none),
        Promise::new(order_lists_its_own_newest_first),
        Promise::new(second_live_trading_is_refused),
        Promise::new(every_live_step_holds_the_slot),
        Promise::new(slot_is_free_after_the_end),
        Promise::new(orders_of_different_names_do_not_meet),
        Promise::new(paid_order_refuses_another_trading),
        Promise::new(surplus_alone_does_not_pay_an_order),
        Promise::new(number_is_used_once),
    ]
}

/// Every field of a trading is read back as it was written, on every way of reading.
pub async fn reads_back_every_field(store: Store) {
    for trading in [fixture::rich_trading(71), fixture::trading(72)] {
        insert(&store, &trading).await;
        assert_eq!(
            store.trading(trading.trading_order_no).await.unwrap().as_ref(),
            Some(&trading)
        );
        let of_order = store.tradings_of(&trading.order()).await.unwrap();
        assert_eq!(of_order.as_slice(), std::slice::from_ref(&trading));
        let journal = store.journal(trading.trading_order_no).await.unwrap();
        assert_eq!(journal, [fixture::first_entry(&trading)]);
    }
}

/// Every state, role and channel is read back.
pub async fn reads_back_every_state(store: Store) {
    let mut number = 100;
    for state in TradingState::ALL {
        for role in [None, Some(Role::Winner), Some(Role::Surplus)] {
            for channel in Channel::ALL {
                number += 1;
                let trading = Trading {
                    state,
                    role,
                    channel,
                    ..fixture::trading(number)
                };
                insert(&store, &trading).await;
                assert_eq!(
                    store.trading(trading.trading_order_no).await.unwrap(),
                    Some(trading)
                );
            }
        }
    }
}

/// The smallest and largest values, empty and long texts are read back.
pub async fn reads_back_extremes(store: Store) {
    let empty = Trading {
        memo: String::new(),
        content: RequestContent::new(""),
        code_url: Some(String::new()),
        payer_id: Some(String::new()),
        stuck: Some(String::new()),
        created_at: Timestamp::from_ms(0),
        updated_at: Timestamp::from_ms(-1),
        expires_at: Timestamp::from_ms(i64::MIN),
        paid_at: Some(Timestamp::from_ms(i64::MAX)),
        trading_order_no: fixture::trading_no(i64::MAX),
        ..fixture::trading(1)
    };
    let long = Trading {
        content: RequestContent::new("长".repeat(40_000)),
        result_answer: ChannelAnswer {
            body: "x".repeat(100_000),
            ..ChannelAnswer::default()
        },
        ..fixture::trading(2)
    };
    for trading in [empty, long] {
        insert(&store, &trading).await;
        assert_eq!(
            store.trading(trading.trading_order_no).await.unwrap(),
            Some(trading)
        );
    }
}

/// What was never written is not there.
pub async fn unknown_number_is_none(store: Store) {
    assert_eq!(store.trading(fixture::trading_no(5)).await.unwrap(), None);
    assert_eq!(store.journal(fixture::trading_no(5)).await.unwrap(), []);
    let order = fixture::trading(5).order();
    assert_eq!(store.tradings_of(&order).await.unwrap(), []);
}

/// The tradings of an order come newest first, and only its own.
pub async fn order_lists_its_own_newest_first(store: Store) {
    let first = Trading {
        state: TradingState::Failed,
        ..fixture::trading(31)
    };
    let second = Trading {
        state: TradingState::Cancelled,
        ..fixture::like(&first, 30)
    };
    let third = fixture::like(&first, 32);
    let other = fixture::trading(33);
    for trading in [&first, &second, &third, &other] {
        insert(&store, trading).await;
    }
    let listed = store.tradings_of(&first.order()).await.unwrap();
    assert_eq!(listed, [third, first, second]);
}

/// The second live trading of an order is refused with the first, and nothing of it is written.
pub async fn second_live_trading_is_refused(store: Store) {
    let live = fixture::rich_trading(1);
    let live = Trading {
        state: TradingState::Paying(Step::Placed),
        role: None,
        ..live
    };
    insert(&store, &live).await;
    let second = fixture::like(&live, 2);
    let answer = store
        .insert_trading(&second, &fixture::first_entry(&second))
        .await
        .unwrap();
    assert_eq!(answer, Inserted::LiveExists(Box::new(live.clone())));
    assert_eq!(store.trading(second.trading_order_no).await.unwrap(), None);
    assert_eq!(store.journal(second.trading_order_no).await.unwrap(), []);
    assert_eq!(store.tradings_of(&live.order()).await.unwrap(), [live]);
}

/// Whatever the step, a paying trading holds its order's slot.
pub async fn every_live_step_holds_the_slot(store: Store) {
    for (number, state) in (1..).zip(TradingState::ALL) {
        let first = Trading {
            state,
            ..fixture::trading(number * 10)
        };
        insert(&store, &first).await;
        let second = fixture::like(&first, number * 10 + 1);
        let answer = store
            .insert_trading(&second, &fixture::first_entry(&second))
            .await
            .unwrap();
        let refused = matches!(answer, Inserted::LiveExists(_));
        assert_eq!(refused, state.is_live(), "{state}");
    }
}

/// When the live trading is closed or fails, the order may have another.
pub async fn slot_is_free_after_the_end(store: Store) {
    for (number, end) in [(10, TradingState::Cancelled), (20, TradingState::Failed)] {
        let first = fixture::trading(number);
        insert(&store, &first).await;
        commit(&store, fixture::change(&first, end)).await;
        insert(&store, &fixture::like(&first, number + 1)).await;
    }
}

/// Orders of different systems are different orders, even when the names differ in case alone.
pub async fn orders_of_different_names_do_not_meet(store: Store) {
    let names = [
        "jzo2o.orders",
        "JZO2O.orders",
        "jzo2o.orders/1",
        "jzo2o",
        "jzo2o.orders%",
    ];
    for (number, name) in (1..).zip(names) {
        let trading = Trading {
            product_app_id: fixture::app_named(name),
            product_order_no: fixture::order_no(1),
            ..fixture::trading(number)
        };
        insert(&store, &trading).await;
        assert_eq!(store.tradings_of(&trading.order()).await.unwrap(), [trading]);
    }
}

/// A settled order refuses another trading with its winner, and nothing is written.
pub async fn paid_order_refuses_another_trading(store: Store) {
    let winner = settled(&store, 1).await;
    let second = fixture::like(&winner, 2);
    let answer = store
        .insert_trading(&second, &fixture::first_entry(&second))
        .await
        .unwrap();
    assert_eq!(answer, Inserted::OrderPaid(Box::new(winner.clone())));
    assert_eq!(store.tradings_of(&winner.order()).await.unwrap(), [winner]);
    assert_eq!(store.journal(second.trading_order_no).await.unwrap(), []);
}

/// Money that has to go back anyway settles nothing.
pub async fn surplus_alone_does_not_pay_an_order(store: Store) {
    let trading = fixture::trading(1);
    insert(&store, &trading).await;
    commit(&store, fixture::paid(&trading, Role::Surplus, "4200")).await;
    insert(&store, &fixture::like(&trading, 2)).await;
}

/// A number that exists is refused, even for another order, and the row that has it stays as it is.
pub async fn number_is_used_once(store: Store) {
    let trading = fixture::trading(1);
    insert(&store, &trading).await;
    let again = Trading {
        product_order_no: fixture::order_no(2),
        expires_at: trading.expires_at.plus(Duration::from_secs(1)),
        ..trading.clone()
    };
    let refused = store
        .insert_trading(&again, &fixture::first_entry(&again))
        .await
        .expect_err("the number exists");
    assert!(refused.to_string().contains("insert a trading"), "{refused}");
    super::assert_untouched(&store, &trading, 1, 0).await;
    assert_eq!(store.tradings_of(&again.order()).await.unwrap(), []);
}
