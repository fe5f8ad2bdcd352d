//! Whatever comes in, nothing panics and nothing is believed by chance.

use std::sync::LazyLock;

use proptest::prelude::*;
use trade_alipay::Alipay;
use trade_core::handler::{Headers, PayHandler, RawNotice};

use crate::support::{PAID, alipay, notice};

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_notice(body in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(refused(body));
    }

    #[test]
    fn arbitrary_forms_are_no_notice(pairs in proptest::collection::vec(("[a-z_]{1,12}", "[ -~]{0,24}"), 0..12)) {
        let mut body: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        body.extend(["sign_type=RSA2".to_owned(), "sign=AAAA".to_owned()]);
        prop_assert!(refused(body.join("&").into_bytes()));
    }

    #[test]
    fn a_byte_that_changes_what_is_said_is_refused(Spoilt(body) in spoilt()) {
        // `%2b` and `%2B` say the same, and so does a blank written `+` or `%20`.
        let same = said(&body) == said(&notice(&PAID).body);
        prop_assert_eq!(refused(body), !same);
    }
}

/// A genuine notice in which one byte is another one.
#[derive(Debug)]
struct Spoilt(Vec<u8>);

fn spoilt() -> impl Strategy<Value = Spoilt> {
    let genuine = notice(&PAID).body;
    (any::<proptest::sample::Index>(), any::<u8>()).prop_map(move |(at, byte)| {
        let mut body = genuine.clone();
        let at = at.index(body.len());
        body[at] = if body[at] == byte { byte ^ 1 } else { byte };
        Spoilt(body)
    })
}

/// What a body says, in order and decoded once, by another decoder.
fn said(body: &[u8]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
    pairs.sort();
    pairs
}

fn refused(body: Vec<u8>) -> bool {
    static ALIPAY: LazyLock<Alipay> = LazyLock::new(|| alipay("http://127.0.0.1:1"));
    let raw = RawNotice {
        headers: Headers::default(),
        body,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(ALIPAY.verify_notice(&raw)).is_err()
}
