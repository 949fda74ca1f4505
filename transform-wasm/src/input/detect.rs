//! Which format decoded text is in, from its first line or two.
//!
//! For: input whose spec pins no format. Not for: judging whether it is valid. The decision to know:
//! broken input goes to the reader that loses least of it: a broken first line of NDJSON is still
//! NDJSON, where the other lines survive.

use crate::bytes::{count, find};

use super::dialect::HEAD;

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;

/// Text looked at before deciding without a complete first line.
pub const DETECT_LIMIT: usize = 1 << 20;

/// What the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detected {
    /// One document, an array, or documents one after the other.
    Json,
    /// One JSON document a line.
    Ndjson,
    /// Fields between delimiters (see [`super::dialect`]).
    Csv,
    /// None of them, but this: for a failure `unsupported_format`.
    Foreign(&'static str),
    /// CSV but for a NUL byte, which stands there.
    Nul(usize),
    /// Cannot be told yet.
    NeedMore,
    /// Nothing but white space.
    Empty,
}

/// Looks at the text's beginning; `complete`: there is no more of it. Answers [`Detected::NeedMore`]
/// only while there is more and `prefix` is shorter than [`DETECT_LIMIT`].
#[must_use]
pub fn detect_format(prefix: &[u8], complete: bool) -> Detected {
    let settled = complete || prefix.len() >= DETECT_LIMIT;
    let text = prefix.trim_ascii_start();
    let answer = match text.first() {
        None if settled => return Detected::Empty,
        None => return Detected::NeedMore,
        Some(b'[') => Some(Detected::Json),
        Some(b'{') => object(text, complete),
        Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => scalar(text, complete),
        Some(b'<') => Some(Detected::Foreign("XML or HTML")),
        Some(_) => Some(Detected::Csv),
    };
    match answer {
        Some(Detected::Csv) => csv(prefix, complete),
        Some(answer) => answer,
        None if !settled => Detected::NeedMore,
        // A line longer than the limit: the JSON reader streams what has no lines.
        None if text[0] == b'{' => Detected::Json,
        None => csv(prefix, true),
    }
}

/// Text that begins with an object; none if more of it is needed.
fn object(text: &[u8], complete: bool) -> Option<Detected> {
    let (line, rest) = split_line(text, complete)?;
    match scan(line.trim_ascii_end()) {
        // More on the same line: documents one after the other.
        Scan::Closed { trailing: true } => Some(Detected::Json),
        Scan::Closed { trailing: false } => Some(Detected::Ndjson),
        Scan::Open { may_go_on_with_object } => match rest.first() {
            Some(b'{') if !may_go_on_with_object => Some(Detected::Ndjson),
            Some(_) => Some(Detected::Json),
            None if complete => Some(Detected::Json),
            None => None,
        },
    }
}

/// Text that may be a JSON scalar or a CSV header; none if more of it is needed.
fn scalar(text: &[u8], complete: bool) -> Option<Detected> {
    let (line, rest) = split_line(text, complete)?;
    if !is_scalar(line.trim_ascii_end()) {
        return Some(Detected::Csv);
    }
    match rest.trim_ascii_start().first() {
        Some(b'{' | b'[') => Some(Detected::Ndjson),
        Some(_) => Some(Detected::Csv),
        None if complete => Some(Detected::Json),
        None => None,
    }
}

fn csv(prefix: &[u8], complete: bool) -> Detected {
    if !complete && prefix.len() < HEAD {
        return Detected::NeedMore;
    }
    // As much as the dialect is told from, so that it does not matter how much of the input came at once.
    match find(0, &prefix[..prefix.len().min(HEAD)]) {
        Some(at) if is_mostly_text(prefix) => Detected::Nul(at),
        Some(_) => Detected::Foreign("binary"),
        None => Detected::Csv,
    }
}

/// Whether so few NUL bytes stand in a text's beginning that it is no other kind of file.
fn is_mostly_text(prefix: &[u8]) -> bool {
    let head = &prefix[..prefix.len().min(HEAD)];
    let control = |byte: &&u8| **byte < b' ' && !matches!(**byte, 0 | b'\t' | b'\n' | b'\r');
    100 * count(0, head) <= head.len() && head.iter().filter(control).count() == 0
}

/// The first line and what follows it; none if the line is not all there.
fn split_line(text: &[u8], complete: bool) -> Option<(&[u8], &[u8])> {
    match find(b'\n', text) {
        Some(at) => Some((&text[..at], &text[at + 1..])),
        None if complete => Some((text, &[])),
        None => None,
    }
}

enum Scan {
    /// The object is closed on this line; `trailing`: by more than itself.
    Closed { trailing: bool },
    /// It is not closed; could valid JSON go on with an object on the next line?
    Open { may_go_on_with_object: bool },
}

/// Follows brackets and strings of an object's first line.
fn scan(line: &[u8]) -> Scan {
    let mut open = Vec::new();
    let mut in_string = false;
    let mut escaped = false;
    for (at, byte) in line.iter().enumerate() {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => open.push(*byte),
            b'}' | b']' => {
                open.pop();
                if open.is_empty() {
                    return Scan::Closed { trailing: at + 1 < line.len() };
                }
            }
            _ => {}
        }
    }
    let may_go_on_with_object = !in_string
        && match line.last() {
            Some(b':' | b'[') => true,
            Some(b',') => open.last() == Some(&b'['),
            _ => false,
        };
    Scan::Open { may_go_on_with_object }
}

fn is_scalar(line: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(line)
        .is_ok_and(|value| !value.is_array() && !value.is_object())
}
