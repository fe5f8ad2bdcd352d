//! The real binary: why it does not start, in one sentence that names the setting; and how it goes down.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

use axum::http::StatusCode;
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;
use trade_core::{SystemClock, SystemRandom, memory::MemoryStore, port::Clock};
use trade_redis::{LeaseSettings, LeasedIds, Redis, RedisSettings};
use trade_sandbox::faults::{Fault, FaultKind};
use trade_store::SqlStore;

use crate::{
    broker,
    process::{Serving, trade},
    server,
    world::{World, bank, payment},
};

/// The settings of a world, changed by (section, key, value), in a file beside them.
fn changed(settings: &Path, changes: &[(&str, &str, toml::Value)]) -> PathBuf {
    let mut table: toml::Table = std::fs::read_to_string(settings).unwrap().parse().unwrap();
    let listen = ("server", "listen", "127.0.0.1:0".into());
    for (section, key, value) in changes.iter().chain([&listen]) {
        let section = table.entry(*section).or_insert_with(|| toml::Table::new().into());
        let section = section.as_table_mut().unwrap();
        section.insert((*key).into(), value.clone());
    }
    let path = settings.with_file_name("changed.toml");
    std::fs::write(&path, table.to_string()).unwrap();
    path
}

async fn ended(mut command: Command) -> (Option<i32>, String, String) {
    let ran = tokio::task::spawn_blocking(move || command.output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = ran.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// The settings of a world that is gone; its channels are gone with it.
async fn settings() -> (TempDir, PathBuf) {
    let world = World::new().await;
    let path = world.settings.clone();
    (world.stop().await, path)
}

/// The last line of what `trade serve` says when it cannot start.
async fn refusal(settings: &Path, changes: &[(&str, &str, toml::Value)]) -> String {
    let path = changed(settings, changes);
    let serving = tokio::time::timeout(Duration::from_secs(60), ended(trade(&["serve"], &path)));
    let (code, _, errors) = serving.await.expect("it ends by itself");
    assert_eq!(code, Some(1), "{errors}");
    assert!(!errors.contains("hunter2"), "a password was shown: {errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

#[tokio::test]
async fn a_store_that_cannot_be_used_is_named_with_the_reason() {
    let (_folder, settings) = settings().await;
    let url = |url: &str| [("store", "url", toml::Value::from(url))];
    for (target, told) in [
        ("postgres://trade:hunter2@127.0.0.1:1/trade", "cannot be reached"),
        ("mysql://trade:hunter2@127.0.0.1:1/trade", "cannot be reached"),
        (
            "oracle://trade:hunter2@db/trade",
            "is not a database this program speaks",
        ),
        ("postgres://trade:hunter2@127.0.0.1:port/trade", "cannot be read"),
        ("sqlite:///no/such/folder/trade.db", "cannot be opened"),
    ] {
        let errors = refusal(&settings, &url(target)).await;
        assert!(
            errors.contains("store.url") && errors.contains(told),
            "{target}: {errors}"
        );
    }
    for server in server::all() {
        let errors = refusal(&settings, &url(&server.as_stranger())).await;
        let nobody = errors.contains("does not let us in");
        assert!(errors.contains("store.url") && nobody, "{errors}");
        let errors = refusal(&settings, &url(&server.on("no_such_database"))).await;
        assert!(
            errors.contains("store.url") && errors.contains("database name"),
            "{errors}"
        );
    }
}

#[tokio::test]
async fn a_read_only_store_ends_the_start() {
    let (folder, settings) = settings().await;
    let file = folder.path().join("trade.db");
    let read_only = format!("sqlite://{}?mode=ro", file.display());
    let errors = refusal(&settings, &[("store", "url", read_only.into())]).await;
    assert!(
        errors.contains("store.url") && errors.contains("read-only"),
        "{errors}"
    );
    for server in server::all()
        .into_iter()
        .filter(|server| server.on("").starts_with("postgres"))
    {
        let database = server.empty().await;
        SqlStore::connect(&database.url())
            .await
            .unwrap()
            .migrate()
            .await
            .unwrap();
        let outsider = Database::connect(database.url()).await.unwrap();
        let name = database.url().rsplit('/').next().unwrap().to_owned();
        let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
        outsider.execute_unprepared(&read_only).await.unwrap();
        outsider.close().await.unwrap();
        let errors = refusal(&settings, &[("store", "url", database.url().into())]).await;
        assert!(
            errors.contains("store.url") && errors.contains("read-only"),
            "{errors}"
        );
        database.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_schema_waits_for_trade_migrate_when_the_settings_say_so() {
    let (folder, settings) = settings().await;
    let file = folder.path().join("new.db");
    let by_hand = [
        ("store", "path", toml::Value::from(file.display().to_string())),
        ("store", "migrate", false.into()),
    ];
    let errors = refusal(&settings, &by_hand).await;
    assert!(
        errors.contains("older version") && errors.contains("trade migrate"),
        "{errors}"
    );

    let path = changed(&settings, &by_hand);
    let (code, out, errors) = ended(trade(&["migrate", "--check"], &path)).await;
    assert_eq!(code, Some(1), "{errors}");
    assert!(out.contains("lacks pay_channel"), "{out}");
    let (code, out, errors) = ended(trade(&["migrate"], &path)).await;
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        out.contains("applied pay_channel") && out.contains("is up to date"),
        "{out}"
    );
    for again in [["migrate"].as_slice(), &["migrate", "--check"]] {
        let (code, out, errors) = ended(trade(again, &path)).await;
        assert_eq!(code, Some(0), "{errors}");
        assert!(!out.contains("applied"), "{out}");
    }
    let serving = Serving::start(&path).await;
    assert!(serving.end().await.0.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_a_newer_version_has_only_added_to_is_worked_on_and_a_contracted_one_is_refused() {
    let (folder, settings) = settings().await;
    let path = changed(&settings, &[]);
    let file = format!("sqlite://{}", folder.path().join("trade.db").display());
    let outsider = Database::connect(file).await.unwrap();
    let add = |version: i64, name: &str| format!("INSERT INTO trade_migration VALUES ({version}, '{name}')");
    outsider
        .execute_unprepared(&add(9998, "m9998_more"))
        .await
        .unwrap();
    let serving = Serving::start(&path).await;
    assert!(serving.end().await.0.success());
    outsider
        .execute_unprepared(&add(9999, "m9999_memo_contract"))
        .await
        .unwrap();
    outsider.close().await.unwrap();
    let errors = refusal(&settings, &[]).await;
    assert!(
        errors.contains("m9999_memo_contract") && errors.contains("newer version"),
        "{errors}"
    );
    let (code, _, errors) = ended(trade(&["migrate"], &path)).await;
    assert_eq!(code, Some(1));
    assert!(errors.contains("m9999_memo_contract"), "{errors}");
}

#[tokio::test]
async fn a_broker_or_a_token_that_cannot_be_used_is_named() {
    let (_folder, settings) = settings().await;
    let errors = refusal(
        &settings,
        &[("rabbitmq", "url", "http://u:hunter2@broker".into())],
    )
    .await;
    assert!(errors.contains("rabbitmq"), "{errors}");
    let errors = refusal(&settings, &[("admin", "token", "hunter2".into())]).await;
    assert!(errors.contains("admin.token"), "{errors}");
}

#[tokio::test]
async fn an_authority_that_cannot_be_used_is_named() {
    let (_folder, settings) = settings().await;
    for (section, url) in [("rabbitmq", "amqps://broker"), ("redis", "rediss://cache")] {
        for (file, told) in [
            ("/no/such/file.pem", "cannot be read"),
            ("/etc/hostname", "no certificate"),
        ] {
            let changes = [(section, "url", url.into()), (section, "ca_file", file.into())];
            let errors = refusal(&settings, &changes).await;
            assert!(
                errors.contains(section) && errors.contains("ca_file") && errors.contains(told),
                "{file}: {errors}"
            );
        }
    }
}

#[tokio::test]
async fn a_broker_that_does_not_let_us_in_ends_the_start() {
    let Some(url) = broker::url() else { return };
    let (_folder, settings) = settings().await;
    let mut wrong = reqwest::Url::parse(&url).unwrap();
    wrong.set_password(Some("hunter2")).unwrap();
    let errors = refusal(&settings, &[("rabbitmq", "url", wrong.as_str().into())]).await;
    assert!(
        errors.contains("rabbitmq.url: the broker does not let us in")
            && errors.contains("user and password"),
        "{errors}"
    );
    let mut wrong = reqwest::Url::parse(&url).unwrap();
    wrong.set_path("/no-such-host");
    let errors = refusal(&settings, &[("rabbitmq", "url", wrong.as_str().into())]).await;
    assert!(
        errors.contains("rabbitmq.url: the broker does not let us in") && errors.contains("virtual host"),
        "{errors}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_and_a_redis_that_are_away_are_told_at_the_start_by_their_settings() {
    let (_folder, settings) = settings().await;
    let path = changed(
        &settings,
        &[
            ("rabbitmq", "url", "amqp://trade:hunter2@127.0.0.1:1/%2f".into()),
            ("redis", "url", "redis://:hunter2@127.0.0.1:1".into()),
            ("server", "node", 1.into()),
            ("server", "drain_secs", 0.into()),
        ],
    );
    let (status, log) = Serving::start(&path).await.end().await;
    assert!(status.success(), "{status}: {log}");
    for told in ["rabbitmq.url: the broker is away", "redis.url: Redis is away"] {
        let times = log.matches(told).count();
        assert_eq!(times, 1, "{told}: {log}");
    }
    assert!(!log.contains("hunter2"), "a password was shown: {log}");
}

/// The next to start has its node at once, and the broker knows that it is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_end_it_gives_its_node_back_and_closes_its_connection() {
    let Some(url) = broker::url() else { return };
    let (_folder, settings) = settings().await;
    let redis = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379/0".into());
    let prefix = format!("trade-server-test:{}:end", std::process::id());
    let post = broker::Post::at(&url);
    let changes = [
        ("rabbitmq", "url", url.as_str().into()),
        ("rabbitmq", "exchange", post.settings.exchange.as_str().into()),
        ("redis", "url", redis.as_str().into()),
        ("redis", "prefix", prefix.as_str().into()),
        ("server", "drain_secs", 0.into()),
    ];
    let serving = Serving::start(&changed(&settings, &changes)).await;
    let (status, log) = serving.end().await;
    assert!(status.success(), "{status}: {log}");
    assert!(log.contains("the connection to the broker was closed"), "{log}");
    let (_, node) = log
        .split_once("under a leased node node=")
        .expect("a leased node");
    let node = node.split_whitespace().next().unwrap().parse::<i64>().unwrap();

    let settings = RedisSettings {
        prefix,
        ..RedisSettings::new(redis)
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let redis = Redis::start(settings, Arc::clone(&clock)).await.unwrap();
    let that = LeaseSettings {
        nodes: node..=node,
        ..LeaseSettings::default()
    };
    let random = Arc::new(SystemRandom);
    let marks = Arc::new(MemoryStore::default());
    let next = LeasedIds::start(redis, that, None, (clock, random), marks).await;
    assert_eq!(next.unwrap().node().unwrap(), node);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_end_it_is_not_ready_first_goes_on_serving_and_finishes_what_it_has_in_hand() {
    let world = World::new().await;
    let path = changed(
        &world.settings,
        &[
            (
                "store",
                "path",
                world
                    .settings
                    .with_file_name("other.db")
                    .display()
                    .to_string()
                    .into(),
            ),
            ("server", "drain_secs", 2.into()),
            ("server", "node", 1.into()),
        ],
    );
    let serving = Serving::start(&path).await;
    let slow = Fault::new(FaultKind::Delay { delay_ms: 3500 })
        .at(bank("WECHAT_PAY"))
        .on("native");
    world.sandbox.fault(slow);
    let create = |order| {
        let (http, url) = (world.http.clone(), format!("{}/trade/inner/native", serving.base));
        async move {
            let answer = http.post(url).json(&payment("WECHAT_PAY", order)).send().await;
            answer.unwrap().status()
        }
    };
    let in_hand = tokio::spawn(create(1));
    while world.sandbox.ledger().orders.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let ready = format!("{}/readyz", serving.base);
    assert_eq!(
        world.http.get(&ready).send().await.unwrap().status(),
        StatusCode::OK
    );
    serving.terminate();
    let refused = async {
        while world.http.get(&ready).send().await.unwrap().status() != StatusCode::SERVICE_UNAVAILABLE {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), refused)
        .await
        .expect("no longer ready");
    assert_eq!(
        create(2).await,
        StatusCode::OK,
        "it goes on serving while it drains"
    );
    assert_eq!(
        in_hand.await.unwrap(),
        StatusCode::OK,
        "what it had in hand was cut off"
    );
    let (status, log) = serving.ended().await;
    assert!(status.success(), "{status}: {log}");
}
