//! What real money does not forgive: settings that are fine with a sandbox and weak with the real channels.

use std::path::Path;

use super::{Merchant, Settings};

/// Refuses what is weak where there are accounts at the real channels, each by name.
pub(super) fn check(settings: &Settings, file: Option<&Path>, wrong: &mut Vec<String>) {
    if !check_accounts(&settings.merchants, wrong) {
        return;
    }
    if settings.admin.token.is_none() {
        wrong.push(
            "admin.token: is needed with a real channel, since what operators do moves money: \
             `openssl rand -hex 24` makes one"
                .into(),
        );
    }
    if let Some(file) = file.filter(|file| is_open_to_all(file)) {
        wrong.push(format!(
            "every user of this machine may read the settings and their secrets in `{0}`: chmod 600 {0}",
            file.display()
        ));
    }
}

/// The accounts one by one, and whether they go together; whether any is at a real channel.
fn check_accounts(merchants: &[Merchant], wrong: &mut Vec<String>) -> bool {
    let mut live = Vec::new();
    let mut sandbox = Vec::new();
    for (index, merchant) in merchants.iter().enumerate() {
        for account in accounts(merchant) {
            let at = format!("merchant[{index}].{}", account.name);
            if account.is_live() {
                account.check(&at, wrong);
                live.push(at);
            } else {
                sandbox.push(at);
            }
        }
    }
    if let (Some(live), Some(sandbox)) = (live.first(), sandbox.first()) {
        wrong.push(format!(
            "{sandbox}: is at a sandbox while {live} is at the real channel; one server does one or the other, since \
             whoever reaches a sandbox pays with nothing"
        ));
    }
    !live.is_empty()
}

/// An account at a channel.
struct Account<'a> {
    name: &'static str,
    /// Where the channel is, when that is set.
    base: Option<&'a str>,
    notify_url: &'a str,
    private_key: &'a str,
}

fn accounts(merchant: &Merchant) -> impl Iterator<Item = Account<'_>> {
    let wechat = merchant.wechat.as_ref().map(|account| Account {
        name: "wechat",
        base: account.base_url.as_deref(),
        notify_url: &account.notify_url,
        private_key: account.private_key.expose(),
    });
    let alipay = merchant.alipay.as_ref().map(|account| Account {
        name: "alipay",
        base: account.gateway_url.as_deref(),
        notify_url: &account.notify_url,
        private_key: account.private_key.expose(),
    });
    wechat.into_iter().chain(alipay)
}

impl Account<'_> {
    /// Real channels speak HTTPS and have a name; Alipay's own sandbox says so in its name.
    fn is_live(&self) -> bool {
        self.base
            .is_none_or(|base| base.starts_with("https://") && !base.contains("sandbox"))
    }

    fn check(&self, at: &str, wrong: &mut Vec<String>) {
        if !self.notify_url.starts_with("https://") {
            wrong.push(format!(
                "{at}.notify_url: must be https for the real channel, such as https://pay.example.com/trade/open/notify/…"
            ));
        }
        // A key given as text is no path: too long, or with line breaks.
        let is_path = self.private_key.len() < 1024 && !self.private_key.contains('\n');
        if is_path && is_open_to_all(Path::new(self.private_key)) {
            wrong.push(format!(
                "{at}.private_key: every user of this machine may read the file `{}`: chmod 600",
                self.private_key
            ));
        }
    }
}

/// Whether it is a file that others than its owner and group may read.
#[cfg(unix)]
fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
const fn is_open_to_all(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    const TOKEN: &str = "[admin]\ntoken = \"0123456789abcdef01234567\"\n";
    const LIVE: &str = r#"
        [[merchant]]
        enterprise_id = 1001
        [merchant.alipay]
        app_id = "2021000000000000"
        private_key = "k"
        alipay_public_key = "k"
        notify_url = "https://pay.example.com/trade/open/notify/alipay/1001"
    "#;

    fn wrong(toml: &str) -> String {
        match Settings::from_toml(&format!("{TOKEN}{toml}")) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn operators_show_who_they_are_at_the_real_channel() {
        let without = Settings::from_toml(LIVE).unwrap_err().to_string();
        assert!(without.contains("admin.token"), "{without}");
        let sandbox = format!("{LIVE}gateway_url = \"http://127.0.0.1:1/gateway.do\"");
        Settings::from_toml(&sandbox).expect("the sandbox asks nobody");
    }

    #[test]
    fn notices_of_the_real_channel_come_encrypted() {
        assert_eq!(wrong(LIVE), "");
        let plain = LIVE.replace("https://pay", "http://pay");
        assert!(wrong(&plain).contains("merchant[0].alipay.notify_url"));
        let sandbox = format!("{plain}gateway_url = \"http://127.0.0.1:1/gateway.do\"");
        assert_eq!(wrong(&sandbox), "");
        let theirs = format!("{plain}gateway_url = \"https://openapi-sandbox.dl.alipaydev.com/gateway.do\"");
        assert_eq!(wrong(&theirs), "");
    }

    #[test]
    fn sandbox_and_real_money_do_not_mix() {
        let second = LIVE.replace("1001", "1002");
        let mixed = format!("{LIVE}{second}gateway_url = \"http://127.0.0.1:1/gateway.do\"");
        assert!(wrong(&mixed).contains("merchant[1].alipay: is at a sandbox"));
        assert_eq!(wrong(&format!("{LIVE}{second}")), "");
    }

    #[cfg(unix)]
    #[test]
    fn secrets_that_everybody_may_read_are_refused_with_the_real_channel() {
        use std::os::unix::fs::PermissionsExt;

        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        let with_key = LIVE.replace("private_key = \"k\"", &format!("private_key = \"{path}\""));
        let settings = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(settings.path(), format!("{TOKEN}{LIVE}")).unwrap();
        for (mode, refused) in [(0o644, true), (0o604, true), (0o640, false), (0o600, false)] {
            for file in [&file, &settings] {
                std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            }
            assert_eq!(wrong(&with_key).contains("chmod 600"), refused, "{mode:o}");
            let loaded = Settings::load(Some(settings.path()));
            let told = loaded.err().map_or_else(String::new, |error| error.to_string());
            assert_eq!(told.contains("chmod 600"), refused, "{mode:o}: {told}");
        }
    }
}
