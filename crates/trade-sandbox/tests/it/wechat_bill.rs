//! Bills: when they exist, their hash, their form, and that they agree with the ledger.

use std::{io::Read, time::Duration};

use flate2::read::GzDecoder;
use serde_json::Value;
use sha1::{Digest, Sha1};
use trade_sandbox::{Channel::Wechat, Sandbox};

use crate::support::{Reply, WechatClient, sandbox};

const HOUR: Duration = Duration::from_secs(3_600);

async fn ask(client: &WechatClient, query: &str) -> Reply {
    client.get(&format!("/v3/bill/{query}")).await
}

/// Asks for a bill, downloads it and checks its hash.
async fn download(client: &WechatClient, query: &str) -> String {
    let reply = ask(client, query).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    let answer = reply.json();
    assert_eq!(answer["hash_type"], "SHA1");
    let reply = fetch(client, &answer).await;
    assert_eq!(reply.status, 200);
    assert!(!reply.is_signed());
    let text = if query.contains("tar_type=GZIP") {
        assert_eq!(reply.header("Content-Type"), "application/x-gzip");
        let mut text = String::new();
        GzDecoder::new(reply.body.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        text
    } else {
        String::from_utf8(reply.body).unwrap()
    };
    assert_eq!(
        answer["hash_value"],
        format!("{:x}", Sha1::digest(text.as_bytes()))
    );
    text
}

async fn fetch(client: &WechatClient, answer: &Value) -> Reply {
    let url = answer["download_url"].as_str().unwrap();
    let target = url.strip_prefix(&client.kit.base_url).unwrap();
    assert!(target.starts_with("/v3/billdownload/file?token="));
    client.send(client.request("GET", target, "")).await
}

/// Splits a data line as the documentation says.
fn fields(line: &str) -> Vec<&str> {
    line.strip_prefix('`').unwrap().split(",`").collect()
}

/// Two payments and a refund on the 20th; it is now the 21st, ten in the morning.
async fn a_day_later(sandbox: &Sandbox, client: &mut WechatClient) {
    for (number, fen) in [("BILL0001", 10_000), ("BILL0002", 1)] {
        let mut order = client.order(number, fen);
        order["description"] = "书, `一本".into();
        client.create(&order).await;
        sandbox.pay(Wechat, number).unwrap();
    }
    let refund = client.refund("BILL0001", "RF1", 2_500, 10_000);
    assert_eq!(
        client.post("/v3/refund/domestic/refunds", &refund).await.status,
        200
    );
    sandbox.advance(22 * HOUR);
    client.now_s += 22 * 3_600;
}

#[tokio::test]
async fn the_trade_bill_lists_payments_and_refunds() {
    let sandbox = sandbox().await;
    let mut client = WechatClient::of(&sandbox);
    a_day_later(&sandbox, &mut client).await;
    let text = download(&client, "tradebill?bill_date=2026-11-20").await;
    let text = text.strip_prefix('\u{feff}').unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 6);
    let header: Vec<&str> = lines[0].split(',').collect();
    assert_eq!(header.len(), 27);
    let at = |line: &str, name: &str| {
        let index = header.iter().position(|known| *known == name).unwrap();
        fields(line)[index].to_owned()
    };
    for line in &lines[1..4] {
        assert_eq!(fields(line).len(), 27, "{line}");
    }
    let find = |state: &str, number: &str| {
        let wanted = |line: &&&str| at(line, "交易状态") == state && at(line, "商户订单号") == number;
        *lines[1..4].iter().find(wanted).unwrap()
    };
    let payment = find("SUCCESS", "BILL0001");
    assert_eq!(at(payment, "交易时间"), "2026-11-20 12:00:00");
    assert_eq!(at(payment, "订单金额"), "100.00");
    assert_eq!(at(payment, "手续费"), "0.60000");
    assert_eq!(at(payment, "费率"), "0.60%");
    assert_eq!(at(payment, "特约商户号"), "0");
    assert_eq!(at(payment, "商户退款单号"), "0");
    assert_eq!(at(payment, "商品名称"), "书, `一本");
    let refund = find("REFUND", "BILL0001");
    assert_eq!(at(refund, "商户退款单号"), "RF1");
    assert_eq!(at(refund, "申请退款金额"), "25.00");
    assert_eq!(at(refund, "退款状态"), "SUCCESS");
    assert_eq!(at(refund, "订单金额"), "0.00");
    assert_eq!(at(refund, "手续费"), "-0.15000");
    assert_eq!(
        fields(lines[5]),
        ["3", "100.01", "25.00", "0.00", "0.45000", "100.01", "25.00"]
    );
    let total = sandbox.ledger().paid_fen(Wechat);
    assert_eq!(total, 10_001);
}

