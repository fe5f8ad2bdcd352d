//! From what people paste to bytes: PEM or bare base64, through byte order marks, quotes, literal `\n`, lost
//! line breaks and stray blanks.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use crate::{
    der::{Shape, shape},
    error::KeyError,
    found::{Form, Found, Wanted},
};

/// Padding and the unused bits of the last character get lost when people copy; what a key is decides its
/// DER.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// One key or certificate out of a text.
pub(crate) struct Item {
    der: Zeroizing<Vec<u8>>,
    form: Form,
    /// Told by the label or a header where the bytes are of no use.
    unusable: Option<Found>,
}

impl Item {
    pub(crate) fn shape(&self) -> Shape<'_> {
        match self.unusable {
            Some(found) => Shape::Unusable(found),
            None => shape(&self.der),
        }
    }

    pub(crate) fn found(&self) -> Option<Found> {
        self.shape().found(self.form)
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }
}

/// Everything in `bytes` that could be a key or certificate, in its order. Never an empty list.
///
/// # Errors
///
/// [`KeyError::Empty`], or [`KeyError::NotKeyText`] when there is no PEM and the whole is not base64 either.
pub(crate) fn items(bytes: &[u8], wanted: Wanted) -> Result<Vec<Item>, KeyError> {
    // A binary file starts with the tag of a SEQUENCE and, being DER, is no UTF-8 but by the rarest accident.
    if bytes.first() == Some(&0x30) && std::str::from_utf8(bytes).is_err() {
        let der = Zeroizing::new(bytes.to_vec());
        return Ok(vec![Item {
            der,
            form: Form::Der,
            unusable: None,
        }]);
    }
    let text = tidy(&Zeroizing::new(decode_text(bytes)));
    if text.is_empty() {
        return Err(KeyError::Empty { wanted });
    }
    if text.starts_with("ssh-") {
        return Ok(vec![unusable(Found::OpenSsh)]);
    }
    let blocks = pem_blocks(&text);
    if !blocks.is_empty() {
        return Ok(blocks);
    }
    let der = decode_bare(&text).map_err(|(length, position)| KeyError::NotKeyText {
        wanted,
        length,
        position,
    })?;
    // A PEM text that was base64-encoded once more: secrets of Kubernetes, `alipay_cert_content`.
    if der.starts_with(BEGIN.as_bytes()) {
        let inner = tidy(&Zeroizing::new(String::from_utf8_lossy(&der).into_owned()));
        let blocks = pem_blocks(&inner);
        if !blocks.is_empty() {
            return Ok(blocks);
        }
    }
    Ok(vec![Item {
        der,
        form: Form::Base64,
        unusable: None,
    }])
}

/// Why none of `items` serves as what was `wanted`: the first thing that has a name is the one to talk about.
pub(crate) fn none_fits(items: &[Item], wanted: Wanted) -> KeyError {
    match items.iter().find_map(Item::found) {
        Some(found) => KeyError::WrongKind { wanted, found },
        None => KeyError::Damaged {
            wanted,
            length: items.first().map_or(0, |item| item.der.len()),
        },
    }
}

/// Reads UTF-8, and UTF-16 where its mark says so: what PowerShell's `>` writes.
fn decode_text(bytes: &[u8]) -> String {
    let (unit, rest): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        _ => return String::from_utf8_lossy(bytes).into_owned(),
    };
    let units = rest.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Takes away what surrounds a key without being part of it, and turns `\n` written out into a line break.
fn tidy(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some('n' | 'r' | 't')) => {
                characters.next();
                out.push('\n');
            }
            // Left over from a text escaped twice, or from a line continued in a shell.
            ('\\' | '"' | '\'', _) => {}
            _ if is_invisible(character) => {}
            _ => out.push(character),
        }
    }
    Zeroizing::new(out.trim().to_owned())
}

/// Characters that editors, chats and web pages add and nobody sees.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\0'
    )
}

/// Every PEM block. The label says next to nothing (people put any label on any key), so it is looked at only
/// where the body cannot be read.
fn pem_blocks(text: &str) -> Vec<Item> {
    text.split(BEGIN)
        .skip(1)
        .filter_map(|block| {
            let (label, rest) = block.split_once(DASHES)?;
            let body = rest.split(DASHES).next().unwrap_or_default();
            Some(pem_block(label, body))
        })
        .collect()
}

fn pem_block(label: &str, body: &str) -> Item {
    if label.contains("OPENSSH") || label.contains("SSH2") {
        return unusable(Found::OpenSsh);
    }
    if body.contains("Proc-Type:") {
        return unusable(Found::EncryptedPrivateKey);
    }
    let der = decode_bare(body).unwrap_or_default();
    Item {
        der,
        form: Form::Pem,
        unusable: None,
    }
}

fn unusable(found: Found) -> Item {
    Item {
        der: Zeroizing::default(),
        form: Form::Pem,
        unusable: Some(found),
    }
}

/// Decodes base64 with any blanks in it; the error is the length of the text and the place of the first wrong
/// character, both without blanks.
fn decode_bare(text: &str) -> Result<Zeroizing<Vec<u8>>, (usize, usize)> {
    let mut compact = Zeroizing::new(String::with_capacity(text.len()));
    compact.extend(text.chars().filter(|character| !character.is_whitespace()));
    let mut der = Zeroizing::new(Vec::with_capacity(compact.len()));
    LENIENT
        .decode_vec(compact.as_bytes(), &mut der)
        .map(|()| der)
        .map_err(|_| {
            let is_foreign =
                |character: char| !matches!(character, 'A'..='Z' | 'a'..='z' | '0'..='9' | '+' | '/');
            let length = compact.chars().count();
            let position = compact
                .chars()
                .position(is_foreign)
                .map_or(length, |index| index + 1);
            (length, position)
        })
}
