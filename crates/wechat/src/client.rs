//! Sending: sign, send, bound, verify. Nothing leaves here unsigned, nothing is believed unverified.

use std::{error::Error as StdError, time::Duration};

use reqwest::{Client, Method, StatusCode, Url, header};
use trade_core::{Certainty, ChannelError, ErrorKind, handler::Headers};
use trade_crypto::PublicKey;

use crate::{
    WechatConfig,
    certs::KeyStore,
    config::{self, ConfigError, Identity},
    error::{channel_error, is_error, nonsense, of_reply, unverifiable},
    sign,
    verify::Signed,
};

/// WeChat Pay closes idle connections after eight seconds.
const POOL_IDLE: Duration = Duration::from_secs(7);
/// No answer of the API is larger.
const BODY_LIMIT: usize = 1024 * 1024;
/// Files, such as bills and receipts, are.
const FILE_LIMIT: usize = 64 * 1024 * 1024;
const USER_AGENT: &str = concat!("trade-wechat/", env!("CARGO_PKG_VERSION"));
/// Files that WeChat Pay does not sign.
const UNSIGNED: [&str; 7] = [
    "/v3/billdownload/file",
    "/v3/merchant-service/images/",
    "/v3/new-tax-control-fapiao/download",
    "/v3/transferdownload/elecvoucherfile",
    "/v3/transferdownload/signfile",
    "/v3/global/statements",
    "/v3/statements",
];

/// The signed and verified line to WeChat Pay.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) identity: Identity,
    pub(crate) keys: KeyStore,
    config: WechatConfig,
    http: Client,
    hosts: Vec<Url>,
}

/// A verified reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawReply {
    /// The status, always a success.
    pub status: u16,
    /// The headers as they came.
    pub headers: Headers,
    /// The body as it came.
    pub body: Vec<u8>,
    /// WeChat Pay's id of the request.
    pub request_id: Option<String>,
}

/// A reply before anybody believes it.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

impl RawReply {
    /// The body as text, or an empty text when it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }
}

