//! How often a message was delivered.

use std::collections::HashMap;

use lapin::message::Delivery;

/// More than a queue has failing at a time; beyond it counting starts over rather than filling the memory.
const MOST: usize = 10_000;

/// Failed deliveries by message. A classic queue only says "again", not how often, so it is counted here.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<Vec<u8>, u32>);

impl Counts {
    /// Takes note of a failure; how often the message was delivered in vain, this time included.
    pub(super) fn failed(&mut self, delivery: &Delivery) -> u32 {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        let count = self.0.entry(key(delivery)).or_insert(0);
        *count = count.saturating_add(1);
        (*count).max(counted_by_the_broker(delivery).saturating_add(1))
    }

    pub(super) fn forget(&mut self, delivery: &Delivery) {
        if !self.0.is_empty() {
            self.0.remove(&key(delivery));
        }
    }
}

fn key(delivery: &Delivery) -> Vec<u8> {
    match delivery.properties.message_id() {
        Some(id) => id.as_str().as_bytes().to_vec(),
        None => delivery.data.clone(),
    }
}

/// Quorum queues count earlier deliveries in a header.
fn counted_by_the_broker(delivery: &Delivery) -> u32 {
    let headers = delivery.properties.headers().as_ref();
    headers
        .and_then(|headers| headers.inner().get("x-delivery-count"))
        .and_then(lapin::types::AMQPValue::as_long_long_int)
        .and_then(|count| u32::try_from(count).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use lapin::{
        BasicProperties,
        types::{AMQPValue, FieldTable},
    };

    use super::*;

    fn delivery(id: Option<&str>, body: &[u8], by_broker: Option<i64>) -> Delivery {
        let mut delivery = Delivery::mock(1, "x".into(), "k".into(), false, body.to_vec());
        let mut headers = FieldTable::default();
        if let Some(count) = by_broker {
            headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(count));
        }
        delivery.properties = BasicProperties::default().with_headers(headers);
        if let Some(id) = id {
            delivery.properties = delivery.properties.with_message_id(id.into());
        }
        delivery
    }

    #[test]
    fn failures_count_by_message_until_it_is_over() {
        let mut counts = Counts::default();
        let (one, two) = (delivery(Some("1"), b"a", None), delivery(None, b"a", None));
        assert_eq!(counts.failed(&one), 1);
        assert_eq!(counts.failed(&two), 1);
        assert_eq!(counts.failed(&one), 2);
        counts.forget(&one);
        assert_eq!(counts.failed(&one), 1);
        assert_eq!(counts.failed(&two), 2);
        // The queue knows of two more, from before a restart.
        assert_eq!(counts.failed(&delivery(Some("3"), b"c", Some(2))), 3);
    }

    #[test]
    fn memory_stays_bounded() {
        let mut counts = Counts::default();
        for number in 0..3 * MOST {
            counts.failed(&delivery(None, number.to_string().as_bytes(), None));
            assert!(counts.0.len() <= MOST);
        }
    }
}
