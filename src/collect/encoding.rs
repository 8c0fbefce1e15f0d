//! The bytes of a file → its text. Windows writes UTF-16 where one least expects it.

use miette::Diagnostic;
use thiserror::Error;

/// Why bytes are no text.
#[derive(Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum EncodingError {
    #[error("it is a binary plan of Terraform, or another archive")]
    #[diagnostic(
        code(input::binary_plan),
        help("give its JSON: `terraform show -json FILE > plan.json` (or `tofu show -json`)")
    )]
    BinaryPlan,
    #[error("it is compressed")]
    #[diagnostic(code(input::compressed), help("unpack it first: `gunzip FILE`"))]
    Compressed,
    #[error("it is not text: neither UTF-8 (offset {offset}) nor UTF-16")]
    #[diagnostic(
        code(input::not_text),
        help("give a JSON or YAML file; PowerShell's `>` writes UTF-16, which is read too")
    )]
    NotText { offset: usize },
}

/// The text, without a byte order mark.
pub fn decode(bytes: Vec<u8>) -> Result<String, EncodingError> {
    match bytes.as_slice() {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => return Err(EncodingError::BinaryPlan),
        [0x1f, 0x8b, ..] => return Err(EncodingError::Compressed),
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        // JSON starts with an ASCII character: a zero next to it is half of it.
        [first, 0, ..] if *first != 0 => return utf16(&bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => return utf16(&bytes, u16::from_be_bytes),
        _ => {}
    }
    let mut text = String::from_utf8(bytes).map_err(|error| EncodingError::NotText {
        offset: error.utf8_error().valid_up_to(),
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, EncodingError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text = String::with_capacity(pairs.len());
    for (index, decoded) in char::decode_utf16(units).enumerate() {
        match decoded {
            Ok('\u{feff}') if index == 0 => {}
            Ok(character) => text.push(character),
            Err(_) => return Err(EncodingError::NotText { offset: 0 }),
        }
    }
    match rest {
        [] => Ok(text),
        _ => Err(EncodingError::NotText { offset: 0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn every_way_to_write_a_text_gives_the_text() {
        let text = "{\"a\": \"é𝄞\"}";
        let marked = format!("\u{feff}{text}");
        for bytes in [
            text.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            utf16_bytes(text, u16::to_le_bytes),
            utf16_bytes(text, u16::to_be_bytes),
            utf16_bytes(&marked, u16::to_le_bytes),
            utf16_bytes(&marked, u16::to_be_bytes),
        ] {
            assert_eq!(decode(bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_text_is_told_apart() {
        assert_eq!(decode(b"PK\x03\x04rest".to_vec()), Err(EncodingError::BinaryPlan));
        assert_eq!(decode(b"\x1f\x8brest".to_vec()), Err(EncodingError::Compressed));
        assert_eq!(
            decode(b"{\"a\xff".to_vec()),
            Err(EncodingError::NotText { offset: 3 })
        );
        assert_eq!(
            decode(b"\xff\xfe{\0\0".to_vec()),
            Err(EncodingError::NotText { offset: 0 })
        );
        assert_eq!(decode(Vec::new()).as_deref(), Ok(""));
    }
}