impl Line {
    pub(crate) fn new(config: WechatConfig) -> Result<Self, ConfigError> {
        let identity = Identity::load(&config)?;
        let keys = KeyStore::load(&config.keys, &identity.private_key.public_key())?;
        let mut hosts = vec![config::api_url("base_url", &config.base_url)?];
        if let Some(backup) = &config.backup_url {
            hosts.push(config::api_url("backup_url", backup)?);
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
            config,
            http,
            hosts,
        })
    }

    pub(crate) fn nonce(&self) -> String {
        self.config.random.nonce()
    }

    pub(crate) fn now(&self) -> trade_core::Timestamp {
        self.config.clock.now()
    }

    /// One call: `target` is the path with its query, `body` exactly what is sent.
    pub(crate) async fn call(
        &self,
        operation: &'static str,
        method: Method,
        target: &str,
        body: Option<&str>,
    ) -> Result<RawReply, ChannelError> {
        let text = body.unwrap_or_default();
        let (now, nonce) = (self.now(), self.nonce());
        let signed = sign::message(method.as_str(), target, now.secs(), &nonce, text);
        let authorization = sign::authorization(&self.identity, method.as_str(), target, now, &nonce, text)
            .map_err(|error| {
            channel_error(operation, Certainty::NotSent, ErrorKind::Configuration).with_source(error)
        })?;
        let file = is_file(&method, target);
        let answer = self.send(operation, method, target, body, &authorization).await?;
        self.judge(operation, file, answer, &signed).await
    }

    /// Tries the hosts in turn, the next only when the one before certainly did not get the request.
    /// The host is not signed, so the same request goes to both.
    pub(crate) async fn send(
        &self,
        operation: &'static str,
        method: Method,
        target: &str,
        body: Option<&str>,
        authorization: &str,
    ) -> Result<Answer, ChannelError> {
        let mut last = None;
        for host in &self.hosts {
            match self
                .send_to(operation, host, &method, target, body, authorization)
                .await
            {
                Err(error) if error.certainty() == Certainty::NotSent => {
                    tracing::warn!(host = host.host_str(), %error, "trying the next address");
                    last = Some(error);
                }
                other => return other,
            }
        }
        Err(last.unwrap_or_else(|| channel_error(operation, Certainty::NotSent, ErrorKind::Configuration)))
    }

    async fn send_to(
        &self,
        operation: &'static str,
        host: &Url,
        method: &Method,
        target: &str,
        body: Option<&str>,
        authorization: &str,
    ) -> Result<Answer, ChannelError> {
        let url = format!("{}{target}", host.as_str().trim_end_matches('/'));
        let mut request = self
            .http
            .request(method.clone(), url)
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, authorization);
        if let Some(id) = self.keys.hint() {
            request = request.header("Wechatpay-Serial", id);
        }
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_owned());
        }
        let mut response = request
            .send()
            .await
            .map_err(|error| transport(operation, error))?;
        let status = response.status();
        let headers = response.headers().iter().map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        });
        let headers = Headers::new(headers);
        let (limit, bound) = if is_file(method, target) {
            (FILE_LIMIT, "64 MiB")
        } else {
            (BODY_LIMIT, "1 MiB")
        };
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| cut_off(operation, error))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > limit {
                let why = format!("the reply is larger than {bound}");
                return Err(nonsense(operation, why, request_id(&headers)));
            }
        }
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    async fn judge(
        &self,
        operation: &'static str,
        file: bool,
        answer: Answer,
        signed: &str,
    ) -> Result<RawReply, ChannelError> {
        let request_id = request_id(&answer.headers);
        let is_signed = answer.headers.get("Wechatpay-Signature").is_some();
        let refusal = refusal(operation, &answer, request_id.as_ref(), signed);
        let must_verify = match &refusal {
            None => !file,
            // A request whose own signature failed, and a fault, cannot be answered with a signature;
            // nothing is concluded from them either. Every other refusal decides about money.
            Some(error) => is_signed || decides(answer.status, error),
        };
        if must_verify && let Err(why) = self.verify(&answer.headers, &answer.body).await {
            let mut error = unverifiable(operation, why, request_id);
            if let Some((code, message)) = refusal.as_ref().and_then(|said| said.code().zip(said.message())) {
                error = error.with_code(code, message);
            }
            return Err(error);
        }
        match refusal {
            Some(error) => Err(error),
            None => Ok(RawReply {
                status: answer.status.as_u16(),
                headers: answer.headers,
                body: answer.body,
                request_id,
            }),
        }
    }

    /// Checks a message over its raw bytes, with a key of ours.
    async fn verify(&self, headers: &Headers, body: &[u8]) -> Result<(), Box<dyn StdError + Send + Sync>> {
        let signed = Signed::read(headers)?;
        signed.check_age(self.now())?;
        let key = self.key(signed.serial).await?;
        let key = key.ok_or_else(|| format!("it is signed with the unknown key `{}`", signed.serial))?;
        signed.check(&key, body)?;
        Ok(())
    }

    /// The key of that id; certificates are downloaded first when they are due.
    pub(crate) async fn key(&self, serial: &str) -> Result<Option<PublicKey>, ChannelError> {
        let now = self.now();
        if !self.keys.downloads() || serial.starts_with("PUB_KEY_ID_") {
            return Ok(self.keys.get(serial, now));
        }
        if let Some(mut asked) = self.keys.due(serial, now).await {
            *asked = Some(now);
            match Box::pin(self.download()).await {
                Ok(certificates) => self.keys.add(&certificates),
                // Old certificates still verify what they signed.
                Err(error) if self.keys.get(serial, now).is_some() => {
                    tracing::warn!(%error, "platform certificates could not be refreshed");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.keys.get(serial, now))
    }
}

/// What a reply that is not a success says. 202 says "accepted, not done", with a code as errors have it.
fn refusal(
    operation: &'static str,
    answer: &Answer,
    request_id: Option<&String>,
    signed: &str,
) -> Option<ChannelError> {
    let text = String::from_utf8_lossy(&answer.body);
    let refused = match answer.status {
        StatusCode::ACCEPTED => is_error(&text),
        status => !status.is_success(),
    };
    refused.then(|| of_reply(operation, answer.status, &text, request_id.cloned(), signed))
}

/// Whether something about the order follows from the refusal, so that it has to be WeChat Pay's own.
fn decides(status: StatusCode, error: &ChannelError) -> bool {
    let before_signature = status == StatusCode::UNAUTHORIZED && error.kind() == ErrorKind::Configuration;
    match error.kind() {
        ErrorKind::RateLimited | ErrorKind::ChannelFault | ErrorKind::Nonsense => false,
        _ => !before_signature,
    }
}

/// Whether this fetches a file, which WeChat Pay does not sign. Uploads are answered like anything else.
fn is_file(method: &Method, target: &str) -> bool {
    *method == Method::GET && UNSIGNED.iter().any(|path| target.starts_with(path))
}

pub(crate) fn request_id(headers: &Headers) -> Option<String> {
    headers.get("Request-ID").map(ToOwned::to_owned)
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
