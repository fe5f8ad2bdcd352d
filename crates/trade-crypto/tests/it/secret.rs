//! Nothing that can be printed holds a secret.

use trade_crypto::{Certificate, KeyError, PrivateKey, PublicKey, aead::ApiV3Key, content::ContentKey};

use crate::vector::{self, body};

fn is_shareable<T: Clone + Send + Sync + 'static>() {}

#[test]
fn keys_can_be_shared() {
    is_shareable::<PrivateKey>();
    is_shareable::<PublicKey>();
    is_shareable::<Certificate>();
    is_shareable::<ApiV3Key>();
    is_shareable::<ContentKey>();
}

#[test]
fn debug_shows_the_fingerprint_and_no_more() {
    let fingerprint = vector::line("public.fingerprint");
    assert_eq!(
        format!("{:?}", vector::key()),
        format!("PrivateKey {{ found: Pkcs8Pem, bits: 2048, public: \"{fingerprint}\", .. }}")
    );
    assert_eq!(
        format!("{:?}", vector::public()),
        format!("PublicKey {{ found: SpkiPem, bits: 2048, fingerprint: \"{fingerprint}\", .. }}")
    );
    let key = ApiV3Key::parse("0123456789abcdefghijklmnopqrstuv").unwrap();
    assert_eq!(format!("{key:?} {key:#?}"), "ApiV3Key { .. } ApiV3Key { .. }");
    let key = ContentKey::parse(&vector::line("content_32.key")).unwrap();
    assert_eq!(format!("{key:?} {key:#?}"), "ContentKey { .. } ContentKey { .. }");
}

#[test]
fn errors_about_a_key_do_not_repeat_it() {
    let whole = body(&vector::text("key_pkcs8.pem"));
    let settings = [
        whole.clone(),
        whole[..1000].to_owned(),
        format!("{}*", &whole[..100]),
        format!("./{whole}"),
        whole.replace("MII", "\u{4e2d}MII"),
    ];
    for setting in settings {
        let errors: [KeyError; 2] = [
            PublicKey::load(&setting).unwrap_err(),
            Certificate::load(&setting).unwrap_err(),
        ];
        for error in errors {
            let told = format!("{error} {error:?}");
            let leak = (0..whole.len() - 16)
                .map(|at| &whole[at..at + 16])
                .find(|part| told.contains(*part));
            assert_eq!(leak, None, "{told}");
        }
    }
}
