//! A database of before, with rows of before: it is brought up to date, and the program of before may go
//! on writing to it meanwhile.

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection};
use trade_core::{
    Cause, NewRefund, Refund, RefundEntry, RefundState, RefundStep, TradingState,
    port::{
        Census, Commit, NoticeInbox, Outbox, Page, Recorded, RefundCommit, RefundFilter, RefundInserted,
        RefundStore, TradingStore,
    },
};
use trade_store::{Settings, SqlStore};
use trade_testkit::fixture::{self, at, refund_no, trading_no};

use super::{
    before::{insert_as_before, of_before, schema},
    column,
    stage::{Stage, on_every_engine},
};

/// The database of a program of before, brought up to date.
async fn upgraded(stage: &Stage) -> (DatabaseConnection, SqlStore) {
    let raw = of_before(stage).await;
    (raw, stage.store().await)
}

/// Adds refund 24 of trading 2, which a program of before has just applied for.
async fn apply_for_as_before(raw: &DatabaseConnection) {
    let changes = [
        ("refund_no", "24"),
        ("refund_amount", "50"),
        ("refund_status", "0"),
        ("state_key", "'applied'"),
        ("version", "1"),
        ("create_time", "create_time + 20000"),
        ("update_time", "create_time + 20000"),
    ];
    insert_as_before(raw, "refund_record", "refund_no = 22", &changes).await;
    raw.execute_unprepared("UPDATE trading SET refund_reserved = 550 WHERE trading_order_no = 2")
        .await
        .unwrap();
}

/// The first line of a history that was begun by the migration.
fn found(refund: &Refund) -> RefundEntry {
    RefundEntry {
        refund_no: refund.refund_no,
        version: refund.version,
        at: refund.updated_at,
        from_state: None,
        to_state: refund.state,
        cause: Cause::Timer,
        detail: "found so when this history was begun".into(),
        request_id: None,
    }
}

async fn stored(store: &SqlStore, number: i64) -> Refund {
    store.refund(refund_no(number)).await.unwrap().unwrap()
}

