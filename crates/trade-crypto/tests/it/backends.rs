//! The two RSA implementations against each other.

use base64::{Engine, prelude::BASE64_STANDARD};
use proptest::prelude::*;
use trade_crypto::{
    PrivateKey, PublicKey,
    backend::{Hash, Rejected, aws_lc, rust_crypto},
};

use crate::vector;

fn pkcs8() -> Vec<u8> {
    vector::bytes("key_pkcs8.der")
}

fn spki() -> Vec<u8> {
    vector::public().spki_der().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn their_signatures_are_equal_and_each_takes_the_other_s(message: Vec<u8>) {
        let by_aws = aws_lc::Private::from_pkcs8(&pkcs8()).unwrap().sign_sha256(&message).unwrap();
        let by_rust = rust_crypto::Private::from_pkcs8(&pkcs8()).unwrap().sign_sha256(&message).unwrap();
        prop_assert_eq!(&by_aws, &by_rust);
        let aws = aws_lc::Public::from_spki(&spki()).unwrap();
        let rust = rust_crypto::Public::from_spki(&spki()).unwrap();
        prop_assert_eq!(aws.verify(Hash::Sha256, &message, &by_rust), Ok(()));
        prop_assert_eq!(rust.verify(Hash::Sha256, &message, &by_aws), Ok(()));
        prop_assert_eq!(aws.verify(Hash::Sha1, &message, &by_rust), Err(Rejected));
        prop_assert_eq!(rust.verify(Hash::Sha1, &message, &by_aws), Err(Rejected));
    }

    #[test]
    fn each_opens_what_the_other_sealed(plain in prop::collection::vec(any::<u8>(), 0..=214)) {
        let sealed_by_aws = aws_lc::Public::from_spki(&spki()).unwrap().encrypt_oaep_sha1(&plain);
        let sealed_by_rust = rust_crypto::Public::from_spki(&spki()).unwrap().encrypt_oaep_sha1(&plain);
        let aws = aws_lc::Private::from_pkcs8(&pkcs8()).unwrap();
        let rust = rust_crypto::Private::from_pkcs8(&pkcs8()).unwrap();
        prop_assert_eq!(aws.decrypt_oaep_sha1(&sealed_by_rust.unwrap()), Ok(plain.clone()));
        prop_assert_eq!(rust.decrypt_oaep_sha1(&sealed_by_aws.unwrap()), Ok(plain));
    }

    #[test]
    fn their_hashes_are_equal(data: Vec<u8>) {
        prop_assert_eq!(aws_lc::sha256(&data), rust_crypto::sha256(&data));
    }
}

#[test]
fn both_sign_as_openssl_does_and_take_its_sha1_signature() {
    let message = vector::bytes("message.txt");
    let expected = BASE64_STANDARD.decode(vector::line("message.signature")).unwrap();
    let sha1 = BASE64_STANDARD
        .decode(vector::line("refused_sha1.signature"))
        .unwrap();

    let aws = aws_lc::Private::from_pkcs8(&pkcs8()).unwrap();
    assert_eq!(aws.sign_sha256(&message).unwrap(), expected);
    aws_lc::Public::from_spki(&spki())
        .unwrap()
        .verify(Hash::Sha1, &message, &sha1)
        .unwrap();

    let rust = rust_crypto::Private::from_pkcs8(&pkcs8()).unwrap();
    assert_eq!(rust.sign_sha256(&message).unwrap(), expected);
    rust_crypto::Public::from_spki(&spki())
        .unwrap()
        .verify(Hash::Sha1, &message, &sha1)
        .unwrap();
}

#[test]
fn both_refuse_a_key_whose_numbers_do_not_belong_together() {
    let mut der = pkcs8();
    let end = der.len() - 1;
    der[end - 600] ^= 4;
    assert_eq!(aws_lc::Private::from_pkcs8(&der).map(drop), Err(Rejected));
    assert_eq!(rust_crypto::Private::from_pkcs8(&der).map(drop), Err(Rejected));
}

#[test]
fn neither_prints_its_key() {
    let rust = rust_crypto::Private::from_pkcs8(&pkcs8()).unwrap();
    assert_eq!(format!("{rust:?}"), "Private { .. }");
    let aws = aws_lc::Private::from_pkcs8(&pkcs8()).unwrap();
    let printed = format!("{aws:?}");
    // The modulus is public; a private exponent or a prime would make this far longer.
    assert!(printed.len() < 900, "{printed}");
}

#[test]
fn the_crate_uses_the_default_one_and_agrees_with_both() {
    let message = b"GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n";
    let ours = PrivateKey::parse(&vector::text("key_pkcs1.pem"))
        .unwrap()
        .sign_sha256(message)
        .unwrap();
    let theirs = rust_crypto::Private::from_pkcs8(&pkcs8())
        .unwrap()
        .sign_sha256(message)
        .unwrap();
    assert_eq!(ours, BASE64_STANDARD.encode(theirs));
    PublicKey::parse(&vector::text("public_pkcs1.pem"))
        .unwrap()
        .verify_sha256(message, &ours)
        .unwrap();
}
