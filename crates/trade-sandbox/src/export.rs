//! Writes the merchant's kit as files, the way merchants get them from the channels.

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{MerchantKit, SandboxError};

/// Writes every key and certificate into `folder`, and `sandbox.json`, which names ids and files. Files with
/// secrets get mode 0600. Existing files are replaced.
pub(crate) fn write(kit: &MerchantKit, folder: &Path) -> Result<(), SandboxError> {
    std::fs::create_dir_all(folder).map_err(|source| SandboxError::Export {
        path: folder.to_path_buf(),
        source,
    })?;
    let (wechat, alipay) = (&kit.wechat, &kit.alipay);
    let secret = [
        ("wechat_apiclient_key.pem", &wechat.private_key_pem),
        ("wechat_apiv3_key.txt", &wechat.apiv3_key),
        ("alipay_app_private_key.txt", &alipay.app_private_key),
        (
            "alipay_app_private_key_pkcs1.pem",
            &alipay.app_private_key_pkcs1_pem,
        ),
        ("alipay_encrypt_key.txt", &alipay.encrypt_key),
    ];
    let open = [
        ("wechat_apiclient_cert.pem", &wechat.certificate_pem),
        ("wechat_pub_key.pem", &wechat.public_key_pem),
        ("wechat_platform_cert.pem", &wechat.platform_certificate_pem),
        ("alipay_app_cert.crt", &alipay.app_certificate_pem),
        ("alipay_public_key.txt", &alipay.alipay_public_key),
        ("alipay_public_cert.crt", &alipay.alipay_certificate_pem),
        ("alipay_root_cert.crt", &alipay.alipay_root_certificates_pem),
    ];
    for (name, content) in secret {
        put(folder.join(name), content, 0o600)?;
    }
    for (name, content) in open {
        put(folder.join(name), content, 0o644)?;
    }
    put(folder.join("sandbox.json"), &format!("{:#}\n", index(kit)), 0o644)
}

/// Ids and file names; no secrets.
fn index(kit: &MerchantKit) -> serde_json::Value {
    json!({
        "wechat": {
            "base_url": kit.wechat.base_url,
            "mchid": kit.wechat.mchid,
            "appid": kit.wechat.appid,
            "serial_no": kit.wechat.serial_no,
            "public_key_id": kit.wechat.public_key_id,
            "platform_serial_no": kit.wechat.platform_serial_no,
            "private_key_file": "wechat_apiclient_key.pem",
            "certificate_file": "wechat_apiclient_cert.pem",
            "apiv3_key_file": "wechat_apiv3_key.txt",
            "public_key_file": "wechat_pub_key.pem",
            "platform_certificate_file": "wechat_platform_cert.pem",
        },
        "alipay": {
            "gateway_url": kit.alipay.gateway_url,
            "app_id": kit.alipay.app_id,
            "seller_id": kit.alipay.seller_id,
            "app_private_key_file": "alipay_app_private_key.txt",
            "app_private_key_pkcs1_file": "alipay_app_private_key_pkcs1.pem",
            "app_certificate_file": "alipay_app_cert.crt",
            "alipay_public_key_file": "alipay_public_key.txt",
            "alipay_certificate_file": "alipay_public_cert.crt",
            "alipay_root_certificates_file": "alipay_root_cert.crt",
            "encrypt_key_file": "alipay_encrypt_key.txt",
        },
    })
}

fn put(path: PathBuf, content: &str, mode: u32) -> Result<(), SandboxError> {
    let written = open(&path, mode).and_then(|mut file| file.write_all(content.as_bytes()));
    written.map_err(|source| SandboxError::Export { path, source })
}

/// Replaces rather than truncates, so that an old file's wider mode does not survive.
fn open(path: &Path, mode: u32) -> std::io::Result<std::fs::File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}
