//! Every code of WeChat Pay: what kind it is and how certain.

use serde_json::{Value, json};
use trade_core::{
    Certainty::{self, NotSent, Rejected, Unknown},
    ErrorKind::{
        self, AlreadyClosed, AlreadyPaid, Busy, ChannelFault, Configuration, InvalidRequest, NotEnough,
        NotFound, NumberReused, Other, RateLimited, RefundNotAllowed,
    },
    TransactionId,
    handler::{CloseOutcome, PayHandler, PaymentStatus, RefundStatus},
};
use trade_wechat::Method;

use crate::support::{
    MCHID, NATIVE, NONCE, NOW, answering, assert_error, place_content, plain, refund_query, signed, trading,
    wechat,
};

/// Status, spellings, kind, certainty.
type Row = (u16, &'static [&'static str], ErrorKind, Certainty);

const EVERYWHERE: [Row; 8] = [
    (400, &["PARAM_ERROR", "PARAMERROR"], InvalidRequest, Rejected),
    (
        400,
        &["INVALID_REQUEST", "INVALIDREQUEST"],
        InvalidRequest,
        Rejected,
    ),
    (401, &["SIGN_ERROR", "SIGNERROR"], Configuration, Rejected),
    (403, &["NO_AUTH", "NOAUTH"], Configuration, Rejected),
    (400, &["MCH_NOT_EXISTS", "MCHNOTEXISTS"], Configuration, Rejected),
    (404, &["MCH_NOT_EXISTS"], Configuration, Rejected),
    (
        429,
        &[
            "FREQUENCY_LIMITED",
            "FREQUENCYLIMITED",
            "RATELIMIT_EXCEEDED",
            "RATELIMITEXCEEDED",
            "RATE_LIMITED",
            "ANY",
        ],
        RateLimited,
        NotSent,
    ),
    (
        500,
        &["SYSTEM_ERROR", "SYSTEMERROR", "ANY"],
        ChannelFault,
        Unknown,
    ),
];

const BY_ENDPOINT: [Row; 23] = [
    (
        400,
        &["APPID_MCHID_NOT_MATCH", "APPIDMCHIDNOTMATCH"],
        Configuration,
        Rejected,
    ),
    (400, &["ORDER_CLOSED", "ORDERCLOSED"], AlreadyClosed, Rejected),
    (400, &["ORDERPAID", "ORDER_PAID"], AlreadyPaid, Rejected),
    (
        403,
        &["OUT_TRADE_NO_USED", "OUTTRADENOUSED"],
        NumberReused,
        Rejected,
    ),
    (403, &["RULE_LIMIT", "RULELIMIT"], Other, Rejected),
    (403, &["TRADE_ERROR", "TRADEERROR"], Other, Rejected),
    (403, &["ACCOUNT_ERROR", "ACCOUNTERROR"], Configuration, Rejected),
    (500, &["BANK_ERROR", "BANKERROR"], ChannelFault, Unknown),
    (400, &["OPENID_MISMATCH", "OPENIDMISMATCH"], Other, Rejected),
    (400, &["INVALID_TRANSACTIONID"], Other, Rejected),
    (404, &["ORDER_NOT_EXIST", "ORDERNOTEXIST"], NotFound, Rejected),
    (202, &["USERPAYING", "USER_PAYING"], Busy, NotSent),
    (403, &["NOT_ENOUGH", "NOTENOUGH"], NotEnough, Rejected),
    (
        403,
        &["USER_ACCOUNT_ABNORMAL", "USERACCOUNTABNORMAL"],
        RefundNotAllowed,
        Rejected,
    ),
    (
        403,
        &["REQUEST_BLOCKED", "REQUESTBLOCKED"],
        RefundNotAllowed,
        Rejected,
    ),
    (
        404,
        &["RESOURCE_NOT_EXISTS", "RESOURCENOTEXISTS"],
        NotFound,
        Rejected,
    ),
    (400, &["NO_STATEMENT_EXIST"], Other, Rejected),
    (400, &["STATEMENT_CREATING"], Other, Rejected),
    (400, &["AUTH_CODE_INVALID"], Other, Rejected),
    (404, &["NOT_FOUND", "NOTFOUND"], NotFound, Rejected),
    (400, &["ALREADY_EXISTS", "ALREADYEXISTS"], NumberReused, Rejected),
    (400, &["SYSTEM_ERROR"], ChannelFault, Unknown),
    (501, &["ANY"], ChannelFault, Unknown),
];

fn body(code: &str) -> Value {
    json!({"code": code, "message": "说明"})
}

