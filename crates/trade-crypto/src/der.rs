//! Just enough DER to tell keys apart and to carry an RSA key from one wrapping to another.

use x509_cert::der::{
    Decode, Reader, SliceReader, Tag,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef},
};
use zeroize::Zeroizing;

use crate::found::{Algorithm, Form, Found};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SM2_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");
const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
/// X25519, X448, Ed25519 and Ed448 are the numbers 110 to 113 under this one.
const EDWARDS_ARC: &str = "1.3.101.11";

/// `SEQUENCE { rsaEncryption, NULL }`, byte for byte.
const RSA_ALGORITHM: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
const VERSION_0: &[u8] = &[0x02, 0x01, 0x00];

const TAG_BIT_STRING: u8 = 0x03;
const TAG_OCTET_STRING: u8 = 0x04;
const TAG_SEQUENCE: u8 = 0x30;

/// What some bytes are, told by their structure alone: labels lie, structure does not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    /// A PKCS#8 RSA private key; the PKCS#1 structure inside.
    Pkcs8(&'a [u8]),
    /// A PKCS#1 RSA private key.
    Pkcs1Private(&'a [u8]),
    /// An RSA public key with its algorithm; the PKCS#1 structure inside.
    Spki(&'a [u8]),
    /// A PKCS#1 RSA public key.
    Pkcs1Public(&'a [u8]),
    /// An X.509 certificate.
    Certificate,
    /// Something that has a name and cannot be used.
    Unusable(Found),
    /// Nothing known.
    Unknown,
}

impl Shape<'_> {
    /// The name of this shape in the wrapping `form`; `None` when it has none.
    pub(crate) fn found(&self, form: Form) -> Option<Found> {
        match self {
            Shape::Pkcs8(_) => Some(Found::pkcs8(form)),
            Shape::Pkcs1Private(_) => Some(Found::pkcs1_private(form)),
            Shape::Spki(_) => Some(Found::spki(form)),
            Shape::Pkcs1Public(_) => Some(Found::pkcs1_public(form)),
            Shape::Certificate => Some(Found::certificate(form)),
            Shape::Unusable(found) => Some(*found),
            Shape::Unknown => None,
        }
    }
}

/// Tells what `der` is.
pub(crate) fn shape(der: &[u8]) -> Shape<'_> {
    let Some(parts) = whole_sequence(der) else {
        // PKCS#12 archives are often written with indefinite lengths, which DER does not know.
        let is_pkcs12 = der.starts_with(&[0x30, 0x80, 0x02, 0x01, 0x03]);
        return if is_pkcs12 {
            Shape::Unusable(Found::Pkcs12)
        } else {
            Shape::Unknown
        };
    };
    let tags: Vec<Tag> = parts.iter().map(|part| part.header().tag()).collect();
    match (tags.as_slice(), parts.as_slice()) {
        ([Tag::Integer, Tag::Sequence, Tag::OctetString, ..], [_, algorithm, key, ..]) => {
            private_shape(*algorithm, key.value())
        }
        ([Tag::Integer, Tag::OctetString, ..], _) => {
            Shape::Unusable(Found::OtherPrivateKey(curve_in_sec1(&parts)))
        }
        ([Tag::Sequence, Tag::BitString], [algorithm, key]) => public_shape(*algorithm, *key),
        ([Tag::Sequence, Tag::OctetString], _) => Shape::Unusable(Found::EncryptedPrivateKey),
        ([Tag::Sequence, Tag::Sequence, Tag::BitString], [signed, ..]) => signed_shape(signed.value()),
        ([Tag::Integer, Tag::Sequence] | [Tag::Integer, Tag::Sequence, Tag::Sequence], [version, ..])
            if version.value() == [3] =>
        {
            Shape::Unusable(Found::Pkcs12)
        }
        (integers, _) if integers.iter().all(|tag| *tag == Tag::Integer) => match integers.len() {
            2 => Shape::Pkcs1Public(der),
            6 => Shape::Unusable(Found::OtherPrivateKey(Algorithm::Dsa)),
            9 => Shape::Pkcs1Private(der),
            _ => Shape::Unknown,
        },
        _ => Shape::Unknown,
    }
}

fn private_shape<'a>(algorithm: AnyRef<'a>, key: &'a [u8]) -> Shape<'a> {
    match algorithm_of(algorithm) {
        None => Shape::Pkcs8(key),
        Some(other) => Shape::Unusable(Found::OtherPrivateKey(other)),
    }
}

fn public_shape<'a>(algorithm: AnyRef<'a>, key: AnyRef<'a>) -> Shape<'a> {
    match (algorithm_of(algorithm), bits(key)) {
        (None, Some(key)) => Shape::Spki(key),
        (None, None) => Shape::Unknown,
        (Some(other), _) => Shape::Unusable(Found::OtherPublicKey(other)),
    }
}

/// Tells a certificate from the request for one by what is signed.
fn signed_shape<'a>(signed: &[u8]) -> Shape<'a> {
    let Some(parts) = elements(signed) else {
        return Shape::Unknown;
    };
    let tags: Vec<Tag> = parts.iter().map(|part| part.header().tag()).collect();
    match tags.as_slice() {
        [Tag::ContextSpecific { .. }, Tag::Integer, ..]
        | [Tag::Integer, Tag::Sequence, Tag::Sequence, Tag::Sequence, ..] => Shape::Certificate,
        [Tag::Integer, Tag::Sequence, Tag::Sequence, ..] => Shape::Unusable(Found::CertificateRequest),
        _ => Shape::Unknown,
    }
}

/// `None` for plain RSA, otherwise what it is instead.
fn algorithm_of(identifier: AnyRef<'_>) -> Option<Algorithm> {
    let parts = elements(identifier.value()).unwrap_or_default();
    let mut oids = parts.iter().map(|part| part.decode_as::<ObjectIdentifier>().ok());
    let algorithm = oids.next().flatten();
    let parameter = oids.next().flatten();
    match algorithm {
        Some(RSA_ENCRYPTION) => None,
        Some(RSASSA_PSS) => Some(Algorithm::RsaPss),
        Some(EC_PUBLIC_KEY) if parameter == Some(SM2_CURVE) => Some(Algorithm::Sm2),
        Some(EC_PUBLIC_KEY) => Some(Algorithm::Ec),
        Some(DSA) => Some(Algorithm::Dsa),
        Some(oid) if oid.to_string().starts_with(EDWARDS_ARC) => Some(Algorithm::Edwards),
        _ => Some(Algorithm::Unknown),
    }
}

/// SEC1 names the curve in an explicit `[0]` after the key itself.
fn curve_in_sec1(parts: &[AnyRef<'_>]) -> Algorithm {
    let curve = parts
        .get(2)
        .and_then(|part| ObjectIdentifier::from_der(part.value()).ok());
    if curve == Some(SM2_CURVE) {
        Algorithm::Sm2
    } else {
        Algorithm::Ec
    }
}

/// The modulus and the exponent of an RSA key, big endian without leading zeros.
#[derive(Debug)]
pub(crate) struct PublicNumbers<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

impl<'a> PublicNumbers<'a> {
    /// From a PKCS#1 `RSAPublicKey`.
    pub(crate) fn of_public(pkcs1: &'a [u8]) -> Option<PublicNumbers<'a>> {
        match whole_sequence(pkcs1)?.as_slice() {
            [modulus, exponent] => PublicNumbers::of(*modulus, *exponent),
            _ => None,
        }
    }

    /// From a PKCS#1 `RSAPrivateKey` of two primes.
    pub(crate) fn of_private(pkcs1: &'a [u8]) -> Option<PublicNumbers<'a>> {
        match whole_sequence(pkcs1)?.as_slice() {
            [version, modulus, exponent, _, _, _, _, _, _] if version.value() == [0] => {
                PublicNumbers::of(*modulus, *exponent)
            }
            _ => None,
        }
    }

    fn of(modulus: AnyRef<'a>, exponent: AnyRef<'a>) -> Option<PublicNumbers<'a>> {
        let modulus = modulus.decode_as::<UintRef<'a>>().ok()?;
        let exponent = exponent.decode_as::<UintRef<'a>>().ok()?;
        Some(PublicNumbers { modulus, exponent })
    }

    /// The length of the modulus in bits.
    pub(crate) fn bits(&self) -> usize {
        let bytes = self.modulus.as_bytes();
        let zeros = bytes.first().map_or(0, |byte| byte.leading_zeros());
        (bytes.len() * 8).saturating_sub(usize::try_from(zeros).unwrap_or(0))
    }

    /// Whether the numbers can be those of an RSA key at all: both odd, and an exponent that changes
    /// something.
    pub(crate) fn are_plausible(&self) -> bool {
        let is_odd = |bytes: &[u8]| bytes.last().is_some_and(|byte| byte % 2 == 1);
        is_odd(self.modulus.as_bytes()) && is_odd(self.exponent.as_bytes()) && self.exponent.as_bytes() != [1]
    }

    /// The one SPKI encoding of this key, whatever wrapping it came in.
    pub(crate) fn to_spki(&self) -> Vec<u8> {
        let modulus = integer(self.modulus.as_bytes());
        let exponent = integer(self.exponent.as_bytes());
        let pkcs1 = wrap(TAG_SEQUENCE, &[&modulus, &exponent]);
        let key = wrap(TAG_BIT_STRING, &[&[0], &pkcs1]);
        wrap(TAG_SEQUENCE, &[RSA_ALGORITHM, &key])
    }
}

/// Wraps a PKCS#1 RSA private key as PKCS#8.
pub(crate) fn to_pkcs8(pkcs1: &[u8]) -> Zeroizing<Vec<u8>> {
    let key = Zeroizing::new(wrap(TAG_OCTET_STRING, &[pkcs1]));
    Zeroizing::new(wrap(TAG_SEQUENCE, &[VERSION_0, RSA_ALGORITHM, &key]))
}

/// The bytes a certificate's signature is over, as they stand in the certificate.
pub(crate) fn signed_part(certificate: &[u8]) -> Option<&[u8]> {
    let outer = AnyRef::from_der(certificate).ok()?;
    SliceReader::new(outer.value()).ok()?.tlv_bytes().ok()
}

/// The elements of the one SEQUENCE that `der` consists of, with nothing behind it.
fn whole_sequence(der: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let outer = AnyRef::from_der(der).ok()?;
    if outer.header().tag() == Tag::Sequence {
        elements(outer.value())
    } else {
        None
    }
}

fn elements(content: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(content).ok()?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        found.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(found)
}

fn bits(value: AnyRef<'_>) -> Option<&[u8]> {
    value.decode_as::<BitStringRef<'_>>().ok()?.as_bytes()
}

/// An INTEGER from a big endian magnitude without leading zeros.
fn integer(magnitude: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if magnitude.first().is_some_and(|byte| byte & 0x80 != 0) {
        &[0]
    } else {
        &[]
    };
    wrap(0x02, &[sign, magnitude])
}

fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let digits: Vec<u8> = length
        .to_be_bytes()
        .into_iter()
        .skip_while(|byte| *byte == 0)
        .collect();
    // The whole size at once: a vector that grows leaves copies of a private key behind.
    let mut out = Vec::with_capacity(2 + digits.len() + length);
    out.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
            out.extend_from_slice(&digits);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}
