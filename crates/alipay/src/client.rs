//! Sending: sign, send, bound, verify the raw text, decrypt. Nothing is believed unverified.

use std::{borrow::Cow, sync::Arc, time::Duration};

use reqwest::{Client, Url};
use trade_core::{Certainty, ChannelError, ErrorKind, port::Clock};

use crate::{
    AlipayConfig,
    certs::KeyStore,
    config::{self, ConfigError, Identity},
    error::{channel_error, nonsense, refused, refused_unsigned, unverifiable},
    sign::{self, Parameters},
    verify::{Envelope, ReplyText},
    wire::Codes,
};

const BODY_LIMIT: usize = 1024 * 1024;
const POOL_IDLE: Duration = Duration::from_secs(20);
const USER_AGENT: &str = concat!("trade-alipay/", env!("CARGO_PKG_VERSION"));
const SUCCESS: &str = "10000";

/// The signed and verified line to the gateway.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) identity: Identity,
    pub(crate) keys: KeyStore,
    pub(crate) clock: Arc<dyn Clock>,
    http: Client,
    gateway: Url,
}

/// A verified, decrypted answer with code 10000.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawReply {
    /// The JSON object under `<method>_response`, as Alipay signed it.
    pub body: String,
    /// Alipay's `trace_id`, which its support asks for.
    pub request_id: Option<String>,
}

impl Line {
    pub(crate) fn new(config: AlipayConfig) -> Result<Self, ConfigError> {
        let identity = Identity::load(&config)?;
        let keys = KeyStore::load(&config.keys, &identity.private_key)?;
        let gateway = config::parse_url("gateway_url", &config.gateway_url)?;
        for warning in config.warnings() {
            tracing::warn!(app_id = config.app_id, warning, "alipay configuration");
        }
        let http = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            .pool_idle_timeout(POOL_IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| config::wrong("http", format!("no HTTP client could be made: {error}")))?;
        Ok(Self {
            identity,
            keys,
            clock: config.clock,
            http,
            gateway,
        })
    }

    /// One call with exactly this `biz_content`.
    pub(crate) async fn call(
        &self,
        operation: &'static str,
        method: &str,
        biz_content: &str,
        notify_url: Option<&str>,
    ) -> Result<RawReply, ChannelError> {
        let parameters = self.parameters(operation, method, biz_content, notify_url)?;
        let (reply, request_id) = self.send(operation, &parameters).await?;
        let envelope = Envelope::parse(method, &reply)
            .map_err(|error| nonsense(operation, error.to_string(), request_id.clone()).with_source(error))?;
        self.believe(operation, &envelope, request_id).await
    }

