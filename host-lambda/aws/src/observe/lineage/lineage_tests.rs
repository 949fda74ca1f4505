//! The three events against golden files and against the required fields of OpenLineage's schemas.
//!
//! `UPDATE=1` writes the golden files anew.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::*;
use lakegate_config::{Config, Origin};
use lakegate_lake::record::{PartRecord, SourceRecord};
use lakegate_lake::storage::LocalFolder;

const ORDERS: &str = r#"{"version":1,"table":"orders","rows":null,"columns":[
    {"name":"order_id","type":"string","pointer":"/orderId"},
    {"name":"placed","type":"timestamp","pointer":"/placed~1at"},
    {"name":"order_date","type":"date","sql":"CAST(placed AS date)"},
    {"name":"region","type":"string","pointer":"/customer/region"}],
    "nulls":[{"name":"coupon","pointer":"/coupon"}],
    "partition_by":[{"name":"order_date","type":"date","sql":"order_date"},{"name":"area","type":"string","sql":"Region"}]}"#;

const ITEMS: &str = r#"{"version":1,"table":"order_items","rows":"/items","columns":[
    {"name":"price","type":"decimal(10,2)","pointer":"/items/*/price"},
    {"name":"quantity","type":"bigint","pointer":"/items/*/quantity"},
    {"name":"note","type":"json","pointer":"/items/*/note"},
    {"name":"total","type":"double","sql":"Quantity * \"price\" -- note"},
    {"name":"taxed","type":"double","sql":"round(total * 1.19, 2)"},
    {"name":"origin","type":"string","sql":"source_uri() || ' price'"}],
    "nulls":[],"partition_by":[]}"#;

fn generation() -> Generation<'static> {
    Generation {
        namespace: "s3://lake/curated",
        pipeline: "orders",
        lake: "s3://lake/curated/",
        source: "s3://raw/orders/2025/x.json",
        version: "v:3HL4kqtJlcpXroDTDmJ",
        generation: 1,
    }
}

fn contracts() -> Vec<TableContract> {
    let contract = |table: &str, text: &str| TableContract { table: table.into(), text: text.into() };
    vec![contract("order_items", ITEMS), contract("orders", ORDERS)]
}

fn record() -> CommitRecord {
    let part =
        |table: &str, rows, bytes| PartRecord { table: table.into(), rows, bytes, ..PartRecord::default() };
    CommitRecord {
        contracts: BTreeMap::from([("orders".into(), "c1".into()), ("order_items".into(), "c2".into())]),
        parts: vec![part("orders", 2, 1000), part("order_items", 5, 900), part("orders", 1, 500)],
        release: Some(ReleaseRecord {
            name: "orders".into(),
            version: "1.3.0".into(),
            sequence: Some(7),
            ..ReleaseRecord::default()
        }),
        committed: "2025-01-01T11:59:59.999Z".into(),
        ..CommitRecord::default()
    }
}

fn events() -> [(&'static str, RunEvent); 3] {
    let run = generation();
    [
        ("start", run.start("2025-01-01T11:59:50.000Z")),
        ("complete", run.complete(&record(), &contracts()).unwrap()),
        (
            "fail",
            run.fail(
                "2025-01-01T11:59:59.999Z",
                "syntax_error",
                "not JSON (line 3, column 7)",
                record().release.as_ref(),
            ),
        ),
    ]
}

#[test]
fn events_are_as_agreed_and_read_back_alike() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/observe/lineage/golden");
    for (name, event) in events() {
        let path = folder.join(format!("{name}.json"));
        let made: Value = serde_json::from_str(&event.to_json().unwrap()).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, format!("{made:#}\n")).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        assert_eq!(format!("{made:#}\n"), golden, "{name}");
        assert_eq!(serde_json::from_str::<RunEvent>(&golden).unwrap(), event, "{name}");
    }
}

