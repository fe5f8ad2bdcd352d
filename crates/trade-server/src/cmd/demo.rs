//! `trade demo`: sandbox and server on free ports, one payment at each channel, followed live.

mod client;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use tokio::net::TcpListener;
use trade_core::{Channel, TradeStatusMsg};
use trade_sandbox::{Sandbox, SandboxConfig};

use self::client::{Client, Created};
use super::{Failure, sandbox, show};
use crate::{
    config::Settings,
    qr,
    serve::{self, Running},
    shutdown,
    wire::Environment,
};

/// A paid order is announced well within this, or something is wrong.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(60);

pub(super) async fn run(auto: bool) -> Result<(), Failure> {
    // A phone can open the pay pages of a demo that stays up; one that pays by itself needs no network.
    let address = if auto {
        Ipv4Addr::LOCALHOST
    } else {
        Ipv4Addr::UNSPECIFIED
    };
    let config = SandboxConfig {
        listen: SocketAddr::from((address, 0)),
        ..SandboxConfig::default()
    };
    show::line("making the sandbox's keys ...");
    let sandbox = Sandbox::start(config).await?;
    show::line(format!(
        "sandbox   {}  (its control page: {}/sandbox)",
        sandbox.url(),
        sandbox.url()
    ));
    let folder = tempfile::tempdir()?;
    let server = start_server(&sandbox, folder.path()).await?;
    show::line(format!("server    http://{}", server.address()));

    let result = follow(&server, auto).await;
    server.stop().await;
    sandbox.shutdown().await;
    result
}

async fn start_server(sandbox: &Sandbox, folder: &Path) -> Result<Running, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut store = toml::Table::new();
    store.insert(
        "path".into(),
        folder.join("trade.db").display().to_string().into(),
    );
    let merchant = sandbox::merchant_settings(&sandbox.merchant(), &url).into_table();
    let mut root = toml::Table::new();
    root.insert("store".into(), store.into());
    root.insert("merchant".into(), vec![toml::Value::from(merchant)].into());
    let settings = Settings::from_toml(&toml::to_string(&root)?)?;
    Ok(serve::start(&settings, listener, Environment::default()).await?)
}

/// Creates the payments, shows them, and follows them.
async fn follow(server: &Running, auto: bool) -> Result<(), Failure> {
    let client = Client::new(&format!("http://{}", server.address()))?;
    let mut events = client.events().await?;
    let mut waiting = Vec::new();
    for (channel, order, yuan) in [(Channel::WechatPay, 1, "19.90"), (Channel::AliPay, 2, "0.01")] {
        let created = client.create(channel, order, yuan).await?;
        present(channel, yuan, &created)?;
        waiting.push((channel, created));
    }
    if !auto {
        show::line("\nscan a code, or open its pay page; Ctrl-C ends the demo\n");
        return watch(&mut events).await;
    }
    for (channel, created) in &waiting {
        client.pay(&created.code_url).await?;
        show::line(format!("\n{}: paid on the pay page", channel.label()));
    }
    let mut numbers: Vec<_> = waiting
        .iter()
        .map(|(_, created)| created.trading_order_no.clone())
        .collect();
    while !numbers.is_empty() {
        let event = tokio::time::timeout(ANNOUNCED_WITHIN, events.next()).await;
        let event = event.map_err(|_| format!("not announced within a minute: {}", numbers.join(", ")))??;
        announce(&event);
        if event.status_code == 4 {
            numbers.retain(|number| *number != event.trading_order_no.to_string());
        }
    }
    for (channel, created) in &waiting {
        let trading = client.trading(&created.trading_order_no).await?;
        if trading.trading_state != 4 {
            return Err(format!(
                "{} was announced as paid, but its state is {}",
                channel.label(),
                trading.trading_state
            )
            .into());
        }
        let id = trading.transaction_id.unwrap_or_default();
        show::line(format!(
            "{}: settled, {} yuan, transaction {id}",
            channel.label(),
            trading.trading_amount
        ));
    }
    show::line("both orders are paid, verified, settled and announced");
    Ok(())
}

fn present(channel: Channel, yuan: &str, created: &Created) -> Result<(), Failure> {
    show::line(format!(
        "\n{}  {yuan} yuan  trading {}",
        channel.label(),
        created.trading_order_no
    ));
    show::line(qr::terminal(&created.code_url)?);
    show::line(format!("pay page  {}", created.code_url));
    Ok(())
}

async fn watch(events: &mut client::Events) -> Result<(), Failure> {
    tokio::select! {
        () = shutdown::requested() => Ok(()),
        failure = async {
            loop {
                match events.next().await {
                    Ok(event) => announce(&event),
                    Err(failure) => break failure,
                }
            }
        } => Err(failure),
    }
}

fn announce(event: &TradeStatusMsg) {
    let (channel, number) = (event.trading_channel.label(), event.trading_order_no);
    show::line(format!(
        "{channel}: trading {number} announced as {} ({})",
        event.status_name, event.status_code
    ));
}
