//! Events over HTTP, from the payment to the order system; and what an order system does not take.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde_json::json;
use tokio::net::TcpListener;
use trade_core::{Timestamp, TradeStatusMsg};
use trade_server::wire::Environment;
use trade_webhook::{WebhookSecret, verify};

use crate::{command::trade, world::World};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An order system that is told over HTTP: it believes nothing that is not signed, and takes no events of some orders.
#[derive(Debug, Default)]
struct Shop {
    now_ms: Mutex<i64>,
    refused: Mutex<BTreeSet<i64>>,
    tried: Mutex<usize>,
    told: Mutex<Vec<TradeStatusMsg>>,
}

async fn take(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let secrets = [WebhookSecret::new(SECRET).unwrap()];
    let now = Timestamp::from_ms(*shop.now_ms.lock().unwrap());
    let Ok(messages) = verify(&headers, &body, &secrets, now) else {
        return StatusCode::UNAUTHORIZED;
    };
    let refused = shop.refused.lock().unwrap();
    let is_refused = |message: &TradeStatusMsg| refused.contains(&message.product_order_no.get());
    *shop.tried.lock().unwrap() += 1;
    if messages.iter().any(is_refused) {
        return StatusCode::GONE;
    }
    shop.told.lock().unwrap().extend(messages);
    StatusCode::NO_CONTENT
}

impl Shop {
    /// A shop, and the world whose server tells it.
    async fn open() -> (Arc<Self>, World) {
        let shop = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/payments", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(Arc::clone(&shop));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let webhook = |apps: &str, url: &str| {
            format!("[[webhook]]\nurl = \"{url}\"\nsecret = \"{SECRET}\"\napps = [\"{apps}\"]\n")
        };
        // The other one, of another order system, is away all the time and nobody misses it.
        let more = webhook("jzo2o.orders", &url) + &webhook("other", "http://127.0.0.1:1/");
        let world = World::set_and(&[], &more, Environment::default().decorate).await;
        shop.meet(&world);
        (shop, world)
    }

    /// Sets its clock by that of the world.
    fn meet(&self, world: &World) {
        *self.now_ms.lock().unwrap() = world.sandbox.now_ms();
    }

    fn refuse(&self, orders: &[i64]) {
        *self.refused.lock().unwrap() = orders.iter().copied().collect();
    }

    /// Order, `seq` and state of what it was told.
    fn told(&self) -> Vec<(i64, i64, String)> {
        let told = self.told.lock().unwrap();
        let line = |message: &TradeStatusMsg| {
            let status = message.status_name.clone();
            (message.product_order_no.get(), message.seq.unwrap(), status)
        };
        told.iter().map(line).collect()
    }

    /// Waits until it was told so many messages.
    async fn until_told(&self, count: usize) {
        trade_testkit::until("the shop is told", || self.told.lock().unwrap().len() >= count).await;
    }

    /// Waits until it was asked more often than before.
    async fn until_tried(&self, before: usize) {
        trade_testkit::until("the shop is asked", || *self.tried.lock().unwrap() > before).await;
    }

    /// Time passes for all.
    fn advance(&self, world: &World, by: Duration) {
        // The shop first: what is sent meanwhile is then a moment old, not from the future by a day.
        *self.now_ms.lock().unwrap() += i64::try_from(by.as_millis()).unwrap();
        world.advance(by);
    }
}

