//! The commands that look at the store, as the real binary, beside a running server.

use std::{
    path::Path,
    process::{Command, Output},
};

use axum::http::StatusCode;
use sea_orm::{ConnectionTrait, Database};

use crate::{server, world::World};

pub(crate) async fn trade(arguments: &[&str], settings: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trade"));
    command.args(arguments).arg("--config").arg(settings);
    let ran = tokio::task::spawn_blocking(move || command.output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = ran.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[tokio::test]
async fn show_tells_an_order_by_its_number_or_by_a_tradings() {
    let world = World::new().await;
    let number = world.paid("WECHAT_PAY", 77).await;
    let (status, refund) = world
        .post("/trade/inner/refunds", &World::part("r-1", &number, "5.00"))
        .await;
    assert_eq!(status, StatusCode::OK, "{refund}");
    world
        .until(&format!("/trade/inner/tradings/{number}/timeline"), |lines| {
            lines.to_string().contains("refund ")
        })
        .await;
    let (code, by_order, errors) = trade(&["show", "77"], &world.settings).await;
    assert_eq!(code, Some(0), "{errors}");
    for told in [
        "order 77 of jzo2o.orders",
        &format!("trading {number}  WECHAT_PAY  19.90 yuan  settled  pays its order"),
        "asked for as r-1",
        "paying.placed -> settled (notice)",
        "UPDATE_STATUS YJS",
        "5.00 yuan: applied (request)",
    ] {
        assert!(by_order.contains(told), "no {told} in:\n{by_order}");
    }
    let at_milliseconds = |line: &&str| {
        let time = line.trim_start().split("  ").next().unwrap_or_default();
        time.len() == 23 && time.as_bytes()[19] == b'.'
    };
    let moments = by_order.lines().filter(at_milliseconds).count();
    assert!(moments >= 6, "{moments} moments in:\n{by_order}");
    let (code, by_trading, _) = trade(&["show", &number], &world.settings).await;
    assert_eq!(code, Some(0));
    assert!(by_trading.contains("order 77 of jzo2o.orders"), "{by_trading}");

    let (code, out, errors) = trade(&["show", "78"], &world.settings).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(errors.contains("neither an order nor a trading"), "{errors}");
    for nonsense in ["x", "0", "-1"] {
        assert_eq!(
            trade(&["show", nonsense], &world.settings).await.0,
            Some(2),
            "{nonsense}"
        );
    }
    // Looking has changed nothing, and the server goes on.
    world.create("ALI_PAY", 79).await;
}

#[tokio::test]
async fn show_works_when_the_server_is_down() {
    let world = World::new().await;
    let number = world.paid("ALI_PAY", 1).await;
    let settings = world.settings.clone();
    let _folder = world.stop().await;
    let (code, out, errors) = trade(&["show", &number], &settings).await;
    assert_eq!(code, Some(0), "{errors}");
    assert!(out.contains("settled"), "{out}");
    assert!(
        out.contains("call    place: ok"),
        "what was noted last is written before the server ends: {out}"
    );
}

#[tokio::test]
async fn audit_says_whether_the_invariants_hold() {
    let world = World::new().await;
    let number = world.paid("ALI_PAY", 1).await;
    world.create("WECHAT_PAY", 2).await;
    let (code, out, errors) = trade(&["audit"], &world.settings).await;
    assert_eq!(code, Some(0), "{out}{errors}");
    assert!(out.contains("invariants hold"), "{out}");

    let database = world.settings.with_file_name("trade.db");
    let connection = Database::connect(format!("sqlite://{}?mode=rw", database.display()))
        .await
        .unwrap();
    let broken =
        format!("UPDATE trading SET refund = 5, refund_reserved = 5 WHERE trading_order_no = {number}");
    connection.execute_unprepared(&broken).await.unwrap();
    let (code, out, errors) = trade(&["audit"], &world.settings).await;
    assert_eq!(code, Some(1), "{out}{errors}");
    assert!(out.contains(&number), "the row is named: {out}");
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_is_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("trade.toml");
    let (code, _, errors) = trade(&["audit"], &settings).await;
    assert_eq!(code, Some(2), "no settings: {errors}");
    let text = format!(
        r#"
        [store]
        path = "{0}/no/such/trade.db"
        [[merchant]]
        enterprise_id = 1001
        [merchant.alipay]
        app_id = "2021000000000000"
        private_key = "k"
        alipay_public_key = "k"
        notify_url = "https://pay.example.com/notify"
        gateway_url = "http://127.0.0.1:1/gateway.do"
        "#,
        folder.path().display()
    );
    std::fs::write(&settings, &text).unwrap();
    let (code, out, errors) = trade(&["audit"], &settings).await;
    assert_eq!((code, out.as_str()), (Some(2), ""), "{errors}");
    assert!(errors.contains("there is no store at"), "{errors}");
    assert!(!folder.path().join("no").exists(), "nothing was created");
    assert_eq!(trade(&["show", "1"], &settings).await.0, Some(1));
    // Something else than a store.
    let file = folder.path().join("trade.db");
    std::fs::write(
        &file,
        "no database at all, but long enough to be read as the head of one".repeat(20),
    )
    .unwrap();
    std::fs::write(&settings, text.replace("/no/such", "")).unwrap();
    let (code, _, errors) = trade(&["audit"], &settings).await;
    assert_eq!(code, Some(2), "{errors}");
}

/// Whatever an operator types at night, a database that cannot be used is named by its setting, with the reason.
#[tokio::test]
async fn every_command_names_the_store_that_it_cannot_use() {
    let world = World::new().await;
    let mut unusable = vec![(
        "postgres://trade:hunter2@127.0.0.1:1/trade".to_owned(),
        "cannot be reached",
    )];
    for server in server::all() {
        unusable.push((server.as_stranger(), "does not let us in"));
        unusable.push((server.on("no_such_database"), "database name"));
    }
    let commands: [&[&str]; 7] = [
        &["migrate"],
        &["migrate", "--check"],
        &["audit"],
        &["show", "1"],
        &["events"],
        &["resend", "--stuck"],
        &["serve"],
    ];
    for (url, told) in unusable {
        let mut settings: toml::Table =
            toml::from_str(&std::fs::read_to_string(&world.settings).unwrap()).unwrap();
        let store = settings["store"].as_table_mut().unwrap();
        store.insert("url".into(), url.into());
        let file = world.settings.with_file_name("unusable.toml");
        std::fs::write(&file, settings.to_string()).unwrap();
        for arguments in commands {
            let (code, _, errors) = trade(arguments, &file).await;
            assert!(code.is_some_and(|code| code > 0), "{arguments:?}");
            assert!(
                errors.contains("store.url") && errors.contains(told) && !errors.contains("hunter2"),
                "{arguments:?}: {errors}"
            );
        }
    }
}