#[tokio::test]
async fn every_code_in_every_spelling_has_its_kind_and_certainty() {
    for (status, codes, kind, certainty) in EVERYWHERE.into_iter().chain(BY_ENDPOINT) {
        for code in codes {
            let server = answering(signed(status, &body(code))).await;
            let wechat = wechat(&server);
            let error = wechat
                .call_raw(Method::POST, NATIVE, Some("{}"))
                .await
                .unwrap_err();
            assert_error(&error, certainty, kind, code);
            assert_eq!(error.code(), Some(*code));
            assert_eq!(error.message(), Some("说明"));
            assert_eq!(error.request_id(), Some("08F78BB5-0"));
            assert_eq!(error.retry_after().is_some(), kind == RateLimited, "{code}");
        }
    }
}

#[tokio::test]
async fn a_gateway_that_speaks_no_json_leaves_the_outcome_unknown() {
    let page = b"<html><center><h1>502 Bad Gateway</h1></center></html>";
    for (status, body, kind, certainty) in [
        (502, page.as_slice(), ChannelFault, Unknown),
        (503, b"", ChannelFault, Unknown),
        (504, page, ChannelFault, Unknown),
        (404, page, ErrorKind::Nonsense, Unknown),
        (400, b"", ErrorKind::Nonsense, Unknown),
        (403, b"{\"message\":", ErrorKind::Nonsense, Unknown),
        (302, b"", ErrorKind::Nonsense, Unknown),
        (429, page, RateLimited, NotSent),
    ] {
        let server = answering(plain(status, body)).await;
        let wechat = wechat(&server);
        let error = wechat.place(&place_content(&wechat)).await.unwrap_err();
        assert_error(&error, certainty, kind, &status.to_string());
        wechat.query(trading()).await.unwrap_err();
        wechat.query_refund(&refund_query()).await.unwrap_err();
    }
}

#[tokio::test]
async fn close_tells_its_outcomes_apart() {
    for (status, code, outcome) in [
        (400, "ORDER_CLOSED", CloseOutcome::Closed),
        (400, "ORDERPAID", CloseOutcome::AlreadyPaid),
        (400, "ORDER_PAID", CloseOutcome::AlreadyPaid),
        (404, "ORDERNOTEXIST", CloseOutcome::NothingToClose),
        (404, "ORDER_NOT_EXIST", CloseOutcome::NothingToClose),
    ] {
        let server = answering(signed(status, &body(code))).await;
        let closed = wechat(&server).close(trading()).await.unwrap();
        assert_eq!(closed.outcome, outcome, "{code}");
        assert_eq!(closed.answer.code, code);
    }
    for (status, code, kind, certainty) in [
        (429, "FREQUENCY_LIMITED", Busy, NotSent),
        (202, "USERPAYING", Busy, NotSent),
        (500, "SYSTEM_ERROR", ChannelFault, Unknown),
    ] {
        let server = answering(signed(status, &body(code))).await;
        let error = wechat(&server).close(trading()).await.unwrap_err();
        assert_error(&error, certainty, kind, code);
    }
    // Only 204 says closed.
    for status in [200, 202] {
        let server = answering(signed(status, &json!({}))).await;
        let error = wechat(&server).close(trading()).await.unwrap_err();
        assert_error(&error, Unknown, ErrorKind::Nonsense, "no 204");
    }
}

#[tokio::test]
async fn what_the_channel_does_not_know_is_absent_and_no_error() {
    let server = answering(signed(404, &body("ORDER_NOT_EXIST"))).await;
    let observed = wechat(&server).query(trading()).await.unwrap();
    assert_eq!(observed.status, PaymentStatus::Absent);
    assert_eq!(observed.answer.code, "ORDER_NOT_EXIST");

    let server = answering(signed(404, &body("RESOURCE_NOT_EXISTS"))).await;
    let reply = wechat(&server).query_refund(&refund_query()).await.unwrap();
    assert_eq!((reply.status, reply.amount), (RefundStatus::Absent, None));

    let server = answering(signed(404, &body("ORDERNOTEXIST"))).await;
    let id = TransactionId::new("4200002026092100000000000001");
    let observed = wechat(&server).query_by_transaction_id(&id).await.unwrap();
    assert_eq!(observed.status, PaymentStatus::Absent);

    // Only the very code says so, and only where WeChat Pay can mean it.
    for (status, code) in [
        (404, "RESOURCE_NOT_EXISTS"),
        (404, "NOT_FOUND"),
        (500, "ORDER_NOT_EXIST"),
        (429, "ORDER_NOT_EXIST"),
    ] {
        let server = answering(signed(status, &body(code))).await;
        wechat(&server).query(trading()).await.unwrap_err();
        wechat(&server).close(trading()).await.unwrap_err();
    }
    for (status, code) in [(404, "ORDER_NOT_EXIST"), (500, "RESOURCE_NOT_EXISTS")] {
        let server = answering(signed(status, &body(code))).await;
        wechat(&server).query_refund(&refund_query()).await.unwrap_err();
    }

    // The merchant is unknown, not the order.
    let server = answering(signed(404, &body("MCH_NOT_EXISTS"))).await;
    assert_error(
        &wechat(&server).query(trading()).await.unwrap_err(),
        Rejected,
        Configuration,
        "query",
    );
    let error = wechat(&server).query_refund(&refund_query()).await.unwrap_err();
    assert_error(&error, Rejected, Configuration, "query_refund");
}

