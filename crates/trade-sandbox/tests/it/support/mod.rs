//! Starting sandboxes, a WeChat Pay client that signs and verifies by itself, and a merchant that listens.

mod listener;
mod wechat;

use std::sync::OnceLock;

use trade_sandbox::{Sandbox, SandboxConfig, SandboxKeys};

pub(crate) use self::{
    listener::{Heard, Listener},
    wechat::{Reply, WechatClient},
};

/// 2026-11-20 12:00:00 in Beijing.
pub(crate) const START_MS: i64 = 1_795_147_200_000;

/// Making keys takes seconds: all tests share one set.
pub(crate) fn keys() -> &'static SandboxKeys {
    static KEYS: OnceLock<SandboxKeys> = OnceLock::new();
    KEYS.get_or_init(|| SandboxKeys::generate(Some(7)).unwrap())
}

/// A sandbox whose clock stands at [`START_MS`] until a test moves it.
pub(crate) async fn sandbox() -> Sandbox {
    sandbox_with(|_config| {}).await
}

/// The same, with settings of its own.
pub(crate) async fn sandbox_with(change: impl FnOnce(&mut SandboxConfig)) -> Sandbox {
    let mut config = SandboxConfig {
        start_ms: Some(START_MS),
        frozen_clock: true,
        ..SandboxConfig::default()
    };
    change(&mut config);
    Sandbox::start_with_keys(config, keys()).await.unwrap()
}