#[tokio::test]
async fn bills_of_one_kind_have_their_own_columns() {
    let sandbox = sandbox().await;
    let mut client = WechatClient::of(&sandbox);
    a_day_later(&sandbox, &mut client).await;
    let shape = |text: &str| {
        let lines: Vec<String> = text.split_terminator("\r\n").map(str::to_owned).collect();
        (lines[0].split(',').count(), fields(&lines[1]).len(), lines)
    };
    let query = "tradebill?bill_date=2026-11-20&bill_type=SUCCESS&tar_type=GZIP";
    let (header, line, lines) = shape(&download(&client, query).await);
    assert_eq!((header, line, lines.len()), (20, 20, 5));
    assert!(!lines[0].contains("退款"));
    assert_eq!(fields(&lines[4]), ["2", "100.01", "0.60000", "100.01"]);

    let query = "tradebill?bill_date=2026-11-20&bill_type=REFUND";
    let (header, line, lines) = shape(&download(&client, query).await);
    assert_eq!((header, line, lines.len()), (29, 29, 4));
    assert!(lines[0].contains("货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号"));
    assert!(lines[1].contains("`2026-11-20 12:00:00,`2026-11-20 12:00:05,`5030"));

    let query = "fundflowbill?bill_date=2026-11-20";
    let (header, line, lines) = shape(&download(&client, query).await);
    assert_eq!((header, line), (11, 11));
    assert_eq!(fields(lines.last().unwrap()), ["5", "3", "100.16", "2", "25.60"]);
}

#[tokio::test]
async fn bills_exist_from_nine_the_next_day_for_three_months() {
    let sandbox = sandbox().await;
    let mut client = WechatClient::of(&sandbox);
    client.create(&client.order("BILL0003", 100)).await;
    sandbox.pay(Wechat, "BILL0003").unwrap();
    let refusal = async |client: &WechatClient, query: &str| ask(client, query).await.refusal();
    let code = |code: &str| (400, code.to_owned());
    let day = "tradebill?bill_date=2026-11-20";
    assert_eq!(refusal(&client, day).await, code("INVALID_REQUEST"));
    assert_eq!(refusal(&client, "tradebill").await, code("PARAM_ERROR"));
    assert_eq!(
        refusal(&client, "tradebill?bill_date=20261119").await,
        code("PARAM_ERROR")
    );
    let idle = "tradebill?bill_date=2026-11-18";
    assert_eq!(refusal(&client, idle).await, code("NO_STATEMENT_EXIST"));
    sandbox.advance(20 * HOUR);
    client.now_s += 20 * 3_600;
    assert_eq!(refusal(&client, day).await, code("STATEMENT_CREATING"));
    sandbox.advance(HOUR);
    client.now_s += 3_600;
    assert_eq!(ask(&client, day).await.status, 200);
    let refunds = "tradebill?bill_date=2026-11-20&bill_type=REFUND";
    assert_eq!(refusal(&client, refunds).await, code("NO_STATEMENT_EXIST"));
    let odd = "tradebill?bill_date=2026-11-20&bill_type=ODD";
    assert_eq!(refusal(&client, odd).await, code("PARAM_ERROR"));
    sandbox.advance(100 * 24 * HOUR);
    client.now_s += 100 * 86_400;
    assert_eq!(refusal(&client, day).await, code("INVALID_REQUEST"));
}

#[tokio::test]
async fn the_download_address_expires_and_must_be_signed_for() {
    let sandbox = sandbox().await;
    let mut client = WechatClient::of(&sandbox);
    a_day_later(&sandbox, &mut client).await;
    let answer = ask(&client, "tradebill?bill_date=2026-11-20").await.json();
    let url = answer["download_url"].as_str().unwrap();
    let mut unsigned = client.request("GET", url.strip_prefix(&client.kit.base_url).unwrap(), "");
    unsigned.authorization = Some(String::new());
    assert_eq!(client.send(unsigned).await.status, 401);
    assert_eq!(fetch(&client, &answer).await.status, 200);
    sandbox.advance(Duration::from_secs(300));
    client.now_s += 300;
    assert_eq!(
        fetch(&client, &answer).await.refusal(),
        (400, "INVALID_REQUEST".to_owned())
    );
}
