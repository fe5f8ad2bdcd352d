//! Taking in a certificate that Alipay has begun to sign with (`alipay.open.app.alipaycert.download`).

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use trade_crypto::PublicKey;

use crate::{certs::CertificateMode, client::Line, verify::Envelope, wire::CertificateReply};

const METHOD: &str = "alipay.open.app.alipaycert.download";
const OPERATION: &str = "certificates";
/// The serial of a certificate is an MD5.
const SERIAL_LENGTH: usize = 32;

impl Line {
    /// The key of a certificate, downloaded if it is new.
    pub(crate) async fn key_of(&self, serial: &str) -> Option<PublicKey> {
        if let Some(key) = self.keys.of_serial(serial) {
            return Some(key);
        }
        let mode = self.keys.certificates()?;
        let mut asked = mode.asked.lock().await;
        let now = self.clock.monotonic();
        // Whoever held the lock before may have brought this very certificate.
        if self.keys.of_serial(serial).is_none() && CertificateMode::may_ask(*asked, now) {
            *asked = Some(now);
            match self.download(mode, serial).await {
                Ok(key) => return Some(key),
                Err(why) => tracing::warn!(serial, why, "a new Alipay certificate could not be taken in"),
            }
        }
        self.keys.of_serial(serial)
    }

    /// The answer is not signed by anything we know yet: the certificate's own chain vouches for it.
    async fn download(&self, mode: &CertificateMode, serial: &str) -> Result<PublicKey, String> {
        let is_hex = serial.bytes().all(|byte| byte.is_ascii_hexdigit());
        if serial.len() != SERIAL_LENGTH || !is_hex {
            return Err(format!("a serial is {SERIAL_LENGTH} hexadecimal digits"));
        }
        let biz_content = json!({"alipay_cert_sn": serial}).to_string();
        let parameters = self.parameters(OPERATION, METHOD, &biz_content, None);
        let parameters = parameters.map_err(|error| error.to_string())?;
        let (reply, _) = self
            .send(OPERATION, &parameters)
            .await
            .map_err(|error| error.to_string())?;
        let envelope = Envelope::parse(METHOD, &reply).map_err(|error| error.to_string())?;
        let source = self.open(OPERATION, envelope.source, None);
        let source = source.map_err(|error| error.to_string())?;
        let reply: CertificateReply = serde_json::from_str(&source).map_err(|error| error.to_string())?;
        let pem = STANDARD
            .decode(reply.alipay_cert_content.trim())
            .map_err(|error| error.to_string())?;
        mode.add(serial, &String::from_utf8_lossy(&pem), self.clock.now())
    }
}
