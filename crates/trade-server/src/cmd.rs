//! The commands of the `trade` binary.

mod audit;
mod demo;
mod event;
mod listen;
mod migrate;
mod order;
mod sandbox;
mod serve;
mod show;
mod store;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

pub use sandbox::{SandboxOptions, sandbox_merchant};
pub use show::show_failure;

/// What a command ends with when it does not succeed.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// WeChat Pay and Alipay behind one door.
#[derive(Debug, Parser)]
#[command(
    name = "trade",
    version,
    about = "WeChat Pay and Alipay: a payment server, and a sandbox to try it with"
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the payment server
    Serve {
        /// The TOML file with the settings; environment variables TRADE__… override it
        #[arg(long, short, env = "TRADE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Bring the schema of the store up to date; safe while servers of this and the previous version run
    Migrate {
        /// Change nothing: exit code 0 when it is up to date, 1 when something is missing
        #[arg(long)]
        check: bool,
        /// The settings of the server
        #[arg(long, short, env = "TRADE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Show an order or a trading: calls, notices, transitions, refunds and events in time order
    Show {
        /// The order's number or a trading's
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        number: i64,
        /// The settings of the server
        #[arg(long, short, env = "TRADE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Show the events that are not announced yet, with why
    Events {
        /// Only those that need a person
        #[arg(long)]
        stuck: bool,
        /// The settings of the server
        #[arg(long, short, env = "TRADE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Announce events again, whatever became of them: after the cause was removed for which they were
    /// refused, or for an order system that lost them
    Resend {
        #[command(flatten)]
        which: event::Which,
        /// The order system, where several have an order of that number
        #[arg(long, requires = "order", conflicts_with_all = ["event_id", "stuck"])]
        app: Option<String>,
        /// The settings of the server
        #[arg(long, short, env = "TRADE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Check the invariants of the store: exit code 0 when all hold, 1 when one is broken, 2 when the
    /// store cannot be opened
    Audit {
        /// The settings of the server
        #[arg(long, short, env = "TRADE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Stand in for an order system: declare its queue at the broker, and print and acknowledge what comes
    Listen {
        /// The order system whose messages are printed; others are acknowledged and skipped
        #[arg(long)]
        app: String,
        /// The queue, which is made and bound when it is not there. Never that of a running order system: what is
        /// printed here does not reach it
        #[arg(long)]
        queue: String,
        /// The settings of the server
        #[arg(long, short, env = "TRADE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Play WeChat Pay and Alipay on this machine
    Sandbox(SandboxOptions),
    /// Start sandbox and server, create a payment at each channel, and show how it goes
    Demo {
        /// Pay both by itself, wait until they are announced, and exit
        #[arg(long)]
        auto: bool,
    },
}

impl Arguments {
    /// What is logged unless `RUST_LOG` says otherwise; `None` of the command whose settings say so. The
    /// others show what they have to say.
    #[must_use]
    pub fn default_log(&self) -> Option<&'static str> {
        match self.command {
            Command::Serve { .. } => None,
            Command::Sandbox(_) => Some("info"),
            Command::Listen { .. } => Some("warn,lapin=error"),
            Command::Resend { .. } => Some("error,trade_server=info"),
            Command::Demo { .. }
            | Command::Show { .. }
            | Command::Events { .. }
            | Command::Audit { .. }
            | Command::Migrate { .. } => Some("error"),
        }
    }

    /// Runs the command to its end, and returns what the process ends with.
    ///
    /// # Errors
    /// What went wrong, for [`show_failure`].
    pub async fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Serve { config } => serve::run(config.as_deref()).await?,
            Command::Listen { app, queue, config } => listen::run(&app, &queue, config.as_deref()).await?,
            Command::Migrate { check, config } => return migrate::run(config.as_deref(), check).await,
            Command::Show { number, config } => order::run(number, config.as_deref()).await?,
            Command::Events { stuck, config } => event::list(stuck, config.as_deref()).await?,
            Command::Resend { which, app, config } => {
                event::resend(which, app.as_deref(), config.as_deref()).await?;
            }
            Command::Audit { config } => return audit::run(config.as_deref()).await,
            Command::Sandbox(options) => sandbox::run(options).await?,
            Command::Demo { auto } => demo::run(auto).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
