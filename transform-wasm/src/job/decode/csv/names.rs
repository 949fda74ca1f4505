//! Names of a CSV's columns.

use std::collections::{BTreeMap, BTreeSet};

/// Names from the fields of a header, or numbers where there is none; an empty one gets its number, a repeated one
/// its count.
pub(super) fn of_columns<'a>(fields: impl Iterator<Item = &'a [u8]>, header: bool) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    extend(&mut names, fields, header);
    names
}

/// Adds names for fields that came later, by the same rule.
pub(super) fn extend<'a>(names: &mut Vec<Vec<u8>>, fields: impl Iterator<Item = &'a [u8]>, header: bool) {
    let mut taken: BTreeSet<Vec<u8>> = names.iter().cloned().collect();
    // How often a name came so far: no count below is free any more.
    let mut counts: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for text in fields {
        let text = text.trim_ascii();
        let number = names.len() + 1;
        let plain =
            if header && !text.is_empty() { text.to_vec() } else { format!("column_{number}").into_bytes() };
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
}
