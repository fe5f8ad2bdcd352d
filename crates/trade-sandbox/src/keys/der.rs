//! Just enough DER to write an X.509 certificate.

/// One element: tag, length, content.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    push_length(&mut out, content.len());
    out.extend_from_slice(content);
    out
}

/// SEQUENCE of the given, already encoded elements.
pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

/// SET of the given, already encoded elements.
pub(super) fn set(parts: &[&[u8]]) -> Vec<u8> {
    element(0x31, &parts.concat())
}

/// A constructed, context-specific element `[number]`.
pub(super) fn context(number: u8, content: &[u8]) -> Vec<u8> {
    element(0xA0 | number, content)
}

/// INTEGER from unsigned big-endian bytes.
pub(super) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let significant: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let needs_zero = significant.first().is_none_or(|first| first & 0x80 != 0);
    let mut content = Vec::with_capacity(significant.len().saturating_add(1));
    if needs_zero {
        content.push(0);
    }
    content.extend(significant);
    element(0x02, &content)
}

/// BIT STRING of whole bytes.
pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    let mut content = vec![0];
    content.extend_from_slice(bytes);
    element(0x03, &content)
}

/// OCTET STRING.
pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    element(0x04, bytes)
}

/// OBJECT IDENTIFIER from its encoded body.
pub(super) fn oid(body: &[u8]) -> Vec<u8> {
    element(0x06, body)
}

/// NULL.
pub(super) fn null() -> Vec<u8> {
    element(0x05, &[])
}

/// BOOLEAN TRUE.
pub(super) fn yes() -> Vec<u8> {
    element(0x01, &[0xFF])
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes: Vec<u8> = length
                .to_be_bytes()
                .into_iter()
                .skip_while(|byte| *byte == 0)
                .collect();
            out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
            out.extend(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_integers_take_the_shortest_form() {
        assert_eq!(element(0x04, &[1, 2]), [0x04, 2, 1, 2]);
        assert_eq!(element(0x04, &[0; 200])[..3], [0x04, 0x81, 200]);
        assert_eq!(element(0x04, &[0; 300])[..4], [0x04, 0x82, 1, 44]);
        assert_eq!(unsigned(&[0, 0, 5]), [0x02, 1, 5]);
        assert_eq!(unsigned(&[0x80]), [0x02, 2, 0, 0x80]);
        assert_eq!(unsigned(&[]), [0x02, 1, 0]);
    }
}
