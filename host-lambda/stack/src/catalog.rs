//! Databases and crawlers in Glue, the Athena workgroup, and grants in Lake Formation.
//!
//! Not for tables: the host makes and grows them. The decision to know: a crawler adds columns and changes none, and
//! partitions take their columns from the table, so that Athena reads what the contract says.

use serde_json::{Value, json};

use lakegate_config::Catalog;

use crate::names::camel;
use crate::plan::{Crawler, Plan, database_id};
use crate::template::{Role, Template};
use crate::{attribute, bucket_of, prefix_of, prefixed, reference, sub};

pub fn add(plan: &Plan<'_>, template: &mut Template) {
    if !plan.databases.is_empty() {
        template.remark("Where tables are registered; the host makes them.");
    }
    for database in &plan.databases {
        let properties = json!({
            "CatalogId": reference("AWS::AccountId"),
            "DatabaseInput": {"Name": database, "Description": format!("Tables of the stack {}", plan.stack.name)},
        });
        template.add(&database_id(database), "AWS::Glue::Database", properties);
    }
    for (name, crawler) in &plan.crawlers {
        add_crawler(plan, name, crawler, template);
    }
    if plan.stack.lake_formation {
        grants(plan, template);
    }
    workgroup(plan, template);
}

fn add_crawler(plan: &Plan<'_>, name: &str, crawler: &Crawler, template: &mut Template) {
    template
        .remark(&format!("The crawler {name}, which makes the tables of {}.", crawler.pipelines.join(", ")));
    let id = format!("Crawler{}", camel(name));
    let (mut targets, mut buckets, mut objects) = (Vec::new(), Vec::new(), Vec::new());
    for own in crawler.pipelines.iter().filter_map(|name| plan.pipeline(name)) {
        let lake = &own.pipeline.lake;
        let (bucket, prefix) = (bucket_of(lake).unwrap_or_default(), prefix_of(lake));
        let arn = format!("arn:${{AWS::Partition}}:s3:::{bucket}");
        if own.tables.names.is_empty() {
            targets.push(json!({"Path": format!("s3://{bucket}/{prefix}"), "Exclusions": ["_lakegate/**"]}));
            objects.push(sub(&format!("{arn}/{prefix}*")));
        }
        for table in &own.tables.names {
            targets.push(json!({"Path": format!("s3://{bucket}/{prefix}{table}/")}));
            objects.push(sub(&format!("{arn}/{prefix}{table}/*")));
        }
        if !buckets.contains(&sub(&arn)) {
            buckets.push(sub(&arn));
        }
    }
    let allowed = crawler_rights(&crawler.database, buckets, objects);
    let source = format!("arn:${{AWS::Partition}}:glue:${{AWS::Region}}:${{AWS::AccountId}}:crawler/{name}");
    let role = Role {
        service: "glue",
        source: Some(source),
        managed: Value::Null,
        allowed: Some(("crawl", allowed)),
    };
    let role_name = prefixed(plan.stack, &format!("{name}-crawler"), 64);
    template.add(&format!("{id}Role"), "AWS::IAM::Role", role.properties(&role_name));
    let configuration = json!({
        "Version": 1.0,
        "CrawlerOutput": {
            "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
            "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
        },
        "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"},
    });
    let properties = json!({
        "Name": name,
        "Role": attribute(&format!("{id}Role"), "Arn"),
        "DatabaseName": reference(&database_id(&crawler.database)),
        "Targets": {"S3Targets": targets},
        "SchemaChangePolicy": {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
        "Configuration": configuration.to_string(),
    });
    let skipped = json!({"Metadata": {"checkov": {"skip": [
        {"id": "CKV_AWS_195", "comment": "what a crawler logs are names of tables; [stack] kms_key encrypts the data"},
    ]}}});
    template.add_with(&id, "AWS::Glue::Crawler", skipped, properties);
}

/// Statements of a crawler's role: it reads the tables' files and writes entries of its database.
fn crawler_rights(database: &str, buckets: Vec<Value>, objects: Vec<Value>) -> Vec<Value> {
    let glue = |rest: &str| {
        sub(&format!("arn:${{AWS::Partition}}:glue:${{AWS::Region}}:${{AWS::AccountId}}:{rest}"))
    };
    let log = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws-glue/crawlers:*";
    let allow =
        |actions: &[&str], on: Vec<Value>| json!({"Effect": "Allow", "Action": actions, "Resource": on});
    let tables = [
        "glue:GetDatabase",
        "glue:GetTable",
        "glue:GetTables",
        "glue:CreateTable",
        "glue:UpdateTable",
        "glue:GetPartition",
        "glue:GetPartitions",
        "glue:BatchGetPartition",
        "glue:BatchCreatePartition",
        "glue:CreatePartition",
        "glue:UpdatePartition",
    ];
    vec![
        allow(&["s3:ListBucket", "s3:GetBucketLocation"], buckets),
        allow(&["s3:GetObject"], objects),
        allow(
            &tables,
            vec![
                glue("catalog"),
                glue(&format!("database/{database}")),
                glue(&format!("table/{database}/*")),
            ],
        ),
        allow(&["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], vec![sub(log)]),
    ]
}

/// In an account that Lake Formation governs, rights of IAM alone do not do.
fn grants(plan: &Plan<'_>, template: &mut Template) {
    template.remark("What Lake Formation grants to the function.");
    for database in plan
        .pipelines
        .iter()
        .filter_map(|own| match &own.pipeline.catalog {
            Catalog::Glue { database, .. } => Some(database),
            _ => None,
        })
        .collect::<std::collections::BTreeSet<_>>()
    {
        let id = database_id(database);
        let catalog = reference("AWS::AccountId");
        let mut grant = |name: &str, resource: Value, permissions: &[&str]| {
            let properties = json!({
                "Principal": {"DataLakePrincipalIdentifier": attribute("FunctionRole", "Arn")},
                "Resource": resource,
                "Permissions": permissions,
                "PermissionsWithGrantOption": [],
            });
            template.add(
                &format!("Grant{name}{}", camel(database)),
                "AWS::LakeFormation::PrincipalPermissions",
                properties,
            );
        };
        let of_database = json!({"Database": {"CatalogId": catalog, "Name": reference(&id)}});
        grant("Database", of_database, &["CREATE_TABLE", "DESCRIBE"]);
        let of_tables =
            json!({"Table": {"CatalogId": catalog, "DatabaseName": reference(&id), "TableWildcard": {}}});
        grant("Tables", of_tables, &["ALTER", "DESCRIBE", "INSERT", "SELECT"]);
    }
}

fn workgroup(plan: &Plan<'_>, template: &mut Template) {
    template.remark("Who asks in this workgroup cannot scan more than the limit with one query.");
    let encryption = match &plan.stack.kms_key {
        Some(key) => json!({"EncryptionOption": "SSE_KMS", "KmsKey": key}),
        None => json!({"EncryptionOption": "SSE_S3"}),
    };
    let properties = json!({
        "Name": plan.stack.name,
        "Description": format!("Tables of the stack {}", plan.stack.name),
        "RecursiveDeleteOption": true,
        "WorkGroupConfiguration": {
            "EnforceWorkGroupConfiguration": true,
            "PublishCloudWatchMetricsEnabled": true,
            "BytesScannedCutoffPerQuery": plan.stack.athena.scan_limit_bytes,
            "ResultConfiguration": {
                "OutputLocation": sub("s3://${Results}/"),
                "EncryptionConfiguration": encryption,
            },
        },
    });
    template.add("Workgroup", "AWS::Athena::WorkGroup", properties);
}
