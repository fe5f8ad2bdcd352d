//! A refund's numbers: the caller's makes one refund of an order system, the channel's one of a trading.

use std::sync::Arc;

use trade_core::{
    NewRefund, Refund, RefundOrigin, RefundState, Trading,
    port::{Page, RefundCommit, RefundFilter, RefundInserted},
};

use super::{
    Promise, Store, apply_for, commit, insert,
    race::{TASKS, count, race},
    settled, sums,
};
use crate::fixture::{self, product_refund_no};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(found_by_the_callers_number),
        Promise::new(the_callers_number_makes_one_refund),
        Promise::new(another_app_has_its_own_numbers),
        Promise::new(the_channels_number_makes_one_refund_of_a_trading),
        Promise::new(its_own_number_goes_before_the_others),
        Promise::new(one_of_a_crowd_with_the_callers_number_wins),
        Promise::new(a_sole_refund_is_made_beside_no_other_of_a_caller),
        Promise::new(one_of_a_crowd_of_sole_refunds_wins),
        Promise::new(lists_those_of_a_trading_newest_first),
        Promise::new(lists_by_every_filter),
        Promise::new(lists_page_by_page),
    ]
}

fn numbered(trading: &Trading, number: i64, fen: i64, callers: &str) -> Refund {
    Refund {
        product_refund_no: Some(product_refund_no(callers)),
        ..fixture::refund(trading, number, fen)
    }
}

/// Asserts that a refund is answered with the one that is there, and is not.
async fn assert_exists(store: &Store, new: &Refund, existing: &Refund) {
    let before = store.trading(new.trading_order_no).await.unwrap();
    let answer = store.insert_refund(&fixture::new_refund(new)).await.unwrap();
    assert_eq!(answer, RefundInserted::Exists(Box::new(existing.clone())));
    assert_eq!(store.trading(new.trading_order_no).await.unwrap(), before);
    if new.refund_no != existing.refund_no {
        assert_eq!(store.refund(new.refund_no).await.unwrap(), None);
        assert_eq!(store.refund_journal(new.refund_no).await.unwrap(), []);
    }
}

/// The refund that an order system knows by that number.
async fn found(store: &Store, app: &str, number: &str) -> Option<Refund> {
    let (app, number) = (fixture::app_named(app), product_refund_no(number));
    store.refund_by_product_no(&app, &number).await.unwrap()
}

/// Settles a trading of that order system.
async fn settled_of(store: &Store, number: i64, app: &str) -> Trading {
    let trading = Trading {
        product_app_id: fixture::app_named(app),
        ..fixture::trading(number)
    };
    insert(store, &trading).await;
    let paid = fixture::paid(&trading, trade_core::Role::Winner, &format!("4200{number}"));
    commit(store, paid).await
}

/// A refund is found by its caller's number, to the letter, and only for its own order system.
pub async fn found_by_the_callers_number(store: Store) {
    let trading = settled(&store, 1).await;
    let upper = numbered(&trading, 1, 100, "R-1_a");
    let lower = numbered(&trading, 2, 100, "r-1_a");
    for refund in [&upper, &lower, &fixture::refund(&trading, 3, 100)] {
        apply_for(&store, refund).await;
    }
    let ours = trading.product_app_id.as_str();
    assert_eq!(found(&store, ours, "R-1_a").await, Some(upper));
    assert_eq!(found(&store, ours, "r-1_a").await, Some(lower));
    assert_eq!(found(&store, ours, "3").await, None);
    assert_eq!(found(&store, "another", "R-1_a").await, None);
}

/// A second refund with the caller's number is answered with the first, whatever it is about: another
/// amount, another trading, or money that is not there.
pub async fn the_callers_number_makes_one_refund(store: Store) {
    let (trading, other) = (settled(&store, 1).await, settled(&store, 2).await);
    let first = numbered(&trading, 1, 1000, "R1");
    apply_for(&store, &first).await;
    for again in [
        numbered(&trading, 2, 1000, "R1"),
        numbered(&trading, 3, 1, "R1"),
        numbered(&other, 4, 1000, "R1"),
        numbered(&fixture::trading(77), 5, 1, "R1"),
    ] {
        assert_exists(&store, &again, &first).await;
    }
    // Without a number, refunds that need not be the only ones never meet.
    apply_for(&store, &fixture::refund(&other, 6, 100)).await;
    apply_for(&store, &fixture::refund(&other, 7, 100)).await;
    assert_eq!(sums(&store, &other).await, (200, 0));
}

