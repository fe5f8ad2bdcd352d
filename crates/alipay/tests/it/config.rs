//! A configuration that cannot work is refused, and says where and why.

use std::time::Duration;

use trade_alipay::{Alipay, AlipayConfig, GATEWAY_URL, SANDBOX_GATEWAY_URL, VerifyKeys};
use trade_core::Secret;

use crate::support::{config, key_file};

/// The field, and everything the error says.
fn refused(change: impl FnOnce(&mut AlipayConfig)) -> (String, String) {
    let mut config = config("http://127.0.0.1:1");
    change(&mut config);
    let error = Alipay::new(config).unwrap_err();
    let cause = error.source.as_ref().map(ToString::to_string);
    (
        error.field.to_owned(),
        format!("{error}: {}", cause.unwrap_or_default()),
    )
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
    for url in ["", " ", "ftp://x/notify", "https://x/a b", " https://x/n"] {
        assert_eq!(
            refused(|config| config.notify_url = url.into()).0,
            "notify_url",
            "{url}"
        );
    }
    let long = format!("https://x/{}", "a".repeat(256));
    assert_eq!(refused(|config| config.notify_url = long).0, "notify_url");
    for product in ["", " ", "当面付", "face_to_face"] {
        assert_eq!(
            refused(|config| config.product_code = product.into()).0,
            "product_code"
        );
    }
    assert_eq!(
        refused(|config| config.connect_timeout = Duration::ZERO).0,
        "connect_timeout"
    );
    assert_eq!(refused(|config| config.timeout = Duration::ZERO).0, "timeout");
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
fn a_key_that_is_too_short_says_how_long_it_has_to_be() {
    let (field, reason) = refused(|config| config.private_key = Secret::new(key_file("refused_1024.pem")));
    assert_eq!(field, "private_key");
    assert!(reason.contains("1024") && reason.contains("2048"), "{reason}");
    let weak = VerifyKeys::public_key(key_file("refused_1024_public.pem"));
    let (field, reason) = refused(|config| config.keys = weak);
    assert_eq!(field, "alipay_public_key");
    assert!(reason.contains("1024"), "{reason}");
}

#[test]
fn keys_are_taken_as_people_paste_them() {
    let text = |name: &str| std::fs::read_to_string(key_file(name)).unwrap();
    let bare = |name: &str| {
        let text = text(name);
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('-')).collect();
        lines.concat()
    };
    for (private, public) in [
        (bare("key_pkcs8.pem"), bare("other_public.pem")),
        (bare("key_pkcs1.pem"), text("other_public.pem")),
        (text("key_pkcs1.pem").replace('\n', "\\n"), text("other.pem")),
    ] {
        let mut config = config("http://127.0.0.1:1");
        config.private_key = Secret::new(private);
        config.keys = VerifyKeys::public_key(public);
        assert!(Alipay::new(config).is_ok());
    }
}

#[test]
fn an_error_is_one_line_that_names_the_field() {
    let mut config = config("http://127.0.0.1:1");
    config.keys = VerifyKeys::public_key(key_file("key_pkcs8.pem"));
    let error = Alipay::new(config).unwrap_err();
    let line = error.to_string();
    assert!(
        line.starts_with("alipay_public_key: ") && !line.contains('\n'),
        "{line}"
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn what_looks_mixed_up_is_said() {
    let usual = config("http://127.0.0.1:1");
    assert_eq!(usual.warnings(), Vec::<&str>::new());
    let fields = |change: fn(&mut AlipayConfig)| {
        let mut config = usual.clone();
        change(&mut config);
        let warnings = config.warnings();
        let field = |warning: &&'static str| warning.split(':').next().unwrap();
        warnings.iter().map(field).collect::<Vec<_>>()
    };
    let real = |config: &mut AlipayConfig| config.gateway_url = GATEWAY_URL.into();
    assert!(fields(real).is_empty());
    let unchecked = |config: &mut AlipayConfig| {
        config.gateway_url = GATEWAY_URL.into();
        config.keys = VerifyKeys::Certificates {
            app: String::new(),
            alipay: String::new(),
            root: String::new(),
            check_chain: false,
        };
    };
    let sandbox_app = |config: &mut AlipayConfig| {
        config.app_id = "9021000000000001".into();
        config.gateway_url = GATEWAY_URL.into();
    };
    assert_eq!(fields(sandbox_app), ["app_id"]);
    assert_eq!(
        fields(|config| config.gateway_url = SANDBOX_GATEWAY_URL.into()),
        ["gateway_url"]
    );
    assert_eq!(
        fields(|config| config.gateway_url = "http://openapi.alipay.com/gateway.do".into()),
        ["gateway_url"]
    );
    assert_eq!(fields(unchecked), ["check_chain"]);
    assert_eq!(fields(|config| config.seller_id = None), ["seller_id"]);
    let sandbox = |config: &mut AlipayConfig| {
        config.app_id = "9021000000000001".into();
        config.gateway_url = SANDBOX_GATEWAY_URL.into();
    };
    assert!(fields(sandbox).is_empty());
}

#[test]
fn no_secret_is_shown() {
    let mut config = config("http://127.0.0.1:1");
    config.encrypt_key = Some(Secret::new("MDEyMzQ1Njc4OWFiY2RlZg=="));
    let key = std::fs::read_to_string(key_file("key_pkcs8.pem")).unwrap();
    config.private_key = Secret::new(key.clone());
    let mut shown = format!("{config:?} {:?}", Alipay::new(config.clone()).unwrap());
    // Pasted into the wrong field, it is no less a secret.
    config.keys = VerifyKeys::public_key(key.clone());
    shown.push_str(&format!(
        "{config:?} {:?}",
        Alipay::new(config.clone()).unwrap_err()
    ));
    config.keys = VerifyKeys::certificates(key.clone(), key.clone(), key.clone());
    shown.push_str(&format!(
        "{config:?} {:?}",
        Alipay::new(config.clone()).unwrap_err()
    ));
    let canary = key.lines().nth(5).unwrap();
    assert!(!shown.contains(canary) && !shown.contains("MDEyMzQ1"), "{shown}");
}
