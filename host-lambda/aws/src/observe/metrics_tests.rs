//! The line against the rules of the specification, written down here by hand.

use std::collections::BTreeSet;

use super::*;

const AT: i64 = 1_735_732_799_999;

fn full() -> Metrics {
    Metrics {
        objects: Some(1),
        rows: Some(250),
        bytes_in: Some(1 << 40),
        bytes_out: Some(4096),
        records: Some(200),
        rejected: Some(0),
        duplicates: Some(2),
        failures_input: Some(3),
        failures_passing: Some(4),
        failures_own: Some(5),
        transform_ms: Some(61),
        queue_to_queryable_ms: Some(900),
        memory_high_water_bytes: Some(123 << 20),
        swap_count: Some(1),
        swap_failures: Some(6),
        lost_generations: Some(8),
        shadow_differences: Some(7),
        lineage_failures: Some(9),
        tag_failures: Some(10),
        missing_objects: Some(11),
        gone_objects: Some(12),
        seconds_since_last_load: Some(13),
    }
}

/// The MUSTs of the specification, and the limits of PutMetricData on names.
fn check(line: &str) {
    const UNITS: [&str; 4] = ["Count", "Bytes", "Milliseconds", "Seconds"];
    let name_ok = |name: &str| {
        (1..=255).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_graphic())
            && !name.starts_with(':')
            && !name.starts_with("AWS/")
    };
    assert!(!line.contains('\n') && line.len() < 256 << 10);
    let root: Value = serde_json::from_str(line).unwrap();
    let meta = root["_aws"].as_object().unwrap();
    assert_eq!(meta.keys().collect::<Vec<_>>(), ["Timestamp", "CloudWatchMetrics"]);
    assert!(meta["Timestamp"].as_u64().unwrap() > 1_000_000_000_000, "milliseconds");
    for directive in meta["CloudWatchMetrics"].as_array().unwrap() {
        let keys: Vec<_> = directive.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["Namespace", "Dimensions", "Metrics"]);
        assert!(name_ok(directive["Namespace"].as_str().unwrap()));
        let sets = directive["Dimensions"].as_array().unwrap();
        assert!(!sets.is_empty());
        for key in sets.iter().flat_map(|set| {
            let set = set.as_array().unwrap();
            assert!(set.len() <= 30);
            set
        }) {
            let value = root[key.as_str().unwrap()].as_str().expect("a dimension's value is a text");
            assert!(name_ok(key.as_str().unwrap()) && (1..=1024).contains(&value.len()));
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        let mut names = BTreeSet::new();
        for metric in metrics {
            let name = metric["Name"].as_str().unwrap();
            assert!(name_ok(name) && names.insert(name), "{name}");
            assert!(UNITS.contains(&metric["Unit"].as_str().unwrap()));
            assert!(root[name].is_u64(), "the target member {name} is a number");
        }
        assert_eq!(root.as_object().unwrap().len(), 1 + 1 + names.len(), "nothing that no one asked for");
    }
}

#[test]
fn the_line_keeps_the_rules() {
    check(&full().line("orders", AT).unwrap());
    check(&Metrics { rows: Some(0), ..Metrics::default() }.line("a-b_c", AT).unwrap());
}

#[test]
fn every_metric_has_its_name_and_unit() {
    let root: Value = serde_json::from_str(&full().line("orders", AT).unwrap()).unwrap();
    let definitions = root["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
    let told: Vec<String> = definitions
        .iter()
        .map(|metric| {
            let name = metric["Name"].as_str().unwrap();
            format!("{name} {} {}", root[name], metric["Unit"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            "objects 1 Count",
            "rows 250 Count",
            "bytesIn 1099511627776 Bytes",
            "bytesOut 4096 Bytes",
            "records 200 Count",
            "rejected 0 Count",
            "duplicates 2 Count",
            "failuresInput 3 Count",
            "failuresPassing 4 Count",
            "failuresOwn 5 Count",
            "transformMs 61 Milliseconds",
            "queueToQueryableMs 900 Milliseconds",
            "memoryHighWaterBytes 128974848 Bytes",
            "swapCount 1 Count",
            "swapFailures 6 Count",
            "lostGenerations 8 Count",
            "shadowDifferences 7 Count",
            "lineageFailures 9 Count",
            "tagFailures 10 Count",
            "missingObjects 11 Count",
            "goneObjects 12 Count",
            "secondsSinceLastLoad 13 Seconds",
        ]
    );
    assert_eq!(root["pipeline"], "orders");
    assert_eq!(root["_aws"]["Timestamp"], AT);
}

#[test]
fn what_is_absent_is_not_written() {
    let line = Metrics { swap_count: Some(1), ..Metrics::default() }.line("orders", AT).unwrap();
    assert_eq!(
        line,
        r#"{"_aws":{"Timestamp":1735732799999,"CloudWatchMetrics":[{"Namespace":"Lakegate","Dimensions":[["pipeline"]],"Metrics":[{"Name":"swapCount","Unit":"Count"}]}]},"pipeline":"orders","swapCount":1}"#
    );
    assert_eq!(Metrics::default().line("orders", AT), None);
    let mut out = Vec::new();
    Metrics::default().write(&mut out, "orders", AT).unwrap();
    assert!(out.is_empty());
}

#[test]
fn a_failure_counts_for_its_kind_alone() {
    let only = |kind| serde_json::from_str::<Value>(&Metrics::failed(kind).line("p", AT).unwrap()).unwrap();
    for (kind, name) in
        [(Kind::Input, "failuresInput"), (Kind::Passing, "failuresPassing"), (Kind::Own, "failuresOwn")]
    {
        let root = only(kind);
        assert_eq!(root[name], 1);
        assert_eq!(root.as_object().unwrap().len(), 3);
    }
}

#[test]
fn a_line_is_one_write() {
    let mut out = super::super::log::tests::Writes::default();
    full().write(&mut out, "orders", AT).unwrap();
    full().write(&mut out, "orders", AT).unwrap();
    assert_eq!(out.lines().len(), 2);
}

#[test]
fn memory_is_read_as_the_kernel_tells_it() {
    assert_eq!(high_water("VmPeak:\t 9 kB\nVmHWM:\t  123456 kB\nVmRSS:\t1 kB\n"), Some(123_456 * 1024));
    assert_eq!(high_water("VmRSS:\t1 kB\n"), None);
    assert_eq!(high_water("VmHWM:\t many kB\n"), None);
    let held = vec![1_u8; 32 << 20];
    let most = memory_high_water().unwrap();
    assert!(most > held.len() as u64, "{most}");
}
