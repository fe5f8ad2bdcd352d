//! What a merchant is handed.

use std::net::{Ipv4Addr, SocketAddr};

use tempfile::TempDir;
use trade_sandbox::{Sandbox, SandboxConfig};

use crate::support::{keys, sandbox, sandbox_with};

#[tokio::test]
async fn the_kit_is_exported_as_files_with_secrets_kept_private() {
    let sandbox = sandbox().await;
    let folder = TempDir::new().unwrap();
    let at = folder.path().join("merchant");
    // Twice: exporting again replaces the files.
    sandbox.export(&at).unwrap();
    sandbox.export(&at).unwrap();
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at.join("sandbox.json")).unwrap()).unwrap();
    let mut files = 0;
    for channel in ["wechat", "alipay"] {
        for (name, value) in index[channel].as_object().unwrap() {
            if name.ends_with("_file") {
                files += 1;
                let path = at.join(value.as_str().unwrap());
                assert!(!std::fs::read(&path).unwrap().is_empty(), "{path:?}");
                let secret = name.contains("private") || name.contains("apiv3") || name.contains("encrypt");
                #[cfg(unix)]
                {
                    use std::os::unix::fs::PermissionsExt;
                    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
                    assert_eq!(mode, if secret { 0o600 } else { 0o644 }, "{path:?}");
                }
            }
        }
    }
    assert_eq!(files, 12);
    let kit = sandbox.merchant();
    assert_eq!(index["wechat"]["serial_no"], kit.wechat.serial_no);
    assert_eq!(kit.wechat.serial_no.len(), 40);
    assert_eq!(kit.wechat.apiv3_key.len(), 32);
    assert!(kit.wechat.public_key_id.starts_with("PUB_KEY_ID_"));
    assert!(kit.alipay.alipay_public_key.starts_with("MIIBIjAN"));
    assert!(
        kit.alipay
            .app_private_key_pkcs1_pem
            .contains("BEGIN RSA PRIVATE KEY")
    );
    assert_eq!(kit.alipay.gateway_url, format!("{}/gateway.do", sandbox.url()));
}

#[tokio::test]
async fn secrets_are_not_in_debug_output() {
    let sandbox = sandbox().await;
    let kit = sandbox.merchant();
    let shown = format!("{kit:?} {sandbox:?}");
    for secret in [
        &kit.wechat.apiv3_key,
        &kit.alipay.app_private_key,
        &kit.alipay.encrypt_key,
    ] {
        assert!(!shown.contains(secret.as_str()));
    }
    assert!(!shown.contains("PRIVATE KEY"));
    assert!(shown.contains(&kit.wechat.mchid));
}

#[tokio::test]
async fn codes_use_the_public_address_and_the_machines_own_when_listening_everywhere() {
    let sandbox = sandbox_with(|config| config.public_url = Some("http://pay.example/".to_owned())).await;
    assert_eq!(sandbox.public_url(), "http://pay.example");
    assert_eq!(sandbox.url(), format!("http://{}", sandbox.addr()));
    let everywhere =
        sandbox_with(|config| config.listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))).await;
    assert_eq!(
        everywhere.url(),
        format!("http://127.0.0.1:{}", everywhere.addr().port())
    );
    assert!(!everywhere.public_url().contains("0.0.0.0"));
}

#[tokio::test]
async fn a_port_in_use_is_named_and_a_stopped_sandbox_is_gone() {
    let sandbox = sandbox().await;
    let addr = sandbox.addr();
    let config = SandboxConfig {
        listen: addr,
        ..SandboxConfig::default()
    };
    let error = Sandbox::start_with_keys(config.clone(), keys())
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&addr.to_string()));
    sandbox.shutdown().await;
    Sandbox::start_with_keys(config, keys())
        .await
        .unwrap()
        .shutdown()
        .await;
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_seed_gives_the_same_merchant_again() {
    let seeded = || sandbox_with(|config| config.seed = Some(42));
    let (one, two) = (seeded().await.merchant(), seeded().await.merchant());
    assert_eq!(one.wechat.apiv3_key, two.wechat.apiv3_key);
    assert_eq!(one.wechat.serial_no, two.wechat.serial_no);
    assert_eq!(one.wechat.public_key_id, two.wechat.public_key_id);
}

#[tokio::test]
async fn a_sandbox_makes_its_own_keys_and_the_same_ones_for_the_same_seed() {
    let config = SandboxConfig {
        seed: Some(7),
        ..SandboxConfig::default()
    };
    // The seed of the shared keys.
    let own = Sandbox::start(config.clone()).await.unwrap().merchant();
    let shared = Sandbox::start_with_keys(config, keys()).await.unwrap().merchant();
    assert_eq!(own.wechat.private_key_pem, shared.wechat.private_key_pem);
    assert_eq!(own.alipay.alipay_public_key, shared.alipay.alipay_public_key);
}
