//! What a text turned out to be, and what was looked for, in words an operator can act on.

use std::fmt;

/// What a pasted text or a file turned out to contain.
///
/// Its [`Display`](fmt::Display) is the name to put in a log line or an error: `PKCS#8 private key (PEM)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Found {
    /// `-----BEGIN PRIVATE KEY-----`: WeChat Pay's `apiclient_key.pem`.
    Pkcs8Pem,
    /// The same without its armour: what Alipay's key tool hands out for Java.
    Pkcs8Base64,
    /// The same as a binary file.
    Pkcs8Der,
    /// `-----BEGIN RSA PRIVATE KEY-----`.
    Pkcs1PrivatePem,
    /// The same without its armour: what Alipay's key tool hands out for anything but Java.
    Pkcs1PrivateBase64,
    /// The same as a binary file.
    Pkcs1PrivateDer,
    /// `-----BEGIN PUBLIC KEY-----`: WeChat Pay's `pub_key.pem`.
    SpkiPem,
    /// The same without its armour: what Alipay's console shows.
    SpkiBase64,
    /// The same as a binary file.
    SpkiDer,
    /// `-----BEGIN RSA PUBLIC KEY-----`.
    Pkcs1PublicPem,
    /// The same without its armour.
    Pkcs1PublicBase64,
    /// The same as a binary file.
    Pkcs1PublicDer,
    /// `-----BEGIN CERTIFICATE-----`: `apiclient_cert.pem`, `appCertPublicKey_….crt`.
    CertificatePem,
    /// The same without its armour.
    CertificateBase64,
    /// The same as a binary file.
    CertificateDer,
    /// A private key under a pass phrase.
    EncryptedPrivateKey,
    /// A private key that is not an RSA key.
    OtherPrivateKey(Algorithm),
    /// A public key that is not an RSA key.
    OtherPublicKey(Algorithm),
    /// A request for a certificate (`.csr`), not yet signed by anybody.
    CertificateRequest,
    /// A key of the SSH programs, in their own format.
    OpenSsh,
    /// A PKCS#12 archive: WeChat Pay's `apiclient_cert.p12`.
    Pkcs12,
}

/// The algorithm of a key that is not an RSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// An elliptic curve of NIST or SEC.
    Ec,
    /// The Chinese national curve (国密).
    Sm2,
    /// Ed25519, Ed448, X25519 or X448.
    Edwards,
    /// An RSA key restricted to RSASSA-PSS, which neither channel uses.
    RsaPss,
    /// DSA.
    Dsa,
    /// Anything else.
    Unknown,
}

/// What the caller looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// An RSA private key.
    PrivateKey,
    /// An RSA public key.
    PublicKey,
    /// An X.509 certificate.
    Certificate,
}

/// How the bytes of a key were wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Pem,
    Base64,
    Der,
}

impl Found {
    pub(crate) fn pkcs8(form: Form) -> Found {
        match form {
            Form::Pem => Found::Pkcs8Pem,
            Form::Base64 => Found::Pkcs8Base64,
            Form::Der => Found::Pkcs8Der,
        }
    }

    pub(crate) fn pkcs1_private(form: Form) -> Found {
        match form {
            Form::Pem => Found::Pkcs1PrivatePem,
            Form::Base64 => Found::Pkcs1PrivateBase64,
            Form::Der => Found::Pkcs1PrivateDer,
        }
    }

    pub(crate) fn spki(form: Form) -> Found {
        match form {
            Form::Pem => Found::SpkiPem,
            Form::Base64 => Found::SpkiBase64,
            Form::Der => Found::SpkiDer,
        }
    }

    pub(crate) fn pkcs1_public(form: Form) -> Found {
        match form {
            Form::Pem => Found::Pkcs1PublicPem,
            Form::Base64 => Found::Pkcs1PublicBase64,
            Form::Der => Found::Pkcs1PublicDer,
        }
    }

    pub(crate) fn certificate(form: Form) -> Found {
        match form {
            Form::Pem => Found::CertificatePem,
            Form::Base64 => Found::CertificateBase64,
            Form::Der => Found::CertificateDer,
        }
    }

    fn class(self) -> Class {
        match self {
            Found::Pkcs8Pem
            | Found::Pkcs8Base64
            | Found::Pkcs8Der
            | Found::Pkcs1PrivatePem
            | Found::Pkcs1PrivateBase64
            | Found::Pkcs1PrivateDer => Class::Private,
            Found::SpkiPem
            | Found::SpkiBase64
            | Found::SpkiDer
            | Found::Pkcs1PublicPem
            | Found::Pkcs1PublicBase64
            | Found::Pkcs1PublicDer => Class::Public,
            Found::CertificatePem | Found::CertificateBase64 | Found::CertificateDer => Class::Certificate,
            Found::EncryptedPrivateKey => Class::Encrypted,
            Found::OtherPrivateKey(_) | Found::OtherPublicKey(_) => Class::OtherAlgorithm,
            Found::CertificateRequest => Class::Request,
            Found::OpenSsh => Class::OpenSsh,
            Found::Pkcs12 => Class::Pkcs12,
        }
    }
}

