//! Why records were rejected, in few words: how many for each reason, and where the first few of them stand.
//!
//! For: whoever tells a person of an object, done or failed, in the same words. Not for: the records themselves, which
//! lie in quarantine. The decision to know: it is bounded whatever comes, since it goes into failure records, and it
//! holds no value of the input.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::drift::{Drift, Misfits};
use crate::quarantine::QuarantineLine;

/// Records of one reason that are shown by their place.
pub const SAMPLES: usize = 3;

/// Different reasons that are told apart: there are fewer, but for those of a transform of one's own.
const REASONS: usize = 64;

/// Longest text of a sample or a reason's name: a path may have 1 KiB, a message more.
const TEXT_BYTES: usize = 400;

/// One record that was rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// Record number, from 1.
    pub record: u64,
    /// Line, from 1.
    pub line: Option<u64>,
    /// JSON pointer or column name.
    pub path: Option<String>,
    /// The reason; holds no values.
    pub message: String,
}

/// One reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reason {
    /// Its stable name.
    pub code: String,
    /// Records that were rejected for it.
    pub records: u64,
    /// The first of them.
    pub samples: Vec<Sample>,
}

/// What a person is told of the rejected records of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rejected {
    /// Reasons, the commonest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Columns whose type the data has left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
}

impl Rejected {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty() && self.drift.is_empty()
    }
}

/// Gathers quarantine lines as they come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejections {
    by_code: BTreeMap<String, Reason>,
    misfits: Misfits,
}

impl Rejections {
    /// One more.
    pub fn add(&mut self, line: &QuarantineLine<'_>) {
        self.misfits.add(line);
        let code = shortened(&line.code);
        if !self.by_code.contains_key(code) && self.by_code.len() >= REASONS {
            return;
        }
        let reason = self
            .by_code
            .entry(code.to_owned())
            .or_insert_with_key(|code| Reason { code: code.clone(), ..Reason::default() });
        reason.records += 1;
        if reason.samples.len() < SAMPLES {
            reason.samples.push(Sample {
                record: line.record,
                line: line.line,
                path: line.path.as_deref().map(|path| shortened(path).to_owned()),
                message: shortened(&line.message).to_owned(),
            });
        }
    }

    /// Adds whole lines of a quarantine; what cannot be read is left out.
    pub fn add_lines(&mut self, lines: &[u8]) {
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            if let Ok(line) = serde_json::from_slice::<QuarantineLine<'_>>(line) {
                self.add(&line);
            }
        }
    }

    /// Whether nothing came.
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }

    /// The reasons, the commonest first; of those alike in the order of their names.
    pub fn reasons(&self) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = self.by_code.values().cloned().collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.records));
        reasons
    }

    /// Which values did not fit their columns.
    pub fn misfits(&self) -> &Misfits {
        &self.misfits
    }
}

/// The beginning of a text.
pub(crate) fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(record: u64, code: &str) -> QuarantineLine<'_> {
        let path = Some("/a".into());
        QuarantineLine { record, code: code.into(), path, message: "no".into(), ..QuarantineLine::default() }
    }

    #[test]
    fn each_reason_has_its_count_and_its_first_records() {
        let mut rejections = Rejections::default();
        for record in 1..=5 {
            rejections.add(&line(record, "type_mismatch"));
        }
        rejections.add(&line(6, "duplicate_key"));
        rejections.add_lines(b"{\"record\":7,\"code\":\"duplicate_key\",\"message\":\"m\"}\nbroken\n");
        let told: Vec<(String, u64, Vec<u64>)> = rejections
            .reasons()
            .into_iter()
            .map(|r| (r.code, r.records, r.samples.iter().map(|sample| sample.record).collect()))
            .collect();
        let expected =
            [("type_mismatch".to_owned(), 5, vec![1, 2, 3]), ("duplicate_key".to_owned(), 2, vec![6, 7])];
        assert_eq!(told, expected);
    }

    #[test]
    fn it_stays_small_whatever_comes() {
        let mut rejections = Rejections::default();
        let long = "ü".repeat(10_000);
        for record in 1..=1_000 {
            let (code, message) = (format!("code{record}{long}").into(), long.as_str().into());
            rejections.add(&QuarantineLine { code, message, ..line(record, "") });
        }
        let text = serde_json::to_string(&rejections.reasons()).unwrap();
        assert!(text.len() < 200_000, "{}", text.len());
    }
}
