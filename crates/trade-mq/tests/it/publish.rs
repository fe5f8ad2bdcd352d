//! What arrives, and what does not count as published.

use lapin::{
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};
use trade_core::{RoutingKey, port::EventSink};

use crate::support::{BOTH, Corner, event};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_and_properties_are_as_documented() {
    let corner = Corner::with_queue(&BOTH).await;
    let sink = corner.sink();
    let mut event = event(7);
    for (key, text) in [
        (RoutingKey::UpdateStatus, "UPDATE_STATUS"),
        (RoutingKey::RefundUpdateStatus, "REFUND_UPDATE_STATUS"),
    ] {
        event.routing_key = key;
        sink.publish(&event).await.unwrap();
        let got = corner.take(&corner.queue).await.unwrap().delivery;
        assert_eq!(got.exchange.as_str(), corner.exchange);
        assert_eq!(got.routing_key.as_str(), text);
        assert_eq!(String::from_utf8(got.data).unwrap(), event.body().unwrap());
        let properties = got.properties;
        assert_eq!(*properties.delivery_mode(), Some(2));
        assert_eq!(
            properties.content_type().as_ref().unwrap().as_str(),
            "application/json"
        );
        assert_eq!(properties.message_id().as_ref().unwrap().as_str(), "7");
        let headers = properties.headers().as_ref().unwrap().inner();
        let numbers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        let at = event.message.occurred_at.unwrap().ms();
        assert_eq!(
            numbers,
            [
                ("eventId", &AMQPValue::LongLongInt(7)),
                ("occurredAt", &AMQPValue::LongLongInt(at)),
                ("seq", &AMQPValue::LongLongInt(1)),
            ]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_queue_wants_is_an_error_and_the_next_event_is_fine() {
    let corner = Corner::with_queue(&[RoutingKey::UpdateStatus]).await;
    let sink = corner.sink();
    let mut refund = event(1);
    refund.routing_key = RoutingKey::RefundUpdateStatus;
    for number in 2..=4 {
        let text = sink.publish(&refund).await.unwrap_err().to_string();
        for word in [
            "REFUND_UPDATE_STATUS",
            &corner.exchange,
            "no queue is bound",
            "bind a queue",
        ] {
            assert!(text.contains(word), "{text}");
        }
        sink.publish(&event(number)).await.unwrap();
    }
    assert_eq!(corner.drain(&corner.queue).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_publishers_gets_each_its_own_answer() {
    let corner = Corner::with_queue(&[RoutingKey::UpdateStatus]).await;
    let sink = std::sync::Arc::new(corner.sink());
    let tasks: Vec<_> = (1..=40)
        .map(|number| {
            let sink = sink.clone();
            tokio::spawn(async move {
                let mut event = event(number);
                if number % 2 == 0 {
                    event.routing_key = RoutingKey::RefundUpdateStatus;
                }
                sink.publish(&event).await.is_ok()
            })
        })
        .collect();
    for (number, task) in (1..=40).zip(tasks) {
        assert_eq!(task.await.unwrap(), number % 2 == 1, "{number}");
    }
    assert_eq!(corner.drain(&corner.queue).await.len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_refuses_is_an_error() {
    let corner = Corner::new().await;
    let sink = corner.sink();
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
    arguments.insert(
        "x-overflow".into(),
        AMQPValue::LongString("reject-publish".into()),
    );
    corner
        .channel
        .queue_declare(
            corner.queue.as_str().into(),
            QueueDeclareOptions::durable(),
            arguments,
        )
        .await
        .unwrap();
    // The exchange comes with the first attempt.
    sink.publish(&event(1)).await.unwrap_err();
    for key in BOTH {
        corner
            .channel
            .queue_bind(
                corner.queue.as_str().into(),
                corner.exchange.as_str().into(),
                key.code().into(),
                lapin::options::QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await
            .unwrap();
    }
    sink.publish(&event(1)).await.unwrap();
    let text = sink.publish(&event(2)).await.unwrap_err().to_string();
    assert!(text.contains("nack") && text.contains("length"), "{text}");
    assert_eq!(corner.drain(&corner.queue).await.len(), 1);
    sink.publish(&event(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_that_is_dropped_half_way_confuses_no_later_one() {
    let corner = Corner::with_queue(&[RoutingKey::UpdateStatus]).await;
    let sink = corner.sink();
    sink.publish(&event(1)).await.unwrap();
    let mut refund = event(2);
    refund.routing_key = RoutingKey::RefundUpdateStatus;
    for wait_us in [0, 50, 100, 200, 400, 800] {
        let wait = std::time::Duration::from_micros(wait_us);
        let _dropped = tokio::time::timeout(wait, sink.publish(&refund)).await;
        // A returned message must not be taken for this one.
        sink.publish(&event(3)).await.unwrap();
    }
    assert_eq!(corner.drain(&corner.queue).await.len(), 7);
}