/// Order systems do not share their numbers.
pub async fn another_app_has_its_own_numbers(store: Store) {
    let mine = settled(&store, 1).await;
    let first = numbered(&mine, 1, 100, "R1");
    apply_for(&store, &first).await;
    for (number, app) in [(2, "another"), (3, "Another")] {
        let theirs = settled_of(&store, number, app).await;
        let refund = numbered(&theirs, number, 100, "R1");
        apply_for(&store, &refund).await;
        assert_eq!(found(&store, app, "R1").await, Some(refund));
    }
    let ours = mine.product_app_id.as_str();
    assert_eq!(found(&store, ours, "R1").await, Some(first));
}

/// The number that the channel has names one refund of a trading, to the letter; another trading may
/// have it too.
pub async fn the_channels_number_makes_one_refund_of_a_trading(store: Store) {
    let (trading, other) = (settled(&store, 1).await, settled(&store, 2).await);
    let with = |trading: &Trading, number, out: &str| Refund {
        out_refund_no: out.into(),
        ..fixture::refund(trading, number, 100)
    };
    let first = with(&trading, 1, "控制台 a");
    apply_for(&store, &first).await;
    assert_exists(&store, &with(&trading, 2, "控制台 a"), &first).await;
    apply_for(&store, &with(&trading, 3, "控制台 A")).await;
    apply_for(&store, &with(&other, 4, "控制台 a")).await;
    assert_eq!(sums(&store, &trading).await, (200, 0));
    assert_eq!(sums(&store, &other).await, (100, 0));
}

/// A refund whose numbers belong to several others is answered with the one that has its own number.
pub async fn its_own_number_goes_before_the_others(store: Store) {
    let trading = settled(&store, 1).await;
    let rows = [1, 2, 3].map(|number| numbered(&trading, number, 100, &format!("R{number}")));
    for row in &rows {
        apply_for(&store, row).await;
    }
    for (own, row) in (1..).zip(&rows) {
        let mixed = Refund {
            out_refund_no: "1".into(),
            ..numbered(&trading, own, 50, "R2")
        };
        assert_exists(&store, &mixed, row).await;
    }
    assert_eq!(sums(&store, &trading).await, (300, 0));
}

/// Of 64 refunds that are each made in this way, one is made; the others are told which.
async fn one_of_a_crowd_wins(store: Store, new: impl Fn(&Trading, i64) -> NewRefund) {
    let trading = settled(&store, 1000).await;
    let answers = race(|number| {
        let (new, store) = (new(&trading, number), Arc::clone(&store));
        async move { store.insert_refund(&new).await.unwrap() }
    })
    .await;
    let rows = store.refunds_of(trading.trading_order_no).await.unwrap();
    assert_eq!(rows.len(), 1);
    let row = Box::new(rows[0].clone());
    assert_eq!(count(&answers, &RefundInserted::Done(row.clone())), 1);
    let others = usize::try_from(TASKS).unwrap() - 1;
    assert_eq!(count(&answers, &RefundInserted::Exists(row)), others);
    assert_eq!(sums(&store, &trading).await, (15, 0));
}

/// Of 64 refunds with the caller's number and numbers of their own, one is made; the others are told
/// which.
pub async fn one_of_a_crowd_with_the_callers_number_wins(store: Store) {
    one_of_a_crowd_wins(store, |trading, number| {
        fixture::new_refund(&numbered(trading, number, 15, "R1"))
    })
    .await;
}

fn sole(refund: &Refund) -> NewRefund {
    NewRefund {
        sole: true,
        ..fixture::new_refund(refund)
    }
}

/// A refund that is to be the only one is answered with the one an order system asked for before, be there money
/// for both or not; one that failed, one made in the merchant console, and those of other tradings are no matter.
pub async fn a_sole_refund_is_made_beside_no_other_of_a_caller(store: Store) {
    let (trading, other) = (settled(&store, 1).await, settled(&store, 2).await);
    apply_for(&store, &numbered(&other, 1, 100, "R1")).await;
    let console = Refund {
        origin: RefundOrigin::Console,
        ..fixture::refund(&trading, 2, 100)
    };
    apply_for(&store, &console).await;
    let failed = fixture::refund(&trading, 3, 100);
    apply_for(&store, &failed).await;
    let change = fixture::refund_change(&failed, RefundState::Failed);
    assert_eq!(store.commit_refund(&change).await.unwrap(), RefundCommit::Done);

    let first = fixture::refund(&trading, 4, 100);
    let answer = store.insert_refund(&sole(&first)).await.unwrap();
    assert_eq!(answer, RefundInserted::Done(Box::new(first.clone())));
    for fen in [100, trading.amount.get()] {
        let again = sole(&fixture::refund(&trading, 5, fen));
        let answer = store.insert_refund(&again).await.unwrap();
        assert_eq!(answer, RefundInserted::Exists(Box::new(first.clone())));
    }
    assert_eq!(sums(&store, &trading).await, (200, 0));
    // One with a number of its own is another wish.
    apply_for(&store, &numbered(&trading, 6, 100, "R2")).await;
    assert_eq!(sums(&store, &trading).await, (300, 0));
}

