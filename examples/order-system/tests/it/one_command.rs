//! The program itself: one command, and everything runs.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};

/// Ends the program with the test, however that ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> Program {
    let command = Command::new(env!("CARGO_BIN_EXE_order-system"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    Program(command.unwrap())
}

/// What the program says, up to the line with the wanted word; that line's last word.
fn said(program: &mut Program, word: &str) -> String {
    let lines = BufReader::new(program.0.stdout.as_mut().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.contains(word));
    line.unwrap().split_whitespace().last().unwrap().to_owned()
}

#[tokio::test]
async fn one_command_starts_everything_and_a_payment_is_known_at_once() {
    let mut program = start(&["--all", "--listen", "127.0.0.1:0"]);
    let base = tokio::task::spawn_blocking(move || (said(&mut program, "Open"), program));
    let (base, _program) = base.await.unwrap();
    let http = Client::builder().no_proxy().build().unwrap();
    let orders = format!("{base}/orders-manager/consumer/orders");
    let start = tomorrow();
    let booking = json!({"serveId": "13", "serveStartTime": start, "addressBookId": "1"});
    let call = |call: reqwest::RequestBuilder, body: Value| async move {
        let answer = call.header("x-user-id", 1001).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["code"], 200, "{answer}");
        answer["data"].clone()
    };
    let placed = call(http.post(format!("{orders}/place")), booking).await;
    let id = placed["id"].as_str().unwrap();
    let channel = json!({"tradingChannel": "ALI_PAY"});
    let code = call(http.put(format!("{orders}/pay/{id}")), channel).await;
    let link = code["codeUrl"].as_str().unwrap();
    let paid = http
        .post(format!("{link}/pay"))
        .header("accept", "application/json")
        .send()
        .await;
    assert!(paid.unwrap().status().is_success());
    for _ in 0..1200 {
        let order = call(http.get(format!("{orders}/{id}")), json!({})).await;
        if order["ordersStatus"] == 100 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the payment is not known after a minute");
}

fn tomorrow() -> String {
    use trade_core::{SystemClock, port::Clock};
    SystemClock::new()
        .now()
        .plus(Duration::from_secs(24 * 3600))
        .to_beijing_text()
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let table: [(&[&str], &str); 5] = [
        (&["--listen", &address], "choose another address with --listen"),
        (
            &["--all", "--listen", &address],
            "choose another address with --listen",
        ),
        (&["--listen", "127.0.0.1:0", "--enterprise-id", "0"], "enterprise"),
        (
            &[
                "--listen",
                "127.0.0.1:0",
                "--database-url",
                "postgres://u:hunter2@127.0.0.1:1/none",
            ],
            "is its URL right",
        ),
        (
            &[
                "--listen",
                "127.0.0.1:0",
                "--database-url",
                "oracle://u:hunter2@127.0.0.1/none",
            ],
            "sqlite://",
        ),
    ];
    for (arguments, word) in table {
        let output = Command::new(env!("CARGO_BIN_EXE_order-system"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(word), "{arguments:?}: {text}");
        assert!(!text.contains("hunter2"), "no password is shown: {text}");
    }
}
