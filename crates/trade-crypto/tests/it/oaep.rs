//! RSAES-OAEP with SHA-1, against the ciphertexts of the OpenSSL command.

use trade_crypto::{CryptoError, PrivateKey};

use crate::vector;

#[test]
fn opens_what_openssl_sealed() {
    let key = vector::key();
    assert_eq!(
        key.decrypt_oaep_sha1(&vector::line("secret.oaep")).unwrap(),
        vector::bytes("secret.txt")
    );
    assert_eq!(key.decrypt_oaep_sha1(&vector::line("empty.oaep")).unwrap(), b"");
}

#[test]
fn seals_what_it_opens_and_never_the_same_way_twice() {
    let (key, public) = (vector::key(), vector::public());
    let longest = vec![b'x'; 214];
    for plain in [b"".as_slice(), "李四".as_bytes(), &longest] {
        let first = public.encrypt_oaep_sha1(plain).unwrap();
        assert_ne!(first, public.encrypt_oaep_sha1(plain).unwrap());
        assert_eq!(key.decrypt_oaep_sha1(&first).unwrap(), plain);
    }
}

#[test]
fn refuses_a_text_too_long_for_the_key() {
    let error = vector::public().encrypt_oaep_sha1(&[0; 215]).unwrap_err();
    assert_eq!(
        error,
        CryptoError::OaepTooLong {
            length: 215,
            length_max: 214
        }
    );
    assert!(error.to_string().contains("215 bytes"), "{error}");
}

#[test]
fn refuses_other_paddings_keys_and_texts() {
    let key = vector::key();
    let other = PrivateKey::parse(&vector::text("other_pkcs8.pem")).unwrap();
    let sealed = vector::line("secret.oaep");
    assert_eq!(other.decrypt_oaep_sha1(&sealed), Err(CryptoError::OaepNotOpened));
    assert_eq!(
        key.decrypt_oaep_sha1(&vector::line("refused_sha256.oaep")),
        Err(CryptoError::OaepNotOpened)
    );
    assert_eq!(
        key.decrypt_oaep_sha1(&vector::line("refused_pkcs1.oaep")),
        Err(CryptoError::OaepNotOpened)
    );
    assert_eq!(key.decrypt_oaep_sha1(""), Err(CryptoError::OaepNotOpened));
    assert_eq!(
        key.decrypt_oaep_sha1(&sealed[4..]),
        Err(CryptoError::OaepNotOpened)
    );
    assert_eq!(key.decrypt_oaep_sha1("not base64"), Err(CryptoError::NotBase64));
}