/// What the database of before becomes is, table by table, what an empty one becomes: the fixture is the
/// schema that was released.
#[tokio::test(flavor = "multi_thread")]
async fn the_schema_of_before_becomes_the_schema_of_today() {
    on_every_engine(async |stage| {
        let raw = of_before(stage).await;
        let store = stage.store_with(&Settings::default()).await;
        let pending = store.pending_migrations().await.unwrap();
        assert_eq!(
            pending,
            [
                "trading_withdrawn",
                "refund_numbers",
                "refund_journal",
                "notice_trading",
                "channel_call",
                "idempotency_key",
                "event_time",
                "event_position",
                "event_refused",
                "trading_close_at",
            ]
        );
        assert_eq!(store.migrate().await.unwrap(), pending);
        let fresh = stage.another().await;
        fresh.store().await.close().await.unwrap();
        let (is, should_be) = (schema(&raw).await, schema(&fresh.outsider().await).await);
        let more: Vec<_> = is.iter().filter(|line| !should_be.contains(line)).collect();
        let less: Vec<_> = should_be.iter().filter(|line| !is.contains(line)).collect();
        assert!(
            more.is_empty() && less.is_empty(),
            "too much: {more:#?}\ntoo little: {less:#?}"
        );
        assert_eq!(is.len(), should_be.len());
        if raw.get_database_backend() == DatabaseBackend::Sqlite {
            let broken = "SELECT \"table\" FROM pragma_foreign_key_check";
            assert_eq!(column(&raw, broken).await.unwrap(), [""; 0]);
            let integrity = "SELECT integrity_check FROM pragma_integrity_check";
            assert_eq!(column(&raw, integrity).await.unwrap(), ["ok"]);
        }
        assert_eq!(store.audit().await.unwrap().checked, 29);
        raw.close().await.unwrap();
        store.close().await.unwrap();
        fresh.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tradings_and_refunds_of_before_are_filled() {
    on_every_engine(async |stage| {
        let (raw, store) = upgraded(stage).await;
        for (number, version, state) in [
            (1, 2, TradingState::Paying(trade_core::Step::Placed)),
            (2, 2, TradingState::Settled),
        ] {
            let trading = store.trading(trading_no(number)).await.unwrap().unwrap();
            assert_eq!((trading.version, trading.state), (version, state));
            assert!(!trading.withdrawn);
        }
        let trading = store.trading(trading_no(2)).await.unwrap().unwrap();
        assert_eq!(
            (trading.refund_reserved.get(), trading.refunded.get()),
            (500, 300)
        );
        let rows = [
            (21, 300, 10, RefundState::Success, None),
            (
                22,
                200,
                20,
                RefundState::Sending(RefundStep::Unfunded),
                Some("余额不足"),
            ),
            (23, 100, 30, RefundState::Failed, None),
        ];
        for (number, fen, second, state, stuck) in rows {
            let row = stored(&store, number).await;
            let expected = Refund {
                state,
                version: 2,
                refund_id: row.refund_id.clone(),
                next_check_at: row.next_check_at,
                send_at: at(second),
                created_at: at(second),
                updated_at: at(second + 1),
                stuck: stuck.map(Into::into),
                ..fixture::refund(&trading, number, fen)
            };
            assert_eq!(row, expected);
            assert_eq!(row.out_refund_no, number.to_string());
            assert_eq!(store.refund_journal(row.refund_no).await.unwrap(), [found(&row)]);
        }
        let stuck = RefundFilter {
            stuck: true,
            ..RefundFilter::default()
        };
        let page = Page {
            before: None,
            limit: 9,
        };
        let stuck = store.list_refunds(&stuck, page).await.unwrap();
        assert_eq!(stuck, [stored(&store, 22).await]);
        let counts = store.counts().await.unwrap();
        assert_eq!((counts.stuck_refunds, counts.running_refunds), (1, 1));
        assert_eq!(counts.oldest_refund_at, Some(at(20)));
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_notices_of_before_are_filled() {
    on_every_engine(async |stage| {
        let (raw, store) = upgraded(stage).await;
        // When the event that waits happened is forgotten; when it is tried again stands for it.
        let times = match raw.get_database_backend() {
            DatabaseBackend::MySql => {
                "SELECT CONCAT(event_id, ' ', COALESCE(CAST(occurred_at AS CHAR), 'unknown')) FROM trade_outbox ORDER BY id"
            }
            _ => {
                "SELECT CONCAT(event_id, ' ', COALESCE(CAST(occurred_at AS text), 'unknown')) FROM trade_outbox ORDER BY id"
            }
        };
        let waiting = format!("2102 {}", at(100).ms());
        assert_eq!(column(&raw, times).await.unwrap(), ["2002 unknown", &waiting]);
        let counts = store.counts().await.unwrap();
        assert_eq!((counts.unsent_events, counts.oldest_event_at), (1, Some(at(100))));
        let order = fixture::trading(2).order();
        let events = store.events_of(&order).await.unwrap();
        let ids: Vec<_> = events.iter().map(|event| event.event_id.get()).collect();
        assert_eq!(ids, [2002, 2102]);

        assert_eq!(store.notices_of(trading_no(2)).await.unwrap(), []);
        let again = store.record_notice(&fixture::notice("EV-2", 2)).await;
        assert_eq!(again.unwrap(), Recorded::Again);
        let seen = store.notices_of(trading_no(2)).await.unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].deliveries, seen[0].notice.at), (2, at(1)));
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_on_rows_of_before_goes_on() {
    on_every_engine(async |stage| {
        let (raw, store) = upgraded(stage).await;
        let row = stored(&store, 22).await;
        let mut change = fixture::refund_change(&row, RefundState::Success);
        change.after.stuck = None;
        change.event = Some(fixture::refund_event(&change.after, 2203));
        assert_eq!(store.commit_refund(&change).await.unwrap(), RefundCommit::Done);
        let lines = store.refund_journal(row.refund_no).await.unwrap();
        assert_eq!(lines, [found(&row), change.journal]);
        assert_eq!(store.last_position().await.unwrap(), 3);
        assert_eq!(store.counts().await.unwrap().stuck_refunds, 0);

        let trading = store.trading(trading_no(1)).await.unwrap().unwrap();
        let paid = fixture::surplus(&trading, "4200001");
        assert_eq!(store.commit_trading(&paid).await.unwrap(), Commit::Done);
        assert_eq!(stored(&store, 1).await, paid.refund.unwrap().refund);
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

/// A program of before knows no new column: its rows are read as the migration would have filled them.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_before_goes_on_writing() {
    on_every_engine(async |stage| {
        let (raw, store) = upgraded(stage).await;
        let trading = [
            ("trading_order_no", "3"),
            ("product_order_no", "product_order_no + 2"),
            ("live_slot", "'jzo2o.orders/2406011000000000003'"),
        ];
        insert_as_before(&raw, "trading", "trading_order_no = 1", &trading).await;
        apply_for_as_before(&raw).await;
        let event = [
            ("event_id", "9"),
            ("event_key", "'refund:24:1:9'"),
            ("seq", "seq + 1"),
        ];
        insert_as_before(&raw, "trade_outbox", "event_id = 2102", &event).await;
        let notice = [("notice_id", "'EV-3'"), ("notice_digest", "'3'")];
        insert_as_before(&raw, "notice_inbox", "notice_id = 'EV-2'", &notice).await;

        let trading = store.trading(trading_no(3)).await.unwrap().unwrap();
        assert!(!trading.withdrawn);
        assert_eq!(trading.product_order_no, fixture::order_no(3));
        let row = stored(&store, 24).await;
        assert_eq!((row.out_refund_no.as_str(), row.send_at), ("24", at(40)));
        assert_eq!(store.refund_journal(row.refund_no).await.unwrap(), []);
        let counts = store.counts().await.unwrap();
        assert_eq!((counts.stuck_refunds, counts.unsent_events), (2, 2));
        assert_eq!(store.last_position().await.unwrap(), 3);
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

/// A refund that a program of before wrote has its turn and its number, though its row does not say so,
/// and its history begins with the first transition of a program of today.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_a_program_of_before_wrote_is_one_like_others() {
    on_every_engine(async |stage| {
        let (raw, store) = upgraded(stage).await;
        apply_for_as_before(&raw).await;
        let trading = store.trading(trading_no(2)).await.unwrap().unwrap();
        let row = stored(&store, 24).await;
        let same = Refund {
            refund_no: refund_no(99),
            out_refund_no: "24".into(),
            ..fixture::refund(&trading, 99, 5)
        };
        let answer = store.insert_refund(&fixture::new_refund(&same)).await.unwrap();
        assert_eq!(answer, RefundInserted::Exists(Box::new(row.clone())));

        let next = NewRefund {
            gap: std::time::Duration::from_mins(1),
            ..fixture::new_refund(&fixture::refund(&trading, 25, 5))
        };
        match store.insert_refund(&next).await.unwrap() {
            RefundInserted::Done(next) => assert_eq!(next.send_at, at(100)),
            refused => panic!("{refused:?}"),
        }
        let change = fixture::refund_change(&row, RefundState::Failed);
        assert_eq!(store.commit_refund(&change).await.unwrap(), RefundCommit::Done);
        let lines = store.refund_journal(row.refund_no).await.unwrap();
        assert_eq!(lines, [change.journal]);
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}