/// Required fields of the published schemas: `BaseEvent` and `RunEvent` (2-0-2), `Run`, `Job`, `Dataset`, each facet.
const REQUIRED: [(&str, &[&str]); 16] = [
    ("RunEvent", &["eventTime", "producer", "schemaURL", "run", "job"]),
    ("Run", &["runId"]),
    ("Job", &["namespace", "name"]),
    ("Dataset", &["namespace", "name"]),
    ("BaseFacet", &["_producer", "_schemaURL"]),
    ("ErrorMessageRunFacet", &["message", "programmingLanguage"]),
    ("TagsRunFacet", &["tags"]),
    ("TagsRunFacetFields", &["key", "value"]),
    ("JobTypeJobFacet", &["processingType", "integration"]),
    ("DatasetVersionDatasetFacet", &["datasetVersion"]),
    ("SchemaDatasetFacet", &["fields"]),
    ("SchemaDatasetFacetFields", &["name"]),
    ("ColumnLineageDatasetFacet", &["fields"]),
    ("Fields", &["inputFields"]),
    ("InputField", &["namespace", "name", "field"]),
    ("OutputStatisticsOutputDatasetFacet", &["rowCount"]),
];

fn has(value: &Value, of: &str) {
    let required =
        REQUIRED.iter().find(|(name, _)| *name == of).unwrap_or_else(|| panic!("{of} is unknown")).1;
    let object = value.as_object().unwrap_or_else(|| panic!("{of} is no object"));
    required.iter().for_each(|name| assert!(object.contains_key(*name), "{of} lacks {name}: {value}"));
}

fn each<'a>(value: &'a Value, check: impl FnMut(&'a Value)) {
    match value {
        Value::Array(all) => all.iter().for_each(check),
        Value::Object(all) => all.values().for_each(check),
        _ => {}
    }
}

/// All facets of an owner: their names, checked.
fn facets(owner: &Value, found: &mut Vec<String>) {
    each(owner, |facet| {
        has(facet, "BaseFacet");
        let url = facet["_schemaURL"].as_str().unwrap();
        let name = url.rsplit('/').next().unwrap();
        assert!(
            url.starts_with("https://openlineage.io/spec/facets/") && url.contains(&format!("/{name}.json#"))
        );
        has(facet, name);
        match name {
            "SchemaDatasetFacet" => each(&facet["fields"], |field| has(field, "SchemaDatasetFacetFields")),
            "TagsRunFacet" => each(&facet["tags"], |tag| has(tag, "TagsRunFacetFields")),
            "ColumnLineageDatasetFacet" => each(&facet["fields"], |field| {
                has(field, "Fields");
                each(&field["inputFields"], |input| {
                    has(input, "InputField");
                    each(&input["transformations"], |one| assert_eq!(one["type"], "DIRECT"));
                });
            }),
            _ => {}
        }
        found.push(name.to_owned());
    });
}

#[test]
fn required_fields_are_there() {
    let mut told = Vec::new();
    for (name, event) in events() {
        let event: Value = serde_json::from_str(&event.to_json().unwrap()).unwrap();
        has(&event, "RunEvent");
        assert_eq!(event["eventType"], name.to_uppercase());
        assert_eq!(event["schemaURL"], "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
        has(&event["run"], "Run");
        has(&event["job"], "Job");
        facets(&event["run"]["facets"], &mut told);
        facets(&event["job"]["facets"], &mut told);
        each(&event["inputs"], |dataset| {
            has(dataset, "Dataset");
            facets(&dataset["facets"], &mut told);
        });
        each(&event["outputs"], |dataset| {
            has(dataset, "Dataset");
            facets(&dataset["facets"], &mut told);
            facets(&dataset["outputFacets"], &mut told);
        });
    }
    told.sort_unstable();
    told.dedup();
    assert_eq!(
        told,
        [
            "ColumnLineageDatasetFacet",
            "DatasetVersionDatasetFacet",
            "ErrorMessageRunFacet",
            "JobTypeJobFacet",
            "OutputStatisticsOutputDatasetFacet",
            "SchemaDatasetFacet",
            "TagsRunFacet",
        ]
    );
}

#[test]
fn a_retry_is_the_same_run_and_no_other_object_pipeline_or_generation_is() {
    let run = generation();
    // The id is that of the records. What is not in it: the lake and the namespace, which the job tells, and the version,
    // of which each has a generation of its own.
    let same = [
        Generation { lake: "s3://lake/raw", namespace: "other", ..run.clone() },
        Generation { version: "other", ..run.clone() },
    ];
    assert!(same.iter().all(|same| same.run_id() == run.run_id()));
    let record = CommitRecord { pipeline: "orders".into(), generation: 1, ..record() };
    let source = SourceRecord { uri: run.source.into(), ..SourceRecord::default() };
    assert_eq!(CommitRecord { source, ..record }.with_id().id, run.run_id());
    let others = [
        Generation { pipeline: "order", source: "s3://raw/sorders/2025/x.json", ..run.clone() },
        Generation { pipeline: "order", ..run.clone() },
        Generation { source: "s3://raw/orders/2025/y.json", ..run.clone() },
        Generation { generation: 2, ..run.clone() },
    ];
    let mut ids: Vec<String> = others.iter().chain([&run]).map(Generation::run_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), others.len() + 1);
}

