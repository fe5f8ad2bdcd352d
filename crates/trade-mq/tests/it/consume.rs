//! What a listener is handed, and what becomes of the rest.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use lapin::{
    options::{QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use trade_core::port::EventSink;
use trade_mq::{ConsumerSettings, Handled, Judgement, ListenError, judge};
use trade_testkit::fixture;

use crate::support::{BOTH, Corner, Heard, consumer, event, event_of, start, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_other_order_systems_are_acknowledged_and_skipped() {
    let corner = Corner::with_queue(&BOTH).await;
    let sink = corner.sink();
    for number in 1..=6 {
        let mut event = event(number);
        if number % 2 == 0 {
            event.message.product_app_id = fixture::app_named("somebody.else");
        }
        sink.publish(&event).await.unwrap();
    }
    let heard = Heard::new(|_| Ok(Handled::Applied));
    let running = start(consumer(corner.settings(), &corner.queue), &heard);
    until("all are heard", || heard.count() == 3).await;
    sink.publish(&event(7)).await.unwrap();
    until("the last is heard", || heard.count() == 4).await;
    running.stop().await;
    assert_eq!(heard.ids(), [1, 3, 5, 7]);
    assert_eq!(corner.len(&corner.queue).await, 0);
    assert_eq!(corner.len(&corner.dead().queue).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_failing_is_dead_lettered_and_holds_up_nobody_for_good() {
    let corner = Corner::with_queue(&BOTH).await;
    let sink = corner.sink();
    for number in 1..=3 {
        sink.publish(&event(number)).await.unwrap();
    }
    let heard = Heard::new(|message| match message.event_id {
        Some(id) if id.get() == 2 => Err(ListenError::retry("the database is away").because("refused")),
        _ => Ok(Handled::Applied),
    });
    let running = start(consumer(corner.settings(), &corner.queue), &heard);
    let dead = corner.wait_for_one(&corner.dead().queue).await.delivery;
    until("the last is heard", || heard.ids().contains(&3)).await;
    running.stop().await;
    // One at a time: the third waited for the second's fate.
    assert_eq!(heard.ids(), [1, 2, 2, 2, 3]);
    assert_eq!(String::from_utf8(dead.data).unwrap(), event(2).body().unwrap());
    assert_eq!(corner.len(&corner.queue).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_more_ahead_others_go_on_while_one_waits() {
    let corner = Corner::with_queue(&BOTH).await;
    let sink = corner.sink();
    for number in 1..=3 {
        sink.publish(&event(number)).await.unwrap();
    }
    let failures = AtomicU32::new(0);
    let heard = Heard::new(move |message| {
        let is_first = message.event_id.is_some_and(|id| id.get() == 1);
        if is_first && failures.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(ListenError::retry("not now"));
        }
        Ok(Handled::Applied)
    });
    let settings = ConsumerSettings {
        prefetch: 10,
        retry_delay: Duration::from_millis(500),
        ..consumer(corner.settings(), &corner.queue)
    };
    let running = start(settings, &heard);
    until("all are heard", || heard.count() == 4).await;
    running.stop().await;
    assert_eq!(heard.ids(), [1, 2, 3, 1]);
    assert_eq!(corner.len(&corner.queue).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_rejected_is_dead_lettered_at_once() {
    let corner = Corner::with_queue(&BOTH).await;
    corner.sink().publish(&event(1)).await.unwrap();
    let heard = Heard::new(|_| Err(ListenError::reject("no such order")));
    let running = start(consumer(corner.settings(), &corner.queue), &heard);
    corner.wait_for_one(&corner.dead().queue).await;
    running.stop().await;
    assert_eq!(heard.ids(), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_dead_lettered_and_lenient_bodies_are_read() {
    let corner = Corner::with_queue(&BOTH).await;
    let one = serde_json::to_string(&event(1).message).unwrap();
    let two = serde_json::to_string(&event(2).message).unwrap();
    let mut three = serde_json::to_value(event(3).message).unwrap();
    three["somethingNew"] = serde_json::json!({"x": [1]});
    let garbage = ["hello", "{}", "", "[1]", "{\"tradingOrderNo\":-1}"];
    for body in garbage {
        corner.put(&corner.queue, body.as_bytes()).await;
    }
    corner.put(&corner.queue, b"\xff\xfe").await;
    corner.put(&corner.queue, one.as_bytes()).await;
    corner
        .put(&corner.queue, format!("[{two},{three}]").as_bytes())
        .await;
    corner.put(&corner.queue, b"[]").await;
    let heard = Heard::new(|_| Ok(Handled::Applied));
    let running = start(consumer(corner.settings(), &corner.queue), &heard);
    until("the readable ones are heard", || heard.count() == 3).await;
    for _ in 0..=garbage.len() {
        corner.wait_for_one(&corner.dead().queue).await;
    }
    running.stop().await;
    assert_eq!(heard.ids(), [1, 2, 3]);
    assert_eq!(
        corner.len(&corner.queue).await + corner.len(&corner.dead().queue).await,
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_and_old_ones_are_judged() {
    let corner = Corner::with_queue(&BOTH).await;
    let sink = corner.sink();
    for seq in [1, 1, 2, 1, 2, 3, 3] {
        sink.publish(&event_of(9, seq, seq)).await.unwrap();
    }
    let seen = Mutex::new((None, Vec::new()));
    let heard = Heard::new(move |message| {
        let mut seen = seen.lock().unwrap();
        let seq = message.seq.unwrap();
        let judged = judge(seen.0, seq);
        seen.1.push(judged);
        if judged == Judgement::New {
            seen.0 = Some(seq);
            return Ok(Handled::Applied);
        }
        if seen.1.len() == 7 {
            use Judgement::{Duplicate, New, Old};
            assert_eq!(seen.1, [New, Duplicate, New, Old, Duplicate, New, Duplicate]);
        }
        Ok(Handled::Skipped)
    });
    let running = start(consumer(corner.settings(), &corner.queue), &heard);
    until("all are heard", || heard.count() == 7).await;
    running.stop().await;
    assert_eq!(corner.len(&corner.queue).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_panics_does_not_end_the_consumer() {
    let corner = Corner::with_queue(&BOTH).await;
    let sink = corner.sink();
    for number in 1..=2 {
        sink.publish(&event(number)).await.unwrap();
    }
    let heard = Heard::new(|message| match message.event_id {
        Some(id) if id.get() == 1 => panic!("on purpose"),
        _ => Ok(Handled::Applied),
    });
    let running = start(consumer(corner.settings(), &corner.queue), &heard);
    corner.wait_for_one(&corner.dead().queue).await;
    until("the last is heard", || heard.ids().contains(&2)).await;
    running.stop().await;
    assert_eq!(heard.ids(), [1, 1, 1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quorum_queue_remembers_deliveries_over_a_restart() {
    let corner = Corner::with_queue(&BOTH).await;
    let name = corner.queue.as_str();
    corner
        .channel
        .queue_delete(name.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    let mut arguments = FieldTable::default();
    let dead = corner.dead();
    for (key, value) in [
        ("x-queue-type", "quorum"),
        ("x-dead-letter-exchange", &dead.exchange),
        ("x-dead-letter-routing-key", &dead.queue),
    ] {
        arguments.insert(key.into(), AMQPValue::LongString(value.into()));
    }
    corner
        .channel
        .queue_declare(name.into(), QueueDeclareOptions::durable(), arguments)
        .await
        .unwrap();
    corner.put(name, event(1).body().unwrap().as_bytes()).await;
    let heard = Heard::new(|_| Err(ListenError::retry("not now")));
    let mut settings = consumer(corner.settings(), name);
    settings.retry_delay = Duration::from_secs(3600);
    for delivery in 1..=3 {
        let running = start(settings.clone(), &heard);
        until("it is heard", || heard.count() == delivery).await;
        if delivery == 3 {
            corner.wait_for_one(&dead.queue).await;
        }
        running.stop().await;
    }
    assert_eq!(heard.count(), 3);
}
