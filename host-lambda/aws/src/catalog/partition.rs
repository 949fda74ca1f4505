//! Partition values out of the Hive paths of part files.
//!
//! Not for making paths: the transform does. The decision to know: a path that does not name exactly the table's
//! partition keys, in their order, is the project's own fault and registers nothing.

use std::collections::BTreeMap;

use crate::catalog::contract::Typed;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::record::PartRecord;
use lakegate_model::hive::unescape;

/// The value of a partition that has none; catalogs know it as null.
pub(super) const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A table's partitions in a record: values by path, each once.
pub(super) fn of_table(
    table: &str,
    keys: &[Typed],
    parts: &[PartRecord],
) -> Result<BTreeMap<String, Vec<String>>> {
    let mut found = BTreeMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    for part in parts.iter().filter(|part| part.table == table) {
        if !found.contains_key(&part.partition) {
            found.insert(part.partition.clone(), values(table, keys, &part.partition)?);
        }
    }
    Ok(found)
}

fn values(table: &str, keys: &[Typed], path: &str) -> Result<Vec<String>> {
    let folders: Vec<&str> = path.split_terminator('/').collect();
    let value = |(folder, key): (&&str, &Typed)| {
        let (name, value) = folder.split_once('=')?;
        (name == key.name).then(|| unescape(value))
    };
    let values: Option<Vec<String>> = folders.iter().zip(keys).map(value).collect();
    values.filter(|values| values.len() == keys.len() && folders.len() == keys.len()).ok_or_else(|| {
        let keys: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        let message = format!(
            "a part file of {table} lies in `{path}`, and the table is partitioned by {}",
            keys.join(", ")
        );
        Error::new(Code::PartitionPath, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Vec<Typed> {
        names.iter().map(|name| Typed { name: (*name).into(), ty: "string".into() }).collect()
    }

    fn part(partition: &str) -> PartRecord {
        PartRecord { table: "t".into(), partition: partition.into(), ..PartRecord::default() }
    }

    #[test]
    fn values_are_unescaped_and_each_partition_comes_once() {
        let parts = [
            part("shop=a%2Fb%3D/day=2025-01-01/"),
            part("shop=a%2Fb%3D/day=2025-01-01/"),
            part("shop=50%/day=__HIVE_DEFAULT_PARTITION__/"),
            PartRecord { table: "other".into(), partition: "x=1/".into(), ..PartRecord::default() },
        ];
        let found = of_table("t", &keys(&["shop", "day"]), &parts).unwrap();
        let values: Vec<&Vec<String>> = found.values().collect();
        assert_eq!(values, [&["50%", DEFAULT_PARTITION], &["a/b=", "2025-01-01"]]);
    }

    #[test]
    fn escapes_are_hive_s() {
        for (escaped, plain) in [("%25", "%"), ("%2", "%2"), ("%+1", "%+1"), ("ü%5Bß%5D", "ü[ß]"), ("", "")]
        {
            assert_eq!(unescape(escaped), plain, "{escaped}");
        }
    }

    #[test]
    fn other_keys_register_nothing() {
        for path in ["", "day=1/", "shop=1/", "day=1/shop=2/", "shop=1/day=2/x=3/", "shop/day=1/"] {
            let error = of_table("t", &keys(&["shop", "day"]), &[part(path)]).unwrap_err();
            assert_eq!(error.name(), "partition_path", "{path}");
        }
    }
}