    pub(crate) fn parameters(
        &self,
        operation: &'static str,
        method: &str,
        biz_content: &str,
        notify_url: Option<&str>,
    ) -> Result<Parameters, ChannelError> {
        let unsendable =
            |error| channel_error(operation, Certainty::NotSent, ErrorKind::Configuration).with_source(error);
        let mut parameters = Parameters::from([
            ("app_id", self.identity.app_id.clone()),
            ("method", method.to_owned()),
            ("format", "JSON".to_owned()),
            ("charset", "utf-8".to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", self.clock.now().to_beijing_text()),
            ("version", "1.0".to_owned()),
        ]);
        if let Some(notify_url) = notify_url {
            parameters.insert("notify_url", notify_url.to_owned());
        }
        if let Some(certificates) = self.keys.certificates() {
            parameters.insert("app_cert_sn", certificates.app_cert_sn.clone());
            parameters.insert("alipay_root_cert_sn", certificates.root_cert_sn.clone());
        }
        match &self.identity.content_key {
            // The gateway and its SDKs differ about parameters without a value: never send one.
            _ if biz_content.trim().is_empty() => {}
            Some(key) => {
                parameters.insert("encrypt_type", "AES".to_owned());
                parameters.insert("biz_content", key.encrypt(biz_content).map_err(unsendable)?);
            }
            None => {
                parameters.insert("biz_content", biz_content.to_owned());
            }
        }
        let signature = self
            .identity
            .private_key
            .sign_sha256(sign::message(&parameters).as_bytes());
        parameters.insert("sign", signature.map_err(unsendable)?);
        Ok(parameters)
    }

    /// System parameters travel in the query, where the gateway looks for the charset; content in the form.
    pub(crate) async fn send(
        &self,
        operation: &'static str,
        parameters: &Parameters,
    ) -> Result<(ReplyText, Option<String>), ChannelError> {
        let mut url = self.gateway.clone();
        let (form, query): (Vec<_>, Vec<_>) =
            parameters.iter().partition(|(name, _)| **name == "biz_content");
        url.query_pairs_mut().extend_pairs(query);
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded;charset=utf-8")
            .body(form);
        let mut response = request
            .send()
            .await
            .map_err(|error| transport(operation, error))?;
        let request_id = response
            .headers()
            .get("trace_id")
            .and_then(|value| value.to_str().ok())
            .map(ToOwned::to_owned);
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| cut_off(operation, error))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > BODY_LIMIT {
                return Err(nonsense(operation, "the reply is larger than 1 MiB", request_id));
            }
        }
        if status.as_u16() != 200 {
            // The gateway itself always answers 200: this is something in between.
            let error = channel_error(operation, Certainty::Unknown, ErrorKind::ChannelFault)
                .with_code(format!("HTTP {}", status.as_u16()), "the gateway did not answer")
                .with_request_id(request_id);
            return Err(error);
        }
        match ReplyText::read(body) {
            Some(reply) => Ok((reply, request_id)),
            None => Err(nonsense(
                operation,
                "the reply is neither UTF-8 nor GBK, so no answer of the API",
                request_id,
            )),
        }
    }

    async fn believe(
        &self,
        operation: &'static str,
        envelope: &Envelope<'_>,
        request_id: Option<String>,
    ) -> Result<RawReply, ChannelError> {
        if envelope.sign.is_none() {
            let codes: Codes = serde_json::from_str(envelope.source).unwrap_or_default();
            return Err(match codes.code() {
                "" | SUCCESS => {
                    let why = "a reply without a signature is no success";
                    unverifiable(operation, why, request_id)
                }
                _ => refused_unsigned(operation, &codes, request_id),
            });
        }
        let Some(source) = self.authentic(envelope).await else {
            let why = "the signature of the reply does not fit: alipay_public_key is not Alipay's key for this app, \
                       or the reply was changed on its way";
            return Err(unverifiable(operation, why, request_id));
        };
        let body = self.open(operation, &source, request_id.clone())?;
        let codes: Codes = serde_json::from_str(&body)
            .map_err(|error| nonsense(operation, error.to_string(), request_id.clone()))?;
        if codes.code() == SUCCESS {
            Ok(RawReply { body, request_id })
        } else {
            Err(refused(operation, &codes, request_id))
        }
    }

    /// The source as one of Alipay's keys signed it.
    async fn authentic<'a>(&self, envelope: &Envelope<'a>) -> Option<Cow<'a, str>> {
        let serial = envelope
            .cert_sn
            .as_deref()
            .filter(|_| self.keys.certificates().is_some());
        let named = match serial {
            Some(serial) => self.key_of(serial).await,
            None => None,
        };
        // A renewed certificate keeps its key pair, so without the named one the configured may well fit.
        envelope.signed_by(named.as_ref().unwrap_or_else(|| self.keys.first()))
    }

    /// The object itself: an encrypted answer is a string, verified as it is and only then decrypted.
    pub(crate) fn open(
        &self,
        operation: &'static str,
        source: &str,
        request_id: Option<String>,
    ) -> Result<String, ChannelError> {
        let Some(sealed) = source.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            return Ok(source.to_owned());
        };
        let Some(key) = &self.identity.content_key else {
            let why =
                "the reply is encrypted: configure encrypt_key, since content encryption is on for the app";
            return Err(nonsense(operation, why, request_id));
        };
        key.decrypt(&sealed.replace("\\/", "/")).map_err(|error| {
            channel_error(operation, Certainty::Unknown, ErrorKind::Unverifiable)
                .with_hint("encrypt_key does not open the reply: it was replaced on the open platform")
                .with_request_id(request_id)
                .with_source(error)
        })
    }
}

/// A connection that was never made carried nothing; whatever fails later may have arrived.
fn transport(operation: &'static str, error: reqwest::Error) -> ChannelError {
    let error = error.without_url();
    let (certainty, kind) = if error.is_connect() || error.is_builder() {
        (Certainty::NotSent, ErrorKind::Network)
    } else if error.is_timeout() {
        (Certainty::Unknown, ErrorKind::Timeout)
    } else {
        (Certainty::Unknown, ErrorKind::Network)
    };
    channel_error(operation, certainty, kind).with_source(error)
}

fn cut_off(operation: &'static str, error: reqwest::Error) -> ChannelError {
    let kind = if error.is_timeout() {
        ErrorKind::Timeout
    } else {
        ErrorKind::Network
    };
    channel_error(operation, Certainty::Unknown, kind).with_source(error.without_url())
}