/// [`Found`] without the wrapping: as fine as advice has to tell things apart.
#[derive(Clone, Copy)]
enum Class {
    Private,
    Public,
    Certificate,
    Encrypted,
    OtherAlgorithm,
    Request,
    OpenSsh,
    Pkcs12,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Found::Pkcs8Pem => "PKCS#8 private key (PEM)",
            Found::Pkcs8Base64 => "PKCS#8 private key (base64 without armour)",
            Found::Pkcs8Der => "PKCS#8 private key (binary DER)",
            Found::Pkcs1PrivatePem => "PKCS#1 private key (PEM)",
            Found::Pkcs1PrivateBase64 => "PKCS#1 private key (base64 without armour)",
            Found::Pkcs1PrivateDer => "PKCS#1 private key (binary DER)",
            Found::SpkiPem => "public key (PEM)",
            Found::SpkiBase64 => "public key (base64 without armour)",
            Found::SpkiDer => "public key (binary DER)",
            Found::Pkcs1PublicPem => "PKCS#1 public key (PEM)",
            Found::Pkcs1PublicBase64 => "PKCS#1 public key (base64 without armour)",
            Found::Pkcs1PublicDer => "PKCS#1 public key (binary DER)",
            Found::CertificatePem => "X.509 certificate (PEM)",
            Found::CertificateBase64 => "X.509 certificate (base64 without armour)",
            Found::CertificateDer => "X.509 certificate (binary DER)",
            Found::EncryptedPrivateKey => "private key under a pass phrase",
            Found::OtherPrivateKey(algorithm) => return write!(f, "{algorithm} private key"),
            Found::OtherPublicKey(algorithm) => return write!(f, "{algorithm} public key"),
            Found::CertificateRequest => "certificate request (CSR)",
            Found::OpenSsh => "OpenSSH key",
            Found::Pkcs12 => "PKCS#12 archive (.p12)",
        };
        f.write_str(name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Algorithm::Ec => "EC (elliptic curve)",
            Algorithm::Sm2 => "SM2",
            Algorithm::Edwards => "Ed25519 or X25519",
            Algorithm::RsaPss => "RSA-PSS",
            Algorithm::Dsa => "DSA",
            Algorithm::Unknown => "non-RSA",
        })
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wanted::PrivateKey => "RSA private key",
            Wanted::PublicKey => "RSA public key",
            Wanted::Certificate => "X.509 certificate",
        })
    }
}

/// What somebody who pasted `found` where `wanted` belongs should do next.
pub(crate) fn advice(found: Found, wanted: Wanted) -> &'static str {
    match (found.class(), wanted) {
        (Class::Certificate, Wanted::PrivateKey) => {
            "the key belonging to it is a file of its own: apiclient_key.pem beside \
             apiclient_cert.pem, or the private key Alipay's key tool made (应用私钥)"
        }
        (Class::Private | Class::Public, Wanted::PrivateKey) => {
            "paste the private half of the pair, the longer text: apiclient_key.pem, or 应用私钥 from \
             Alipay's key tool"
        }
        (Class::Private, Wanted::PublicKey) => {
            "paste the channel's public key (微信支付公钥 or 支付宝公钥), and keep this private key to yourself"
        }
        (Class::Public | Class::Certificate, Wanted::PublicKey) => {
            "paste the channel's public key (微信支付公钥 or 支付宝公钥)"
        }
        (Class::Private, Wanted::Certificate) => {
            "paste the certificate (.pem or .crt, BEGIN CERTIFICATE), and keep this private key to yourself"
        }
        (Class::Public | Class::Certificate, Wanted::Certificate) => {
            "paste the certificate (.pem or .crt, BEGIN CERTIFICATE), or configure the mode that uses \
             a public key"
        }
        (Class::Encrypted, _) => {
            "remove the pass phrase first: openssl pkcs8 -topk8 -nocrypt -in key.pem -out plain.pem"
        }
        (Class::OtherAlgorithm, _) => "both channels are used with RSA keys of 2048 bits or more here",
        (Class::Request, _) => {
            "it is only the question to the authority; use the certificate that came back for it"
        }
        (Class::OpenSsh, _) => {
            "make a key pair with openssl or the channel's own key tool, not with ssh-keygen"
        }
        (Class::Pkcs12, _) => {
            "use the PEM files delivered beside it: apiclient_key.pem is the private key, \
             apiclient_cert.pem the certificate"
        }
    }
}
