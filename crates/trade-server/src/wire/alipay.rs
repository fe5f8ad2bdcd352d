//! An Alipay handler from a merchant's settings.

use std::sync::Arc;

use trade_alipay::{Alipay, AlipayConfig, VerifyKeys};
use trade_core::{EnterpriseId, handler::PayHandler};

use super::Environment;
use crate::{
    causes::one_line,
    config::{AlipayKeys, AlipayMerchant},
};

pub(super) fn handler(
    enterprise: EnterpriseId,
    account: &AlipayMerchant,
    environment: &Environment,
) -> Result<Arc<dyn PayHandler>, String> {
    let keys = match account.keys()? {
        AlipayKeys::PublicKey(key) => VerifyKeys::public_key(key),
        AlipayKeys::Certificates { app, alipay, root } => VerifyKeys::certificates(app, alipay, root),
    };
    let mut config = AlipayConfig::new(
        enterprise,
        &account.app_id,
        account.private_key.clone(),
        keys,
        &account.notify_url,
    );
    config.seller_id.clone_from(&account.seller_id);
    config.encrypt_key.clone_from(&account.encrypt_key);
    config.clock = Arc::clone(&environment.clock);
    config.random = Arc::clone(&environment.random);
    if let Some(gateway_url) = &account.gateway_url {
        config.gateway_url.clone_from(gateway_url);
    }
    let handler = Alipay::new(config).map_err(|error| one_line(&error))?;
    Ok(Arc::new(handler))
}