#[tokio::test]
async fn an_unsigned_refusal_decides_nothing_about_money() {
    for (status, code) in [
        (404, "ORDER_NOT_EXIST"),
        (404, "RESOURCE_NOT_EXISTS"),
        (400, "ORDERPAID"),
        (400, "ORDER_CLOSED"),
        (403, "OUT_TRADE_NO_USED"),
        (403, "NOT_ENOUGH"),
        (400, "PARAM_ERROR"),
        (403, "ANYTHING"),
        (202, "USERPAYING"),
    ] {
        let server = answering(plain(status, body(code).to_string().as_bytes())).await;
        let wechat = wechat(&server);
        for error in [
            wechat.place(&place_content(&wechat)).await.unwrap_err(),
            wechat.query(trading()).await.unwrap_err(),
            wechat.close(trading()).await.unwrap_err(),
            wechat.query_refund(&refund_query()).await.unwrap_err(),
        ] {
            assert_error(&error, Unknown, ErrorKind::Unverifiable, code);
            assert_eq!(error.code(), Some(code), "people still see what was said");
        }
    }
}

#[tokio::test]
async fn a_refused_signature_cannot_be_signed_and_is_explained() {
    let error = |detail: Value| async move {
        let refusal = json!({"code": "SIGN_ERROR", "message": "错误的签名，验签失败", "detail": detail});
        let server = answering(plain(401, refusal.to_string().as_bytes())).await;
        wechat(&server).query(trading()).await.unwrap_err()
    };
    let shown = |message: String| json!({"sign_information": {"truncated_sign_message": message}});
    let path = format!("/v3/pay/transactions/out-trade-no/{}?mchid={MCHID}", trading());

    let plain = error(json!({"issue": "sign not match"})).await;
    assert_error(&plain, Rejected, Configuration, "401");
    assert!(plain.hint().contains("clock"), "{plain}");
    let changed = error(shown(format!("GET\n/proxy{path}\n{NOW}\n{NONCE}\n"))).await;
    assert!(
        changed.hint().contains("path and query") && changed.hint().contains("proxy"),
        "{changed}"
    );
    let same = error(shown(format!("GET\n{path}\n{NOW}\n{NONCE}\n"))).await;
    assert!(same.hint().contains("the key is wrong"), "{same}");
}

#[tokio::test]
async fn a_refused_signature_is_explained_in_either_spelling() {
    let path = format!("/v3/pay/transactions/out-trade-no/{}?mchid={MCHID}", trading());
    let bare = path.split('?').next().unwrap();
    for code in ["SIGN_ERROR", "SIGNERROR"] {
        let message = format!("GET\n{bare}\n{NOW}\n{NONCE}\n\n");
        // As it really comes: one detail inside the other.
        let refusal = json!({"code": code, "message": "错误的签名，验签失败", "detail": {
            "detail": {"issue": "sign not match"}, "field": "signature", "location": "authorization",
            "sign_information": {"method": "GET", "sign_message_length": message.len(),
                "truncated_sign_message": message, "url": bare}}});
        let server = answering(plain(401, refusal.to_string().as_bytes())).await;
        let error = wechat(&server).query(trading()).await.unwrap_err();
        assert!(
            error.hint().contains(&format!("`{bare}` and not `{path}`")),
            "{error}"
        );
        assert_eq!(
            error.message(),
            Some("错误的签名，验签失败 (signature: sign not match)")
        );
    }
}

#[tokio::test]
async fn the_detail_names_the_field() {
    let refusal = json!({"code": "PARAM_ERROR", "message": "参数错误",
        "detail": {"field": "/amount/total", "value": [1], "location": null, "issue": "应大于0"}});
    let server = answering(signed(400, &refusal)).await;
    let wechat = wechat(&server);
    let error = wechat.place(&place_content(&wechat)).await.unwrap_err();
    assert_eq!(error.message(), Some("参数错误 (/amount/total: 应大于0)"));

    // Fields that should not be there are listed as the value.
    let message = "请求中含有未在API文档中定义的参数";
    let refusal = json!({"code": "PARAM_ERROR", "message": message,
        "detail": {"field": "", "value": ["/appid", "/mchid"], "location": null, "issue": message}});
    let server = answering(signed(400, &refusal)).await;
    let error = crate::support::wechat(&server)
        .query(trading())
        .await
        .unwrap_err();
    assert_eq!(
        error.message(),
        Some("请求中含有未在API文档中定义的参数 (/appid: /mchid)")
    );

    let refusal = json!({"code": "APPID_MCHID_NOT_MATCH", "message": "appid和mch_id不匹配"});
    let server = answering(signed(400, &refusal)).await;
    let error = crate::support::wechat(&server)
        .query(trading())
        .await
        .unwrap_err();
    assert!(error.hint().contains("bind the appid"), "{error}");
}
