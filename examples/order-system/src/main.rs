//! `order-system`: the order system, the two small services it needs, and with `--all` everything at once.

#[cfg(feature = "all")]
mod all;

use std::{convert::Infallible, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use axum::Router;
use clap::{Args, Parser, Subcommand};
use order_system::{Broker, Redis, Settings, places};
use tokio::{net::TcpListener, signal};
use tracing_subscriber::EnvFilter;
use trade_core::{EnterpriseId, ProductAppId, Secret, SystemClock};

/// What the program ends with when something goes wrong.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An order system for home services, paid through the trade server.
#[derive(Debug, Parser)]
#[command(name = "order-system", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service `customer` (address books) with seed data
    Customer {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:8701")]
        listen: SocketAddr,
    },
    /// Run the service `foundations` (what is offered) with seed data
    Foundations {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:8702")]
        listen: SocketAddr,
    },
}

#[derive(Debug, Args)]
struct Options {
    /// Start everything on embedded defaults: order system, customer, foundations, trade server and sandbox.
    /// Nothing is kept when it ends
    #[arg(long)]
    all: bool,
    /// Where to listen; 0.0.0.0 lets phones on the same network in
    #[arg(long, env = "ORDER_LISTEN", default_value = "127.0.0.1:8700")]
    listen: SocketAddr,
    /// sqlite://orders.db, postgres://user:password@host/database or mysql://…
    #[arg(
        long,
        env = "ORDER_DATABASE_URL",
        default_value = "sqlite://orders.db",
        hide_env_values = true, value_parser = secret)]
    database_url: Secret,
    /// redis://…: counts order numbers; without it, the database does
    #[arg(long, env = "ORDER_REDIS_URL", hide_env_values = true, value_parser = secret)]
    redis_url: Option<Secret>,
    /// amqp://user:password@host:5672/%2f: events are heard there; without it, from the trade server's stream
    #[arg(long, env = "ORDER_RABBITMQ_URL", hide_env_values = true, value_parser = secret)]
    rabbitmq_url: Option<Secret>,
    /// The trade server's exchange
    #[arg(long, env = "ORDER_RABBITMQ_EXCHANGE", default_value = trade_mq::EXCHANGE)]
    rabbitmq_exchange: String,
    /// The queue of this order system
    #[arg(long, env = "ORDER_RABBITMQ_QUEUE", default_value = trade_mq::ORDERS_QUEUE)]
    rabbitmq_queue: String,
    /// The trade server
    #[arg(long, env = "ORDER_TRADE_URL", default_value = "http://127.0.0.1:11505")]
    trade_url: String,
    /// The service `customer`
    #[arg(long, env = "ORDER_CUSTOMER_URL", default_value = "http://127.0.0.1:8701")]
    customer_url: String,
    /// The service `foundations`
    #[arg(long, env = "ORDER_FOUNDATIONS_URL", default_value = "http://127.0.0.1:8702")]
    foundations_url: String,
    /// The merchant that is paid
    #[arg(long, env = "ORDER_ENTERPRISE_ID", default_value_t = 1001)]
    enterprise_id: i64,
    /// What this order system is called at the trade server
    #[arg(long, env = "ORDER_PRODUCT_APP_ID", default_value = "jzo2o.orders")]
    product_app_id: String,
    /// How many minutes a customer has to pay
    #[arg(long, env = "ORDER_PAY_WITHIN_MINS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(2..=1440))]
    pay_within_mins: u64,
    /// Ask customers for an evaluation before an order is finished
    #[arg(long, env = "ORDER_EVALUATIONS")]
    evaluations: bool,
    /// Let visitors choose who they are: for trying out only
    #[arg(long, env = "ORDER_DEMO_USERS")]
    demo_users: bool,
}

/// Whatever is given may hold a password.
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

impl Options {
    fn settings(&self) -> Result<Settings, Failure> {
        let redis = self.redis_url.as_ref().map(|url| Redis {
            url: url.clone(),
            key: Redis::KEY.to_owned(),
        });
        let broker = self.rabbitmq_url.as_ref().map(|url| Broker {
            url: url.clone(),
            exchange: self.rabbitmq_exchange.clone(),
            queue: self.rabbitmq_queue.clone(),
        });
        let urls = (&self.trade_url, &self.customer_url, &self.foundations_url);
        Ok(Settings {
            redis,
            broker,
            enterprise_id: EnterpriseId::new(self.enterprise_id)?,
            product_app_id: ProductAppId::new(&self.product_app_id)?,
            pay_within: Duration::from_secs(self.pay_within_mins.saturating_mul(60)),
            evaluations: self.evaluations,
            demo_users: self.demo_users,
            ..Settings::new(self.database_url.expose(), urls.0, urls.1, urls.2)?
        })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let usual = if arguments.options.all { "warn" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut text = format!("error: {failure}");
            let mut cause = failure.source();
            while let Some(error) = cause {
                text.push_str(&format!("\n  because: {error}"));
                cause = error.source();
            }
            say(&mut std::io::stderr(), &text);
            ExitCode::FAILURE
        }
    }
}

/// Writes a line. Nobody may be there to read it, which is no reason to end.
fn say(to: &mut impl std::io::Write, text: &str) {
    let _ = writeln!(to, "{text}");
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Some(Command::Customer { listen }) => serve_alone(listen, places::customer::router()).await,
        Some(Command::Foundations { listen }) => serve_alone(listen, places::foundations::router()).await,
        None if arguments.options.all => everything(&arguments.options).await,
        None => {
            let listener = listen_on(arguments.options.listen).await?;
            let clock = Arc::new(SystemClock::new());
            let running = order_system::serve(arguments.options.settings()?, listener, clock).await?;
            asked_to_stop().await;
            running.stop().await;
            Ok(())
        }
    }
}

#[cfg(feature = "all")]
async fn everything(options: &Options) -> Result<(), Failure> {
    let all = all::start(options).await?;
    say(&mut std::io::stdout(), &all.welcome());
    asked_to_stop().await;
    all.stop().await;
    Ok(())
}

#[cfg(not(feature = "all"))]
async fn everything(_: &Options) -> Result<(), Failure> {
    Err("this build has no `--all`: build it with the feature `all`, which is on by default".into())
}

async fn listen_on(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| {
        format!("cannot listen on {address} ({error}): choose another address with --listen").into()
    })
}

/// A small service of its own, until it is told to stop.
async fn serve_alone(address: SocketAddr, router: Router) -> Result<(), Failure> {
    let listener = listen_on(address).await?;
    tracing::info!(%address, "serving");
    axum::serve(listener, router)
        .with_graceful_shutdown(asked_to_stop())
        .await?;
    Ok(())
}

/// Returns on Ctrl-C or SIGTERM.
async fn asked_to_stop() {
    #[cfg(unix)]
    if let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    if signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
