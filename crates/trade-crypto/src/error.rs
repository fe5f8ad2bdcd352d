//! The errors of this crate. Their texts are for the person who configures or runs the gateway, and never
//! hold key material.

use std::io;

use crate::found::{Found, Wanted, advice};

/// The smallest RSA modulus taken, in bits: both channels demand it, and everything below can be factored.
pub const BITS_MIN: usize = 2048;

/// The largest RSA modulus taken, in bits. Larger ones serve only to keep a verifier busy.
pub const BITS_MAX: usize = 4096;

/// A key or certificate could not be taken from a text or a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There was nothing but blanks.
    #[error("an {wanted} is wanted, but the text is empty: was the variable set and the file filled?")]
    Empty {
        /// What was looked for.
        wanted: Wanted,
    },

    /// The file exists by its name, or was named with `file:`, and could not be read.
    #[error(
        "the {wanted} is to be read from {path}, and reading failed: does the file exist, is it a \
         plain file, and may this user read it?"
    )]
    File {
        /// What was looked for.
        wanted: Wanted,
        /// The file, or a description of it where its name may be a key pasted by mistake.
        path: String,
        /// Why.
        source: io::Error,
    },

    /// The text has the look of a file name, no such file exists, and it is no key either.
    #[error(
        "an {wanted} is wanted; the text looks like a file name, and there is no file {path} seen from \
         the working directory of this process: check the spelling, or write the full path (`~` is not \
         expanded)"
    )]
    NoSuchFile {
        /// What was looked for.
        wanted: Wanted,
        /// The text.
        path: String,
    },

    /// The text is neither PEM nor base64.
    #[error(
        "an {wanted} is wanted; the text ({length} characters) is neither PEM nor base64, character \
         {position} of it does not belong there: copy it again, whole, including its BEGIN and END \
         lines if it has them"
    )]
    NotKeyText {
        /// What was looked for.
        wanted: Wanted,
        /// Characters in the text, blanks left out.
        length: usize,
        /// The first character that is neither a blank nor of the base64 alphabet, counted from 1, blanks
        /// left out.
        position: usize,
    },

    /// The text can be decoded, and what comes out is no key or certificate, or only a part of one.
    #[error(
        "an {wanted} is wanted; the text decodes to {length} bytes which are no key or certificate in \
         any known format: it was cut or changed when it was copied, so copy it again, whole"
    )]
    Damaged {
        /// What was looked for.
        wanted: Wanted,
        /// Bytes after decoding; 0 when the text between the BEGIN and END lines is not base64.
        length: usize,
    },

    /// It is a key or certificate, of another kind.
    #[error("an {wanted} is wanted, and this is a different thing: {found}; {}", advice(*.found, *.wanted))]
    WrongKind {
        /// What was looked for.
        wanted: Wanted,
        /// What it is.
        found: Found,
    },

    /// The RSA modulus is too short or too long.
    #[error(
        "this {found} has {bits} bits; RSA keys of {BITS_MIN} to {BITS_MAX} bits are taken, and both \
         channels use {BITS_MIN}: make a new key pair and register it with the channel"
    )]
    Size {
        /// What it is.
        found: Found,
        /// The length of its modulus in bits.
        bits: usize,
    },

    /// The numbers inside do not make up an RSA key.
    #[error(
        "this {found} is an RSA key by its form, but its numbers do not belong together: it was \
         changed when it was copied, so copy it again, whole"
    )]
    Inconsistent {
        /// What it is.
        found: Found,
    },

    /// An Alipay root bundle held no certificate with an RSA signature.
    #[error(
        "no RSA certificate is in the Alipay root bundle ({certificates} certificates were read): use \
         alipayRootCert.crt as downloaded from the console"
    )]
    NoRsaRoot {
        /// Certificates that could be read.
        certificates: usize,
    },

    /// The APIv3 key of WeChat Pay has another length than 32.
    #[error(
        "an APIv3 key has exactly 32 characters, this text has {length}: take the APIv3 key set at the \
         merchant platform (账户中心 > API安全 > APIv3密钥), not the v2 API key and not a certificate serial"
    )]
    ApiV3KeyLength {
        /// Characters in the text, blanks around it left out.
        length: usize,
    },

    /// The APIv3 key of WeChat Pay holds something else than visible ASCII.
    #[error(
        "an APIv3 key consists of letters and digits, and character {position} of this text is \
         something else: copy it again"
    )]
    ApiV3KeyCharacter {
        /// Counted from 1, blanks around the text left out.
        position: usize,
    },

    /// The content key of Alipay is not base64.
    #[error(
        "an Alipay content key is base64 text such as the console shows under 接口内容加密方式 (24 characters, \
             usually ending in ==), and this text is not: copy it again"
    )]
    ContentKeyText,

    /// The content key of Alipay has a length no AES key has.
    #[error(
        "an Alipay content key decodes to 16 bytes (24 and 32 are taken as well), and this text to \
         {length}: copy it again from the console (接口内容加密方式)"
    )]
    ContentKeyLength {
        /// Bytes after decoding.
        length: usize,
    },
}

/// A signature, a ciphertext or a message was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// The signature is not one of this message by this key. A text that is not base64, such as WeChat Pay's
    /// deliberate `WECHATPAY/SIGNTEST/…`, is that and nothing else.
    #[error(
        "the signature does not fit the message and the key: the message was changed on its way \
         (decoded, re-written, cut), another key signed it, or the channel probes whether signatures \
         are checked; do not act on this message"
    )]
    BadSignature,

    /// The private key could not sign, which no key that was loaded should do.
    #[error("the private key could not sign: load it again, and check this machine's memory")]
    SigningFailed,

    /// A ciphertext is not base64.
    #[error("the ciphertext is not base64: it was changed or cut on its way")]
    NotBase64,

    /// An RSA-OAEP ciphertext does not open.
    #[error(
        "the private key does not open this RSA-OAEP ciphertext: it was made for another merchant \
         certificate, with another padding (PKCS#1 v1.5), or was changed on its way"
    )]
    OaepNotOpened,

    /// A text is too long for one RSA-OAEP block.
    #[error(
        "a text of {length} bytes does not fit this RSA key, which can carry {length_max}: shorten the field"
    )]
    OaepTooLong {
        /// Bytes given.
        length: usize,
        /// Bytes the key can carry.
        length_max: usize,
    },

    /// The nonce of AES-256-GCM does not have 12 bytes.
    #[error(
        "the nonce of AEAD_AES_256_GCM has 12 bytes, this one has {length}: the message was changed on \
         its way"
    )]
    NonceLength {
        /// Bytes given.
        length: usize,
    },

    /// The ciphertext of AES-256-GCM is too short to hold its tag.
    #[error("the ciphertext has {length} bytes, fewer than the 16 of its tag: it was cut on its way")]
    CiphertextTooShort {
        /// Bytes given.
        length: usize,
    },

    /// The tag of AES-256-GCM does not fit: nearly always the wrong APIv3 key.
    #[error(
        "the APIv3 key does not open this ciphertext: the key was reset, belongs to another mchid, or \
         is the v2 API key; compare it with the merchant platform (账户中心 > API安全 > APIv3密钥)"
    )]
    AeadNotOpened,

    /// A text cannot be sealed by AES-256-GCM, which happens only beyond 64 GiB.
    #[error("the text is too long for AEAD_AES_256_GCM")]
    AeadTooLong,

    /// Content encrypted for Alipay does not open.
    #[error(
        "the content key does not open this content: the key was replaced in Alipay's console \
             (接口内容加密方式), belongs to another app, or the content was changed on its way"
    )]
    ContentNotOpened,
}
