//! Certificates, the public key, and the move from one to the other; judged by OpenSSL where it can.

use std::{path::Path, process::Command};

use rsa::{RsaPublicKey, pkcs8::DecodePublicKey};
use tempfile::TempDir;
use trade_sandbox::{Channel::Wechat, WechatKeyMode};

use crate::support::{Reply, WechatClient, sandbox, sandbox_with};

/// Runs OpenSSL, which every developer's machine has, and returns what it prints.
fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the openssl command must be installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {text}{errors}");
    text
}

/// The public key of a certificate.
fn key_of(certificate_pem: &str) -> RsaPublicKey {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("c.pem"), certificate_pem).unwrap();
    let pem = openssl(folder.path(), &["x509", "-in", "c.pem", "-noout", "-pubkey"]);
    RsaPublicKey::from_public_key_pem(&pem).unwrap()
}

/// The certificates of `/v3/certificates`, decrypted: serial number and PEM.
fn certificates(client: &WechatClient, reply: &Reply) -> Vec<(String, String)> {
    let data = reply.json()["data"].as_array().unwrap().clone();
    data.iter()
        .map(|entry| {
            let pem = client.open(&entry["encrypt_certificate"]);
            let serial = entry["serial_no"].as_str().unwrap();
            (serial.to_owned(), String::from_utf8(pem).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn openssl_signs_what_the_sandbox_accepts_and_accepts_what_it_signs() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let folder = TempDir::new().unwrap();
    sandbox.export(folder.path()).unwrap();
    let at = folder.path();

    let target = format!(
        "/v3/pay/transactions/out-trade-no/KEY00001?mchid={}",
        client.kit.mchid
    );
    let timestamp = client.now_s;
    let message = format!("GET\n{target}\n{timestamp}\nabc\n\n");
    std::fs::write(at.join("message"), message).unwrap();
    let key = "wechat_apiclient_key.pem";
    openssl(
        at,
        &["dgst", "-sha256", "-sign", key, "-out", "signature", "message"],
    );
    let signature = openssl(at, &["base64", "-A", "-in", "signature"]);
    let serial = openssl(
        at,
        &["x509", "-in", "wechat_apiclient_cert.pem", "-noout", "-serial"],
    );
    let serial = serial.trim().trim_start_matches("serial=");
    let mut request = client.request("GET", &target, "");
    request.authorization = Some(format!(
        "WECHATPAY2-SHA256-RSA2048 signature=\"{}\", serial_no=\"{serial}\",mchid=\"{}\",nonce_str=\"abc\",\
         timestamp=\"{timestamp}\"",
        signature.trim(),
        client.kit.mchid,
    ));
    let reply = client.send(request).await;
    assert_eq!(reply.status, 404, "{}", reply.json());

    let header = |name| reply.header(name).to_owned();
    let mut message = format!(
        "{}\n{}\n",
        header("Wechatpay-Timestamp"),
        header("Wechatpay-Nonce")
    );
    message.push_str(std::str::from_utf8(&reply.body).unwrap());
    message.push('\n');
    std::fs::write(at.join("message"), message).unwrap();
    std::fs::write(at.join("signature.txt"), header("Wechatpay-Signature")).unwrap();
    openssl(
        at,
        &["base64", "-d", "-A", "-in", "signature.txt", "-out", "signature"],
    );
    let key = "wechat_pub_key.pem";
    let verify = [
        "dgst",
        "-sha256",
        "-verify",
        key,
        "-signature",
        "signature",
        "message",
    ];
    assert!(openssl(at, &verify).contains("Verified OK"));
}

#[tokio::test]
async fn openssl_reads_every_certificate_and_its_key_fits() {
    let sandbox = sandbox().await;
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    sandbox.export(at).unwrap();
    let read = |file: &str| {
        openssl(
            at,
            &["x509", "-in", file, "-noout", "-subject", "-issuer", "-serial"],
        )
    };
    assert!(read("wechat_apiclient_cert.pem").contains("1900000001"));
    assert!(read("wechat_platform_cert.pem").contains("Tenpay.com"));
    assert!(read("alipay_app_cert.crt").contains("2088000000000001-9021000000000001"));
    let of_key = openssl(at, &["pkey", "-in", "wechat_apiclient_key.pem", "-pubout"]);
    let of_certificate = openssl(
        at,
        &["x509", "-in", "wechat_apiclient_cert.pem", "-noout", "-pubkey"],
    );
    assert_eq!(of_key, of_certificate);
    let of_key = openssl(
        at,
        &["pkey", "-in", "alipay_app_private_key_pkcs1.pem", "-pubout"],
    );
    let of_certificate = openssl(at, &["x509", "-in", "alipay_app_cert.crt", "-noout", "-pubkey"]);
    assert_eq!(of_key, of_certificate);
    // The Alipay certificate's file holds leaf and intermediate; the bundle's first root is not RSA.
    let chain = [
        "verify",
        "-no_check_time",
        "-CAfile",
        "alipay_root_cert.crt",
        "-untrusted",
        "alipay_public_cert.crt",
        "alipay_public_cert.crt",
    ];
    assert!(openssl(at, &chain).contains("OK"));
    let roots = std::fs::read_to_string(at.join("alipay_root_cert.crt")).unwrap();
    let algorithms: Vec<String> = roots
        .split_inclusive("-----END CERTIFICATE-----\n")
        .map(|pem| {
            std::fs::write(at.join("root.pem"), pem).unwrap();
            let text = openssl(at, &["x509", "-in", "root.pem", "-noout", "-text"]);
            let line = text.lines().find(|line| line.contains("Signature Algorithm"));
            line.unwrap().trim().to_owned()
        })
        .collect();
    assert_eq!(algorithms.len(), 3);
    assert!(algorithms[0].ends_with("ecdsa-with-SHA256"));
    assert!(algorithms[1].ends_with("sha256WithRSAEncryption"));
    assert!(algorithms[2].ends_with("sha1WithRSAEncryption"));
}

#[tokio::test]
async fn in_public_key_mode_there_are_no_certificates() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let reply = client.get("/v3/certificates").await;
    assert_eq!(reply.refusal(), (404, "RESOURCE_NOT_EXISTS".to_owned()));
    let request = client.request("GET", "/v3/certificates", "");
    let request = request.header("Wechatpay-Serial", &client.kit.platform_serial_no);
    let reply = client.send(request).await;
    assert_eq!(reply.refusal(), (400, "INVALID_REQUEST".to_owned()));
}

#[tokio::test]
async fn in_certificate_mode_rotation_publishes_old_and_new() {
    let sandbox = sandbox_with(|config| config.wechat.key_mode = WechatKeyMode::Cert).await;
    let client = WechatClient::of(&sandbox);
    let list = async || {
        let request = client.request("GET", "/v3/certificates", "");
        // Before the migration this header has no effect.
        let request = request.header("Wechatpay-Serial", &client.kit.public_key_id);
        let reply = client.send(request).await;
        (certificates(&client, &reply), reply)
    };
    let (before, reply) = list().await;
    assert_eq!(before.len(), 1);
    let (serial, pem) = &before[0];
    assert_eq!(*serial, client.kit.platform_serial_no);
    client
        .verify_with(&reply.headers, &reply.body, serial, key_of(pem))
        .unwrap();

    sandbox.rotate_keys(Wechat).unwrap();
    let (after, reply) = list().await;
    assert_eq!(after.len(), 2);
    assert_eq!(after[0], before[0]);
    let (serial, pem) = &after[1];
    client
        .verify_with(&reply.headers, &reply.body, serial, key_of(pem))
        .unwrap();
    assert_eq!(sandbox.merchant().wechat.platform_serial_no, *serial);
}

#[tokio::test]
async fn while_migrating_the_request_chooses_the_key() {
    let sandbox = sandbox_with(|config| config.wechat.key_mode = WechatKeyMode::Migrating(0)).await;
    let client = WechatClient::of(&sandbox);
    let kit = &client.kit;
    let ask = async |serial: &str| {
        let request = client.request("GET", "/v3/certificates", "");
        client.send(request.header("Wechatpay-Serial", serial)).await
    };
    let reply = ask("").await;
    let platform = key_of(&kit.platform_certificate_pem);
    let serial = &kit.platform_serial_no;
    client
        .verify_with(&reply.headers, &reply.body, serial, platform)
        .unwrap();
    let reply = ask(&kit.public_key_id).await;
    assert_eq!(reply.status, 200);
    client.verify(&reply.headers, &reply.body).unwrap();
    assert_eq!(
        ask("PUB_KEY_ID_0").await.refusal(),
        (400, "INVALID_REQUEST".to_owned())
    );

    sandbox.set_wechat_key_mode(WechatKeyMode::PublicKey);
    let reply = ask("").await;
    client.verify(&reply.headers, &reply.body).unwrap();
}

#[tokio::test]
async fn while_migrating_a_share_of_the_notices_uses_the_public_key() {
    use crate::support::Listener;
    let sandbox = sandbox_with(|config| config.wechat.key_mode = WechatKeyMode::Migrating(500)).await;
    let client = WechatClient::of(&sandbox);
    let listener = Listener::start().await;
    for index in 0..24 {
        let mut order = client.order(&format!("KEY2{index:04}"), 1);
        order["notify_url"] = serde_json::json!(listener.url("pay"));
        let request = client.request("POST", "/v3/pay/transactions/native", &order.to_string());
        assert_eq!(client.send(request).await.status, 200);
        sandbox.pay(Wechat, &format!("KEY2{index:04}")).unwrap();
    }
    assert!(sandbox.quiet().await);
    let heard = listener.heard();
    let by_public = heard
        .iter()
        .filter(|heard| heard.headers["wechatpay-serial"] == client.kit.public_key_id.as_str())
        .inspect(|heard| client.verify(&heard.headers, &heard.body).unwrap())
        .count();
    assert_eq!(heard.len(), 24);
    assert!((1..24).contains(&by_public), "{by_public} of 24");
}
