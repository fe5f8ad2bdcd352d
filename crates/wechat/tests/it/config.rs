//! Wrong configurations are refused by name, and secrets stay where they are.

use std::time::Duration;

use trade_core::{Secret, handler::PayHandler};
use trade_wechat::{BACKUP_URL, BASE_URL, ConfigError, VerifyKeys, WechatConfig, WechatPay};

use crate::support::{
    APIV3_KEY, PUBLIC_KEY_ID, alone, answering, chain, config, config_with, key_file, key_text,
    place_content, plain, public_key_mode,
};

const CANARY: &str = "canary-4f1d9c";

fn refused(change: impl FnOnce(&mut WechatConfig)) -> ConfigError {
    let mut config = config("http://127.0.0.1:1");
    change(&mut config);
    WechatPay::new(config).expect_err("the configuration cannot work")
}

fn keys(certificates: &[&str], public_key: Option<(&str, &str)>, download: bool) -> VerifyKeys {
    let mut keys = VerifyKeys::platform_certificates();
    keys.certificates = certificates.iter().map(|name| key_file(name)).collect();
    keys.public_key = public_key.map(|(id, name)| (id.to_owned(), key_file(name)));
    keys.download = download;
    keys
}

#[test]
fn every_wrong_identity_is_named() {
    for wrong in ["", "19000 00001", "商户", "1900000001\n", &"1".repeat(33)] {
        assert_eq!(
            refused(|config| config.mchid = wrong.into()).field,
            "mchid",
            "{wrong}"
        );
        assert_eq!(
            refused(|config| config.appid = wrong.into()).field,
            "appid",
            "{wrong}"
        );
    }
    let long = format!("https://pay.example.com/{}", "x".repeat(250));
    for wrong in [
        "",
        "/notify",
        "pay.example.com/notify",
        "ftp://a/b",
        "https://a/b?c=1",
        "https://a/b#c",
        &long,
    ] {
        assert_eq!(
            refused(|config| config.notify_url = wrong.into()).field,
            "notify_url",
            "{wrong}"
        );
        let refund = Some(wrong.to_owned());
        assert_eq!(
            refused(|config| config.refund_notify_url = refund).field,
            "refund_notify_url",
            "{wrong}"
        );
    }
    for wrong in [
        "",
        "api.mch.weixin.qq.com",
        "file:///etc/passwd",
        "http://",
        "https://a/?b=c",
        "https://a/#b",
    ] {
        assert_eq!(
            refused(|config| config.base_url = wrong.into()).field,
            "base_url",
            "{wrong}"
        );
        let backup = Some(wrong.to_owned());
        assert_eq!(
            refused(|config| config.backup_url = backup).field,
            "backup_url",
            "{wrong}"
        );
    }
}

#[test]
fn no_time_at_all_is_named() {
    let error = refused(|config| config.timeout = Duration::ZERO);
    assert_eq!(error.field, "timeout");
    let error = refused(|config| config.connect_timeout = Duration::ZERO);
    assert_eq!(error.field, "connect_timeout");
}

#[test]
fn every_wrong_key_is_named() {
    for wrong in [
        "public_spki.pem",
        "app.pem",
        "refused_1024.pem",
        "refused_ec_pkcs8.pem",
        "refused_encrypted_pkcs8.pem",
        "refused_archive.p12",
        "no_such_file.pem",
    ] {
        let error = refused(|config| config.private_key = Secret::new(key_file(wrong)));
        assert_eq!(error.field, "private_key", "{wrong}: {error}");
        assert!(
            error
                .source
                .as_ref()
                .is_some_and(|source| source.to_string().len() > 30),
            "{wrong}: {error}"
        );
    }
    for wrong in [
        "",
        "short",
        &APIV3_KEY[1..],
        "0123456789abcdef0123456789abcdef0",
        "密钥密钥密钥密钥密钥ab",
    ] {
        let error = refused(|config| config.apiv3_key = Secret::new(wrong));
        assert_eq!(error.field, "apiv3_key", "{wrong}: {error}");
    }
    for wrong in ["key_pkcs8.pem", "no_such_file.pem", "other.pem"] {
        let error = refused(|config| config.certificate = Some(key_file(wrong)));
        assert_eq!(error.field, "certificate", "{wrong}: {error}");
    }
    for (serial, field) in [
        (None, "certificate"),
        (Some(" "), "certificate"),
        (Some(PUBLIC_KEY_ID), "serial_no"),
    ] {
        let error = refused(|config| {
            config.certificate = None;
            config.serial_no = serial.map(ToOwned::to_owned);
        });
        assert_eq!(error.field, field, "{serial:?}: {error}");
    }
}

