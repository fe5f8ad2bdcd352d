//! A consumer whose line breaks, whose queue is missing, or that is told to stop.

use std::time::Duration;

use trade_core::port::EventSink;
use trade_mq::{Handled, ListenError, declare_queue};

use crate::support::{BOTH, Corner, Heard, Line, consumer, event, line, start, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_goes_on_after_the_line_was_cut() {
    let corner = Corner::with_queue(&BOTH).await;
    let (proxy, url) = line().await;
    let sink = corner.sink();
    let heard = Heard::new(|_| Ok(Handled::Applied));
    let mut settings = consumer(corner.settings_at(url), &corner.queue);
    settings.rabbit.connect_timeout = Duration::from_secs(2);
    let running = start(settings, &heard);
    for number in 1..=5 {
        sink.publish(&event(number)).await.unwrap();
        until("it is heard", || heard.ids().contains(&number)).await;
        proxy.cut_once().await;
    }
    running.stop().await;
    let mut ids = heard.ids();
    ids.dedup();
    assert_eq!(ids, [1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_in_hand_when_the_line_breaks_comes_again() {
    let corner = Corner::with_queue(&BOTH).await;
    let (proxy, url) = line().await;
    corner.sink().publish(&event(1)).await.unwrap();
    let heard = Heard::slow(Duration::from_millis(200), |_| Ok(Handled::Applied));
    let running = start(consumer(corner.settings_at(url), &corner.queue), &heard);
    until("it is in hand", || heard.count() == 1).await;
    proxy.cut_once().await;
    until("it came again", || heard.count() == 2).await;
    running.stop().await;
    assert_eq!(heard.ids(), [1, 1]);
    assert_eq!(corner.len(&corner.queue).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_missing_or_deleted_is_waited_for() {
    let corner = Corner::new().await;
    let heard = Heard::new(|_| Ok(Handled::Applied));
    let running = start(consumer(corner.settings(), &corner.queue), &heard);
    tokio::time::sleep(Duration::from_millis(200)).await;
    for number in 1..=2 {
        declare_queue(&corner.settings(), &corner.queue, &BOTH, None)
            .await
            .unwrap();
        corner.sink().publish(&event(number)).await.unwrap();
        until("it is heard", || heard.ids().contains(&number)).await;
        corner
            .channel
            .queue_delete(
                corner.queue.as_str().into(),
                lapin::options::QueueDeleteOptions::default(),
            )
            .await
            .unwrap();
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_it_finishes_what_it_has_in_hand_and_leaves_the_rest() {
    let corner = Corner::with_queue(&BOTH).await;
    let sink = corner.sink();
    for number in 1..=3 {
        sink.publish(&event(number)).await.unwrap();
    }
    let heard = Heard::slow(Duration::from_millis(200), |_| Ok(Handled::Applied));
    let running = start(consumer(corner.settings(), &corner.queue), &heard);
    until("the first is in hand", || heard.count() == 1).await;
    running.stop().await;
    assert_eq!(heard.ids(), [1]);
    let left = [event(2).body().unwrap(), event(3).body().unwrap()];
    assert_eq!(corner.drain(&corner.queue).await, left);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_while_one_waits_or_the_broker_is_away_it_stops_at_once() {
    let corner = Corner::with_queue(&BOTH).await;
    corner.sink().publish(&event(1)).await.unwrap();
    let heard = Heard::new(|_| Err(ListenError::retry("not now")));
    let mut settings = consumer(corner.settings(), &corner.queue);
    settings.retry_delay = Duration::from_secs(3600);
    let running = start(settings.clone(), &heard);
    until("it is heard", || heard.count() == 1).await;
    running.stop().await;
    assert_eq!(corner.len(&corner.queue).await, 1);

    let (proxy, url) = line().await;
    proxy.set(Line::Cut).await;
    settings.rabbit.url = url;
    settings.rabbit.backoff_first = Duration::from_secs(3600);
    settings.rabbit.backoff_longest = Duration::from_secs(3600);
    let running = start(settings, &heard);
    tokio::time::sleep(Duration::from_millis(200)).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_died_without_a_word_is_noticed_by_its_heartbeat() {
    let corner = Corner::with_queue(&BOTH).await;
    let (proxy, url) = line().await;
    let heard = Heard::new(|_| Ok(Handled::Applied));
    let url = format!("{url}?heartbeat=1");
    let running = start(consumer(corner.settings_at(url), &corner.queue), &heard);
    corner.sink().publish(&event(1)).await.unwrap();
    until("it is heard", || heard.count() == 1).await;
    // The connection stays silent for ever; a new one would pass.
    proxy.set(Line::Silent).await;
    proxy.set(Line::Open).await;
    corner.sink().publish(&event(2)).await.unwrap();
    until("it is heard over another", || heard.ids().contains(&2)).await;
    running.stop().await;
}
