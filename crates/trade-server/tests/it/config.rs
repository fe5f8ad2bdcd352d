//! A server with wrong merchants does not start, and says all that is wrong.

use tokio::net::TcpListener;
use trade_server::{config::Settings, serve, wire::Environment};

#[tokio::test]
async fn every_key_that_cannot_be_used_is_named_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        r#"
        [store]
        path = "{}/trade.db"
        [admin]
        token = "0123456789abcdef01234567"
        [[merchant]]
        enterprise_id = 1001
        [merchant.wechat]
        mchid = "1900000001"
        appid = "wx5a4d000000000001"
        private_key = "no_such_file.pem"
        serial_no = "3775B6A45ACD588826D15E583A95F5DD00000000"
        apiv3_key = "0123456789abcdef0123456789abcdef"
        public_key_id = "PUB_KEY_ID_0119000000012026"
        public_key = "nonsense"
        notify_url = "https://pay.example.com/notify"
        [merchant.alipay]
        app_id = "not digits"
        private_key = "canary-of-a-private-key"
        alipay_public_key = "nonsense"
        notify_url = "https://pay.example.com/notify"
        "#,
        folder.path().display()
    );
    let settings = Settings::from_toml(&settings).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = serve::start(&settings, listener, Environment::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("merchant[0].wechat: private_key: cannot be used: "),
        "{error}"
    );
    assert!(error.contains("merchant[0].alipay: app_id: "), "{error}");
    assert!(!error.contains("canary"), "{error}");
}