#[test]
fn every_wrong_way_to_verify_is_named() {
    for (keys, field) in [
        (keys(&[], None, false), "public_key"),
        (
            keys(&[], Some(("F0E1D2", "other_public.pem")), false),
            "public_key_id",
        ),
        (keys(&[], Some(("", "other_public.pem")), true), "public_key_id"),
        (
            keys(&[], Some((PUBLIC_KEY_ID, "key_pkcs8.pem")), false),
            "public_key",
        ),
        (
            keys(&[], Some((PUBLIC_KEY_ID, "no_such_file.pem")), false),
            "public_key",
        ),
        (keys(&["public_spki.pem"], None, true), "platform certificate"),
    ] {
        let error = refused(|config| config.keys = keys);
        assert_eq!(error.field, field, "{error}");
    }
}

#[test]
fn the_merchants_own_key_is_not_taken_for_wechat_pays() {
    let public = keys(&[], Some((PUBLIC_KEY_ID, "public_spki.pem")), false);
    let error = refused(|config| config.keys = public);
    assert!(error.to_string().contains("pub_key.pem"), "{error}");
    assert_eq!(error.field, "public_key");
    for own in ["app.pem", "by_limited.pem"] {
        let error = refused(|config| config.keys = keys(&["other.pem", own], None, true));
        assert!(error.to_string().contains("apiclient_cert.pem"), "{error}");
        assert_eq!(error.field, "platform certificate");
    }
}

#[test]
fn a_serial_does_for_a_certificate() {
    let mut config = config_with("http://127.0.0.1:1", public_key_mode());
    config.certificate = None;
    config.serial_no = Some(" 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567 ".into());
    WechatPay::new(config).unwrap();
}

#[test]
fn the_defaults_are_the_real_api() {
    let config = config("http://127.0.0.1:1");
    let fresh = WechatConfig::new(
        config.enterprise_id,
        config.mchid.clone(),
        config.appid.clone(),
        config.private_key.clone(),
        config.apiv3_key.clone(),
        public_key_mode(),
        config.notify_url.clone(),
    );
    assert_eq!(
        (fresh.base_url.as_str(), fresh.backup_url.as_deref()),
        (BASE_URL, Some(BACKUP_URL))
    );
    assert!(BASE_URL.starts_with("https://") && BACKUP_URL.starts_with("https://"));
}

#[test]
fn a_secret_that_cannot_work_is_not_repeated() {
    for error in [
        refused(|config| config.private_key = Secret::new(CANARY)),
        refused(|config| config.private_key = Secret::new(format!("-----BEGIN PRIVATE KEY-----\n{CANARY}"))),
        refused(|config| config.apiv3_key = Secret::new(CANARY)),
        refused(|config| config.apiv3_key = Secret::new(format!("{CANARY}密"))),
    ] {
        let shown = format!("{}\n{error:?}", chain(&error));
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[tokio::test]
async fn no_secret_is_in_debug_or_in_errors() {
    let mut config = config("http://127.0.0.1:1");
    config.private_key = Secret::new(key_text("key_pkcs8.pem"));
    let shown = format!("{config:?}");
    let wechat = WechatPay::new(config).unwrap();
    let nobody = wechat.place(&place_content(&wechat)).await.unwrap_err();
    let server = answering(plain(401, br#"{"code":"SIGN_ERROR","message":""}"#)).await;
    let wechat_of = crate::support::wechat(&server);
    let refused = wechat_of.place(&place_content(&wechat_of)).await.unwrap_err();
    let shown = format!(
        "{shown}{wechat:?}{:?}{nobody:?}{refused:?}{}",
        alone(),
        chain(&nobody)
    );
    assert!(!shown.contains(APIV3_KEY), "the APIv3 key is shown");
    for line in key_text("key_pkcs8.pem").lines() {
        assert!(!shown.contains(line), "the private key is shown");
    }
}