/// Of 64 refunds that are each to be the only one, one is made; the others are told which.
pub async fn one_of_a_crowd_of_sole_refunds_wins(store: Store) {
    one_of_a_crowd_wins(store, |trading, number| {
        sole(&fixture::refund(trading, number, 15))
    })
    .await;
}

/// The numbers that a filter lists.
async fn listed(store: &Store, filter: &RefundFilter, before: Option<i64>, limit: u32) -> Vec<i64> {
    let rows = store.list_refunds(filter, Page { before, limit }).await.unwrap();
    rows.iter().map(|row| row.refund_no.get()).collect()
}

/// The refunds of a trading come newest first, and only its own.
pub async fn lists_those_of_a_trading_newest_first(store: Store) {
    let trading = settled(&store, 1).await;
    let other = settled(&store, 2).await;
    let refunds: Vec<_> = [2, 3, 1].map(|n| fixture::refund(&trading, n, 100)).into();
    for refund in &refunds {
        apply_for(&store, refund).await;
    }
    apply_for(&store, &fixture::refund(&other, 4, 100)).await;
    let listed = store.refunds_of(trading.trading_order_no).await.unwrap();
    let numbers: Vec<_> = listed.iter().map(|refund| refund.refund_no.get()).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(listed[0], refunds[1]);
    assert_eq!(store.refunds_of(fixture::trading_no(77)).await.unwrap(), []);
}

/// Every filter and all of them together choose, highest number first.
pub async fn lists_by_every_filter(store: Store) {
    let one = settled(&store, 1).await;
    let other = settled_of(&store, 3, "another").await;
    for (trading, number) in [(&one, 5), (&one, 2), (&other, 3), (&other, 4)] {
        let refund = Refund {
            stuck: (number % 2 == 1).then(|| "why".into()),
            ..fixture::refund(trading, number, 100)
        };
        apply_for(&store, &refund).await;
    }
    let all = RefundFilter::default();
    let cases = [
        (all.clone(), vec![5, 4, 3, 2]),
        (
            RefundFilter {
                product_app_id: Some(other.product_app_id.clone()),
                ..all.clone()
            },
            vec![4, 3],
        ),
        (
            RefundFilter {
                product_order_no: Some(one.product_order_no),
                ..all.clone()
            },
            vec![5, 2],
        ),
        (
            RefundFilter {
                trading_order_no: Some(other.trading_order_no),
                ..all.clone()
            },
            vec![4, 3],
        ),
        (
            RefundFilter {
                stuck: true,
                ..all.clone()
            },
            vec![5, 3],
        ),
        (
            RefundFilter {
                product_app_id: Some(one.product_app_id.clone()),
                product_order_no: Some(one.product_order_no),
                trading_order_no: Some(one.trading_order_no),
                stuck: true,
            },
            vec![5],
        ),
        (
            RefundFilter {
                product_order_no: Some(other.product_order_no),
                product_app_id: Some(one.product_app_id.clone()),
                ..all
            },
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(listed(&store, &filter, None, 10).await, expected, "{filter:?}");
    }
}

/// A page goes on below the last number of the one before it, and holds no more than its limit.
pub async fn lists_page_by_page(store: Store) {
    let trading = settled(&store, 1).await;
    for number in [3, 1, 5, 2, 4] {
        apply_for(&store, &fixture::refund(&trading, number, 100)).await;
    }
    let all = RefundFilter::default();
    assert_eq!(listed(&store, &all, None, 2).await, [5, 4]);
    assert_eq!(listed(&store, &all, Some(4), 2).await, [3, 2]);
    assert_eq!(listed(&store, &all, Some(2), 2).await, [1]);
    assert_eq!(listed(&store, &all, Some(1), 2).await, [0_i64; 0]);
    assert_eq!(listed(&store, &all, None, 0).await, [0_i64; 0]);
    assert_eq!(listed(&store, &all, Some(i64::MAX), 9).await, [5, 4, 3, 2, 1]);
    let rows = store.list_refunds(
        &all,
        Page {
            before: None,
            limit: 1,
        },
    );
    assert_eq!(rows.await.unwrap(), [fixture::refund(&trading, 5, 100)]);
}
