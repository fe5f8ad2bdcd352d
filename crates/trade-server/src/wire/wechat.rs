//! A WeChat Pay handler from a merchant's settings.

use std::sync::Arc;

use trade_core::{EnterpriseId, handler::PayHandler};
use trade_wechat::{VerifyKeys, WechatConfig, WechatPay};

use super::Environment;
use crate::{
    causes::one_line,
    config::{WechatKeys, WechatMerchant},
};

pub(super) fn handler(
    enterprise: EnterpriseId,
    account: &WechatMerchant,
    environment: &Environment,
) -> Result<Arc<dyn PayHandler>, String> {
    let keys = match account.keys()? {
        WechatKeys::PublicKey { id, key } => VerifyKeys::public_key(id, key),
        WechatKeys::Certificates => VerifyKeys::platform_certificates(),
        WechatKeys::Both { id, key } => VerifyKeys::migrating(id, key),
    };
    let mut config = WechatConfig::new(
        enterprise,
        &account.mchid,
        &account.appid,
        account.private_key.clone(),
        account.apiv3_key.clone(),
        keys,
        &account.notify_url,
    );
    config.certificate.clone_from(&account.certificate);
    config.serial_no.clone_from(&account.serial_no);
    config.clock = Arc::clone(&environment.clock);
    config.random = Arc::clone(&environment.random);
    if let Some(base_url) = &account.base_url {
        config.base_url.clone_from(base_url);
        // Another address is a sandbox: real machines are no stand-in for it.
        config.backup_url = None;
    }
    let handler = WechatPay::new(config).map_err(|error| one_line(&error))?;
    Ok(Arc::new(handler))
}