#[tokio::test]
async fn a_payment_and_its_refund_are_told_over_http() {
    let (shop, world) = Shop::open().await;
    let number = world.paid("WECHAT_PAY", 1).await;
    shop.until_told(1).await;
    let part = World::part("r-1", &number, "5.00");
    let (status, refund) = world.post("/trade/inner/refunds", &part).await;
    assert!(status.is_success(), "{refund}");
    let is_over = || shop.told().iter().any(|(_, _, status)| status == "SUCCESS");
    for _ in 0..600 {
        if is_over() {
            break;
        }
        shop.advance(&world, Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let told = shop.told();
    assert_eq!(told[0], (1, 1, "YJS".to_owned()));
    assert_eq!(told.last().unwrap().2, "SUCCESS", "{told:?}");
    let seqs: Vec<_> = told.iter().map(|(_, seq, _)| *seq).collect();
    let all: Vec<_> = (1..=i64::try_from(told.len()).unwrap()).collect();
    assert_eq!(seqs, all, "each is told once, in order: {told:?}");
    let refunded = shop.told.lock().unwrap().last().cloned().unwrap();
    assert_eq!(refunded.product_refund_no.unwrap().as_str(), "r-1");
    world
        .until("/metrics", |text| {
            text.to_string().contains("trade_unsent_events 0")
        })
        .await;
}

/// Order 1 is paid, and the shop refuses what it is told about that for a day.
async fn stuck() -> (Arc<Shop>, World, String) {
    let (shop, world) = Shop::open().await;
    shop.refuse(&[1]);
    world.paid("WECHAT_PAY", 1).await;
    shop.until_tried(0).await;
    let id = world.announced().await[0].event_id.to_string();
    let list = async |wanted: &str| {
        let (_, waiting, _) = trade(&["events"], &world.settings).await;
        waiting.contains(wanted)
    };
    while !list("refused since").await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (_, stuck) = world.get("/trade/admin/stuck").await;
    assert_eq!(stuck["events"], json!([]), "not yet");
    shop.advance(&world, DAY + Duration::from_secs(60));
    world
        .until("/trade/admin/stuck", |stuck| stuck["events"] != json!([]))
        .await;
    (shop, world, id)
}

#[tokio::test]
async fn what_is_refused_for_a_day_is_seen_everywhere_and_goes_out_again() {
    let (shop, world, id) = stuck().await;
    let (_, stuck) = world.get("/trade/admin/stuck").await;
    let event = &stuck["events"][0];
    assert_eq!(event["eventId"], json!(id), "{stuck}");
    assert!(
        event["reason"].as_str().unwrap().contains("answered 410"),
        "{stuck}"
    );
    let resend = format!("/trade/admin/events/{id}/resend");
    assert!(event["action"].as_str().unwrap().contains(&resend), "{stuck}");
    let (_, metrics) = world.get("/metrics").await;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains("\ntrade_stuck{kind=\"event\"} 1\n"), "{metrics}");
    let (code, list, errors) = trade(&["events", "--stuck"], &world.settings).await;
    assert_eq!(code, Some(0), "{errors}");
    for told in [
        &id,
        "stuck",
        "order 1 of jzo2o.orders",
        "answered 410",
        "trade resend",
    ] {
        assert!(list.contains(told), "no {told} in:\n{list}");
    }

    // Other orders go on; the next event of this one waits, whether or not it would be taken.
    shop.refuse(&[]);
    let number = world.announced().await[0].message.trading_order_no.to_string();
    let part = World::part("r-1", &number, "5.00");
    let (status, refund) = world.post("/trade/inner/refunds", &part).await;
    assert!(status.is_success(), "{refund}");
    world.paid("ALI_PAY", 2).await;
    shop.until_told(1).await;
    assert_eq!(shop.told(), [(2, 1, "YJS".to_owned())]);

    for (path, status) in [
        ("/trade/admin/events/5/resend", StatusCode::NOT_FOUND),
        ("/trade/admin/events/x/resend", StatusCode::BAD_REQUEST),
        ("/trade/admin/events/0/resend", StatusCode::BAD_REQUEST),
    ] {
        let (answer, problem) = world.post_empty(path).await;
        assert_eq!(answer, status, "{path}: {problem}");
    }
    let (status, view) = world.post_empty(&resend).await;
    assert_eq!((status, &view["eventId"]), (StatusCode::OK, &json!(id)), "{view}");
    shop.until_told(3).await;
    let of_order = |order: i64| -> Vec<_> {
        let told = shop.told().into_iter().filter(|(number, ..)| *number == order);
        told.map(|(_, seq, _)| seq).collect()
    };
    assert_eq!(of_order(1)[..2], [1, 2], "in order, none lost");
    let (_, stuck) = world.get("/trade/admin/stuck").await;
    assert_eq!(stuck["events"], json!([]));
}

#[tokio::test]
async fn the_command_sends_again_what_is_stuck_or_was_lost_by_its_receiver() {
    let (shop, world, id) = stuck().await;
    shop.refuse(&[]);
    let (code, out, errors) = trade(&["resend", "--stuck"], &world.settings).await;
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        out.contains(&format!("event {id}")) && out.contains("1 stuck events put back"),
        "{out}"
    );
    assert!(
        errors.contains("event put back"),
        "the log says so, too: {errors}"
    );
    shop.until_told(1).await;
    for (sent, arguments) in [(2, ["resend", &id, ""]), (3, ["resend", "--order", "1"])] {
        let arguments: Vec<_> = arguments.into_iter().filter(|word| !word.is_empty()).collect();
        let (code, out, errors) = trade(&arguments, &world.settings).await;
        assert_eq!(code, Some(0), "{arguments:?}: {out}{errors}");
        shop.until_told(sent).await;
    }
    let ids: BTreeSet<_> = shop
        .told
        .lock()
        .unwrap()
        .iter()
        .map(|message| message.event_id)
        .collect();
    assert_eq!(ids.len(), 1, "it is the same event each time");

    for (arguments, code, words) in [
        (&["resend"][..], 2, "required"),
        (&["resend", "7", "--stuck"], 2, "cannot be used"),
        (&["resend", "7", "--app", "x"], 2, "cannot be used"),
        (&["resend", "x"], 2, "invalid"),
        (&["resend", "7"], 1, "there is no event 7"),
        (&["resend", "--order", "77"], 1, "neither an order nor a trading"),
        (
            &["resend", "--order", "1", "--app", "other"],
            1,
            "neither an order nor a trading",
        ),
    ] {
        let (ended, _, errors) = trade(arguments, &world.settings).await;
        assert_eq!(ended, Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(words), "{arguments:?}: {errors}");
    }
    let (code, out, _) = trade(&["events", "--stuck"], &world.settings).await;
    assert_eq!((code, out.trim()), (Some(0), "no event is stuck"));
}
