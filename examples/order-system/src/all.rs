//! `--all`: everything in one process, each part on a port of its own, talking over HTTP as it would between
//! machines.
//!
//! This is part of the program, behind the feature `all`, and not of the library: the order system itself
//! knows the trade server by its routes alone, and a build without the feature shows that it needs no more.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::Router;
use order_system::{Running, Settings, places};
use tokio::{net::TcpListener, task::JoinSet};
use trade_core::SystemClock;
use trade_sandbox::{Sandbox, SandboxConfig};
use trade_server::{cmd, config, serve, wire::Environment};

use crate::{Failure, Options, listen_on};

/// Everything, running.
pub(crate) struct All {
    orders: Running,
    trade: serve::Running,
    sandbox: Sandbox,
    places: JoinSet<()>,
    /// Where everything is kept; removed at the end.
    folder: tempfile::TempDir,
}

/// Starts everything.
pub(crate) async fn start(options: &Options) -> Result<All, Failure> {
    // First, so that a taken port is told before the keys are made.
    let listener = listen_on(options.listen).await?;
    let folder = tempfile::tempdir()?;
    let mut places = JoinSet::new();
    let customer = place(places::customer::router(), &mut places).await?;
    let foundations = place(places::foundations::router(), &mut places).await?;
    let sandbox = Sandbox::start(SandboxConfig {
        // Phones that may open the order system may open the pay pages, too.
        listen: SocketAddr::new(options.listen.ip(), 0),
        ..SandboxConfig::default()
    })
    .await?;
    let trade = trade_server(&sandbox, &folder).await?;
    let database = format!("sqlite://{}", folder.path().join("orders.db").display());
    let trade_url = format!("http://{}", trade.address());
    let settings = Settings {
        database_url: Settings::new(database, &trade_url, &customer, &foundations)?.database_url,
        trade_url,
        customer_url: customer,
        foundations_url: foundations,
        demo_users: true,
        ..options.settings()?
    };
    let orders = order_system::serve(settings, listener, Arc::new(SystemClock::new())).await?;
    Ok(All {
        orders,
        trade,
        sandbox,
        places,
        folder,
    })
}

/// A small service on a free port of this machine; returns its address.
async fn place(router: Router, places: &mut JoinSet<()>) -> Result<String, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    places.spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "a service has ended");
        }
    });
    Ok(url)
}

async fn trade_server(sandbox: &Sandbox, folder: &tempfile::TempDir) -> Result<serve::Running, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let file = folder.path().join("trade.db");
    let mut store = toml::Table::new();
    store.insert("path".to_owned(), file.display().to_string().into());
    let mut root = toml::Table::new();
    root.insert("store".to_owned(), store.into());
    let merchant = cmd::sandbox_merchant(&sandbox.merchant(), &url);
    root.insert("merchant".to_owned(), vec![toml::Value::from(merchant)].into());
    let settings = config::Settings::from_toml(&toml::to_string(&root)?)?;
    Ok(serve::start(&settings, listener, Environment::default()).await?)
}

impl All {
    /// What to open.
    pub(crate) fn welcome(&self) -> String {
        let address = self.orders.address();
        let here = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => {
                SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port())
            }
            _ => address,
        };
        format!(
            "\n  Open          http://{here}\n  Operator      http://{here}/operator\n  \
             Pay pages     {sandbox}/sandbox\n  Trade server  http://{trade}\n\n\
             Everything is kept in {folder} and removed at the end (Ctrl-C).",
            sandbox = self.sandbox.url(),
            trade = self.trade.address(),
            folder = self.folder.path().display(),
        )
    }

    /// Stops everything, the order system first.
    pub(crate) async fn stop(mut self) {
        self.orders.stop().await;
        self.trade.stop().await;
        self.sandbox.shutdown().await;
        self.places.shutdown().await;
    }
}
