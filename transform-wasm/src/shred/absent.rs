//! Declared columns that no record had: a misspelt path would else be a column of nulls without a word.

use lakegate_model::fix::quote;

use crate::names::{dotted, plain_name, pointer_keys};
use crate::report::{Edit, Warning};

use super::Shredder;
use super::plan::Plan;

/// Columns that a report names.
const NAMED: usize = 10;

/// Paths that are compared with one that is missing.
const COMPARED: usize = 2_000;

impl Shredder {
    /// A warning for each declared column whose path no record had, of the tables `names`; for the first few.
    pub fn absent(&self, names: &[&str]) -> Vec<Warning> {
        let plan = &self.plan;
        let missing = plan.declared.iter().filter(|column| is_missing(plan, column.node));
        let missing: Vec<_> = missing.collect();
        if missing.is_empty() {
            return Vec::new();
        }
        let met = met(plan);
        let mut warnings = Vec::new();
        for column in missing.iter().take(NAMED) {
            let (name, pointer) = (&column.name, plan.pointer(column.node, None));
            let table = match names.get(column.table) {
                Some(table) if names.len() > 1 => format!(" of table `{table}`"),
                _ => String::new(),
            };
            let nearest = nearest(&pointer, &met);
            let hint = match nearest {
                Some(nearest) => format!("; the nearest path is {nearest}: say so with from"),
                None => String::new(),
            };
            let message = format!("no record has {pointer}: column `{name}`{table} is null everywhere{hint}");
            let mut warning = Warning::new("column_missing", message);
            if let (Some(nearest), Some(table)) = (nearest, names.get(column.table)) {
                let from = quote(&dotted(nearest));
                warning = warning.fixed_by([Edit::column(table, name, None, "from", from)]);
            }
            warnings.push(warning);
        }
        if missing.len() > NAMED {
            let more = missing.len() - NAMED;
            let message =
                format!("no record has the paths of {more} more declared columns: they are null everywhere");
            warnings.push(Warning::new("column_missing", message));
        }
        warnings
    }
}

/// Whether a key on the way to a node never came. Where an array had no elements, nobody knows what they have.
fn is_missing(plan: &Plan, node: u32) -> bool {
    for at in plan.way(node).into_iter().rev() {
        if plan.was_met(at) {
            continue;
        }
        let parent = plan.parent(at);
        return !plan.is_element(parent) || plan.nodes[parent as usize].keys.any_met();
    }
    false
}

/// Paths that records had and that hold values, the innermost ones.
fn met(plan: &Plan) -> Vec<String> {
    let nodes = (1..plan.nodes.len() as u32).filter(|&node| plan.was_met(node));
    let leaves = nodes.filter(|&node| !plan.nodes[node as usize].keys.any_met());
    leaves.take(COMPARED).map(|node| plan.pointer(node, None)).collect()
}

/// The path that is most like a missing one, by its whole name or its last key.
fn nearest<'a>(missing: &str, met: &'a [String]) -> Option<&'a String> {
    let (whole, last) = names(missing);
    let ranked = met.iter().filter_map(|pointer| {
        let (other, other_last) = names(pointer);
        let distance = edits(&whole, &other).min(edits(&last, &other_last)).min(edits(&last, &other));
        let alike = last.starts_with(&other_last) || other_last.starts_with(&last);
        let most = if alike { last.len().max(other_last.len()) } else { last.len().div_ceil(3) };
        (distance <= most).then_some((distance, pointer))
    });
    ranked.min().map(|(_, pointer)| pointer)
}

/// What the naming rule makes of a path, and of its last key.
fn names(pointer: &str) -> (String, String) {
    let keys: Vec<String> =
        pointer_keys(pointer).iter().filter(|key| *key != "*").map(|key| plain_name(key)).collect();
    (keys.join("_"), keys.last().cloned().unwrap_or_default())
}

/// Characters that differ between two names (Levenshtein 1966).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_path_is_the_one_meant() {
        let met: Vec<String> =
            ["/customer/name", "/customer/id", "/betrag_eur", "/items/*/quantity", "/Größe"]
                .map(str::to_owned)
                .into();
        for (missing, expected) in [
            ("/betrag", Some("/betrag_eur")),
            ("/customer_id", Some("/customer/id")),
            ("/custmer/name", Some("/customer/name")),
            ("/items/*/quantiti", Some("/items/*/quantity")),
            ("/groesze", Some("/Größe")),
            ("/altitude", None),
        ] {
            assert_eq!(nearest(missing, &met).map(String::as_str), expected, "{missing}");
        }
        assert_eq!((edits("kitten", "sitting"), edits("", "ab"), edits("a", "a")), (3, 2, 0));
    }
}
