//! Be paid with the crates alone: no server, no database server, no merchant account.
//!
//! The README explains this program part by part. For real money, take your own ids and keys instead of
//! the sandbox's, leave `base_url` alone, and keep the store's file somewhere safe.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{error::Error, sync::Arc, time::Duration};

use trade_core::{
    Amount, Channel, EnterpriseId, Event, ProductAppId, ProductOrderNo, Secret, Snowflake, SystemClock,
    handler::{PayHandler, Registry},
    job,
    memory::{MemoryLock, MemorySink},
    port::{Clock, NoCallLog},
    service::{CreateTrading, Policy, Ports, TradeService},
};
use trade_sandbox::{Channel as Bank, Sandbox, SandboxConfig};
use trade_store::SqlStore;
use trade_wechat::{VerifyKeys, WechatConfig, WechatPay};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // 1. The sandbox plays WeChat Pay and hands out what a merchant would hold.
    let sandbox = Sandbox::start(SandboxConfig::default()).await?;
    let shop = EnterpriseId::new(1001)?;
    let wechat = wechat_pay(shop, &sandbox)?;

    // 2. The service: where things are kept, which channels there are, the time, numbers, a lock.
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let store = Arc::new(SqlStore::open(std::env::temp_dir().join("quickstart.db")).await?);
    store.migrate().await?;
    let ids = Snowflake::start(0, Arc::clone(&clock), store.clone()).await?;
    let service = TradeService::new(
        Ports {
            store,
            registry: Registry::new([wechat]),
            clock: Arc::clone(&clock),
            ids: Arc::new(ids),
            lock: Arc::new(MemoryLock::new(Arc::clone(&clock), Duration::from_secs(30))),
            calls: Arc::new(NoCallLog),
        },
        Policy::default(),
    );

    // 3. Ask for a payment. Repeating this gives the same trading and the same code.
    let order = ProductOrderNo::new(clock.now().ms())?;
    let trading = service
        .create(&CreateTrading {
            enterprise_id: shop,
            product_app_id: ProductAppId::new("my.shop")?,
            product_order_no: order,
            channel: Channel::WechatPay,
            amount: Amount::from_yuan("19.90")?,
            memo: "日常保洁".into(),
            change_channel: false,
            expires_at: None,
        })
        .await?;
    let number = trading.trading_order_no;
    println!(
        "order {order}: show this as a QR code: {}",
        trading.live_code().unwrap_or_default()
    );

    // 4. A payer scans and pays. Here the sandbox does; in life you wait.
    sandbox.pay(Bank::Wechat, &number.to_string())?;

    // 5. The clockwork: ask about what is pending, close what expired, announce what happened.
    let sink = MemorySink::default();
    while !sink.published().iter().any(is_paid) {
        job::sync_trading(&service, 100).await?;
        job::close_expired(&service, 100).await?;
        job::relay_events(&service, &sink, 100).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let settled = service.trading(number).await?;
    println!("trading {number}: {}, {}", settled.state, settled.amount);

    // 6. Money back, in full. Accepted is not refunded: the job follows it until it is.
    let refund = service
        .refund(number, settled.amount, Some("不想要了".into()))
        .await?;
    println!("refund {}: {}", refund.refund_no, refund.state);
    Ok(())
}

/// An account at WeChat Pay, from the sandbox's files.
fn wechat_pay(shop: EnterpriseId, sandbox: &Sandbox) -> Result<Arc<dyn PayHandler>, Box<dyn Error>> {
    let kit = sandbox.merchant().wechat;
    let mut config = WechatConfig::new(
        shop,
        kit.mchid,
        kit.appid,
        Secret::new(kit.private_key_pem),
        Secret::new(kit.apiv3_key),
        VerifyKeys::public_key(kit.public_key_id, kit.public_key_pem),
        "http://127.0.0.1:9/nobody-listens", // notices only save time: the job learns the result anyway
    );
    config.certificate = Some(kit.certificate_pem);
    config.base_url = kit.base_url;
    config.backup_url = None;
    Ok(Arc::new(WechatPay::new(config)?))
}

fn is_paid(event: &Event) -> bool {
    event.message.status_name == "YJS"
}
