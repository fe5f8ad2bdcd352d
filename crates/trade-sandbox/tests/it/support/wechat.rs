//! A small WeChat Pay client: it signs requests and verifies answers by the documentation alone.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs1v15::{Signature, SigningKey, VerifyingKey},
    pkcs8::{DecodePrivateKey, DecodePublicKey},
    sha2::Sha256,
    signature::{SignatureEncoding, Signer, Verifier},
};
use serde_json::{Value, json};
use trade_sandbox::{Sandbox, WechatKit};

use super::START_MS;

/// A merchant's side of WeChat Pay.
pub(crate) struct WechatClient {
    pub(crate) kit: WechatKit,
    http: reqwest::Client,
    /// The client's clock, Unix seconds.
    pub(crate) now_s: i64,
}

/// A request, before it is signed. Every part can be spoilt.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
    pub(crate) mchid: String,
    pub(crate) serial_no: String,
    pub(crate) timestamp: String,
    pub(crate) signature: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Request {
    /// Replaces a header; an empty value leaves it out.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and code, such as `(400, "PARAM_ERROR")`.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }

    /// The tail of the `Request-ID`.
    pub(crate) fn number(&self) -> String {
        let id = self.header("Request-ID");
        assert!(id.starts_with("08"), "{id}");
        id.rsplit_once('-').unwrap().1.to_owned()
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.headers.contains_key("Wechatpay-Signature")
    }
}

