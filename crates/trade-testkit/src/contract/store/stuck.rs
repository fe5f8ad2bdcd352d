//! Events that are refused, given up, and sent again.

use trade_core::{Timestamp, port::WaitingEvent};

use super::{Promise, Store, all_events, due_ids, look_at_due, outbox::announce};
use crate::fixture::{self, at};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(refused_is_known_since_the_first_time),
        Promise::new(stuck_is_not_offered_and_keeps_its_order_waiting),
        Promise::new(sent_again_whatever_became_of_it),
        Promise::new(what_waits_is_listed_with_why),
    ]
}

/// Since when an event is refused is kept, whatever else happens to it, and the attempts are counted on.
pub async fn refused_is_known_since_the_first_time(store: Store) {
    announce(&store, 1, 1).await;
    let id = fixture::event_id(101);
    store.event_failed(id, at(90), "away").await.unwrap();
    assert_eq!(all_events(&store).await[0].refused_since, None);
    store
        .event_refused(id, at(100), Some(at(110)), "no")
        .await
        .unwrap();
    assert_eq!(due_ids(&store, at(109), 10).await, [0_i64; 0]);
    store
        .event_refused(id, at(110), Some(at(130)), "no")
        .await
        .unwrap();
    store.event_failed(id, at(150), "away").await.unwrap();
    assert_eq!(due_ids(&store, at(149), 10).await, [0_i64; 0]);
    let due = look_at_due(&store, at(150), 10).await;
    assert_eq!((due[0].refused_since, due[0].attempts), (Some(at(100)), 4));
    store.event_sent(id, at(151)).await.unwrap();
    store
        .event_refused(id, at(152), Some(at(153)), "late")
        .await
        .unwrap();
    assert_eq!(due_ids(&store, at(1000), 10).await, [0_i64; 0]);
}

/// What is given up is never offered, nor is what comes after it in its order; others are, and it is counted. No
/// late report changes that.
pub async fn stuck_is_not_offered_and_keeps_its_order_waiting(store: Store) {
    announce(&store, 1, 2).await;
    announce(&store, 2, 1).await;
    let id = fixture::event_id(101);
    store.event_refused(id, at(100), None, "410 Gone").await.unwrap();
    store.event_failed(id, at(101), "late").await.unwrap();
    store
        .event_refused(id, at(101), Some(at(102)), "late")
        .await
        .unwrap();
    store.release_event(id, at(101)).await.unwrap();
    let the_last_moment = Timestamp::from_ms(i64::MAX - 1);
    for time in [at(103), the_last_moment] {
        assert_eq!(due_ids(&store, time, 10).await, [201]);
    }
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.unsent_events, counts.stuck_events), (3, 1));
    store.event_sent(id, at(104)).await.unwrap();
    assert_eq!(due_ids(&store, the_last_moment, 10).await, [102, 201]);
    assert_eq!(store.counts().await.unwrap().stuck_events, 0);
}

/// A person may have any event announced again: it is due at once, as new, before the later ones of its order that
/// were not sent. There is nothing of an event that does not exist.
pub async fn sent_again_whatever_became_of_it(store: Store) {
    announce(&store, 1, 3).await;
    announce(&store, 2, 1).await;
    let [first, second, other] = [101, 102, 201].map(fixture::event_id);
    let new = all_events(&store).await;
    store.event_sent(first, at(100)).await.unwrap();
    store.event_refused(second, at(100), None, "no").await.unwrap();
    store.event_failed(other, at(900), "away").await.unwrap();
    assert_eq!(due_ids(&store, at(200), 10).await, [0_i64; 0]);
    for id in [second, other, first] {
        let back = store.resend_event(id, at(200)).await.unwrap();
        assert_eq!(back.map(|event| event.event_id), Some(id));
    }
    assert_eq!(all_events(&store).await, new, "as if never offered");
    assert_eq!(due_ids(&store, at(199), 10).await, [0_i64; 0]);
    assert_eq!(due_ids(&store, at(200), 10).await, [101, 201]);
    store.event_sent(first, at(201)).await.unwrap();
    assert_eq!(due_ids(&store, at(201), 10).await, [102, 201]);
    let none = store.resend_event(fixture::event_id(999), at(200)).await.unwrap();
    assert_eq!(none, None);
    assert_eq!(all_events(&store).await.len(), 4);
}

/// The list of what waits tells why and until when, in the order of commit; of what is stuck it tells that alone.
pub async fn what_waits_is_listed_with_why(store: Store) {
    announce(&store, 2, 2).await;
    announce(&store, 1, 2).await;
    let [stuck, away, sent] = [101, 201, 202].map(fixture::event_id);
    store.event_refused(stuck, at(100), None, "没有人").await.unwrap();
    store.event_failed(away, at(160), "no line").await.unwrap();
    store.event_sent(sent, at(100)).await.unwrap();
    let list = async |only_stuck, limit| -> Vec<_> {
        let waiting = store.waiting_events(only_stuck, limit).await.unwrap();
        let line = |waiting: WaitingEvent| (waiting.event.event_id.get(), waiting.next_at, waiting.reason);
        waiting.into_iter().map(line).collect()
    };
    let stuck = (101, None, Some("没有人".to_owned()));
    let away = (201, Some(at(160)), Some("no line".to_owned()));
    let never_offered = (102, Some(at(2)), None);
    let all = [away.clone(), stuck.clone(), never_offered];
    assert_eq!(list(false, 10).await, all);
    assert_eq!(list(false, 1).await, [away]);
    assert_eq!(list(true, 10).await, [stuck]);
    assert_eq!(list(true, 0).await, []);
}
