//! Messages as they travel.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use trade_core::{Event, TradeStatusMsg};

/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// What goes beside the body, so that a person or a router need not open it.
pub(crate) fn properties(event: &Event) -> BasicProperties {
    let mut headers = FieldTable::default();
    let mut number = |name: &str, value: i64| {
        headers.insert(name.into(), AMQPValue::LongLongInt(value));
    };
    number("eventId", event.event_id.get());
    if let Some(seq) = event.message.seq {
        number("seq", seq);
    }
    if let Some(at) = event.message.occurred_at {
        number("occurredAt", at.ms());
    }
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/json".into())
        .with_message_id(event.event_id.to_string().into())
        .with_headers(headers)
}

/// Reads a body: an array of messages, or a single one.
pub(crate) fn parse(body: &[u8]) -> Result<Vec<TradeStatusMsg>, serde_json::Error> {
    let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if is_object {
        return serde_json::from_slice(body).map(|message| vec![message]);
    }
    serde_json::from_slice(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"tradingOrderNo":1,"productAppId":"a","productOrderNo":2,"tradingChannel":"ALI_PAY","statusName":"YJS","statusCode":4,"info":"","created":1,"new":{"x":[1]}}"#;

    #[test]
    fn bodies_are_read_leniently_but_not_guessed() {
        let table = [
            (format!("[{ONE}]"), Some(1)),
            (ONE.to_owned(), Some(1)),
            (format!(" \r\n {ONE} "), Some(1)),
            (format!("[{ONE},{ONE}]"), Some(2)),
            ("[]".to_owned(), Some(0)),
            (String::new(), None),
            ("null".to_owned(), None),
            ("{}".to_owned(), None),
            ("[1]".to_owned(), None),
            (format!("[{ONE}"), None),
            (format!("[{ONE}] rest"), None),
            ("hello".to_owned(), None),
        ];
        for (body, expected) in table {
            let read = parse(body.as_bytes()).ok().map(|messages| messages.len());
            assert_eq!(read, expected, "{body}");
        }
        assert!(parse(b"\xff\xfe").is_err());
    }
}
