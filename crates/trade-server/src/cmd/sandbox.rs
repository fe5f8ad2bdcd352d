//! `trade sandbox`

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use trade_sandbox::{AlipayKeyMode, MerchantKit, Sandbox, SandboxConfig, WechatKeyMode};

use super::{Failure, show};
use crate::shutdown;

/// The merchant of the sandbox, as the server's sample settings name it.
pub(super) const ENTERPRISE_ID: i64 = 1001;

/// What the sandbox is started with.
#[derive(Debug, Args)]
pub struct SandboxOptions {
    /// Where to listen; 0.0.0.0 lets a phone on the same network open the pay pages
    #[arg(long, default_value = "0.0.0.0:8600")]
    listen: SocketAddr,
    /// The address in QR codes, when this machine's own is not the one phones reach
    #[arg(long)]
    public_url: Option<String>,
    /// Put the channels' real shape into QR codes (weixin://…) instead of the pay page's address
    #[arg(long)]
    real_codes: bool,
    /// Write everything a merchant would hold into this folder: keys, certificates, sandbox.json, and
    /// trade.toml for `trade serve --config`
    #[arg(long)]
    export: Option<PathBuf>,
    /// The address of the payment server, for the notice addresses in trade.toml
    #[arg(long, default_value = "http://127.0.0.1:11505")]
    server: String,
    /// Send notices this many times faster than the channels do
    #[arg(long, default_value_t = 1)]
    notice_speed: u32,
    /// How WeChat Pay signs
    #[arg(long, value_enum, default_value_t = WechatMode::Pubkey)]
    wechat_keys: WechatMode,
    /// How Alipay signs
    #[arg(long, value_enum, default_value_t = AlipayMode::Key)]
    alipay_keys: AlipayMode,
    /// Expect Alipay's content encryption
    #[arg(long)]
    encrypted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WechatMode {
    /// With the WeChat Pay public key
    Pubkey,
    /// With a platform certificate
    Cert,
    /// Half and half, as during the change
    Migrating,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AlipayMode {
    /// With plain public keys
    Key,
    /// With certificates
    Cert,
}

pub(super) async fn run(options: SandboxOptions) -> Result<(), Failure> {
    let sandbox = Sandbox::start(options.config()).await?;
    let url = sandbox.url();
    show::line(format!(
        "WeChat Pay APIv3   {url}\nAlipay gateway     {url}/gateway.do\ncontrol and docs   {url}/sandbox"
    ));
    if let Some(folder) = &options.export {
        sandbox.export(folder)?;
        let file = folder.join("trade.toml");
        let settings = Sample {
            kit: &sandbox.merchant(),
            options: &options,
        }
        .to_toml(folder)?;
        write_private(&file, &settings)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        show::line(format!(
            "merchant's files   {}\nstart the server   trade serve --config {}",
            folder.display(),
            file.display()
        ));
    }
    shutdown::requested().await;
    sandbox.shutdown().await;
    Ok(())
}

/// The settings hold private keys: nobody else on the machine shall read them.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

impl SandboxOptions {
    fn config(&self) -> SandboxConfig {
        let mut config = SandboxConfig {
            listen: self.listen,
            public_url: self.public_url.clone(),
            real_qr_shape: self.real_codes,
            notice_speed: self.notice_speed.max(1),
            ..SandboxConfig::default()
        };
        config.wechat.key_mode = match self.wechat_keys {
            WechatMode::Pubkey => WechatKeyMode::PublicKey,
            WechatMode::Cert => WechatKeyMode::Cert,
            WechatMode::Migrating => WechatKeyMode::Migrating(500),
        };
        config.alipay.key_mode = match self.alipay_keys {
            AlipayMode::Key => AlipayKeyMode::Key,
            AlipayMode::Cert => AlipayKeyMode::Cert,
        };
        config.alipay.encrypted = self.encrypted;
        config
    }
}

/// Settings of the server that fit an exported sandbox.
struct Sample<'a> {
    kit: &'a MerchantKit,
    options: &'a SandboxOptions,
}

impl Sample<'_> {
    fn to_toml(&self, folder: &Path) -> Result<String, Failure> {
        let folder = fs::canonicalize(folder)?;
        let listen = self
            .options
            .server
            .split_once("://")
            .map_or("127.0.0.1:11505", |(_, rest)| rest);
        let mut settings = merchant_settings(self.kit, &self.options.server);
        settings.use_modes(self.kit, self.options);
        let mut root = toml::Table::new();
        let mut server = toml::Table::new();
        server.insert("listen".into(), listen.into());
        root.insert("server".into(), server.into());
        let mut store = toml::Table::new();
        store.insert(
            "path".into(),
            folder.join("trade.db").display().to_string().into(),
        );
        root.insert("store".into(), store.into());
        root.insert(
            "merchant".into(),
            vec![toml::Value::from(settings.into_table())].into(),
        );
        Ok(toml::to_string(&root)?)
    }
}

