#![allow(warnings, clippy::all, clippy::restriction)]
#[path = "../tests/it/support/mod.rs"] mod support;
#[path = "../tests/it/alipay_client.rs"] mod alipay_client;
#[path = "../tests/it/alipay_certificate.rs"] mod alipay_certificate;
use support::*; use alipay_client as ac; use serde_json::json;
use trade_sandbox::{Channel, SandboxConfig, Sandbox};
#[tokio::main]
async fn main() {
    let s = Sandbox::start_with_keys(SandboxConfig{ listen: "127.0.0.1:9797".parse().unwrap(), seed: Some(3), ..Default::default()}, keys()).await.unwrap();
    let mut w = WechatClient::of(&s); w.now_s = s.now_ms()/1000;
    let mut urls = vec![];
    let exp = |m: i64| { let t = jiff::Timestamp::from_millisecond(s.now_ms()+m*60000).unwrap().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::Offset::from_hours(8).unwrap())); t.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string() };
    for (n,d,a) in [("T20261123000001","两本书：《Rust 程序设计》与《分布式系统》",12_990),("T20261123000002","咖啡一杯",1_990),("T20261123000003","会员年费",29_900),("T20261123000004","<script>alert(1)</script> & \"引号\" 很长很长很长很长很长很长很长很长很长的商品描述",1_234_567_890)] {
        let mut o = w.order(n,a); o["description"]=json!(d); o["time_expire"]=json!(exp(30));
        urls.push(w.create(&o).await);
    }
    let a = ac::AlipayClient::of(&s);
    for (n,d,m) in [("A20261123000001","红茶 + 绿茶 <大>","38.80"),("A20261123000002","红茶一盒","38.80"),("A20261123000003","红茶两盒","77.60")] {
        urls.push(a.precreate(&json!({"out_trade_no":n,"subject":d,"total_amount":m,"timeout_express":"90m"}),None).await);
    }
    s.pay(Channel::Wechat,"T20261123000002").unwrap();
    s.pay(Channel::Alipay,"A20261123000002").unwrap();
    std::fs::write("/tmp/urls.txt", urls.join("\n")).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
}
