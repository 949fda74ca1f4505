//! The load history in SQL: tables over the lake's own lines, and the questions that go with them.
//!
//! Not for what the tables hold ([`lakegate_lake::history`]). The decision to know: the stack makes them once, since
//! nothing about them changes with the data; the host never writes to them in the catalog.

use serde_json::{Value, json};

use lakegate_base::Result;
use lakegate_lake::history::{
    Asked, Column, ExternalTable, Prices as Asking, Question, failures_table, loads_table, questions,
    rolled_table,
};

use crate::plan::{Plan, database_id};
use crate::prices::Prices;
use crate::reference;
use crate::template::Template;

pub fn add(plan: &Plan<'_>, template: &mut Template) -> Result<()> {
    for own in &plan.pipelines {
        let Some(names) = plan.history_tables(own.pipeline) else { continue };
        let lake = own.pipeline.lake.uri();
        let pipeline = &own.pipeline.name;
        template.remark(&format!("What {pipeline} loaded and what failed, in SQL."));
        let tables = [
            ("Loads", &names.loads, loads_table(&lake, pipeline)),
            ("Rolled", &names.rolled, rolled_table(&lake, pipeline)),
            ("Failures", &names.failures, failures_table(&lake, pipeline)),
        ];
        for (id, name, of) in &tables {
            table(&format!("{id}{}", own.id), &names.database, name, of, template);
        }
        let asked = Asked {
            database: &names.database,
            loads: &names.loads,
            failures: &names.failures,
            expect_every: own.pipeline.expect_every,
            prices: asking(plan)?,
        };
        for Question { name, description, sql } in questions(&asked) {
            let properties = json!({
                "Name": format!("{pipeline}: {}", name.replace('_', " ")),
                "Description": description,
                "Database": names.database,
                "WorkGroup": reference("Workgroup"),
                "QueryString": sql,
            });
            let id = format!("History{}{}", own.id, crate::names::camel(name));
            template.add(&id, "AWS::Athena::NamedQuery", properties);
        }
    }
    Ok(())
}

fn asking(plan: &Plan<'_>) -> Result<Asking> {
    let prices = Prices::read()?;
    let second = format!("lambda_gib_second_{}", plan.stack.architecture.name());
    Ok(Asking {
        memory_mib: plan.stack.memory_mib,
        gib_second: prices.of(&second)?.dollars,
        // Most of what a load asks are writes.
        thousand_requests: prices.of("s3_write")?.dollars * 1_000.0,
        gib_month: prices.of("s3_gib_month")?.dollars,
    })
}

fn table(id: &str, database: &str, name: &str, of: &ExternalTable, template: &mut Template) {
    let columns = |columns: &[Column]| -> Vec<Value> {
        columns.iter().map(|one| json!({"Name": one.name, "Type": one.ty, "Comment": one.comment})).collect()
    };
    let keys = columns(&of.partition_keys);
    let input = json!({
        "Name": name,
        "Description": of.description,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": of.parameters,
        "PartitionKeys": if keys.is_empty() { Value::Null } else { Value::Array(keys) },
        "StorageDescriptor": {
            "Location": of.location,
            "Columns": columns(&of.columns),
            "InputFormat": of.input_format,
            "OutputFormat": of.output_format,
            "SerdeInfo": {"SerializationLibrary": of.serde, "Parameters": of.serde_parameters},
        },
    });
    let properties = json!({
        "CatalogId": reference("AWS::AccountId"),
        "DatabaseName": reference(&database_id(database)),
        "TableInput": input,
    });
    template.add(id, "AWS::Glue::Table", properties);
}
