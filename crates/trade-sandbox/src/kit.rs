//! What a merchant of this sandbox holds: all a client needs to be configured with.

use serde::Serialize;

use crate::world::World;

/// The merchant's keys, certificates and ids. It contains private keys: `Debug` does not show them, but
/// serializing it does.
#[derive(Clone, Serialize)]
pub struct MerchantKit {
    /// For WeChat Pay.
    pub wechat: WechatKit,
    /// For Alipay.
    pub alipay: AlipayKit,
}

/// For WeChat Pay.
#[derive(Clone, Serialize)]
pub struct WechatKit {
    /// Instead of `https://api.mch.weixin.qq.com`.
    pub base_url: String,
    /// The merchant's number.
    pub mchid: String,
    /// The app bound to it.
    pub appid: String,
    /// The serial number of the merchant's certificate: 40 upper-case hex digits.
    pub serial_no: String,
    /// `apiclient_key.pem` (PKCS#8).
    pub private_key_pem: String,
    /// `apiclient_cert.pem`.
    pub certificate_pem: String,
    /// 32 ASCII characters.
    pub apiv3_key: String,
    /// `PUB_KEY_ID_...`.
    pub public_key_id: String,
    /// `pub_key.pem`.
    pub public_key_pem: String,
    /// The serial number of the platform certificate in use.
    pub platform_serial_no: String,
    /// The platform certificate in use, also served at `/v3/certificates`.
    pub platform_certificate_pem: String,
}

/// For Alipay.
#[derive(Clone, Serialize)]
pub struct AlipayKit {
    /// Instead of `https://openapi.alipay.com/gateway.do`.
    pub gateway_url: String,
    /// The app.
    pub app_id: String,
    /// The merchant's number, which is also the `seller_id`.
    pub seller_id: String,
    /// The app's private key as Alipay's key tool prints it: one line of Base64, PKCS#8.
    pub app_private_key: String,
    /// The same as PEM, PKCS#1.
    pub app_private_key_pkcs1_pem: String,
    /// The app's certificate.
    pub app_certificate_pem: String,
    /// The Alipay public key (支付宝公钥): one line of Base64.
    pub alipay_public_key: String,
    /// The Alipay certificate, followed by its intermediate.
    pub alipay_certificate_pem: String,
    /// The root bundle. Its first certificate is not RSA and must be skipped.
    pub alipay_root_certificates_pem: String,
    /// The AES key for content encryption, Base64.
    pub encrypt_key: String,
}

impl MerchantKit {
    pub(crate) fn of(world: &World) -> Self {
        Self {
            wechat: wechat(world),
            alipay: alipay(world),
        }
    }
}

fn wechat(world: &World) -> WechatKit {
    let all = world.credentials();
    let own = &all.wechat;
    let platform = own.platform.last().map(|platform| &platform.certificate);
    WechatKit {
        base_url: world.api_url.clone(),
        mchid: world.config.wechat.mchid.clone(),
        appid: world.config.wechat.appid.clone(),
        serial_no: own.merchant_certificate.serial_hex(),
        private_key_pem: own.merchant.pkcs8_pem().to_owned(),
        certificate_pem: own.merchant_certificate.pem().to_owned(),
        apiv3_key: own.apiv3_key.clone(),
        public_key_id: own.public_key_id.clone(),
        public_key_pem: own.public.spki_pem().to_owned(),
        platform_serial_no: platform.map_or_else(String::new, |certificate| certificate.serial_hex()),
        platform_certificate_pem: platform.map_or("", |certificate| certificate.pem()).to_owned(),
    }
}

fn alipay(world: &World) -> AlipayKit {
    let all = world.credentials();
    let own = &all.alipay;
    AlipayKit {
        gateway_url: format!("{}/gateway.do", world.api_url),
        app_id: world.config.alipay.app_id.clone(),
        seller_id: world.config.alipay.pid.clone(),
        app_private_key: own.app.pkcs8_base64(),
        app_private_key_pkcs1_pem: own.app.pkcs1_pem().to_owned(),
        app_certificate_pem: own.app_certificate.pem().to_owned(),
        alipay_public_key: own.gateway.spki_base64(),
        alipay_certificate_pem: own.gateway_pem(),
        alipay_root_certificates_pem: own.root_bundle_pem(),
        encrypt_key: own.encrypt_key.clone(),
    }
}

impl std::fmt::Debug for MerchantKit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MerchantKit")
            .field("wechat", &self.wechat)
            .field("alipay", &self.alipay)
            .finish()
    }
}

impl std::fmt::Debug for WechatKit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WechatKit")
            .field("base_url", &self.base_url)
            .field("mchid", &self.mchid)
            .field("appid", &self.appid)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AlipayKit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AlipayKit")
            .field("gateway_url", &self.gateway_url)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
