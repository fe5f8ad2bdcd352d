//! Who issued what, and what leads back to a trusted root.

use trade_crypto::{Certificate, ChainError, check_chain};

use crate::vector::certificate;

/// Within the validity of all but `expired.pem`: 2026-11-23.
const NOW_MS: i64 = 1_795_392_000_000;

fn check(leaf: &str, intermediates: &[&str], roots: &[&str], now_ms: i64) -> Result<(), ChainError> {
    let all = |names: &[&str]| {
        names
            .iter()
            .map(|name| certificate(name))
            .collect::<Vec<Certificate>>()
    };
    check_chain(&certificate(leaf), &all(intermediates), &all(roots), now_ms)
}

#[test]
fn knows_its_issuer() {
    for (name, issuer) in [
        ("app.pem", "middle.pem"),
        ("middle.pem", "root.pem"),
        ("root.pem", "root.pem"),
        ("by_sha1.pem", "root_sha1.pem"),
        ("root_sha1.pem", "root_sha1.pem"),
        ("expired.pem", "middle.pem"),
        ("by_without_extensions.pem", "without_extensions.pem"),
    ] {
        assert!(
            certificate(name).is_issued_by(&certificate(issuer)),
            "{name} by {issuer}"
        );
    }
}

#[test]
fn knows_who_is_not_its_issuer() {
    for (name, issuer, why) in [
        ("app.pem", "root.pem", "other name"),
        ("forged_name.pem", "middle.pem", "same name, other key"),
        ("forged.pem", "app.pem", "right name and key, no right to issue"),
        ("by_limited.pem", "limited.pem", "its key usage does not allow it"),
        ("root_ec.pem", "root_ec.pem", "not RSA"),
        ("root_sm2.pem", "root_sm2.pem", "not RSA"),
    ] {
        assert!(
            !certificate(name).is_issued_by(&certificate(issuer)),
            "{name} by {issuer}: {why}"
        );
    }
}

#[test]
fn follows_a_chain_to_a_root() {
    assert_eq!(check("app.pem", &["middle.pem"], &["root.pem"], NOW_MS), Ok(()));
    // Order does not matter, nor does what has nothing to do with it.
    let more = [
        "root_ec.pem",
        "expired.pem",
        "app.pem",
        "root_sha1.pem",
        "middle.pem",
    ];
    assert_eq!(
        check(
            "app.pem",
            &more,
            &["root_sha1.pem", "root_sm2.pem", "root.pem"],
            NOW_MS
        ),
        Ok(())
    );
    assert_eq!(check("app.pem", &[], &["middle.pem"], NOW_MS), Ok(()));
    assert_eq!(check("root.pem", &[], &["root.pem"], NOW_MS), Ok(()));
}

#[test]
fn trusts_nothing_but_the_roots() {
    for (leaf, intermediates) in [
        ("app.pem", ["other.pem", "expired.pem"]),
        ("forged.pem", ["app.pem", "middle.pem"]),
        ("forged_name.pem", ["middle.pem", "other.pem"]),
        ("by_limited.pem", ["limited.pem", "middle.pem"]),
        ("by_sha1.pem", ["root_sha1.pem", "middle.pem"]),
        (
            "by_without_extensions.pem",
            ["without_extensions.pem", "middle.pem"],
        ),
    ] {
        let verdict = check(leaf, &intermediates, &["root.pem"], NOW_MS);
        assert!(
            matches!(verdict, Err(ChainError::NoIssuer { .. })),
            "{leaf}: {verdict:?}"
        );
    }
    assert!(check("app.pem", &["middle.pem", "root.pem"], &[], NOW_MS).is_err());
}

#[test]
fn says_which_certificate_lacks_its_issuer() {
    let error = check("app.pem", &["middle.pem"], &["root_sha1.pem"], NOW_MS).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("2017") && text.contains("示例金融 Root R1"),
        "{text}"
    );
}

#[test]
fn minds_the_validity_of_every_certificate() {
    let expired = |verdict| matches!(verdict, Err(ChainError::OutsideValidity { .. }));
    let app = certificate("app.pem");
    let chain = |now_ms| check("app.pem", &["middle.pem"], &["root.pem"], now_ms);
    assert!(expired(chain(app.not_before_ms() - 1)));
    assert_eq!(chain(app.not_before_ms()), Ok(()));
    assert_eq!(chain(app.not_after_ms()), Ok(()));
    assert!(expired(chain(app.not_after_ms() + 1)));
    assert!(expired(check(
        "expired.pem",
        &["middle.pem"],
        &["root.pem"],
        NOW_MS
    )));
}