#[test]
fn datasets_are_named_as_openlineage_names_them() {
    let named = |uri| {
        let found = dataset(uri);
        format!("{} {}", found.namespace, found.name)
    };
    assert_eq!(named("s3://raw/a/b.json"), "s3://raw a/b.json");
    assert_eq!(named("s3://raw"), "s3://raw ");
    assert_eq!(named("/data/lake/orders"), "file /data/lake/orders");
    assert_eq!(named("stdin:ab12"), "stdin ab12");
}

#[test]
fn a_table_without_rows_is_an_output_still() {
    let record = CommitRecord { parts: Vec::new(), ..record() };
    let event = generation().complete(&record, &contracts()).unwrap();
    let statistics = event.outputs.iter().map(|output| output.output_facets.as_ref().unwrap());
    assert!(statistics.clone().count() == 2);
    assert!(statistics.into_iter().all(|facets| facets.output_statistics.body.row_count == 0));
}

#[test]
fn a_contract_that_cannot_be_read_is_named() {
    let run = generation();
    let with = |text: &str| {
        let mut contracts = contracts();
        contracts[0].text = text.into();
        run.complete(&record(), &contracts).unwrap_err()
    };
    for text in ["{", "{}", r#"{"version":2,"columns":[],"partition_by":[]}"#] {
        let error = with(text);
        assert_eq!(error.name(), "contract_unreadable");
        assert!(error.to_string().contains("order_items"), "{error}");
    }
    assert!(run.complete(&record(), &[]).unwrap_err().to_string().contains("order_items"));
}

#[test]
fn columns_in_a_circle_end() {
    let text = r#"{"version":1,"table":"t","rows":null,"columns":[{"name":"a","type":"bigint","sql":"b + a"},{"name":"b","type":"bigint","sql":"a"}],"nulls":[],"partition_by":[]}"#;
    let plan = Plan::parse(&TableContract { table: "t".into(), text: text.into() }).unwrap();
    assert!(plan.lineage("n", "x").fields.values().all(|field| field.input_fields.is_empty()));
}

#[test]
fn events_are_written_once_each_below_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalFolder::new(folder.path()).unwrap();
    let id = generation().run_id();
    for (name, event) in events() {
        assert!(write(&storage, "lineage/", &event).unwrap());
        let later = RunEvent { event_time: "2026-01-01T00:00:00.000Z".into(), ..event.clone() };
        assert!(!write(&storage, "lineage", &later).unwrap(), "the first one stays");
        let kept = storage.get(&format!("lineage/orders/{id}/{name}.json")).unwrap().unwrap();
        assert_eq!(serde_json::from_slice::<RunEvent>(&kept.bytes).unwrap(), event);
    }
    assert!(write(&storage, "", &events()[0].1).unwrap());
    assert!(storage.stat(&format!("orders/{id}/start.json")).unwrap().is_some());
}

#[test]
fn a_job_is_in_the_configured_namespace_else_in_its_lake() {
    let named = |more: &str| {
        let text = format!(
            "[pipeline.orders]\nsource = 's3://raw/orders/'\nlake = 's3://lake/curated/'\ntable = 'orders'\ncontract = 'learn'\n{more}"
        );
        let config =
            Config::parse(&text, &Origin::Inline { text: String::new(), folder: "/".into() }).unwrap();
        namespace(&config.pipelines["orders"])
    };
    assert_eq!(named(""), "s3://lake/curated");
    let lineage = "[pipeline.orders.lineage]\nwrite_to = 's3://lineage/events/'\n";
    assert_eq!(named(lineage), "s3://lake/curated");
    assert_eq!(named(&format!("{lineage}namespace = 'prod'")), "prod");
}
