//! Bills: a ZIP of tables in GBK.

use std::{collections::BTreeMap, io::Read, time::Duration};

use encoding_rs::GB18030;
use flate2::read::DeflateDecoder;
use serde_json::{Value, json};
use trade_sandbox::{
    Channel::Alipay,
    Sandbox,
    faults::{Fault, FaultKind},
};

use crate::{
    alipay_client::{AlipayClient, BILL, order, text},
    support::sandbox,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// Pays two orders and refunds a part of one; then it is nine in the morning of the next day.
async fn a_day(sandbox: &Sandbox) -> AlipayClient {
    let mut client = AlipayClient::of(sandbox);
    client.paid(sandbox, "T1", None).await;
    let mut wish = order("T2", "25.00");
    wish["subject"] = json!("茶, \"热\"");
    wish["store_id"] = json!("S1");
    client.precreate(&wish, None).await;
    sandbox.pay(Alipay, "T2").unwrap();
    client.refund("T2", "R1", "5.00").await;
    sandbox.advance(21 * HOUR);
    client.now_ms = sandbox.now_ms();
    client
}

fn ask(bill_type: &str, bill_date: &str) -> Value {
    json!({ "bill_type": bill_type, "bill_date": bill_date })
}

/// The files of an archive by name, read from its local headers alone.
fn unzip(archive: &[u8]) -> BTreeMap<String, String> {
    let number = |at: usize, length: usize| {
        let bytes = &archive[at..at + length];
        bytes
            .iter()
            .rev()
            .fold(0_usize, |number, byte| number * 256 + usize::from(*byte))
    };
    let mut files = BTreeMap::new();
    let mut at = 0;
    while archive[at..].starts_with(b"PK\x03\x04") {
        assert_eq!(number(at + 6, 2), 0, "no flag says UTF-8");
        assert_eq!(number(at + 8, 2), 8, "deflated");
        let (packed, size) = (number(at + 18, 4), number(at + 22, 4));
        let name_at = at + 30;
        let data_at = name_at + number(at + 26, 2);
        let name = GB18030.decode(&archive[name_at..data_at]).0.into_owned();
        let mut content = Vec::new();
        DeflateDecoder::new(&archive[data_at..data_at + packed])
            .read_to_end(&mut content)
            .unwrap();
        assert_eq!(content.len(), size);
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        assert_eq!(usize::try_from(crc.sum()).unwrap(), number(at + 14, 4));
        let (text, _, broken) = GB18030.decode(&content);
        assert!(!broken);
        files.insert(name, text.into_owned());
        at = data_at + packed;
    }
    // The directory follows, and its end knows where it starts.
    assert!(archive[at..].starts_with(b"PK\x01\x02"));
    let end = archive.len() - 22;
    assert!(archive[end..].starts_with(b"PK\x05\x06"));
    assert_eq!(number(end + 10, 2), files.len());
    assert_eq!(number(end + 16, 4), at);
    files
}

async fn download(client: &AlipayClient, content: &Value) -> BTreeMap<String, String> {
    let answer = client.call(BILL, content).await;
    let url = text(&answer["bill_download_url"]);
    let response = client.http().get(url).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    unzip(&response.bytes().await.unwrap())
}

/// The rows of a table by column, its cells trimmed.
fn rows(table: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = table
        .split("\r\n")
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            // A quoted cell counts as one.
            let mut cells = vec![String::new()];
            let mut quoted = false;
            for character in line.chars() {
                match character {
                    '"' => quoted = !quoted,
                    ',' if !quoted => cells.push(String::new()),
                    other => cells.last_mut().unwrap().push(other),
                }
            }
            assert_eq!(cells.len(), columns.len(), "{line}");
            columns
                .iter()
                .zip(cells)
                .map(|(column, cell)| ((*column).to_owned(), cell.trim().to_owned()))
                .collect()
        })
        .collect()
}

