//! Whatever comes in, nothing panics and nothing is believed by chance.

use proptest::prelude::*;
use trade_core::handler::{Headers, PayHandler, RawNotice};

use crate::support::alipay;

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
}

fn refused(body: Vec<u8>) -> bool {
    let alipay = alipay("http://127.0.0.1:1");
    let raw = RawNotice {
        headers: Headers::default(),
        body,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(alipay.verify_notice(&raw)).is_err()
}
