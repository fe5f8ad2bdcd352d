//! An encrypted line to a Redis whose certificate is by an authority of one's own.

use std::path::Path;

use trade_core::Secret;
use trade_redis::{Redis, RedisSettings};

use crate::{
    private::PrivateRedis,
    support::{PATIENCE, clock, connected, lock, settings, works},
};

/// Those of the webhooks' tests: for 127.0.0.1, by an authority that this machine does not know.
const AUTHORITY: &str = include_str!("../../../trade-webhook/tests/tls/authority.pem");

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_is_trusted_by_the_authority_that_is_named() {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../trade-webhook/tests/tls");
    let file = |name: &str| made.join(name).display().to_string();
    let port = PrivateRedis::stopped(&[]).port().to_string();
    let (authority, certificate, key) = (file("authority.pem"), file("certificate.pem"), file("key.pem"));
    let _server = PrivateRedis::running(&[
        "--tls-port",
        &port,
        "--tls-auth-clients",
        "no",
        "--tls-ca-cert-file",
        &authority,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
    ]);
    let at = |host: &str| settings(format!("rediss://{host}:{port}/0"));
    let trusting = |settings: RedisSettings| RedisSettings {
        ca_pem: Some(AUTHORITY.into()),
        ..settings
    };
    let redis = connected(&trusting(at("127.0.0.1"))).await;
    assert!(works(&lock(&redis, PATIENCE)).await);
    for wrong in [at("127.0.0.1"), trusting(at("localhost"))] {
        let why = Redis::start(wrong, clock()).await.unwrap().away().unwrap();
        assert!(why.contains("ertificate"), "{why}");
    }
    let plain = RedisSettings {
        url: Secret::new(format!("redis://127.0.0.1:{port}/0")),
        ..trusting(at("127.0.0.1"))
    };
    let why = plain.check().unwrap_err().to_string();
    assert!(why.contains("ca_file") && why.contains("rediss://"), "{why}");
}
