//! A small Alipay client: it signs calls and verifies answers and notices by the documentation alone. Its
//! crypto is AWS-LC, the sandbox's is not.

use std::collections::BTreeMap;

use aws_lc_rs::{
    cipher::{
        AES_128, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
        UnboundCipherKey,
    },
    iv::FixedLength,
    rand::SystemRandom,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json, value::RawValue};
use trade_sandbox::{AlipayKit, Channel, Sandbox};

use crate::alipay_certificate::{cert_sn, certificates, root_cert_sn};

/// A merchant's side of Alipay.
pub(crate) struct AlipayClient {
    pub(crate) kit: AlipayKit,
    http: reqwest::Client,
    key: RsaKeyPair,
    /// The client's clock, Unix ms.
    pub(crate) now_ms: i64,
    pub(crate) cert_mode: bool,
    pub(crate) encrypted: bool,
}

/// The parameters of a call.
pub(crate) type Params = BTreeMap<String, String>;

/// An answer, not verified yet.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The parts of the envelope, byte for byte.
    pub(crate) fn parts(&self) -> BTreeMap<String, Box<RawValue>> {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn part(&self, name: &str) -> Option<String> {
        let raw = self.parts().remove(name)?;
        Some(serde_json::from_str(raw.get()).unwrap())
    }

    /// The name of the answer's key.
    pub(crate) fn root_key(&self) -> String {
        let parts = self.parts();
        let mut roots = parts.keys().filter(|key| key.ends_with("_response"));
        roots.next().unwrap().clone()
    }

    /// The answer's own text, quotes or braces included.
    pub(crate) fn source(&self) -> String {
        self.parts()[&self.root_key()].get().to_owned()
    }
}

