//! A configuration that cannot work is refused, and says where and why.

use trade_alipay::{Alipay, AlipayConfig, GATEWAY_URL, VerifyKeys};
use trade_core::Secret;

use crate::support::{config, key_file};

fn refused(change: impl FnOnce(&mut AlipayConfig)) -> (String, String) {
    let mut config = config("http://127.0.0.1:1");
    change(&mut config);
    let error = Alipay::new(config).unwrap_err();
    (error.field.to_owned(), error.reason)
}

#[test]
fn each_wrong_value_is_named() {
    let certificates = |app: &str, alipay: &str, root: &str| {
        VerifyKeys::certificates(key_file(app), key_file(alipay), key_file(root))
    };
    assert_eq!(refused(|config| config.app_id = "wx1".into()).0, "app_id");
    assert_eq!(
        refused(|config| config.seller_id = Some("me".into())).0,
        "seller_id"
    );
    assert_eq!(
        refused(|config| config.notify_url = "/notify".into()).0,
        "notify_url"
    );
    assert_eq!(
        refused(|config| config.gateway_url = "gateway".into()).0,
        "gateway_url"
    );
    assert_eq!(
        refused(|config| config.private_key = Secret::new(key_file("public_spki.pem"))).0,
        "private_key"
    );
    assert_eq!(
        refused(|config| config.encrypt_key = Some(Secret::new("short"))).0,
        "encrypt_key"
    );
    assert_eq!(
        refused(|config| config.keys = VerifyKeys::public_key("nonsense")).0,
        "alipay_public_key"
    );
    let (field, reason) = refused(|config| config.keys = VerifyKeys::public_key(key_file("public_spki.pem")));
    assert_eq!(field, "alipay_public_key");
    assert!(reason.contains("应用公钥"), "{reason}");
    assert_eq!(
        refused(|config| config.keys = certificates("other.pem", "other.pem", "bundle.crt")).0,
        "app_cert"
    );
    assert_eq!(
        refused(|config| config.keys = certificates("app.pem", "app.pem", "bundle.crt")).0,
        "alipay_cert"
    );
    assert_eq!(
        refused(|config| config.keys = certificates("app.pem", "other.pem", "bundle_without_rsa.crt")).0,
        "root_cert"
    );
}

#[test]
fn what_looks_mixed_up_is_said() {
    let mut config = config("http://127.0.0.1:1");
    assert!(config.warnings().is_empty());
    config.app_id = "9021000000000001".into();
    config.gateway_url = GATEWAY_URL.into();
    config.seller_id = None;
    assert_eq!(config.warnings().len(), 2);
}

#[test]
fn no_secret_is_shown() {
    let mut config = config("http://127.0.0.1:1");
    config.encrypt_key = Some(Secret::new("MDEyMzQ1Njc4OWFiY2RlZg=="));
    let key = std::fs::read_to_string(key_file("key_pkcs8.pem")).unwrap();
    config.private_key = Secret::new(key.clone());
    let shown = format!("{config:?} {:?}", Alipay::new(config.clone()).unwrap());
    let canary = key.lines().nth(5).unwrap();
    assert!(!shown.contains(canary) && !shown.contains("MDEyMzQ1"), "{shown}");
}
