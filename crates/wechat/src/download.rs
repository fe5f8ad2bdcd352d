//! Platform certificates: fetched, opened, and checked against their own signature.

use reqwest::Method;
use trade_core::{Certainty, ChannelError, ErrorKind, Timestamp};
use trade_crypto::{Certificate, CryptoError};

use crate::{
    cipher::{self, Sealed},
    client::{Answer, Line, request_id},
    error::{channel_error, nonsense, of_reply, unverifiable},
    sign,
    verify::{Signed, Unverified},
    wire::CertificatesReply,
};

const OPERATION: &str = "certificates";
const TARGET: &str = "/v3/certificates";

impl Line {
    /// Fetches the platform certificates. Their reply is signed with a key among them, so it is
    /// believed for another reason: only WeChat Pay and we hold the APIv3 key that opens them, and the
    /// signature must then fit one of them.
    pub(crate) async fn download(&self) -> Result<Vec<Certificate>, ChannelError> {
        let (now, nonce) = (self.now(), self.nonce());
        let authorization =
            sign::authorization(&self.identity, "GET", TARGET, now, &nonce, "").map_err(|error| {
                channel_error(OPERATION, Certainty::NotSent, ErrorKind::Configuration).with_source(error)
            })?;
        let answer = self
            .send(OPERATION, Method::GET, TARGET, None, &authorization)
            .await?;
        if !answer.status.is_success() {
            let signed = sign::message("GET", TARGET, now.secs(), &nonce, "");
            return Err(refused(&answer, &signed));
        }
        let request_id = request_id(&answer.headers);
        let certificates = self.open(&answer.body, request_id.as_ref())?;
        self.check(&answer, &certificates, now)
            .map_err(|why| unverifiable(OPERATION, why, request_id))?;
        for certificate in &certificates {
            tracing::info!(
                serial = certificate.serial_hex(),
                "platform certificate downloaded"
            );
        }
        Ok(certificates)
    }

    fn open(&self, body: &[u8], request_id: Option<&String>) -> Result<Vec<Certificate>, ChannelError> {
        let reply: CertificatesReply = serde_json::from_slice(body)
            .map_err(|error| nonsense(OPERATION, error.to_string(), request_id.cloned()))?;
        let opened = reply.data.iter().map(|entry| {
            let pem = cipher::open(&self.identity.apiv3_key, &entry.encrypt_certificate)
                .map_err(|error| unopened(error, request_id))?;
            Certificate::parse(&String::from_utf8_lossy(&pem))
                .map_err(|error| unverifiable(OPERATION, error, request_id.cloned()))
        });
        opened.collect()
    }

    /// During the change to the public key this reply, too, may be signed with that.
    fn check(&self, answer: &Answer, certificates: &[Certificate], now: Timestamp) -> Result<(), Unverified> {
        let signed = Signed::read(&answer.headers)?;
        signed.check_age(now)?;
        let mut keys = certificates
            .iter()
            .filter_map(|certificate| certificate.public_key().ok())
            .chain(self.keys.get(signed.serial, now));
        if keys.any(|key| signed.check(&key, &answer.body).is_ok()) {
            Ok(())
        } else {
            Err(Unverified::Signature)
        }
    }
}

fn refused(answer: &Answer, signed: &str) -> ChannelError {
    let body = String::from_utf8_lossy(&answer.body);
    let error = of_reply(
        OPERATION,
        answer.status,
        &body,
        request_id(&answer.headers),
        signed,
    );
    match error.kind() {
        ErrorKind::NotFound => error.with_hint(
            "this merchant has no platform certificates: use the WeChat Pay public key (PUB_KEY_ID_…) from the \
             merchant platform, 账户中心 > API安全, instead",
        ),
        _ => error,
    }
}

fn unopened(error: Sealed, request_id: Option<&String>) -> ChannelError {
    let wrong_key = matches!(error, Sealed::Crypto(CryptoError::AeadNotOpened));
    let error = unverifiable(OPERATION, error, request_id.cloned());
    if wrong_key {
        error.with_hint(cipher::WRONG_KEY)
    } else {
        error
    }
}
