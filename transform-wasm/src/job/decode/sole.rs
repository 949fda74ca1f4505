//! A document that is nothing but the way to an array of objects: `{"Records": [{…}, …]}`.
//!
//! For: a job that learns and was told no path to the records. Its elements are read as records, since nothing is
//! lost by it. The decision to know: only the document's end shows that nothing stands beside the array. Where
//! something does, what was learned of the elements becomes what is learned of one record, and the rest of that
//! record is read behind it; so memory stays bounded by a record all the same.

use crate::error::Failure;
use crate::input::detect::DETECT_LIMIT;
use crate::json::reader::{Beside, DocumentReader};
use crate::json::{Cursor, Stop, unescape};

use super::super::ledger::Ledger;
use super::super::quarantine::Span;
use super::super::reader::Reader;
use super::{Feed, Framing, Record};

/// Whether a document begins as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// More of it is needed.
    NeedMore,
    /// It does not.
    No,
    /// The keys on the way to the array.
    Below(Vec<String>),
}

/// The framing of such a document.
pub struct Sole {
    /// The keys on the way.
    pub path: Vec<String>,
    document: DocumentReader,
    /// Documents that follow are one a line.
    lines: bool,
    /// Something stands beside the array: in the object at this level.
    beside: Option<usize>,
}

/// Looks at the beginning of a document.
pub fn seek(text: &[u8], complete: bool, depth: usize) -> Sought {
    match way(text, depth) {
        Ok(Some(path)) => Sought::Below(path),
        Err(Stop::Incomplete) if !complete && text.len() < DETECT_LIMIT => Sought::NeedMore,
        Ok(None) | Err(_) => Sought::No,
    }
}

fn way(text: &[u8], depth: usize) -> Result<Option<Vec<String>>, Stop> {
    let cursor = Cursor { input: text, complete: false };
    let mut path = Vec::new();
    let (mut at, mut byte) = cursor.next(0)?;
    while byte == b'{' && path.len() < depth {
        let (quote, first) = cursor.next(at + 1)?;
        if first != b'"' {
            return Ok(None);
        }
        let (key, end) = cursor.string(quote)?;
        let mut unescaped = Vec::new();
        unescape(key.raw, quote + 1, &mut unescaped)?;
        path.push(String::from_utf8_lossy(&unescaped).into_owned());
        let (colon, sign) = cursor.next(end)?;
        if sign != b':' {
            return Ok(None);
        }
        (at, byte) = cursor.next(colon + 1)?;
    }
    Ok((!path.is_empty() && byte == b'[' && cursor.next(at + 1)?.1 == b'{').then_some(path))
}

impl Sole {
    /// Records below `path`, which was found.
    pub fn new(path: Vec<String>, depth: usize, lines: bool) -> Self {
        let document = DocumentReader::new(path.clone(), depth).alone();
        Self { path, document, lines, beside: None }
    }

    /// Whether all that was read bears it out.
    pub fn holds(&self) -> bool {
        self.beside.is_none() && self.document.found
    }
}

impl Feed {
    /// One record of such a document, or what shows that it is none.
    pub(super) fn sole(
        &mut self,
        sole: &mut Sole,
        reader: &mut Reader,
        ledger: &mut Ledger,
    ) -> Result<Record, Failure> {
        if sole.beside.is_none() {
            match self.element(&mut sole.document, reader, ledger)? {
                Record::Beside(Beside::Key { level }) => sole.beside = Some(level),
                Record::Beside(Beside::Document) => {
                    return Ok(match as_one_record(sole, reader, ledger)? {
                        true => Record::Goes(Framing::plain(sole.lines, self.limits.depth)),
                        false => Record::Goes(Framing::Rest),
                    });
                }
                other => return Ok(other),
            }
            if !as_one_record(sole, reader, ledger)? {
                return Ok(Record::Goes(Framing::Rest));
            }
        }
        let (Some(level), Reader::Learn(learner)) = (sole.beside, &mut *reader) else {
            return Err(Failure::internal("only a reader that learns looks for records"));
        };
        let cursor = Cursor { input: self.source.buffer(), complete: self.source.finished };
        match learner.walk_rest(&cursor, self.source.position(), &sole.path, level) {
            Ok(end) => {
                learner.commit();
                self.source.advance_to(end);
                Ok(Record::Goes(Framing::plain(sole.lines, self.limits.depth)))
            }
            Err(Stop::Incomplete) => {
                learner.rollback();
                Ok(Record::Wait)
            }
            Err(Stop::Reject(reject)) => {
                learner.forget();
                one_rejected(ledger, reject.code);
                Ok(Record::Goes(Framing::Rest))
            }
            Err(stop) => {
                let start = self.source.position();
                let span = Span { start, end: start, number: 1 };
                self.refuse(reader, ledger, stop, span)
            }
        }
    }
}

/// What was learned of records is what is learned of one; false where one of them was rejected, and with it the one.
fn as_one_record(sole: &Sole, reader: &mut Reader, ledger: &mut Ledger) -> Result<bool, Failure> {
    let Reader::Learn(learner) = reader else { return Ok(false) };
    if let Some(code) = ledger.report.rejects.keys().next().cloned() {
        learner.forget();
        one_rejected(ledger, code);
        return Ok(false);
    }
    learner.learned.records = Some(sole.path.clone());
    learner.as_one_record()?;
    ledger.report.records = 1;
    ledger.report.accepted = 1;
    Ok(true)
}

fn one_rejected(ledger: &mut Ledger, code: impl Into<std::borrow::Cow<'static, str>>) {
    ledger.forget_rejected();
    ledger.report.records = 1;
    ledger.report.accepted = 0;
    ledger.report.rejected = 1;
    ledger.report.rejects.insert(code.into(), 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_way_to_objects_is_one() {
        let below = |keys: &[&str]| Sought::Below(keys.iter().map(|key| (*key).to_owned()).collect());
        for (text, expected) in [
            (r#"{"Records":[{"a":1}]}"#, below(&["Records"])),
            (" {\"data\" : {\"it\\u0065ms\":\n[ {", below(&["data", "items"])),
            (r#"{"a":[]}"#, Sought::No),
            (r#"{"a":[1]}"#, Sought::No),
            (r#"{"a":1,"b":[{}]}"#, Sought::No),
            (r#"{}"#, Sought::No),
            (r#"[{}]"#, Sought::No),
            (r#"{"a":[{}]}"#, below(&["a"])),
            (r#"{"a":{"#, Sought::NeedMore),
            (r#"{"a":["#, Sought::NeedMore),
        ] {
            assert_eq!(seek(text.as_bytes(), false, 128), expected, "{text}");
        }
        assert_eq!(seek(br#"{"a":{"#, true, 128), Sought::No);
        assert_eq!(seek(br#"{"a":{"b":[{"#, false, 1), Sought::No);
    }
}