impl AlipayClient {
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        let kit = sandbox.merchant().alipay;
        let pkcs8 = BASE64_STANDARD.decode(&kit.app_private_key).unwrap();
        Self {
            key: RsaKeyPair::from_pkcs8(&pkcs8).unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            now_ms: sandbox.now_ms(),
            cert_mode: false,
            encrypted: false,
            kit,
        }
    }

    /// A correct call, not signed yet.
    pub(crate) fn params(&self, method: &str, biz_content: &Value) -> Params {
        let mut params = Params::from(
            [
                ("app_id", self.kit.app_id.as_str()),
                ("method", method),
                ("format", "JSON"),
                ("charset", "utf-8"),
                ("sign_type", "RSA2"),
                ("timestamp", &wall(self.now_ms)),
                ("version", "1.0"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let mut content = biz_content.to_string();
        if self.encrypted {
            params.insert("encrypt_type".to_owned(), "AES".to_owned());
            content = self.encrypt(&content);
        }
        params.insert("biz_content".to_owned(), content);
        if self.cert_mode {
            let app = &certificates(&self.kit.app_certificate_pem)[0];
            params.insert("app_cert_sn".to_owned(), cert_sn(app));
            let root = root_cert_sn(&self.kit.alipay_root_certificates_pem);
            params.insert("alipay_root_cert_sn".to_owned(), root);
        }
        params
    }

    /// Adds the signature.
    pub(crate) fn sign(&self, params: &mut Params) {
        params.remove("sign");
        let joined = join(params);
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(&RSA_PKCS1_SHA256, &random, joined.as_bytes(), &mut signature)
            .unwrap();
        params.insert("sign".to_owned(), BASE64_STANDARD.encode(signature));
    }

    /// Sends what is given: `biz_content` in the body, everything else in the query.
    pub(crate) async fn try_send(&self, params: &Params) -> Result<Answer, reqwest::Error> {
        let (body, query): (Vec<_>, Vec<_>) = params.iter().partition(|(name, _)| *name == "biz_content");
        let request = self.http.post(&self.kit.gateway_url).query(&query).form(&body);
        self.read(request).await
    }

    pub(crate) async fn read(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A correct call that must reach its answer.
    pub(crate) async fn send(&self, method: &str, biz_content: &Value) -> Answer {
        let mut params = self.params(method, biz_content);
        self.sign(&mut params);
        self.try_send(&params).await.unwrap()
    }

    /// A correct call; the answer is verified.
    pub(crate) async fn call(&self, method: &str, biz_content: &Value) -> Value {
        let answer = self.send(method, biz_content).await;
        assert_eq!(
            answer.root_key(),
            format!("{}_response", method.replace('.', "_"))
        );
        self.verified(&answer)
    }

    /// A correct call that is refused by business: its `sub_code`.
    pub(crate) async fn refused(&self, method: &str, biz_content: &Value) -> String {
        let answer = self.call(method, biz_content).await;
        assert_eq!(answer["code"], "40004", "{answer}");
        assert_eq!(answer["msg"], "Business Failed");
        text(&answer["sub_code"])
    }

    /// The answer, after its signature.
    pub(crate) fn verified(&self, answer: &Answer) -> Value {
        let source = answer.source();
        let sign = answer.part("sign").expect("a signature");
        assert!(
            self.verify(source.as_bytes(), &sign)
                || self.verify(source.replace("\\/", "/").as_bytes(), &sign),
            "not signed by Alipay: {source}"
        );
        let expected = self.cert_mode.then(|| self.alipay_cert_sn());
        assert_eq!(answer.part("alipay_cert_sn"), expected);
        match serde_json::from_str(&source).unwrap() {
            Value::String(sealed) => serde_json::from_str(&self.decrypt(&sealed)).unwrap(),
            plain => plain,
        }
    }

    /// Whether Alipay signed `message`.
    pub(crate) fn verify(&self, message: &[u8], sign: &str) -> bool {
        let spki = BASE64_STANDARD.decode(&self.kit.alipay_public_key).unwrap();
        let signature = BASE64_STANDARD.decode(sign).unwrap();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki);
        key.verify(message, &signature).is_ok()
    }

    /// The parameters of a notice, after its signature.
    pub(crate) fn notice(&self, body: &[u8]) -> Result<Params, Params> {
        let mut params: Params = form_urlencoded::parse(body).into_owned().collect();
        let signed = params.clone();
        let (sign, sign_type) = (params.remove("sign"), params.remove("sign_type"));
        if sign_type.as_deref() == Some("RSA2") && self.verify(join(&params).as_bytes(), &sign.unwrap()) {
            Ok(params)
        } else {
            Err(signed)
        }
    }

    /// The number of the Alipay certificate this client holds.
    pub(crate) fn alipay_cert_sn(&self) -> String {
        cert_sn(&certificates(&self.kit.alipay_certificate_pem)[0])
    }

    fn aes_key(&self) -> UnboundCipherKey {
        let key = BASE64_STANDARD.decode(&self.kit.encrypt_key).unwrap();
        UnboundCipherKey::new(&AES_128, &key).unwrap()
    }

    pub(crate) fn encrypt(&self, plain: &str) -> String {
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(self.aes_key()).unwrap();
        let mut text = plain.as_bytes().to_vec();
        let iv = EncryptionContext::Iv128(FixedLength::from([0; 16]));
        key.less_safe_encrypt(&mut text, iv).unwrap();
        BASE64_STANDARD.encode(text)
    }

    fn decrypt(&self, sealed: &str) -> String {
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(self.aes_key()).unwrap();
        let mut text = BASE64_STANDARD.decode(sealed).unwrap();
        let iv = DecryptionContext::Iv128(FixedLength::from([0; 16]));
        String::from_utf8(key.decrypt(&mut text, iv).unwrap().to_vec()).unwrap()
    }
}

// Everyday calls.

pub(crate) const PRECREATE: &str = "alipay.trade.precreate";
pub(crate) const QUERY: &str = "alipay.trade.query";
pub(crate) const CLOSE: &str = "alipay.trade.close";
pub(crate) const CANCEL: &str = "alipay.trade.cancel";
pub(crate) const REFUND: &str = "alipay.trade.refund";
pub(crate) const REFUND_QUERY: &str = "alipay.trade.fastpay.refund.query";
pub(crate) const BILL: &str = "alipay.data.dataservice.bill.downloadurl.query";
pub(crate) const CERTIFICATE: &str = "alipay.open.app.alipaycert.download";

impl AlipayClient {
    /// Precreates an order, tells where notices go, and returns the code.
    pub(crate) async fn precreate(&self, order: &Value, notify_url: Option<String>) -> String {
        let mut params = self.params(PRECREATE, order);
        if let Some(url) = notify_url {
            params.insert("notify_url".to_owned(), url);
        }
        self.sign(&mut params);
        let answer = self.verified(&self.try_send(&params).await.unwrap());
        assert_eq!(answer["code"], "10000", "{answer}");
        assert_eq!(answer["out_trade_no"], order["out_trade_no"]);
        text(&answer["qr_code"])
    }

    /// Precreates and pays an order of ten yuan.
    pub(crate) async fn paid(&self, sandbox: &Sandbox, number: &str, notify_url: Option<String>) {
        self.precreate(&order(number, "10.00"), notify_url).await;
        sandbox.pay(Channel::Alipay, number).unwrap();
    }

    /// `trade_status`, or the `sub_code`.
    pub(crate) async fn state(&self, number: &str) -> String {
        let answer = self.call(QUERY, &json!({ "out_trade_no": number })).await;
        text(answer.get("trade_status").unwrap_or(&answer["sub_code"]))
    }

    /// Refunds a part of an order.
    pub(crate) async fn refund(&self, number: &str, request: &str, amount: &str) -> Value {
        let wish = json!({ "out_trade_no": number, "out_request_no": request, "refund_amount": amount });
        self.call(REFUND, &wish).await
    }
}

/// The content of a precreate.
pub(crate) fn order(number: &str, amount: &str) -> Value {
    json!({ "out_trade_no": number, "total_amount": amount, "subject": "红茶 + 绿茶 <大>" })
}

/// A text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `yyyy-MM-dd HH:mm:ss` in Beijing.
pub(crate) fn wall(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms + 8 * 3_600_000).unwrap();
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// What is signed.
pub(crate) fn join(params: &Params) -> String {
    let pairs: Vec<String> = params
        .iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}
