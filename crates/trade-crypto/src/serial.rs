//! Certificate serial numbers, which the channels write in different ways.

/// What the name of a WeChat Pay public key begins with.
const PUB_KEY_ID: &str = "PUB_KEY_ID_";

/// One spelling for every way a certificate serial is written, for comparing: upper case, no leading zeros,
/// no colons or blanks, no `serial=`. The name of a WeChat Pay public key (`PUB_KEY_ID_…`) comes back as it
/// is.
///
/// Some libraries drop a leading zero and some keep it, so two spellings of one serial can differ. In the
/// `Authorization` of WeChat Pay, send [`crate::Certificate::serial_hex`] instead.
///
/// ```
/// use trade_crypto::normalise_serial;
///
/// assert_eq!(normalise_serial("0a:1b:2c"), "A1B2C");
/// assert_eq!(normalise_serial("PUB_KEY_ID_0116"), "PUB_KEY_ID_0116");
/// ```
#[must_use]
pub fn normalise_serial(serial: &str) -> String {
    let serial = serial.trim();
    if serial.starts_with(PUB_KEY_ID) {
        return serial.to_owned();
    }
    let digits: String = serial
        .strip_prefix("serial=")
        .unwrap_or(serial)
        .chars()
        .filter(|character| *character != ':' && !character.is_whitespace())
        .collect();
    let upper = digits.to_uppercase();
    match upper.trim_start_matches('0') {
        "" if !upper.is_empty() => "0".to_owned(),
        stripped => stripped.to_owned(),
    }
}

/// Upper case hexadecimal, two digits a byte, without the byte that only carries the sign.
pub(crate) fn hex(serial: &[u8]) -> String {
    let magnitude = magnitude(serial);
    if magnitude.is_empty() {
        return "00".to_owned();
    }
    magnitude.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The decimal form: a serial has up to 20 bytes, more than any integer type holds.
pub(crate) fn decimal(serial: &[u8]) -> String {
    // Little endian decimal digits; each byte multiplies what is there by 256 and is added.
    let mut digits = vec![0_u8];
    for byte in magnitude(serial) {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let value = u32::from(*digit) * 256 + carry;
            *digit = u8::try_from(value % 10).unwrap_or(0);
            carry = value / 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or(0));
            carry /= 10;
        }
    }
    digits
        .iter()
        .rev()
        .map(|digit| char::from(b'0' + digit))
        .collect()
}

fn magnitude(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|byte| **byte == 0).count();
    serial.get(zeros..).unwrap_or_default()
}