impl WechatClient {
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        Self {
            kit: sandbox.merchant().wechat,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            now_s: START_MS / 1_000,
        }
    }

    /// A correct request.
    pub(crate) fn request(&self, method: &'static str, target: &str, body: &str) -> Request {
        let mut headers = vec![
            ("Accept", "application/json".to_owned()),
            ("User-Agent", "sandbox-test/1".to_owned()),
        ];
        if !body.is_empty() {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        Request {
            method,
            target: target.to_owned(),
            body: body.as_bytes().to_vec(),
            mchid: self.kit.mchid.clone(),
            serial_no: self.kit.serial_no.clone(),
            timestamp: self.now_s.to_string(),
            signature: None,
            authorization: None,
            headers,
        }
    }

    /// Signs and sends; `Err` when the connection broke.
    pub(crate) async fn try_send(&self, request: Request) -> Result<Reply, reqwest::Error> {
        let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
        let signature = request.signature.clone().unwrap_or_else(|| {
            let mut message = format!(
                "{}\n{}\n{}\n{nonce}\n",
                request.method, request.target, request.timestamp
            )
            .into_bytes();
            message.extend_from_slice(&request.body);
            message.push(b'\n');
            self.sign(&message)
        });
        let authorization = request.authorization.clone().unwrap_or_else(|| {
            format!(
                "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",timestamp=\"{}\",serial_no=\"{}\",\
                 signature=\"{signature}\"",
                request.mchid, request.timestamp, request.serial_no
            )
        });
        let method = request.method.parse().unwrap();
        let url = format!("{}{}", self.kit.base_url, request.target);
        let mut http = self.http.request(method, url).body(request.body);
        if !authorization.is_empty() {
            http = http.header("Authorization", authorization);
        }
        for (name, value) in request.headers {
            http = http.header(name, value);
        }
        let response = http.send().await?;
        Ok(Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }

    /// Sends and returns the answer as it is.
    pub(crate) async fn send(&self, request: Request) -> Reply {
        self.try_send(request).await.unwrap()
    }

    /// Sends a correct request and verifies the answer's signature, whatever its status.
    pub(crate) async fn call(&self, method: &'static str, target: &str, body: &str) -> Reply {
        let reply = self.send(self.request(method, target, body)).await;
        self.verify(&reply.headers, &reply.body).unwrap();
        reply
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.call("GET", target, "").await
    }

    pub(crate) async fn post(&self, target: &str, body: &Value) -> Reply {
        self.call("POST", target, &body.to_string()).await
    }

    /// A prepay body that is right.
    pub(crate) fn order(&self, out_trade_no: &str, total_fen: i64) -> Value {
        json!({
            "appid": self.kit.appid,
            "mchid": self.kit.mchid,
            "description": "两本书",
            "out_trade_no": out_trade_no,
            "notify_url": "http://127.0.0.1:1/none",
            "amount": { "total": total_fen, "currency": "CNY" },
        })
    }

    /// Creates a Native order and returns its `code_url`.
    pub(crate) async fn create(&self, order: &Value) -> String {
        let reply = self.post("/v3/pay/transactions/native", order).await;
        assert_eq!(reply.status, 200, "{}", reply.json());
        reply.json()["code_url"].as_str().unwrap().to_owned()
    }

    /// Queries an order.
    pub(crate) async fn query(&self, out_trade_no: &str) -> Value {
        let mchid = &self.kit.mchid;
        let target = format!("/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={mchid}");
        self.get(&target).await.json()
    }

    /// Closes an order.
    pub(crate) async fn close(&self, out_trade_no: &str) -> Reply {
        let target = format!("/v3/pay/transactions/out-trade-no/{out_trade_no}/close");
        self.post(&target, &json!({ "mchid": self.kit.mchid })).await
    }

    /// A refund body that is right.
    pub(crate) fn refund(&self, out_trade_no: &str, out_refund_no: &str, refund: i64, total: i64) -> Value {
        json!({
            "out_trade_no": out_trade_no,
            "out_refund_no": out_refund_no,
            "amount": { "refund": refund, "total": total, "currency": "CNY" },
        })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> String {
        let key = RsaPrivateKey::from_pkcs8_pem(&self.kit.private_key_pem).unwrap();
        BASE64_STANDARD.encode(SigningKey::<Sha256>::new(key).sign(message).to_bytes())
    }

    /// Verifies with the WeChat Pay public key.
    pub(crate) fn verify(&self, headers: &reqwest::header::HeaderMap, body: &[u8]) -> Result<(), String> {
        let key = RsaPublicKey::from_public_key_pem(&self.kit.public_key_pem).unwrap();
        self.verify_with(headers, body, &self.kit.public_key_id, key)
    }

    /// Verifies with any key.
    pub(crate) fn verify_with(
        &self,
        headers: &reqwest::header::HeaderMap,
        body: &[u8],
        serial: &str,
        key: RsaPublicKey,
    ) -> Result<(), String> {
        let header = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.ok_or_else(|| format!("no {name}"))
        };
        if header("Wechatpay-Serial")? != serial {
            return Err(format!("signed with {}", header("Wechatpay-Serial")?));
        }
        if header("Wechatpay-Signature-Type")? != "WECHATPAY2-SHA256-RSA2048" {
            return Err("another algorithm".to_owned());
        }
        let (timestamp, nonce) = (header("Wechatpay-Timestamp")?, header("Wechatpay-Nonce")?);
        let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        let signature = BASE64_STANDARD
            .decode(header("Wechatpay-Signature")?)
            .map_err(|error| error.to_string())?;
        let signature = Signature::try_from(signature.as_slice()).map_err(|error| error.to_string())?;
        VerifyingKey::<Sha256>::new(key)
            .verify(&message, &signature)
            .map_err(|error| error.to_string())
    }

    /// Opens an `AEAD_AES_256_GCM` object.
    pub(crate) fn open(&self, object: &Value) -> Vec<u8> {
        assert_eq!(object["algorithm"], "AEAD_AES_256_GCM");
        let text = |name: &str| object[name].as_str().unwrap();
        let ciphertext = BASE64_STANDARD.decode(text("ciphertext")).unwrap();
        let payload = Payload {
            msg: &ciphertext,
            aad: text("associated_data").as_bytes(),
        };
        let cipher = Aes256Gcm::new_from_slice(self.kit.apiv3_key.as_bytes()).unwrap();
        cipher
            .decrypt(text("nonce").as_bytes().try_into().unwrap(), payload)
            .unwrap()
    }
}
