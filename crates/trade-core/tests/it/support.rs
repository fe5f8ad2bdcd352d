//! A small world: one merchant at both channels.

mod channel;

use std::{sync::Arc, time::Duration};

use trade_core::{
    Amount, Channel, EnterpriseId, Event, ProductAppId, ProductOrderNo, Snowflake, Timestamp, Trading,
    TradingOrderNo,
    handler::{Headers, PayHandler, RawNotice, Registry},
    job,
    memory::{ManualClock, MemoryLock, MemorySink, MemoryStore},
    port::{Clock, HighWater, OrderKey, Outbox, TradingStore},
    service::{CreateTrading, NoticeAnswer, Policy, Ports, TradeError, TradeService},
};

pub(crate) use channel::{FakeChannel, Fault, notice_of_console_refund, refund_notice};

pub(crate) const SHOP: &str = "jzo2o.orders";

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) wechat: Arc<FakeChannel>,
    pub(crate) alipay: Arc<FakeChannel>,
    pub(crate) service: TradeService,
    pub(crate) sink: MemorySink,
}

pub(crate) fn merchant() -> EnterpriseId {
    EnterpriseId::new(1001).unwrap()
}

pub(crate) fn order(number: i64) -> OrderKey {
    OrderKey {
        product_app_id: ProductAppId::new(SHOP).unwrap(),
        product_order_no: ProductOrderNo::new(number).unwrap(),
    }
}

pub(crate) fn payment(channel: Channel, number: i64) -> CreateTrading {
    CreateTrading {
        enterprise_id: merchant(),
        product_app_id: ProductAppId::new(SHOP).unwrap(),
        product_order_no: ProductOrderNo::new(number).unwrap(),
        channel,
        amount: Amount::new(1990).unwrap(),
        memo: "日常保洁".into(),
        change_channel: false,
        expires_at: None,
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_ms(1_790_000_000_000)));
        let store = Arc::new(MemoryStore::default());
        let wechat = Arc::new(FakeChannel::new(Channel::WechatPay, Arc::clone(&clock)));
        let alipay = Arc::new(FakeChannel::new(Channel::AliPay, Arc::clone(&clock)));
        let handlers: [Arc<dyn PayHandler>; 2] = [wechat.clone(), alipay.clone()];
        let high_water: Arc<dyn HighWater> = store.clone();
        let ids = Snowflake::start(1, clock.clone(), high_water).await.unwrap();
        let ports = Ports {
            store: store.clone(),
            registry: Registry::new(handlers),
            clock: clock.clone(),
            ids: Arc::new(ids),
            lock: Arc::new(MemoryLock::new(clock.clone(), Duration::from_secs(30))),
            calls: store.clone(),
        };
        let service = TradeService::new(ports, Policy::default());
        Self {
            clock,
            store,
            wechat,
            alipay,
            service,
            sink: MemorySink::default(),
        }
    }

    pub(crate) fn channel(&self, channel: Channel) -> &Arc<FakeChannel> {
        match channel {
            Channel::WechatPay => &self.wechat,
            Channel::AliPay => &self.alipay,
        }
    }

    pub(crate) async fn create(&self, channel: Channel, order: i64) -> Result<Trading, TradeError> {
        self.service.create(&payment(channel, order)).await
    }

    /// The same for an order of another order system.
    pub(crate) async fn create_for(&self, app: &ProductAppId, channel: Channel, order: i64) -> Trading {
        let mut payment = payment(channel, order);
        payment.product_app_id = app.clone();
        self.service.create(&payment).await.unwrap()
    }

    pub(crate) async fn row(&self, number: TradingOrderNo) -> Trading {
        self.store.trading(number).await.unwrap().unwrap()
    }

    /// Runs every job once, as a server does each second.
    pub(crate) async fn tick(&self) {
        job::sync_trading(&self.service, 100).await.unwrap();
        job::close_expired(&self.service, 100).await.unwrap();
        job::sync_refund(&self.service, 100).await.unwrap();
        job::relay_events(&self.service, &self.sink, 100).await.unwrap();
    }

    /// Lets time pass, second by second, with jobs running.
    pub(crate) async fn run(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            self.tick().await;
        }
    }

    pub(crate) async fn notify(&self, channel: Channel, body: &str) -> NoticeAnswer {
        let notice = RawNotice {
            headers: Headers::default(),
            body: body.as_bytes().to_vec(),
        };
        self.service.notice(merchant(), channel, &notice).await.unwrap()
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        self.store.events_after(0, 1000).await.unwrap()
    }

    pub(crate) async fn states_announced(&self) -> Vec<String> {
        self.events()
            .await
            .into_iter()
            .map(|event| event.message.status_name)
            .collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
