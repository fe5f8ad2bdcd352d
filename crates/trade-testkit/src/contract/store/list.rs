//! Lists: every filter, all filters together, pages.

use trade_core::{
    Channel, Step, Trading, TradingState,
    port::{Page, TradingFilter},
};

use super::{Promise, Store, insert};
use crate::fixture;

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(every_filter_filters),
        Promise::new(state_of_a_paying_one_has_any_step),
        Promise::new(pages_newest_first),
    ]
}

const ALL: Page = Page {
    before: None,
    limit: 100,
};

async fn numbers(store: &Store, filter: TradingFilter, page: Page) -> Vec<i64> {
    let rows = store.list_tradings(&filter, page).await.unwrap();
    rows.iter().map(|row| row.trading_order_no.get()).collect()
}

fn by(alter: fn(&mut TradingFilter)) -> TradingFilter {
    let mut filter = TradingFilter::default();
    alter(&mut filter);
    filter
}

fn all_fields(filter: &mut TradingFilter) {
    *filter = TradingFilter {
        product_app_id: Some(fixture::app()),
        product_order_no: Some(fixture::order_no(6)),
        enterprise_id: Some(fixture::enterprise(1561)),
        channel: Some(Channel::WechatPay),
        state: Some(TradingState::Paying(Step::Intended)),
        stuck: true,
    };
}

async fn insert_one_of_each(store: &Store) {
    for number in 1..=6 {
        let mut row = fixture::trading(number);
        match number {
            2 => row.product_app_id = fixture::app_named("other"),
            3 => row.enterprise_id = fixture::enterprise(7),
            4 => row.channel = Channel::AliPay,
            5 => row.state = TradingState::Failed,
            6 => row.stuck = Some(String::new()),
            _ => {}
        }
        insert(store, &row).await;
    }
}

/// Each field of a filter narrows the list; together they narrow it further; an empty one does not.
pub async fn every_filter_filters(store: Store) {
    insert_one_of_each(&store).await;
    let cases = [
        (by(|_| {}), vec![6, 5, 4, 3, 2, 1]),
        (
            by(|filter| filter.product_app_id = Some(fixture::app_named("other"))),
            vec![2],
        ),
        (
            by(|filter| filter.product_order_no = Some(fixture::order_no(4))),
            vec![4],
        ),
        (
            by(|filter| filter.enterprise_id = Some(fixture::enterprise(7))),
            vec![3],
        ),
        (by(|filter| filter.channel = Some(Channel::AliPay)), vec![4]),
        (by(|filter| filter.state = Some(TradingState::Failed)), vec![5]),
        (by(|filter| filter.stuck = true), vec![6]),
        (by(all_fields), vec![6]),
        (
            by(|filter| {
                all_fields(filter);
                filter.channel = Some(Channel::AliPay);
            }),
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(numbers(&store, filter.clone(), ALL).await, expected, "{filter:?}");
    }
}

/// The step of a paying state does not matter to a filter; the other states do.
pub async fn state_of_a_paying_one_has_any_step(store: Store) {
    for (number, state) in (1..).zip(TradingState::ALL) {
        let row = Trading {
            state,
            ..fixture::trading(number)
        };
        insert(&store, &row).await;
    }
    for state in TradingState::ALL {
        let filter = TradingFilter {
            state: Some(state),
            ..TradingFilter::default()
        };
        let expected: Vec<i64> = (1..)
            .zip(TradingState::ALL)
            .filter(|(_, other)| other.code() == state.code())
            .map(|(number, _)| number)
            .collect();
        let mut found = numbers(&store, filter, ALL).await;
        found.reverse();
        assert_eq!(found, expected, "{state}");
    }
}

/// Pages go down by number; the last number of one is where the next begins; nothing is left out.
pub async fn pages_newest_first(store: Store) {
    for number in [3, 1, 5, 2, 4] {
        insert(&store, &fixture::trading(number)).await;
    }
    let page = async |before, limit| numbers(&store, TradingFilter::default(), Page { before, limit }).await;
    assert_eq!(page(None, 2).await, [5, 4]);
    assert_eq!(page(Some(4), 2).await, [3, 2]);
    assert_eq!(page(Some(2), 2).await, [1]);
    assert_eq!(page(Some(1), 2).await, [0_i64; 0]);
    assert_eq!(page(None, 0).await, [0_i64; 0]);
    assert_eq!(page(Some(i64::MAX), u32::MAX).await, [5, 4, 3, 2, 1]);
}
