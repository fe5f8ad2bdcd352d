//! An encrypted line to a broker whose certificate is by an authority of one's own.

use std::sync::Arc;

use trade_core::{
    SystemClock,
    port::{EventSink, SinkFault},
};
use trade_mq::{RabbitSettings, RabbitSink, declare_queue};

use crate::{
    restart::drain,
    support::{BOTH, Broker, PATIENCE, Signal, event},
};

const AUTHORITY: &str = include_str!("../../../trade-webhook/tests/tls/authority.pem");
const QUEUE: &str = "trade-tls";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_is_trusted_by_the_authority_that_is_named() {
    let mut broker = Broker::start().await;
    let settings = RabbitSettings {
        connect_timeout: PATIENCE,
        confirm_timeout: PATIENCE,
        ca_pem: Some(AUTHORITY.into()),
        ..RabbitSettings::new(broker.tls_url())
    };
    declare_queue(&settings, QUEUE, &BOTH, None).await.unwrap();
    let sink = |settings| RabbitSink::new(settings, Arc::new(SystemClock::new())).unwrap();
    let stranger = RabbitSettings {
        ca_pem: None,
        ..settings.clone()
    };
    let other_name = RabbitSettings {
        url: settings.url.replace("127.0.0.1", "localhost"),
        ..settings.clone()
    };
    for wrong in [stranger, other_name] {
        let error = sink(wrong).publish(&event(1)).await.unwrap_err();
        assert_eq!(error.fault, SinkFault::Away, "{error}");
        assert!(error.reason.contains("ertificate"), "{error}");
    }
    sink(settings).publish(&event(1)).await.unwrap();
    assert_eq!(drain(&broker.url(), QUEUE).await, [event(1).body().unwrap()]);
    broker.down(Signal::Kill).await;
}
