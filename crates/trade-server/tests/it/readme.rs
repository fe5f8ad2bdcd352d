//! The README's section on production is a program: two instances on real servers, a payment at the one, asked for
//! at the other. It is run as it stands, but for names, ports and addresses.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tokio::task::spawn_blocking;

use crate::{
    broker::{self, Post},
    instances::{free_address, redis_url},
    process::binary_folder,
    server::{self, Server},
};

const HEADING: [&str; 2] = ["### In production", "### 生产环境"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The section of a README.
fn section(page: &str) -> String {
    let text = fs::read_to_string(repository().join(page)).unwrap();
    let parts: Vec<_> = HEADING
        .iter()
        .filter_map(|heading| text.split_once(heading))
        .collect();
    let (_, section) = parts
        .first()
        .unwrap_or_else(|| panic!("{page} has no such section"));
    section.split("\n## ").next().unwrap().to_owned()
}

/// What its blocks of commands hold, one after the other.
fn commands(section: &str) -> String {
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

/// How the section says that a database is made at MySQL or MariaDB.
fn mysql_variant(section: &str) -> &str {
    let variant = section.split('`').find(|text| text.starts_with("mysql -h"));
    variant.expect("the section says how it is done with MySQL")
}

/// Replaced everywhere; what is not there any more must not be forgotten here.
fn replace(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "the section has no `{from}`:\n{text}");
    *text = text.replace(from, to);
}

/// What the commands use and what stands for it here.
struct Private {
    sandbox: String,
    instances: [String; 2],
    database: String,
}

/// The commands with names of their own: the database made at that server, everything else at `private`.
fn script(server: &Server, private: &Private, post: &Post) -> String {
    let section = section("README.md");
    let mut script = commands(&section);
    let (build, rest) = script.split_once('\n').unwrap();
    assert!(build.starts_with("cargo build"), "{build}");
    script = rest.to_owned();
    let (host, port) = server.host().split_once(':').unwrap();
    let make = "psql -h 127.0.0.1 -U postgres -c 'CREATE DATABASE trade'";
    let url = server.on(&private.database);
    if url.starts_with("mysql") {
        replace(&mut script, make, mysql_variant(&section));
        let (from, to) = (
            "mysql -h 127.0.0.1 -u root",
            format!("mysql -h {host} -P {port} -u root"),
        );
        replace(&mut script, from, &to);
    } else {
        let to = format!("psql -h {host} -p {port} -U postgres -c 'CREATE DATABASE trade'");
        replace(&mut script, make, &to);
    }
    let database = format!("CREATE DATABASE {}'", private.database);
    replace(&mut script, "CREATE DATABASE trade'", &database);
    replace(&mut script, "postgres://postgres@127.0.0.1:5432/trade", &url);
    replace(&mut script, "redis://127.0.0.1:6379/0", &redis_url());
    replace(
        &mut script,
        "amqp://guest:guest@127.0.0.1:5672/%2f",
        &post.settings.url,
    );
    replace(
        &mut script,
        "--queue my.shop.trade",
        &format!("--queue {}", post.queue),
    );
    // The notices go to the first instance.
    let export = format!("--export my-merchant --server http://{}", private.instances[0]);
    replace(&mut script, "--export my-merchant", &export);
    replace(&mut script, "127.0.0.1:8600", &private.sandbox);
    replace(&mut script, "127.0.0.1:11505", &private.instances[0]);
    replace(&mut script, "127.0.0.1:11506", &private.instances[1]);
    replace(
        &mut script,
        "trade audit;",
        "trade audit; echo \"audit ended with $?\";",
    );
    let made = script
        .lines()
        .find(|line| line.contains("CREATE DATABASE"))
        .unwrap();
    let dropped = made.replace("CREATE", "DROP").replace('\'', "\"");
    script = format!("trap 'kill $(jobs -p) 2>/dev/null; wait; {dropped}' EXIT\n{script}");
    assert!(!script.contains("cargo "), "{script}");
    script
}

/// Each pause lasts as long as it says, and on until what it is for is there.
fn patience(private: &Private) -> String {
    let Private {
        sandbox, instances, ..
    } = private;
    let ready = format!(
        "curl -sf http://{}/readyz && curl -sf http://{}/readyz",
        instances[0], instances[1]
    );
    format!(
        "pauses=0\n\
         there() {{ case $pauses in\n\
         1) [ -f my-merchant/trade.toml ] && curl -sf http://{sandbox}/sandbox/faults ;;\n\
         2) {ready} ;;\n\
         *) grep -q eventId said ;;\n\
         esac; }}\n\
         sleep() {{ pauses=$((pauses + 1)); command sleep \"$1\"\n\
         until there >/dev/null; do command sleep 0.2; done; }}\n"
    )
}

/// Runs the commands with bash in a folder of their own. All processes, and the database, are gone when it returns.
async fn run(folder: &Path, script: String, exchange: &str) -> Output {
    fs::write(folder.join("script"), script).unwrap();
    let path = format!("{}:{}", binary_folder().display(), std::env::var("PATH").unwrap());
    // The limit ends the whole group, so that nothing is left of a run that hangs.
    let mut bash = Command::new("timeout");
    bash.args(["300", "bash", "script"])
        .current_dir(folder)
        .env("PATH", path);
    bash.env("TRADE__RABBITMQ__EXCHANGE", exchange)
        .env("TRADE__REDIS__PREFIX", exchange)
        .env_remove("RUST_LOG");
    let said = fs::File::create(folder.join("said")).unwrap();
    bash.stdout(said);
    spawn_blocking(move || bash.output().unwrap()).await.unwrap()
}

async fn works(server: &Server, broker: &str) {
    let post = Post::at(broker);
    // What `trade listen` declares beside them.
    let dead = Post {
        settings: trade_mq::RabbitSettings {
            exchange: format!("{}.dlx", post.queue),
            ..post.settings.clone()
        },
        queue: format!("{}.dead", post.queue),
    };
    let private = Private {
        sandbox: free_address().await,
        instances: [free_address().await, free_address().await],
        database: format!("trade_readme_{}", std::process::id()),
    };
    let folder = tempfile::tempdir().unwrap();
    let script = patience(&private) + &script(server, &private, &post);
    let output = run(folder.path(), script, &post.settings.exchange).await;
    let said = fs::read_to_string(folder.path().join("said")).unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    let lines = |with: &str| said.lines().filter(|line| line.contains(with)).count();
    assert!(output.status.success(), "{said}\n{log}");
    assert_eq!(lines("\"state\":\"settled\""), 1, "{said}\n{log}");
    assert_eq!(lines("\"eventId\""), 1, "{said}\n{log}");
    assert_eq!(lines("audit ended with 0"), 1, "{said}\n{log}");
    drop((post, dead));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_section_on_production_do_what_it_says() {
    let Some(broker) = broker::url() else {
        return;
    };
    for server in server::all() {
        works(&server, &broker).await;
    }
}

#[test]
fn both_languages_have_the_same_commands() {
    let plain = |page: &str| -> Vec<String> {
        let commands = commands(&section(page));
        let lines = commands
            .lines()
            .map(|line| line.split(" #").next().unwrap().trim_end());
        lines.map(ToOwned::to_owned).collect()
    };
    assert_eq!(plain("README.md"), plain("README.zh-CN.md"));
}
