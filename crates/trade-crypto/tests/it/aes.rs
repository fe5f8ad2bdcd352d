//! AES-256-GCM against Python's `cryptography`, AES-CBC against the OpenSSL command.

use trade_crypto::{CryptoError, KeyError, aead::ApiV3Key, content::ContentKey};

use crate::vector;

const KEY: &str = "0123456789abcdefghijklmnopqrstuv";

#[test]
fn gcm_opens_and_seals_as_another_program_does() {
    let file = vector::text("gcm.txt");
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.len(), 15);
    for case in lines.chunks(5) {
        let [key, nonce, aad, text, sealed] = case else {
            panic!("{case:?}")
        };
        let key = ApiV3Key::parse(key).unwrap();
        assert_eq!(key.decrypt(nonce, aad, sealed).unwrap(), text.as_bytes());
        assert_eq!(key.encrypt(nonce, aad, text.as_bytes()).unwrap(), *sealed);
    }
}

#[test]
fn gcm_tells_a_wrong_key_from_a_damaged_message() {
    let file = vector::text("gcm.txt");
    let lines: Vec<&str> = file.lines().collect();
    let (nonce, aad, sealed) = (lines[1], lines[2], lines[4]);
    let key = ApiV3Key::parse(KEY).unwrap();
    let wrong = ApiV3Key::parse(&KEY.to_uppercase()).unwrap();

    assert_eq!(wrong.decrypt(nonce, aad, sealed), Err(CryptoError::AeadNotOpened));
    assert_eq!(
        key.decrypt(nonce, "refund", sealed),
        Err(CryptoError::AeadNotOpened)
    );
    assert_eq!(
        key.decrypt("593BEC0C930C", aad, sealed),
        Err(CryptoError::AeadNotOpened)
    );
    assert_eq!(
        key.decrypt("short", aad, sealed),
        Err(CryptoError::NonceLength { length: 5 })
    );
    // Twelve characters are not always twelve bytes.
    assert_eq!(
        key.decrypt("十二个字符十二个字符十二", aad, sealed),
        Err(CryptoError::NonceLength { length: 36 })
    );
    assert_eq!(key.decrypt(nonce, aad, "****"), Err(CryptoError::NotBase64));
    assert_eq!(
        key.decrypt(nonce, aad, "AAAA"),
        Err(CryptoError::CiphertextTooShort { length: 3 })
    );
    assert_eq!(
        key.encrypt("short", aad, b""),
        Err(CryptoError::NonceLength { length: 5 })
    );

    let text = CryptoError::AeadNotOpened.to_string();
    for word in ["reset", "another mchid", "v2"] {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

#[test]
fn an_api_v3_key_has_32_visible_ascii_characters() {
    assert!(ApiV3Key::parse(&format!("\u{feff} {KEY}\r\n")).is_ok());
    for (text, length) in [("", 0), ("0123456789", 10), (&KEY.repeat(2), 64), (&KEY[1..], 31)] {
        let error = ApiV3Key::parse(text).unwrap_err();
        assert!(
            matches!(error, KeyError::ApiV3KeyLength { length: told } if told == length),
            "{error}"
        );
        assert!(
            error.to_string().contains(&format!("this text has {length}")),
            "{error}"
        );
    }
    for (text, position) in [
        ("密0123456789abcdefghijklmnopqrstu", 1),
        ("0123456789 abcdefghijklmnopqrstu", 11),
    ] {
        let error = ApiV3Key::parse(text).unwrap_err();
        assert!(
            matches!(error, KeyError::ApiV3KeyCharacter { position: told } if told == position),
            "{error}"
        );
    }
}

#[test]
fn cbc_opens_and_seals_as_openssl_does() {
    let content = vector::line("content.txt");
    for bytes in [16, 24, 32] {
        let key = ContentKey::parse(&vector::line(&format!("content_{bytes}.key"))).unwrap();
        let sealed = vector::line(&format!("content_{bytes}.sealed"));
        assert_eq!(key.encrypt(&content).unwrap(), sealed);
        assert_eq!(key.decrypt(&sealed).unwrap(), content);
        assert_eq!(key.decrypt(&key.encrypt("").unwrap()).unwrap(), "");
    }
}

#[test]
fn cbc_refuses_what_it_cannot_open() {
    let key = ContentKey::parse(&vector::line("content_16.key")).unwrap();
    let sealed = vector::line("content_16.sealed");
    for damaged in [
        "",
        "AAAA",
        &sealed[..sealed.len() - 4],
        &vector::line("content_32.sealed"),
    ] {
        assert_eq!(
            key.decrypt(damaged),
            Err(CryptoError::ContentNotOpened),
            "{damaged}"
        );
    }
    assert_eq!(key.decrypt("{\"code\":\"40004\"}"), Err(CryptoError::NotBase64));
}

#[test]
fn a_content_key_has_the_length_of_an_aes_key() {
    assert!(matches!(
        ContentKey::parse("not base64"),
        Err(KeyError::ContentKeyText)
    ));
    assert!(matches!(
        ContentKey::parse(""),
        Err(KeyError::ContentKeyLength { length: 0 })
    ));
    assert!(matches!(
        ContentKey::parse("AAAAAAAA"),
        Err(KeyError::ContentKeyLength { length: 6 })
    ));
    let spki = vector::body(&vector::text("public_spki.pem"));
    assert!(matches!(
        ContentKey::parse(&spki),
        Err(KeyError::ContentKeyLength { length: 294 })
    ));
}
