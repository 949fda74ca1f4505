//! Tables that several pipelines write, and their catalogs.
//!
//! Not for calling Glue. The decision to know: a table of a lake is registered once. Of two databases each would have
//! the partitions of one pipeline's objects, and a query of either would lack the other's rows; of two projections
//! the one that was written last would count. And a name in Glue is one table's: of two, the host refuses the second
//! when its first object comes.

use std::collections::BTreeMap;

use super::Judge;
use crate::catalog::quarantine_name;
use lakegate_config::{Catalog, Pipeline};
use lakegate_lake::keys::quarantine_prefix;

/// Finds pipelines that write one table and name different catalogs for it.
pub(super) fn compare(judge: &mut Judge<'_>, tables: &[(&Pipeline, Vec<String>)]) {
    let mut all: Vec<_> = tables.iter().collect();
    all.sort_by_key(|(pipeline, _)| pipeline.at);
    names(judge, &all);
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

/// Finds names in Glue that two tables would have.
fn names(judge: &mut Judge<'_>, all: &[&(&Pipeline, Vec<String>)]) {
    let mut taken: BTreeMap<(&str, String), (String, String)> = BTreeMap::new();
    for (pipeline, tables) in all {
        let Catalog::Glue { database, table_prefix, .. } = &pipeline.catalog else { continue };
        let (lake, of) = (pipeline.lake.uri(), format!("of `{}` (line {})", pipeline.name, pipeline.at.line));
        let table = |table: &String| {
            (format!("{table_prefix}{table}"), format!("{lake}{table}/"), format!("the table {table} {of}"))
        };
        let rejected = quarantine_name(pipeline).map(|name| {
            let place = format!("{lake}{}", quarantine_prefix(&pipeline.name));
            (name, place, format!("that of the rejected records {of}"))
        });
        for (name, place, what) in tables.iter().map(table).chain(rejected) {
            let name = name.to_lowercase();
            let (there, whose) =
                taken.entry((database, name.clone())).or_insert_with(|| (place.clone(), what.clone()));
            if *there == place {
                continue;
            }
            let message = format!(
                "`{}` registers {place} in Glue as {database}.{name}, which is {whose}",
                pipeline.name
            );
            let hint = "set another `table_prefix`, `database` or `quarantine`, or name the table otherwise"
                .to_owned();
            judge.at(pipeline, "catalog.database", message, Some(hint));
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
