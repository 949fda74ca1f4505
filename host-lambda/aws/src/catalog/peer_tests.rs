//! Laws of registering, against an AWS of the environment (`LAKEGATE_TEST_AWS`): moto or MiniStack.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_glue::types::{CrawlerTargets, DatabaseInput, Partition, S3Target, Table};

use super::*;
use crate::client::Aws;
use lakegate_base::Kind;

/// A database of its own, and a pipeline into it.
fn database(aws: &Aws, more: &str) -> (String, Pipeline) {
    let name = fixture::fresh("db");
    let input = DatabaseInput::builder().name(&name).build().unwrap();
    aws.wait(aws.glue().create_database().database_input(input).send()).unwrap();
    let pipeline = into(&name, more);
    (name, pipeline)
}

fn into(database: &str, more: &str) -> Pipeline {
    fixture::pipeline(&format!(
        "[pipeline.orders.catalog]\nkind = \"glue\"\ndatabase = \"{database}\"\n{more}"
    ))
}

fn table(aws: &Aws, database: &str) -> Table {
    let call = aws.glue().get_table().database_name(database).name("orders").send();
    aws.wait(call).unwrap().table.unwrap()
}

fn partitions(aws: &Aws, database: &str) -> BTreeMap<String, Partition> {
    let (mut found, mut next) = (Vec::new(), None);
    loop {
        let call = aws.glue().get_partitions().database_name(database).table_name("orders");
        let page = aws.wait(call.set_next_token(next.take()).send()).unwrap();
        found.extend(page.partitions.unwrap_or_default());
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    found.into_iter().map(|one| (one.values().join("/"), one)).collect()
}

fn names(columns: &[aws_sdk_glue::types::Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

fn columns(table: &Table) -> Vec<String> {
    names(table.storage_descriptor().unwrap().columns())
}

/// Moto takes any version id: writers that race for one table lose columns there, whatever they do.
fn keeps_versions(aws: &Aws, database: &str) -> bool {
    let input = aws_sdk_glue::types::TableInput::builder().name("versions").build().unwrap();
    let make = aws.glue().create_table().database_name(database).table_input(input.clone()).send();
    aws.wait(make).unwrap();
    let stale = aws.glue().update_table().database_name(database).table_input(input).version_id("99").send();
    aws.wait(stale).is_err()
}

#[test]
fn a_table_is_made_grown_and_left_alone() {
    let Some(aws) = fixture::peer() else { return };
    let (_folder, lake) = fixture::lake();
    let (database, pipeline) = database(&aws, "");
    let digest =
        fixture::contract(&lake, "orders", &["id bigint", "at timestamp"], &["shop string", "day date"]);
    let record = fixture::record(
        "orders",
        &digest,
        &["shop=a%2Fb/day=2025-01-01/", "shop=c/day=__HIVE_DEFAULT_PARTITION__/"],
    );
    let first = register(&aws, &pipeline, &lake, &record).unwrap();
    assert!(first.changed());
    assert_eq!((first.tables[0].created, first.tables[0].partitions_created), (true, 2));
    let rejects = first.quarantine.unwrap();
    assert_eq!((rejects.table.as_str(), rejects.created), ("orders_quarantine", true), "made along with it");
    let made = table(&aws, &database);
    assert_eq!(columns(&made), ["id", "at"]);
    assert_eq!(names(made.partition_keys()), ["shop", "day"]);
    let there = partitions(&aws, &database);
    let location = there["a/b/2025-01-01"].storage_descriptor().unwrap().location().unwrap();
    assert_eq!(location, format!("{}/orders/shop=a%2Fb/day=2025-01-01/", lake.root()));
    assert!(there.contains_key("c/__HIVE_DEFAULT_PARTITION__"));

    // Completed once more, by whoever: two reads, no write.
    let before = aws.calls();
    let again = register(&aws, &pipeline, &lake, &record).unwrap();
    assert!(!again.changed());
    let calls: Vec<(String, u64)> = aws
        .calls()
        .into_iter()
        .map(|(call, count)| (call.clone(), count - before.get(&call).copied().unwrap_or_default()))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(calls, [("glue:BatchGetPartition".to_string(), 1), ("glue:GetTable".to_string(), 1)]);

    // Grown: the table, the new partition and the old one that got a file.
    let grown = fixture::contract(
        &lake,
        "orders",
        &["id bigint", "at timestamp", "more json"],
        &["shop string", "day date"],
    );
    let record = fixture::record("orders", &grown, &["shop=a%2Fb/day=2025-01-01/", "shop=d/day=2025-01-02/"]);
    let entry = register(&aws, &pipeline, &lake, &record).unwrap().tables.remove(0);
    assert_eq!(entry.columns_added, ["more"]);
    assert_eq!((entry.updated, entry.partitions_created, entry.partitions_updated), (true, 1, 1));
    assert_eq!(columns(&table(&aws, &database)), ["id", "at", "more"]);
    let there = partitions(&aws, &database);
    for values in ["a/b/2025-01-01", "d/2025-01-02"] {
        assert_eq!(
            names(there[values].storage_descriptor().unwrap().columns()),
            ["id", "at", "more"],
            "{values}"
        );
    }
}

#[test]
fn the_quarantine_is_a_table_of_its_own_made_once() {
    let Some(aws) = fixture::peer() else { return };
    let (_folder, lake) = fixture::lake();
    let (database, pipeline) = database(&aws, "quarantine = \"rejects\"\n");
    let digest = fixture::contract(&lake, "orders", &["id bigint"], &[]);
    let mut record = fixture::record("orders", &digest, &[""]);
    record.quarantine = Some(lakegate_lake::record::QuarantineRecord::default());
    let made: Vec<bool> = std::thread::scope(|scope| {
        let register = || register(&aws, &pipeline, &lake, &record).unwrap().quarantine.unwrap().created;
        let writers: Vec<_> = (0..4).map(|_| scope.spawn(register)).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
    let there = aws.wait(aws.glue().get_table().database_name(&database).name("rejects").send());
    let there = there.unwrap().table.unwrap();
    let location = there.storage_descriptor().unwrap().location().unwrap();
    assert_eq!(location, format!("{}/_lakegate/quarantine/orders/", lake.root()));
    assert_eq!(columns(&there)[..2], ["record", "line"]);
    // Looked for only by who rejected something, and not at all where nobody wants it.
    record.quarantine = None;
    assert_eq!(register(&aws, &pipeline, &lake, &record).unwrap().quarantine, None);
    record.quarantine = Some(lakegate_lake::record::QuarantineRecord::default());
    let without = into(&database, "quarantine = false\n");
    assert_eq!(register(&aws, &without, &lake, &record).unwrap().quarantine, None);
}

#[test]
fn writers_at_once_lose_no_partition_and_no_column() {
    let Some(aws) = fixture::peer() else { return };
    let (_folder, lake) = fixture::lake();
    let (database, pipeline) = database(&aws, "");
    let racing = keeps_versions(&aws, &database);
    if !racing {
        eprintln!("this backend keeps no table versions: the writers bring partitions and no columns");
    }
    // Several rounds each, so that they meet; what happens when they do is the next test.
    let own = |writer: u32, round: u32| format!("c{writer}_{round}");
    let write = |writer: u32, round: u32| {
        let column = format!("{} double", own(writer, round));
        let columns = if racing { vec!["id bigint", &column] } else { vec!["id bigint"] };
        let digest = fixture::contract(&lake, "orders", &columns, &["day date"]);
        let days = (1..=5).map(|day| format!("day=2025-{:02}-{:02}/", writer + 1, round * 5 + day));
        let paths: Vec<String> = days.chain(["day=2025-12-31/".to_string()]).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        register(&aws, &pipeline, &lake, &fixture::record("orders", &digest, &paths)).unwrap();
    };
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let write = &write;
            scope.spawn(move || (0..5).for_each(|round| write(writer, round)));
        }
    });
    let mut expected = vec!["id".to_string()];
    if racing {
        expected.extend((0..8).flat_map(|writer| (0..5).map(move |round| own(writer, round))));
        let updates = aws.calls()["glue:UpdateTable"];
        assert!(updates > 40, "{updates} updates of 40 columns: nobody raced, so nothing was shown");
    }
    let made = table(&aws, &database);
    let mut found = columns(&made);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let there = partitions(&aws, &database);
    assert_eq!(there.len(), 8 * 5 * 5 + 1);
    // All of them wrote to this one: its columns are the table's at the end.
    let mut shared = names(there["2025-12-31"].storage_descriptor().unwrap().columns());
    shared.sort();
    assert_eq!(shared, expected);
}

#[test]
fn an_update_of_what_changed_meanwhile_is_not_taken() {
    let Some(aws) = fixture::peer() else { return };
    let (_folder, lake) = fixture::lake();
    let (database, pipeline) = database(&aws, "");
    if !keeps_versions(&aws, &database) {
        lakegate_skipped::skipped("this backend keeps no table versions");
        return;
    }
    let commit = |columns: &[&str]| {
        let digest = fixture::contract(&lake, "orders", columns, &[]);
        (fixture::record("orders", &digest, &[""]), digest)
    };
    register(&aws, &pipeline, &lake, &commit(&["id bigint"]).0).unwrap();
    let (record, digest) = commit(&["id bigint", "mine double"]);
    let wanted = table::Wanted::read(&lake, &record, ("orders", &digest), "", &BTreeMap::new()).unwrap();
    let glue = glue::Glue::new(&aws, &pipeline, &database, "orders");
    let read = glue.get().unwrap().unwrap();
    let change = wanted.change(&read, &lake, 0).unwrap().unwrap();
    register(&aws, &pipeline, &lake, &commit(&["id bigint", "theirs double"]).0).unwrap();
    assert!(!glue.update(&wanted, &read, &change).unwrap());
    assert_eq!(columns(&table(&aws, &database)), ["id", "theirs"]);
    register(&aws, &pipeline, &lake, &record).unwrap();
    assert_eq!(columns(&table(&aws, &database)), ["id", "theirs", "mine"]);
}

#[test]
fn more_partitions_than_one_call_takes() {
    let Some(aws) = fixture::peer() else { return };
    let (_folder, lake) = fixture::lake();
    let (database, pipeline) = database(&aws, "");
    let digest = fixture::contract(&lake, "orders", &["id bigint"], &["n bigint"]);
    let paths: Vec<String> = (0..250).map(|n| format!("n={n}/")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let entry = register(&aws, &pipeline, &lake, &fixture::record("orders", &digest, &paths))
        .unwrap()
        .tables
        .remove(0);
    assert_eq!(entry.partitions_created, 250);
    assert_eq!(partitions(&aws, &database).len(), 250);
}

#[test]
fn projected_tables_have_parameters_instead_of_partitions() {
    let Some(aws) = fixture::peer() else { return };
    let (_folder, lake) = fixture::lake();
    let projection =
        "[pipeline.orders.catalog.projection.day]\ntype = \"date\"\nrange = [\"2024-01-01\", \"NOW\"]\n";
    let (database, pipeline) = database(&aws, projection);
    let digest = fixture::contract(&lake, "orders", &["id bigint"], &["day date"]);
    let record = fixture::record("orders", &digest, &["day=2025-01-01/", "day=2023-01-01/"]);
    let registered = register(&aws, &pipeline, &lake, &record).unwrap();
    assert!(registered.tables[0].projected);
    assert_eq!(registered.warnings.len(), 1, "{:?}", registered.warnings);
    let made = table(&aws, &database);
    let parameters = made.parameters().unwrap();
    let shown = ["projection.enabled", "projection.day.range", "projection.day.format"];
    assert_eq!(shown.map(|name| parameters[name].as_str()), ["true", "2024-01-01,NOW", "yyyy-MM-dd"]);
    assert!(partitions(&aws, &database).is_empty());
}

#[test]
fn what_is_wrong_in_the_catalog_is_named() {
    let Some(aws) = fixture::peer() else { return };
    let (_folder, lake) = fixture::lake();
    let digest = fixture::contract(&lake, "orders", &["id bigint"], &["day date"]);
    let record = fixture::record("orders", &digest, &["day=2025-01-01/"]);
    let error = register(&aws, &into("nowhere_at_all", ""), &lake, &record).unwrap_err();
    assert_eq!((error.kind(), error.name()), (Kind::Own, "database_missing"));
    assert!(error.to_string().contains("nowhere_at_all (glue:CreateTable for pipeline orders)"), "{error}");

    let (_database, pipeline) = database(&aws, "");
    register(&aws, &pipeline, &lake, &record).unwrap();
    let other = fixture::contract(&lake, "orders", &["id string"], &["day date"]);
    let error = register(&aws, &pipeline, &lake, &fixture::record("orders", &other, &[])).unwrap_err();
    assert_eq!(error.to_string(), "column id of table orders is bigint in Glue, and string in its contract");

    let (_elsewhere, other_lake) = fixture::lake();
    let digest = fixture::contract(&other_lake, "orders", &["id bigint"], &["day date"]);
    let error = register(&aws, &pipeline, &other_lake, &fixture::record("orders", &digest, &[])).unwrap_err();
    assert_eq!(error.name(), "catalog_table_differs");
}

#[test]
fn a_running_crawler_is_asked_to_run_once_more() {
    let Some(aws) = fixture::peer() else { return };
    let (_folder, lake) = fixture::lake();
    let name = fixture::fresh("crawler");
    let pipeline = |more: &str| {
        fixture::pipeline(&format!(
            "[pipeline.orders.catalog]\nkind = \"crawler\"\ncrawler = \"{name}\"\n{more}"
        ))
    };
    let digest = fixture::contract(&lake, "orders", &["id bigint"], &[]);
    let record = fixture::record("orders", &digest, &[""]);
    let error = register(&aws, &pipeline(""), &lake, &record).unwrap_err();
    assert_eq!(
        (error.name(), error.to_string()),
        ("crawler_missing", format!("Glue has no crawler {name} (glue:StartCrawler)"))
    );

    let targets =
        CrawlerTargets::builder().s3_targets(S3Target::builder().path("s3://the-lake/sales/").build());
    let make = aws.glue().create_crawler().name(&name).role("r").database_name("d").targets(targets.build());
    aws.wait(make.send()).unwrap();
    let run = |more: &str| register(&aws, &pipeline(more), &lake, &record).unwrap().crawler.unwrap();
    assert!(catch_up(&aws, &pipeline(""), &lake).unwrap().is_none());
    assert_eq!(run("").run, Run::Started);
    // Running, and it may have passed the folder already.
    assert_eq!(run("").run, Run::Again);
    assert_eq!(catch_up(&aws, &pipeline(""), &lake).unwrap().unwrap().run, Run::Again);
    end_run(&aws, &name);
    assert_eq!(catch_up(&aws, &pipeline(""), &lake).unwrap().unwrap().run, Run::Started);
    assert!(catch_up(&aws, &pipeline(""), &lake).unwrap().is_none());

    // With time to wait for: the present run, and then one of its own.
    let waited = std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                std::thread::sleep(Duration::from_millis(700));
                advance(&aws, &name);
            }
        });
        run("wait = 30")
    });
    assert_eq!(waited, Crawled { crawler: name.clone(), run: Run::Started, ready: true });
}

/// Moto's runs go on only when they are listed; MiniStack's by themselves.
fn advance(aws: &Aws, crawler: &str) {
    let _only_moto_has_it = aws.wait(aws.glue().list_crawls().crawler_name(crawler).send());
}

fn end_run(aws: &Aws, crawler: &str) {
    for _ in 0..100 {
        advance(aws, crawler);
        let seen = aws.wait(aws.glue().get_crawler().name(crawler).send()).unwrap().crawler.unwrap();
        if seen.state() == Some(&aws_sdk_glue::types::CrawlerState::Ready) {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{crawler} does not end");
}
