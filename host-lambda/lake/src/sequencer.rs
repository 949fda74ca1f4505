//! The order of the events of one key.
//!
//! Not comparable between keys. The decision to know: S3's rule is to compare as hex digits after padding
//! the shorter one on the right with zeros; so `0A` and `0A00` are equal, and so is their `Eq`.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// S3's `sequencer`: hex digits, upper-cased.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sequencer(String);

impl Sequencer {
    /// `None` unless the text is hex digits: an order that is not known must not be made up.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex.then(|| Self(text.to_ascii_uppercase()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ord for Sequencer {
    fn cmp(&self, other: &Self) -> Ordering {
        let (this, that) = (self.0.as_bytes(), other.0.as_bytes());
        let digit = |digits: &[u8], at: usize| digits.get(at).copied().unwrap_or(b'0');
        let all = 0..this.len().max(that.len());
        all.map(|at| digit(this, at).cmp(&digit(that, at)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Sequencer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sequencer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sequencer {}

impl TryFrom<String> for Sequencer {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a sequencer is hex digits")
    }
}

impl From<Sequencer> for String {
    fn from(sequencer: Sequencer) -> Self {
        sequencer.0
    }
}
