//! Declaring, and the errors of those who cannot.

use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};
use trade_core::port::EventSink;
use trade_mq::{RabbitSettings, declare_queue};

use crate::support::{BOTH, Corner, event};

fn sink(settings: RabbitSettings) -> trade_mq::RabbitSink {
    trade_mq::RabbitSink::new(settings, std::sync::Arc::new(trade_core::SystemClock::new())).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn declaring_twice_changes_nothing() {
    let corner = Corner::with_queue(&BOTH).await;
    let sink = corner.sink();
    sink.publish(&event(1)).await.unwrap();
    sink.declare_queue(&corner.queue, &BOTH, Some(&corner.dead()))
        .await
        .unwrap();
    sink.publish(&event(2)).await.unwrap();
    assert_eq!(corner.drain(&corner.queue).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_with_other_arguments_is_left_alone_and_the_error_says_what_to_do() {
    let corner = Corner::with_queue(&BOTH).await;
    let error = declare_queue(&corner.settings(), &corner.queue, &BOTH, None)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("406") || text.contains("PRECONDITION"), "{text}");
    assert!(
        text.contains("other arguments") && text.contains("policy"),
        "{text}"
    );
    corner.sink().publish(&event(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_declare_a_missing_exchange_is_an_error_and_an_existing_one_is_fine() {
    let corner = Corner::new().await;
    let settings = RabbitSettings {
        declare: false,
        backoff_first: std::time::Duration::from_millis(1),
        backoff_longest: std::time::Duration::from_millis(1),
        ..corner.settings()
    };
    let sink = sink(settings.clone());
    let text = sink.publish(&event(1)).await.unwrap_err().to_string();
    assert!(text.contains("does not exist: declare it"), "{text}");
    declare_queue(&settings, &corner.queue, &BOTH, None)
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    sink.publish(&event(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_of_another_kind_is_an_error() {
    let corner = Corner::new().await;
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    corner
        .channel
        .exchange_declare(
            corner.exchange.as_str().into(),
            ExchangeKind::Direct,
            durable,
            FieldTable::default(),
        )
        .await
        .unwrap();
    let text = corner.sink().publish(&event(1)).await.unwrap_err().to_string();
    assert!(
        text.contains("declared the exchange") && text.contains("other arguments"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_and_hosts_are_told_apart() {
    let corner = Corner::new().await;
    let with = |change: fn(&mut url::Url)| {
        let mut url = url::Url::parse(&crate::support::broker_url()).unwrap();
        change(&mut url);
        sink(corner.settings_at(url.into()))
    };
    let wrong = with(|url| url.set_password(Some("wr0ng")).unwrap());
    let text = wrong.publish(&event(1)).await.unwrap_err().to_string();
    assert!(
        text.contains("check user and password") && !text.contains("wr0ng"),
        "{text}"
    );

    let wrong = with(|url| url.set_path("/no-such-host"));
    let text = wrong.publish(&event(1)).await.unwrap_err().to_string();
    assert!(text.contains("check the virtual host"), "{text}");

    let wrong = with(|url| url.set_port(Some(1)).unwrap());
    let text = wrong.publish(&event(1)).await.unwrap_err().to_string();
    assert!(text.contains("check that the broker runs"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_declared_is_durable() {
    let corner = Corner::with_queue(&BOTH).await;
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let dead = corner.dead();
    // The broker refuses a declaration that differs from what exists.
    for (exchange, kind) in [
        (&corner.exchange, ExchangeKind::Topic),
        (&dead.exchange, ExchangeKind::Direct),
    ] {
        corner
            .channel
            .exchange_declare(exchange.as_str().into(), kind, durable, FieldTable::default())
            .await
            .unwrap();
    }
    corner
        .channel
        .queue_declare(
            dead.queue.as_str().into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await
        .unwrap();
}
