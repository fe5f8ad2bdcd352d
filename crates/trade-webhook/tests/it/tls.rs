//! Encrypted lines: only to whom can show that it is the receiver. `tests/tls/make` made keys and certificates.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use trade_core::{
    Secret,
    memory::ManualClock,
    port::{EventSink, SinkFault},
};
use trade_testkit::fixture::{self, at};
use trade_webhook::{WebhookSecret, WebhookSettings, WebhookSink};

use crate::receiver::{Receiver, SECRET};

const AUTHORITY: &str = include_str!("../tls/authority.pem");
const CERTIFICATE: &str = include_str!("../tls/certificate.pem");
const KEY: &str = include_str!("../tls/key.pem");

/// A receiver with a certificate for 127.0.0.1, by an authority that this machine does not know; its port.
async fn encrypted() -> u16 {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            let Ok(mut line) = acceptor.accept(line).await else {
                continue;
            };
            let mut bytes = vec![0; 64 * 1024];
            let _ = line.read(&mut bytes).await;
            let _ = line.write_all(b"HTTP/1.1 204 Taken\r\n\r\n").await;
        }
    });
    port
}

fn settings(url: &str) -> WebhookSettings {
    WebhookSettings {
        timeout: Duration::from_secs(10),
        ..WebhookSettings::new(url, WebhookSecret::new(SECRET).unwrap())
    }
}

async fn publish(settings: WebhookSettings) -> Result<(), trade_core::port::SinkError> {
    let sink = WebhookSink::new(settings, Arc::new(ManualClock::new(at(0)))).unwrap();
    sink.publish(&fixture::paid_event(1, 1, 7)).await
}

#[tokio::test]
async fn a_receiver_is_trusted_by_the_authority_that_is_named() {
    let port = encrypted().await;
    let here = format!("https://127.0.0.1:{port}/");
    let stranger = publish(settings(&here)).await.unwrap_err();
    assert_eq!(stranger.fault, SinkFault::Away, "{stranger}");
    assert!(stranger.reason.contains("ertificate"), "{stranger}");

    let known = WebhookSettings {
        ca_pem: Some(AUTHORITY.into()),
        ..settings(&here)
    };
    publish(known.clone()).await.unwrap();
    let other_name = WebhookSettings {
        url: Secret::new(format!("https://localhost:{port}/")),
        ..known
    };
    let stranger = publish(other_name).await.unwrap_err();
    assert_eq!(stranger.fault, SinkFault::Away, "{stranger}");
}

#[tokio::test]
async fn what_speaks_no_tls_is_sent_nothing() {
    let receiver = Receiver::start().await;
    let url = receiver.url.replace("http://", "https://");
    let error = publish(settings(&url)).await.unwrap_err();
    assert_eq!(error.fault, SinkFault::Away, "{error}");
    assert!(receiver.came().is_empty());
}
