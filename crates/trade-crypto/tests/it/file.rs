//! A setting may be the text of a key or the name of its file.

use std::{error::Error, fs};

use trade_crypto::{Certificate, Found, KeyError, PrivateKey, PublicKey};

use crate::vector;

#[test]
fn loads_from_a_path_a_file_prefix_or_the_text_itself() {
    let path = vector::path("key_pkcs8.pem");
    for setting in [
        path.clone(),
        format!("  {path}\n"),
        format!("file:{path}"),
        format!("file://{path}"),
        vector::text("key_pkcs8.pem"),
        vector::body(&vector::text("key_pkcs8.pem")),
    ] {
        assert_eq!(PrivateKey::load(&setting).unwrap().public_key(), vector::public());
    }
    assert_eq!(
        PublicKey::load(&vector::path("public_pkcs1.pem")).unwrap(),
        vector::public()
    );
    assert_eq!(
        Certificate::load(&vector::path("app.pem")).unwrap(),
        vector::certificate("app.pem")
    );
    assert_eq!(
        Certificate::load_all(&vector::path("bundle.crt")).unwrap().len(),
        5
    );
}

#[test]
fn loads_binary_files_and_names_them() {
    let key = PrivateKey::load(&vector::path("key_pkcs8.der")).unwrap();
    assert_eq!(
        (key.found(), key.public_key()),
        (Found::Pkcs8Der, vector::public())
    );
    let key = PublicKey::load(&vector::path("app.der")).unwrap();
    assert_eq!((key.found(), key), (Found::CertificateDer, vector::public()));
    assert_eq!(
        Certificate::load(&vector::path("app.der")).unwrap(),
        vector::certificate("app.pem")
    );
}

#[test]
fn loads_what_windows_writes() {
    let folder = tempfile::tempdir().unwrap();
    let text = vector::text("key_pkcs8.pem").replace('\n', "\r\n");
    let units: Vec<u16> = format!("\u{feff}{text}").encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let gbk_remark = [b"\xd6\xd0\xce\xc4 remark\r\n".as_slice(), text.as_bytes()].concat();
    for (name, content) in [("le.pem", little), ("be.pem", big), ("gbk.pem", gbk_remark)] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let key = PrivateKey::load(path.to_str().unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(key.public_key(), vector::public());
    }
}

#[test]
fn names_the_file_that_is_missing() {
    for setting in [
        "/nowhere/apiclient_key.pem",
        "./nowhere",
        "~/apiclient_key",
        "apiclient_key.pem",
        "C:\\key",
    ] {
        let error = PrivateKey::load(setting).unwrap_err();
        assert!(matches!(&error, KeyError::NoSuchFile { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains(setting) && text.contains("RSA private key"),
            "{text}"
        );
    }
    let error = PrivateKey::load("file:/nowhere/apiclient_key.pem").unwrap_err();
    assert!(
        error.to_string().contains("`/nowhere/apiclient_key.pem`"),
        "{error}"
    );
    assert!(
        error.source().unwrap().to_string().contains("No such file"),
        "{:?}",
        error.source()
    );
}

#[test]
fn a_folder_or_a_huge_file_is_not_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let error = Certificate::load(path).unwrap_err();
    assert!(
        error.source().unwrap().to_string().contains("directory"),
        "{:?}",
        error.source()
    );

    let huge = folder.path().join("huge.pem");
    fs::write(&huge, vec![b'A'; (1 << 20) + 1]).unwrap();
    let error = PublicKey::load(huge.to_str().unwrap()).unwrap_err();
    assert!(
        error.source().unwrap().to_string().contains("1 MiB"),
        "{:?}",
        error.source()
    );
}

#[test]
fn an_empty_file_is_an_empty_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.pem");
    fs::write(&path, " \r\n").unwrap();
    let error = PrivateKey::load(path.to_str().unwrap()).unwrap_err();
    assert!(matches!(error, KeyError::Empty { .. }), "{error:?}");
}

#[test]
fn a_key_behind_the_file_prefix_is_not_repeated() {
    let key = vector::body(&vector::text("key_pkcs8.pem"));
    for setting in [
        format!("file:{key}"),
        format!("file:{}", &key[..200]),
        format!("file:{}", vector::text("key_pkcs1.pem")),
    ] {
        let error = PrivateKey::load(&setting).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(told.contains("not shown") && !told.contains(&key[..12]), "{told}");
    }
}
