//! Rejected records of which the quarantine keeps nothing, because columns of theirs are masked: where they stand in
//! their source, which must still be there as it was.
//!
//! Not for keeping them: what is read here is handed out, or submitted again, and not written beside the lines.

use std::collections::BTreeSet;

use crate::lake::Lake;
use crate::operate::quarantine::Quarantined;
use crate::record::CommitRecord;
use crate::run::commit::source_of;
use lakegate_base::{Code, Error, Result};

/// The mark that may stand before the first byte of UTF-8; places are counted behind it.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the text of those that are masked.
///
/// # Errors
/// A source is gone, was changed, or is not plain text, so that a place in it says nothing; with what to do.
pub fn fill(lake: &Lake, picked: &mut [Quarantined]) -> Result<()> {
    let masked = |entry: &Quarantined| entry.line.masked && entry.line.raw.is_empty();
    let keys: BTreeSet<String> =
        picked.iter().filter(|entry| masked(entry)).map(|entry| entry.commit_key.clone()).collect();
    for key in keys {
        let missing = || Error::new(Code::LakeDamaged, format!("{key} is missing"));
        let record: CommitRecord = lake.read_json(&key)?.ok_or_else(missing)?;
        let mut entries: Vec<&mut Quarantined> =
            picked.iter_mut().filter(|entry| masked(entry) && entry.commit_key == key).collect();
        entries.sort_by_key(|entry| entry.line.offset);
        read(lake, &record, &mut entries)?;
    }
    Ok(())
}

/// Records of one source, in the order of their places.
fn read(lake: &Lake, record: &CommitRecord, entries: &mut [&mut Quarantined]) -> Result<()> {
    let first = entries.first().map_or((0, 0), |entry| (entry.line.record, entry.line.offset.unwrap_or(0)));
    let unread = |why: &str| {
        let (number, offset) = first;
        let uri = &record.source.uri;
        Error::new(
            Code::RecordMasked,
            format!("nothing is kept of record {number} of {uri}, because columns are masked, and {why}"),
        )
        .with_hint(format!(
            "take it from its source, where it stands at byte {offset}, and give it as a file"
        ))
    };
    if !matches!(&*record.report.compression, "none" | "") {
        return Err(unread("the source is compressed"));
    }
    if !is_utf8(lake.spec_text(&record.spec)?.as_deref().unwrap_or_default()) {
        return Err(unread("the source is not UTF-8"));
    }
    let source = source_of(lake, record).map_err(|error| match error.code() {
        Code::SourceGone => unread(&error.to_string()),
        _ => error,
    })?;
    let mut chunks = source.open()?;
    let (mut at, mut open, mut text) = (0_u64, 0, Vec::new());
    let mut begun = false;
    while open < entries.len() {
        let chunk = chunks.next()?;
        if chunk.is_empty() {
            return Err(unread("the source ends before it"));
        }
        let chunk = if begun { chunk } else { chunk.strip_prefix(MARK).unwrap_or(chunk) };
        begun = true;
        let end = at + chunk.len() as u64;
        while let Some(entry) = entries.get_mut(open) {
            let line = &mut entry.line;
            let (Some(offset), Some(length)) = (line.offset, line.length) else {
                return Err(unread("its place is not known"));
            };
            let from = (offset + text.len() as u64).clamp(at, end);
            let to = (offset + length).clamp(from, end);
            text.extend_from_slice(&chunk[(from - at) as usize..(to - at) as usize]);
            if (text.len() as u64) < length {
                break;
            }
            let whole =
                String::from_utf8(std::mem::take(&mut text)).map_err(|_| unread("it is not UTF-8"))?;
            (line.raw, line.truncated) = (whole.into(), false);
            open += 1;
        }
        at = end;
    }
    Ok(())
}

/// Whether a spec reads its input as UTF-8: else places are those of other bytes.
fn is_utf8(spec: &str) -> bool {
    let parsed: toml::Table = spec.parse().unwrap_or_default();
    let encoding = parsed.get("input").and_then(|input| input.get("encoding"));
    encoding.and_then(toml::Value::as_str).is_none_or(|name| matches!(name, "utf-8" | "utf8"))
}
