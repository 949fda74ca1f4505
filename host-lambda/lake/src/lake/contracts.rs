//! Live contracts: `schema.json` of each table, changed by compare-and-swap only.
//!
//! Not for the meaning of types: the transform merges contracts. The decision to know: the host checks
//! that a merged contract only grew (columns kept, in order, with pointer and type), whatever the transform says.

use lakegate_model::Contract;
use serde::{Deserialize, Serialize};

use crate::keys::{self, contract_key, schema_key};
use crate::lake::{Lake, to_json};
use crate::source::now_ms;
use crate::storage::Tagged;
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error, Result};
use lakegate_sandbox::TableContract;

/// One entry of a table's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractVersion {
    /// Digest of the contract.
    pub digest: String,
    /// Since when, RFC 3339.
    pub at: String,
    /// What brought it: the URI of a source object, or a command.
    pub why: String,
}

/// The contract that a table has now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiveContract {
    /// Table.
    pub table: String,
    /// Digest of the text.
    pub digest: String,
    /// The contract, exactly the stored bytes.
    pub text: String,
    /// All contracts so far, this one last.
    pub history: Vec<ContractVersion>,
    /// Tag of `schema.json` as it was read.
    #[serde(skip)]
    pub tag: String,
}

#[derive(Serialize, Deserialize)]
struct Schema {
    version: u32,
    table: String,
    contract: String,
    history: Vec<ContractVersion>,
    /// The contract's text, so that this one file tells people and the page what the table holds. Hosts read
    /// the text that the digest names: this copy is never trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Lake {
    /// Tables that have a contract, sorted.
    ///
    /// # Errors
    /// The storage's.
    pub fn tables(&self) -> Result<Vec<String>> {
        let found = self.storage().list(keys::TABLES)?;
        Ok(found.iter().filter_map(|facts| keys::table_of_schema(&facts.key)).map(str::to_owned).collect())
    }

    /// The contract that a table has now.
    ///
    /// # Errors
    /// The storage's, or a damaged lake.
    pub fn contract(&self, table: &str) -> Result<Option<LiveContract>> {
        match self.storage().get(&schema_key(table))? {
            Some(found) => self.live_contract(table, found).map(Some),
            None => Ok(None),
        }
    }

    /// The contract that a table had when this process last asked, else the one that it has now.
    ///
    /// # Errors
    /// As [`Lake::contract`].
    pub(crate) fn known_contract(&self, table: &str) -> Result<Option<LiveContract>> {
        match self.texts.as_ref().and_then(|texts| texts.live(table)) {
            Some(known) => Ok(Some(known)),
            None => self.contract(table),
        }
    }

    /// What a `schema.json` that was read says.
    pub(crate) fn live_contract(&self, table: &str, found: Tagged) -> Result<LiveContract> {
        let key = schema_key(table);
        let schema: Schema = serde_json::from_slice(&found.bytes)
            .map_err(|error| Error::new(Code::LakeDamaged, format!("{key} cannot be read: {error}")))?;
        let Some(text) = self.contract_text(&schema.contract)? else {
            let missing = contract_key(&schema.contract);
            return Err(Error::new(Code::LakeDamaged, format!("{key} names {missing}, which is missing")));
        };
        let (digest, history) = (schema.contract, schema.history);
        let live = LiveContract { table: table.into(), digest, text, history, tag: found.tag };
        if let Some(texts) = &self.texts {
            texts.keep_live(&live);
        }
        Ok(live)
    }

    /// Makes `contract` the live one if the live one still is `before`: true if this call did it, or if
    /// it was live already.
    pub fn swap_contract(
        &self,
        before: Option<&LiveContract>,
        contract: &TableContract,
        why: &str,
    ) -> Result<bool> {
        if before.is_some_and(|live| live.text == contract.text) {
            return Ok(true);
        }
        let digest = self.keep_text(contract_key, contract.text.as_bytes())?;
        let mut history = before.map(|live| live.history.clone()).unwrap_or_default();
        history.push(ContractVersion { digest: digest.clone(), at: rfc3339(now_ms()), why: why.into() });
        let text = Some(contract.text.clone());
        let schema = Schema { version: 1, table: contract.table.clone(), contract: digest, history, text };
        let tag = before.map(|live| live.tag.as_str());
        Ok(self.storage().replace_if_unchanged(&schema_key(&contract.table), &to_json(&schema)?, tag)?)
    }
}

/// Checks that `after` holds all of `before`: rows path, partitions, and every column in its place.
pub fn check_growth(table: &str, before: &str, after: &str) -> Result<()> {
    let parse = |text: &str| {
        Contract::parse(text).map_err(|failure| {
            Error::new(Code::ContractUnreadable, format!("the contract of {table}: {failure}"))
        })
    };
    if parse(after)?.holds(&parse(before)?) {
        return Ok(());
    }
    Err(Error::new(Code::ContractShrank, format!("the transform would change what {table} holds already"))
        .with_hint("a type is changed by `lakegate contract change TABLE COLUMN TYPE`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lake() -> (tempfile::TempDir, Lake) {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::local(folder.path()).unwrap();
        (folder, lake)
    }

    fn contract(text: &str) -> TableContract {
        TableContract { table: "orders".into(), text: text.into() }
    }

    #[test]
    fn a_contract_is_swapped_only_by_who_saw_the_live_one() {
        let (_folder, lake) = lake();
        assert!(lake.swap_contract(None, &contract("{\"a\":1}"), "one").unwrap());
        assert!(!lake.swap_contract(None, &contract("{\"a\":2}"), "two").unwrap());
        let live = lake.contract("orders").unwrap().unwrap();
        assert!(lake.swap_contract(Some(&live), &contract("{\"a\":3}"), "three").unwrap());
        assert!(!lake.swap_contract(Some(&live), &contract("{\"a\":4}"), "four").unwrap());
        let live = lake.contract("orders").unwrap().unwrap();
        assert_eq!(live.text, "{\"a\":3}");
        assert_eq!(live.history.iter().map(|v| v.why.as_str()).collect::<Vec<_>>(), ["one", "three"]);
        assert_eq!(lake.tables().unwrap(), ["orders"]);
        let schema: Schema = lake.read_json(&schema_key("orders")).unwrap().unwrap();
        assert_eq!((schema.text, schema.contract), (Some(live.text), live.digest), "it tells all by itself");
    }

    #[test]
    fn contracts_may_only_grow() {
        let text = |columns: &str| {
            format!(
                r#"{{"version":1,"table":"t","rows":null,"columns":[{columns}],"nulls":[],"partition_by":[]}}"#
            )
        };
        let one = r#"{"name":"a","type":"bigint","pointer":"/a"}"#;
        let (a, ab) = (text(one), text(&format!(r#"{one},{{"name":"b","type":"json","pointer":"/b"}}"#)));
        let other = text(&one.replace("bigint", "string"));
        assert!(check_growth("t", &a, &ab).is_ok());
        assert!(check_growth("t", &ab, &a).is_err());
        assert!(check_growth("t", &a, &other).is_err());
    }
}
