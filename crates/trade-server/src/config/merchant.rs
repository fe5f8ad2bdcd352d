//! A merchant's accounts at the channels. Keys are given as text or as the path of a file.

use serde::Deserialize;
use trade_core::Secret;

/// `[[merchant]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merchant {
    /// The number the order systems know the merchant by.
    pub enterprise_id: i64,
    /// The account at WeChat Pay.
    pub wechat: Option<WechatMerchant>,
    /// The account at Alipay.
    pub alipay: Option<AlipayMerchant>,
}

/// `[merchant.wechat]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatMerchant {
    /// 商户号.
    pub mchid: String,
    /// The app id bound to it.
    pub appid: String,
    /// `apiclient_key.pem`, text or path.
    pub private_key: Secret,
    /// `apiclient_cert.pem`, text or path; its serial is read from it.
    pub certificate: Option<String>,
    /// The serial of the merchant certificate, when the certificate itself is not given.
    pub serial_no: Option<String>,
    /// APIv3 密钥, 32 characters.
    pub apiv3_key: Secret,
    /// 微信支付公钥 ID, `PUB_KEY_ID_…`.
    pub public_key_id: Option<String>,
    /// 微信支付公钥, text or path.
    pub public_key: Option<String>,
    /// Whether platform certificates are downloaded and trusted: for merchants that have no public
    /// key yet, and together with a public key during the change to it.
    #[serde(default)]
    pub platform_certificates: bool,
    /// Where WeChat Pay sends notices: the public address of `/trade/open/notify/wx/{enterpriseId}`.
    pub notify_url: String,
    /// Another address of the API, such as a sandbox.
    pub base_url: Option<String>,
}

/// `[merchant.alipay]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlipayMerchant {
    /// The app id.
    pub app_id: String,
    /// The seller's id (2088…); when given, notices must name it.
    pub seller_id: Option<String>,
    /// 应用私钥, text or path.
    pub private_key: Secret,
    /// 支付宝公钥, text or path (key mode).
    pub alipay_public_key: Option<String>,
    /// `appCertPublicKey.crt`, text or path (certificate mode).
    pub app_cert: Option<String>,
    /// `alipayCertPublicKey_RSA2.crt`, text or path (certificate mode).
    pub alipay_cert: Option<String>,
    /// `alipayRootCert.crt`, text or path (certificate mode).
    pub root_cert: Option<String>,
    /// 接口内容加密密钥, when content encryption is on.
    pub encrypt_key: Option<Secret>,
    /// Where Alipay sends notices: the public address of `/trade/open/notify/alipay/{enterpriseId}`.
    pub notify_url: String,
    /// Another gateway, such as a sandbox.
    pub gateway_url: Option<String>,
}

/// How WeChat Pay's signatures are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WechatKeys<'a> {
    /// With WeChat Pay's public key.
    PublicKey {
        /// Its id.
        id: &'a str,
        /// The key.
        key: &'a str,
    },
    /// With platform certificates.
    Certificates,
    /// With both, during the change.
    Both {
        /// The id of the public key.
        id: &'a str,
        /// The key.
        key: &'a str,
    },
}

/// How Alipay's signatures are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlipayKeys<'a> {
    /// With Alipay's public key.
    PublicKey(&'a str),
    /// With certificates.
    Certificates {
        /// The app's certificate.
        app: &'a str,
        /// Alipay's certificate.
        alipay: &'a str,
        /// The root bundle.
        root: &'a str,
    },
}

impl Merchant {
    pub(super) fn check(&self, at: &str, wrong: &mut Vec<String>) {
        if self.enterprise_id <= 0 {
            wrong.push(format!("{at}.enterprise_id: must be greater than zero"));
        }
        if self.wechat.is_none() && self.alipay.is_none() {
            wrong.push(format!("{at}: needs [merchant.wechat] or [merchant.alipay]"));
        }
        if let Some(Err(why)) = self.wechat.as_ref().map(WechatMerchant::keys) {
            wrong.push(format!("{at}.wechat.{why}"));
        }
        if let Some(Err(why)) = self.alipay.as_ref().map(AlipayMerchant::keys) {
            wrong.push(format!("{at}.alipay.{why}"));
        }
        if let Some(wechat) = &self.wechat
            && wechat.certificate.is_none()
            && wechat.serial_no.is_none()
        {
            wrong.push(format!(
                "{at}.wechat.certificate: give apiclient_cert.pem, or serial_no"
            ));
        }
    }
}

impl WechatMerchant {
    /// Which keys are configured.
    ///
    /// # Errors
    /// None, or half of a pair.
    pub fn keys(&self) -> Result<WechatKeys<'_>, &'static str> {
        match (
            self.public_key_id.as_deref(),
            self.public_key.as_deref(),
            self.platform_certificates,
        ) {
            (Some(id), Some(key), false) => Ok(WechatKeys::PublicKey { id, key }),
            (Some(id), Some(key), true) => Ok(WechatKeys::Both { id, key }),
            (None, None, true) => Ok(WechatKeys::Certificates),
            (None, None, false) => Err(
                "public_key: give public_key_id and public_key, or platform_certificates = true for a merchant without one",
            ),
            (Some(_), None, _) => Err("public_key: is missing beside public_key_id"),
            (None, Some(_), _) => Err("public_key_id: is missing beside public_key"),
        }
    }
}

impl AlipayMerchant {
    /// Which keys are configured.
    ///
    /// # Errors
    /// None, both modes at once, or half of certificate mode.
    pub fn keys(&self) -> Result<AlipayKeys<'_>, &'static str> {
        let certificates = [&self.app_cert, &self.alipay_cert, &self.root_cert].map(Option::as_deref);
        match (self.alipay_public_key.as_deref(), certificates) {
            (Some(key), [None, None, None]) => Ok(AlipayKeys::PublicKey(key)),
            (None, [Some(app), Some(alipay), Some(root)]) => {
                Ok(AlipayKeys::Certificates { app, alipay, root })
            }
            (None, [None, None, None]) => Err(
                "alipay_public_key: is missing; in certificate mode give app_cert, alipay_cert and root_cert instead",
            ),
            (Some(_), _) => Err("alipay_public_key: cannot stand beside certificates; an app has one mode"),
            (None, _) => Err("app_cert, alipay_cert, root_cert: certificate mode needs all three"),
        }
    }
}
