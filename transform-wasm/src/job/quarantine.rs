//! Quarantine lines: the rejected records, each with its reason, its place and its raw text.

use std::borrow::Cow;

use lakegate_model::QuarantineLine;
use lakegate_model::quarantine::Found;

use crate::error::Failure;
use crate::json::Reject;
use crate::limits::{POINTER_BYTES, QUARANTINE_RAW_BYTES};
use crate::report::Report;

use super::source::Source;

/// Bytes of lines that are collected before they go out.
const FLUSH_BYTES: usize = 1 << 20;

/// Longest message: it may name a check of the spec, or be an extension's.
const MESSAGE_BYTES: usize = 4 << 10;

/// Where a record stands in the buffer, and its number.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// Record number, from 1.
    pub number: u64,
}

/// Lines that wait to go out.
#[derive(Debug, Default)]
pub struct Quarantine {
    lines: Vec<u8>,
    /// Columns are masked: nothing of a record is kept.
    masked: bool,
}

impl Quarantine {
    /// Of a pipeline that masks columns, or does not.
    pub fn new(masked: bool) -> Self {
        Self { lines: Vec::new(), masked }
    }

    /// Adds a record and counts it as rejected.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn add(
        &mut self,
        source: &Source,
        span: Span,
        table: Option<&str>,
        reject: &Reject,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let raw = source.buffer().get(span.start..span.end).unwrap_or_default();
        let raw = raw.trim_ascii_end();
        let cut = if self.masked { 0 } else { floor_char(raw, QUARANTINE_RAW_BYTES) };
        let path = reject.path.as_deref().map(|path| shortened(path, POINTER_BYTES));
        let line = QuarantineLine {
            record: span.number,
            line: Some(source.line(span.start)),
            offset: Some(source.offset(span.start)),
            length: Some(source.encoding().bytes_of(raw)),
            table: table.map(Cow::Borrowed),
            path,
            code: Cow::Borrowed(reject.code),
            message: shortened(&reject.message, MESSAGE_BYTES),
            raw: String::from_utf8_lossy(&raw[..cut]),
            truncated: cut < raw.len(),
            masked: self.masked,
            found: found(source.buffer(), reject),
        };
        serde_json::to_writer(&mut self.lines, &line).map_err(|_| Failure::internal("quarantine line"))?;
        self.lines.push(b'\n');
        report.reject(reject.code);
        Ok(())
    }

    /// The lines to send now; `all`: also when they are few.
    pub fn take(&mut self, all: bool) -> Option<Vec<u8>> {
        if self.lines.is_empty() || (!all && self.lines.len() < FLUSH_BYTES) {
            return None;
        }
        Some(std::mem::take(&mut self.lines))
    }

    /// Drops what has not gone out.
    pub fn clear(&mut self) {
        self.lines.clear();
    }
}

/// What kind of value is of another kind than its column, by its first byte.
fn found(buffer: &[u8], reject: &Reject) -> Option<Found> {
    if reject.code != "type_mismatch" {
        return None;
    }
    Some(match buffer.get(reject.at?)? {
        b'{' => Found::Object,
        b'[' => Found::Array,
        b'"' => Found::Text,
        b't' | b'f' => Found::Boolean,
        b'-' | b'0'..=b'9' => Found::Number,
        _ => return None,
    })
}

/// A text of at most `most` bytes, and a sign where something was cut off.
fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match floor_char(text.as_bytes(), most) {
        whole if whole == text.len() => Cow::Borrowed(text),
        cut => Cow::Owned(format!("{}…", &text[..cut])),
    }
}

/// The longest length of at most `most` that does not cut a UTF-8 character.
fn floor_char(text: &[u8], most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    (0..=most).rev().find(|&i| text[i] & 0xC0 != 0x80).unwrap_or(0)
}
