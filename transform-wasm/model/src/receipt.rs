//! The receipt: digests of a run. It is what a preview promises, and what a verifier measures by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::sha256;

/// Digests of input, component, spec, contracts and every part file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Digest of the input.
    pub input: String,
    /// Digest of the component.
    pub component: String,
    /// Digest of the spec.
    pub spec: String,
    /// Digest of each table's contract.
    pub contracts: BTreeMap<String, String>,
    /// Every part file, in order.
    pub outputs: Vec<Output>,
    /// False if outputs hold where or when the input came from.
    pub comparable: bool,
}

impl Receipt {
    /// SHA-256 of its compact JSON, keys in the order of the fields: short enough to go along with an upload.
    pub fn digest(&self) -> String {
        // Strings, numbers and lists: there is nothing that JSON cannot say.
        sha256(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// One part file of a [`Receipt`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Table.
    pub table: String,
    /// Hive path with trailing slash, or empty.
    pub partition: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256.
    pub digest: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_named_by_its_text() {
        let text = r#"{"input":"i","component":"c","spec":"s","contracts":{"a":"1","b":"2"},"outputs":[{"table":"a","partition":"","rows":1,"bytes":2,"digest":"d"}],"comparable":true}"#;
        let receipt: Receipt = serde_json::from_str(text).unwrap();
        assert_eq!(receipt.digest(), sha256(text.as_bytes()));
    }
}