/// `[[merchant]]` with its two accounts, as tables.
pub(super) struct MerchantSettings {
    wechat: toml::Table,
    alipay: toml::Table,
}

/// `[[merchant]]` for a server beside a sandbox, whose notices go to `server`: for programs that start both.
#[must_use]
pub fn sandbox_merchant(kit: &MerchantKit, server: &str) -> toml::Table {
    merchant_settings(kit, server).into_table()
}

/// The merchant of a sandbox in public-key mode, whose notices go to `server`.
pub(super) fn merchant_settings(kit: &MerchantKit, server: &str) -> MerchantSettings {
    let table = |pairs: &[(&str, &str)]| -> toml::Table {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), toml::Value::from(*value)))
            .collect()
    };
    let wechat = table(&[
        ("mchid", &kit.wechat.mchid),
        ("appid", &kit.wechat.appid),
        ("private_key", &kit.wechat.private_key_pem),
        ("certificate", &kit.wechat.certificate_pem),
        ("apiv3_key", &kit.wechat.apiv3_key),
        ("public_key_id", &kit.wechat.public_key_id),
        ("public_key", &kit.wechat.public_key_pem),
        ("base_url", &kit.wechat.base_url),
        (
            "notify_url",
            &format!("{server}/trade/open/notify/wx/{ENTERPRISE_ID}"),
        ),
    ]);
    let alipay = table(&[
        ("app_id", &kit.alipay.app_id),
        ("seller_id", &kit.alipay.seller_id),
        ("private_key", &kit.alipay.app_private_key),
        ("alipay_public_key", &kit.alipay.alipay_public_key),
        ("gateway_url", &kit.alipay.gateway_url),
        (
            "notify_url",
            &format!("{server}/trade/open/notify/alipay/{ENTERPRISE_ID}"),
        ),
    ]);
    MerchantSettings { wechat, alipay }
}

impl MerchantSettings {
    /// Adds what other key modes need.
    fn use_modes(&mut self, kit: &MerchantKit, options: &SandboxOptions) {
        if options.wechat_keys != WechatMode::Pubkey {
            self.wechat.insert("platform_certificates".into(), true.into());
        }
        if options.wechat_keys == WechatMode::Cert {
            self.wechat.remove("public_key_id");
            self.wechat.remove("public_key");
        }
        if options.alipay_keys == AlipayMode::Cert {
            self.alipay.remove("alipay_public_key");
            self.alipay
                .insert("app_cert".into(), kit.alipay.app_certificate_pem.clone().into());
            self.alipay.insert(
                "alipay_cert".into(),
                kit.alipay.alipay_certificate_pem.clone().into(),
            );
            self.alipay.insert(
                "root_cert".into(),
                kit.alipay.alipay_root_certificates_pem.clone().into(),
            );
        }
        if options.encrypted {
            self.alipay
                .insert("encrypt_key".into(), kit.alipay.encrypt_key.clone().into());
        }
    }

    pub(super) fn into_table(self) -> toml::Table {
        let mut merchant = toml::Table::new();
        merchant.insert("enterprise_id".into(), ENTERPRISE_ID.into());
        merchant.insert("wechat".into(), self.wechat.into());
        merchant.insert("alipay".into(), self.alipay.into());
        merchant
    }
}
