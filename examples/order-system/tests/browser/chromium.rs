//! A browser with a world behind it.

use std::{
    env,
    io::{BufRead, BufReader},
    panic::{AssertUnwindSafe, resume_unwind},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use futures_util::FutureExt;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use crate::world::World;

/// A phone, and a desk.
pub(crate) const PHONE: (u32, u32) = (390, 844);
pub(crate) const DESK: (u32, u32) = (1280, 800);

const PATIENCE: Duration = Duration::from_secs(60);

/// Browsers are large: one at a time.
static TURN: Mutex<()> = Mutex::const_new(());

pub(crate) struct Browser {
    pub(crate) client: Client,
    pub(crate) world: World,
}

/// Runs a test in a browser of its own; nothing of it is left behind, however the test ends. It is left out when
/// only what is embedded was asked for.
pub(crate) async fn with_browser(screen: (u32, u32), test: impl AsyncFnOnce(&mut Browser)) {
    if env::var_os("TRADE_TEST_EMBEDDED").is_some() {
        return;
    }
    let _turn: MutexGuard<'_, ()> = TURN.lock().await;
    let driver = Driver::start().await;
    let client = driver.open(screen).await;
    let mut browser = Browser {
        client: client.clone(),
        world: World::new().await,
    };
    let ended = AssertUnwindSafe(test(&mut browser)).catch_unwind().await;
    client.close().await.unwrap();
    drop(driver);
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
}

/// `chromedriver`, which starts browsers.
struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    async fn start() -> Self {
        tokio::task::spawn_blocking(|| {
            let mut process = Command::new("chromedriver")
                .arg("--port=0")
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("chromedriver is there (Debian's package chromium-driver)");
            let lines = BufReader::new(process.stdout.take().unwrap()).lines();
            let said = "started successfully on port ";
            let port = lines
                .map_while(Result::ok)
                .find_map(|line| Some(line.split_once(said)?.1.trim_end_matches('.').to_owned()))
                .expect("chromedriver says its port");
            Self {
                process,
                url: format!("http://127.0.0.1:{port}"),
            }
        })
        .await
        .unwrap()
    }

    async fn open(&self, (width, height): (u32, u32)) -> Client {
        let mut arguments = vec!["--headless=new", "--disable-gpu", "--no-proxy-server"];
        // In a container there is one user and little shared memory.
        arguments.extend(["--no-sandbox", "--disable-dev-shm-usage"]);
        let size = format!("--window-size={width},{height}");
        arguments.push(&size);
        let languages = json!({"intl.accept_languages": "zh-CN,zh"});
        let mut options = json!({"args": arguments, "prefs": languages});
        if (width, height) == PHONE {
            let metrics = json!({"width": width, "height": height, "pixelRatio": 2.0, "touch": true});
            options["mobileEmulation"] = json!({"deviceMetrics": metrics});
        }
        let wanted = json!({"goog:chromeOptions": options});
        let Value::Object(wanted) = wanted else {
            unreachable!()
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(wanted);
        builder.connect(&self.url).await.unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

impl Browser {
    pub(crate) async fn open(&self, path: &str) {
        let url = format!("{}{path}", self.world.base);
        self.client.goto(&url).await.unwrap();
    }

    /// The element, once it is there.
    pub(crate) async fn find(&self, css: &str) -> Element {
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css));
        match found.await {
            Ok(element) => element,
            Err(error) => panic!("no {css} ({error}) in {}", self.text().await),
        }
    }

    pub(crate) async fn has(&self, css: &str) -> bool {
        !self.client.find_all(Locator::Css(css)).await.unwrap().is_empty()
    }

    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    /// What can be read on the page.
    pub(crate) async fn text(&self) -> String {
        self.client
            .find(Locator::Css("body"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    /// What the browser says to that.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        self.client
            .execute(&format!("return {script};"), Vec::new())
            .await
            .unwrap()
    }

    /// Becomes a customer, and books a service; the number of the order.
    pub(crate) async fn book(&self) -> String {
        self.open("/sign-in").await;
        self.click("button[value='1001']").await;
        self.click("a[href='/services/11']").await;
        self.shot("book").await;
        self.click("form[action='/orders'] button").await;
        self.find("h1[data-status='0']").await;
        let url = self.client.current_url().await.unwrap();
        url.path().trim_start_matches("/orders/").to_owned()
    }

    /// Chooses a channel and waits for its code; the picture of the code.
    pub(crate) async fn choose(&self, channel: &str) -> String {
        let button = format!("button[value='{channel}']");
        // The page before may look the same: it is marked.
        self.ask("document.body.dataset.old = true").await;
        self.click(&button).await;
        self.find(&format!("body:not([data-old]) {button}[aria-pressed='true']"))
            .await;
        let code = self.find("#qr").await;
        code.attr("src").await.unwrap().unwrap()
    }

    /// Keeps a picture of the page, if somebody wants pictures.
    pub(crate) async fn shot(&self, name: &str) {
        if let Some(folder) = env::var_os("BROWSER_SHOTS") {
            // The whole page, however long.
            let picture = self.client.screenshot().await.unwrap();
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
        }
    }
}
