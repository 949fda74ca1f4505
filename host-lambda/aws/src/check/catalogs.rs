//! Tables that several pipelines write, and their catalogs.
//!
//! Not for calling Glue. The decision to know: a table of a lake is registered once. Of two databases each would have
//! the partitions of one pipeline's objects, and a query of either would lack the other's rows; of two projections
//! the one that was written last would count.

use super::Judge;
use crate::config::{Catalog, Pipeline};

/// Finds pipelines that write one table and name different catalogs for it.
pub(super) fn compare(judge: &mut Judge<'_>, tables: &[(&Pipeline, Vec<String>)]) {
    let mut all: Vec<_> = tables.iter().collect();
    all.sort_by_key(|(pipeline, _)| pipeline.at);
    for (index, (second, seconds)) in all.iter().enumerate() {
        for (first, firsts) in &all[..index] {
            let shared = seconds.iter().find(|table| firsts.contains(table));
            let Some(table) = shared.filter(|_| first.lake == second.lake) else { continue };
            let Some(how) = differ(&first.catalog, &second.catalog) else { continue };
            let message = format!(
                "`{}` writes the table {table} of `{}` (line {}), and {how}",
                second.name, first.name, first.at.line
            );
            let hint = "give both the same [catalog], or each a table or a lake of its own".to_owned();
            judge.at(second, "catalog", message, Some(hint));
        }
    }
}

/// How two catalogs of one table differ; the tables of rejected records are each pipeline's own.
fn differ(first: &Catalog, second: &Catalog) -> Option<String> {
    match (first, second) {
        (
            Catalog::Glue { database, table_prefix, projection, .. },
            Catalog::Glue { database: another, table_prefix: prefix, projection: other, .. },
        ) => {
            let differs = (database, table_prefix) != (another, prefix);
            let places =
                format!("registers it in Glue as {another}.{prefix}*, not as {database}.{table_prefix}*");
            let projections = "their partition projections differ".to_owned();
            differs.then_some(places).or_else(|| (projection != other).then_some(projections))
        }
        (Catalog::Crawler { crawler, .. }, Catalog::Crawler { crawler: other, .. }) => {
            (crawler != other).then(|| format!("has it registered by the crawler {other}, not by {crawler}"))
        }
        (Catalog::None, Catalog::None) => None,
        (first, second) => {
            Some(format!("its catalog is of kind \"{}\", not \"{}\"", second.kind(), first.kind()))
        }
    }
}