#[tokio::test]
async fn the_bill_of_trades_lists_what_happened() {
    let sandbox = sandbox().await;
    let client = a_day(&sandbox).await;
    let files = download(&client, &ask("trade", "2026-11-20")).await;
    let pid = &client.kit.seller_id;
    let detail = &files[&format!("{pid}0156_20261120_业务明细.csv")];
    let summary = &files[&format!("{pid}0156_20261120_业务明细(汇总).csv")];
    let lines: Vec<&str> = detail.split("\r\n").collect();
    assert_eq!(lines[0], "#支付宝业务明细查询");
    assert_eq!(lines[1], format!("#账号：[{pid}0156]"));
    assert_eq!(
        lines[2],
        "#起始日期：[2026年11月20日 00:00:00]   终止日期：[2026年11月20日 23:59:59]"
    );
    assert_eq!(lines[3], "#-----业务明细列表-----");
    assert_eq!(lines[4].split(',').count(), 25);
    assert_eq!(lines[8], "#-----业务明细列表结束-----");
    assert_eq!(lines[9], "#交易合计：2笔，商家实收共35.00元，商家优惠共0.00元");
    assert_eq!(
        lines[10],
        "#退款合计：1笔，商家实收退款共-5.00元，商家优惠退款共0.00元"
    );
    let rows = rows(detail);
    let ledger = sandbox.ledger();
    let second = ledger.order(Alipay, "T2").unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["商户订单号"], "T1");
    assert_eq!(rows[0]["业务类型"], "交易");
    assert_eq!(rows[0]["订单金额（元）"], "10.00");
    assert_eq!(rows[0]["服务费（元）"], "-0.06");
    assert_eq!(rows[1]["支付宝交易号"], second.transaction_id.as_deref().unwrap());
    assert_eq!(rows[1]["门店编号"], "S1");
    assert_eq!(rows[2]["业务类型"], "退款");
    assert_eq!(rows[2]["商户订单号"], "T2");
    assert_eq!(rows[2]["退款批次号/请求号"], "R1");
    assert_eq!(rows[2]["商家实收（元）"], "-5.00");
    assert!(summary.starts_with("#支付宝业务汇总查询\r\n"));
}

#[tokio::test]
async fn the_bill_of_the_account_balances() {
    let sandbox = sandbox().await;
    let client = a_day(&sandbox).await;
    client.paid(&sandbox, "T3", None).await;
    sandbox.advance(24 * HOUR);
    let mut client = client;
    client.now_ms = sandbox.now_ms();
    let files = download(&client, &ask("signcustomer", "2026-11-21")).await;
    let name = format!("{}0156_20261121_账务明细.csv", client.kit.seller_id);
    let rows = rows(&files[&name]);
    let words: Vec<&str> = rows.iter().map(|row| row["业务类型"].as_str()).collect();
    assert_eq!(words, ["在线支付", "收费"]);
    // 10.00 + 25.00 - 5.00 less the fees of the day before, and then 10.00.
    assert_eq!(rows[0]["收入金额（+元）"], "10.00");
    assert_eq!(rows[0]["账户余额（元）"], "39.79");
    assert_eq!(rows[1]["支出金额（-元）"], "-0.06");
    assert_eq!(rows[1]["账户余额（元）"], "39.73");
}

#[tokio::test]
async fn a_bill_exists_from_the_next_morning_on() {
    let sandbox = sandbox().await;
    let client = a_day(&sandbox).await;
    for (content, sub_code) in [
        (ask("trade", "2026-11-21"), "BILL_NOT_EXIST"),
        (ask("trade", "2026-11"), "BILL_NOT_EXIST"),
        (ask("trade", "2026-11-19"), "NO_BILL_DATA"),
        (ask("trade", "2026-11-31"), "INVAILID_ARGUMENTS"),
        (ask("trade", "20261120"), "INVAILID_ARGUMENTS"),
        (ask("other", "2026-11-20"), "INVAILID_ARGUMENTS"),
        (ask("merchant_act", "2026-11-20"), "TYPE_NOT_SUPPORTED"),
        (json!({ "bill_type": "trade" }), "INVAILID_ARGUMENTS"),
    ] {
        assert_eq!(client.refused(BILL, &content).await, sub_code, "{content}");
    }
    // December the third, nine in the morning.
    sandbox.advance(12 * 24 * HOUR);
    let mut client = client;
    client.now_ms = sandbox.now_ms();
    let files = download(&client, &ask("trade", "2026-11")).await;
    let name = format!("{}0156_202611_业务明细.csv", client.kit.seller_id);
    assert_eq!(rows(&files[&name]).len(), 3);
}

#[tokio::test]
async fn a_link_works_for_half_a_minute() {
    let sandbox = sandbox().await;
    let client = a_day(&sandbox).await;
    let answer = client.call(BILL, &ask("trade", "2026-11-20")).await;
    let url = text(&answer["bill_download_url"]);
    let status = async |url: &str| client.http().get(url).send().await.unwrap().status().as_u16();
    assert_eq!(status(&url).await, 200);
    assert_eq!(status(&format!("{url}0")).await, 403);
    sandbox.fault(Fault::new(FaultKind::DropBefore).at(Alipay).on("billdownload"));
    assert!(client.http().get(&url).send().await.is_err());
    sandbox.advance(Duration::from_secs(30));
    assert_eq!(status(&url).await, 403);
}
