//! Unescaping strings (RFC 8259, section 7).

use super::cursor::{Reject, Stop};
use crate::bytes::{append, find};

/// So near a backslash is looked for byte by byte.
const NEAR: usize = 8;

/// Appends the text that `raw` (a string's content) stands for; `at` is its position, for messages.
///
/// # Errors
/// `Syntax` for an escape that does not exist, `Reject` with `lone_surrogate` for half a pair.
pub fn unescape(raw: &[u8], at: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    let mut i = 0;
    while i < raw.len() {
        i += plain(&raw[i..], out);
        let Some(&kind) = raw.get(i + 1) else { break };
        let byte = match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                i += unicode(&raw[i..], at + i, out)?;
                continue;
            }
            _ => {
                return Err(Stop::Syntax {
                    at: at + i,
                    message: "an escape that JSON does not have",
                    hint: Some("a backslash in a string is written \\\\"),
                });
            }
        };
        out.push(byte);
        i += 2;
    }
    Ok(())
}

/// Appends what stands before the next backslash; its length.
#[inline(always)]
fn plain(raw: &[u8], out: &mut Vec<u8>) -> usize {
    // Where escapes stand close together a search costs more than what it finds.
    let near = &raw[..raw.len().min(NEAR)];
    let length = match near.iter().position(|&byte| byte == b'\\') {
        Some(length) => length,
        None => NEAR.min(raw.len()) + find(b'\\', &raw[near.len()..]).unwrap_or(raw.len() - near.len()),
    };
    append(out, &raw[..length]);
    length
}

/// Appends the character of the `\uXXXX` (or pair) that `raw` begins with; its length.
fn unicode(raw: &[u8], at: usize, out: &mut Vec<u8>) -> Result<usize, Stop> {
    let lone = || Reject::at("lone_surrogate", "a string holds half of a surrogate pair", at);
    let first = hex4(raw, at)?;
    let (code, len) = match first {
        0xD800..=0xDBFF => {
            if !raw[6..].starts_with(b"\\u") {
                return Err(lone().into());
            }
            match hex4(&raw[6..], at + 6)? {
                second @ 0xDC00..=0xDFFF => (0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), 12),
                _ => return Err(lone().into()),
            }
        }
        _ => (first, 6),
    };
    let c = char::from_u32(code).ok_or_else(lone)?;
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(len)
}

fn hex4(raw: &[u8], at: usize) -> Result<u32, Stop> {
    let digits = raw.get(2..6).and_then(|d| std::str::from_utf8(d).ok());
    let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    digits.and_then(|d| u32::from_str_radix(d, 16).ok()).ok_or(Stop::Syntax {
        at,
        message: "\\u needs four hexadecimal digits",
        hint: None,
    })
}
