//! Names of a CSV's columns.

use std::collections::{BTreeMap, BTreeSet};

/// Names from the fields of a header, or numbers where there is none; an empty one gets its number, a repeated one
/// its count.
pub(super) fn of_columns<'a>(fields: impl Iterator<Item = &'a [u8]>, header: bool) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut taken: BTreeSet<Vec<u8>> = BTreeSet::new();
    // How often a name came so far: no count below is free any more.
    let mut counts: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for (i, text) in fields.enumerate() {
        let text = text.trim_ascii();
        let plain =
            if header && !text.is_empty() { text.to_vec() } else { format!("column_{}", i + 1).into_bytes() };
        let mut name = plain.clone();
        if taken.contains(&name) {
            let count = counts.entry(plain.clone()).or_insert(1);
            while taken.contains(&name) {
                *count += 1;
                name = [plain.as_slice(), format!("_{count}").as_bytes()].concat();
            }
        }
        taken.insert(name.clone());
        names.push(name);
    }
    names
}
