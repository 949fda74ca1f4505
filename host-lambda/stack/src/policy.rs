//! What the function may do: the features of `permissions.toml` that a configuration uses, as statements of policies.
//!
//! Not for what else a role needs that no feature of the function's own calls has (logs, traces, a network): that is
//! the template's. The decision to know: permissions stand in `permissions.toml` and nowhere else; the roles that the
//! tests' functions have are written from the same data by other code, and calls are compared with it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use lakegate_base::{Code, Error, Result};
use lakegate_config::{
    Address, Catalog, Encryption, Location, Pipeline, PublicKey, QuarantineTable, SourceAfter, Stack, Told,
};

use crate::Tables;

const DATA: &str = include_str!("../../lambda/deploy/permissions.toml");
/// Most characters of a managed policy, white space not counted: "IAM and AWS STS quotas".
const MANAGED: usize = 6_144;

#[derive(Deserialize)]
struct Data {
    feature: Vec<Feature>,
}

/// What the function does, and what that needs.
#[derive(Deserialize)]
struct Feature {
    name: String,
    statement: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    on: Vec<String>,
    #[serde(default)]
    prefixes: Vec<String>,
    /// Calls by action.
    allow: BTreeMap<String, Vec<String>>,
}

/// Values of the names in the patterns of a feature.
type Values = BTreeMap<&'static str, Vec<String>>;

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    sid: String,
    actions: Vec<String>,
    resources: Vec<String>,
    prefixes: Vec<String>,
}

impl Allowed {
    /// A statement without conditions. Resources may hold `${AWS::…}`.
    pub fn new(sid: &str, actions: &[&str], resources: Vec<String>) -> Self {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        Self { sid: sid.to_owned(), actions, resources, prefixes: Vec::new() }
    }

    /// As it stands in a template: texts with `${…}` are substituted there.
    pub fn in_template(&self) -> Value {
        let texts = |texts: &[String]| match texts {
            [one] => crate::sub(one),
            all => Value::Array(all.iter().map(|text| crate::sub(text)).collect()),
        };
        let mut statement = json!({
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": texts(&self.actions),
            "Resource": texts(&self.resources),
        });
        if !self.prefixes.is_empty() {
            // S3 looks at this permission for its answer about a missing object too, where the condition's key is absent.
            statement["Condition"] = json!({"StringLikeIfExists": {"s3:prefix": texts(&self.prefixes)}});
        }
        statement
    }

    /// Characters that count towards IAM's limits, with the longest that a substitution gives.
    fn weight(&self) -> usize {
        // Quotes, names and brackets of the statement; then of each text.
        let texts = self.actions.iter().chain(&self.resources).chain(&self.prefixes);
        let texts: usize = texts
            .map(|text| {
                let text = text
                    .replace("${AWS::Partition}", "aws-us-gov")
                    .replace("${AWS::Region}", "ap-southeast-1");
                text.replace("${AWS::AccountId}", "111122223333").len() + 3
            })
            .sum();
        let condition = if self.prefixes.is_empty() { 0 } else { 55 };
        60 + self.sid.len() + condition + texts
    }
}

/// Statements of all that the pipelines of a configuration need.
///
/// # Errors
/// The data holds a name that no configuration has a value for: a fault of this program.
pub fn statements(
    stack: &Stack,
    pipelines: &[(&Pipeline, &Tables)],
    queues: &[String],
) -> Result<Vec<Allowed>> {
    let data: Data = toml::from_str(DATA).map_err(|error| broken(&error.to_string()))?;
    let mut merged: Vec<(String, Allowed)> = Vec::new();
    let mut add = |feature: &Feature, values: &Values| -> Result<()> {
        for statement in &feature.statement {
            let resources = filled(&statement.on, values)?;
            let prefixes = filled(&statement.prefixes, values)?;
            if resources.is_empty() {
                continue;
            }
            let actions: Vec<String> = statement.allow.keys().cloned().collect();
            // A prefix belongs to its bucket: two buckets with a prefix each stay apart.
            let same = |(name, there): &&mut (String, Allowed)| {
                *name == feature.name
                    && there.actions == actions
                    && there.prefixes.is_empty() == prefixes.is_empty()
                    && (prefixes.is_empty() || there.resources == resources)
            };
            match merged.iter_mut().find(same) {
                Some((_, there)) => {
                    extend(&mut there.resources, resources);
                    extend(&mut there.prefixes, prefixes);
                }
                None => {
                    let sid = String::new();
                    merged.push((feature.name.clone(), Allowed { sid, actions, resources, prefixes }));
                }
            }
        }
        Ok(())
    };
    for feature in &data.feature {
        for (pipeline, tables) in pipelines {
            if needs(&feature.name, stack, pipeline) {
                add(feature, &values(stack, pipeline, tables))?;
            }
        }
        if feature.name == "queue" && !queues.is_empty() {
            add(feature, &BTreeMap::from([("QUEUE_ARN", queues.to_vec())]))?;
        }
    }
    Ok(named(merged))
}

/// Gives each statement its name: `LeftOvers`, and `LeftOvers2` for a second one of the feature `left-overs`.
fn named(statements: Vec<(String, Allowed)>) -> Vec<Allowed> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let name = |(feature, allowed): (String, Allowed)| {
        let count = counts.entry(feature.clone()).or_default();
        *count += 1;
        let number = if *count > 1 { count.to_string() } else { String::new() };
        Allowed { sid: format!("{}{number}", crate::names::camel(&feature)), ..allowed }
    };
    statements.into_iter().map(name).collect()
}

/// Distributes statements over as few managed policies as hold them, in their order.
pub fn policies(statements: Vec<Allowed>) -> Vec<Vec<Allowed>> {
    // `{"Version":"2012-10-17","Statement":[]}`
    let empty = 40;
    let mut policies: Vec<(usize, Vec<Allowed>)> = Vec::new();
    for statement in statements.into_iter().flat_map(|statement| cut(statement, MANAGED - empty)) {
        let weight = statement.weight();
        match policies.iter_mut().find(|(taken, _)| taken + weight <= MANAGED) {
            Some((taken, policy)) => {
                *taken += weight;
                policy.push(statement);
            }
            None => policies.push((empty + weight, vec![statement])),
        }
    }
    policies.into_iter().map(|(_, policy)| policy).collect()
}

/// A statement that is too long for a policy, as several with fewer resources.
fn cut(statement: Allowed, most: usize) -> Vec<Allowed> {
    let resources = statement.resources.len();
    if statement.weight() <= most || resources < 2 {
        return vec![statement];
    }
    let half = |range: std::ops::Range<usize>, more: &str| Allowed {
        sid: format!("{}{more}", statement.sid),
        resources: statement.resources[range].to_vec(),
        ..statement.clone()
    };
    let (first, second) = (half(0..resources / 2, "A"), half(resources / 2..resources, "B"));
    cut(first, most).into_iter().chain(cut(second, most)).collect()
}

/// Whether a pipeline needs a feature.
fn needs(feature: &str, stack: &Stack, pipeline: &Pipeline) -> bool {
    match feature {
        "source" | "source-missing" | "lake" | "roll-forward" | "replaced" | "uploads" | "left-overs" => true,
        // A bucket that is made here keeps versions; one that is there may.
        "source-versions" => true,
        "source-tagged" | "source-tagged-versions" => pipeline.source_after == SourceAfter::Tag,
        "reconciling" => stack.reconcile_seconds.is_some(),
        "catalog" => matches!(pipeline.catalog, Catalog::Glue { .. }),
        "crawler" => matches!(pipeline.catalog, Catalog::Crawler { .. }),
        "notices" => topics(pipeline).next().is_some(),
        "lineage" => pipeline.lineage.is_some(),
        "failed-copies" => pipeline.failed_copy.is_some(),
        "configuration" => !objects(pipeline).is_empty(),
        "releases" | "releases-missing" => matches!(pipeline.told, Told::Channel { .. }),
        "keys-written" => written_key(stack, pipeline).is_some(),
        "keys-read" => stack.kms_key.is_some(),
        _ => false,
    }
}

/// The values that a pipeline has for the names in patterns.
fn values(stack: &Stack, pipeline: &Pipeline, tables: &Tables) -> Values {
    let one = |text: String| vec![text];
    let mut values: Values = BTreeMap::from([
        ("REGION", one("${AWS::Region}".into())),
        ("ACCOUNT", one("${AWS::AccountId}".into())),
        ("TOPIC_ARN", topics(pipeline).collect()),
        ("TABLE", tables.of_lake()),
        ("WRITTEN_KEY_ARN", written_key(stack, pipeline).into_iter().collect()),
        ("READ_KEY_ARN", stack.kms_key.clone().into_iter().collect()),
    ]);
    let mut place = |bucket_name, prefix_name, place: &Location| {
        if let Location::S3 { bucket, prefix } = place {
            values.insert(bucket_name, vec![bucket.clone()]);
            values.insert(prefix_name, vec![prefix.clone()]);
        }
    };
    place("SOURCE_BUCKET", "SOURCE_PREFIX", &pipeline.source.location);
    place("LAKE_BUCKET", "LAKE_PREFIX", &pipeline.lake);
    if let Some(lineage) = &pipeline.lineage {
        place("LINEAGE_BUCKET", "LINEAGE_PREFIX", &lineage.write_to);
    }
    if let Some(failed) = &pipeline.failed_copy {
        place("FAILED_BUCKET", "FAILED_PREFIX", failed);
    }
    if let Told::Channel { registry, .. } = &pipeline.told {
        place("REGISTRY_BUCKET", "REGISTRY_PREFIX", registry);
    }
    if let Told::Channel { channel, .. } = &pipeline.told {
        values.insert("CHANNEL", one(channel.clone()));
    }
    match &pipeline.catalog {
        Catalog::Glue { database, table_prefix, quarantine, .. } => {
            values.insert("DATABASE", one(database.clone()));
            let glue_table = |table: &String| format!("{table_prefix}{table}");
            values.insert("GLUE_TABLE", tables.of_lake().iter().map(glue_table).collect());
            let rejected = match quarantine {
                QuarantineTable::OfPipeline => pipeline.glue_name("quarantine"),
                QuarantineTable::Named(name) => Some(name.clone()),
                QuarantineTable::None => None,
            };
            values.insert("GLUE_QUARANTINE", rejected.into_iter().collect());
        }
        Catalog::Crawler { crawler, .. } => _ = values.insert("CRAWLER", one(crawler.clone())),
        Catalog::None => {}
    }
    let (buckets, keys) = objects(pipeline).into_iter().unzip();
    values.insert("CONFIG_BUCKET", buckets);
    values.insert("CONFIG_KEY", keys);
    values
}

/// ARNs of the topics of a pipeline.
pub fn topics(pipeline: &Pipeline) -> impl Iterator<Item = String> {
    let notify = &pipeline.notify;
    let named = [&notify.success, &notify.failure, &notify.quarantine].into_iter().flatten();
    named.map(|topic| topic_arn(topic)).collect::<BTreeSet<_>>().into_iter()
}

/// The ARN of a topic that a configuration names by it, or by its name.
pub fn topic_arn(topic: &str) -> String {
    if topic.contains(':') {
        return topic.to_owned();
    }
    format!("arn:${{AWS::Partition}}:sns:${{AWS::Region}}:${{AWS::AccountId}}:{topic}")
}

/// The key of what a pipeline writes.
pub fn written_key(stack: &Stack, pipeline: &Pipeline) -> Option<String> {
    let own = match &pipeline.output.encryption {
        Some(Encryption::Kms { key: Some(key) }) if key.starts_with("arn:") => Some(key.clone()),
        _ => None,
    };
    own.or_else(|| stack.kms_key.clone())
}

/// What a pipeline names that is read from S3 when the function starts: bucket and key.
fn objects(pipeline: &Pipeline) -> Vec<(String, String)> {
    let keys = match &pipeline.told {
        Told::Spec { address } => vec![address],
        Told::Channel { trust, .. } => trust
            .iter()
            .filter_map(|key| if let PublicKey::File(address) = key { Some(address) } else { None })
            .collect(),
        Told::Nothing => Vec::new(),
    };
    let in_s3 = |address: &&Address| match address {
        Address::S3 { bucket, key } => Some((bucket.clone(), key.clone())),
        Address::Local(_) => None,
    };
    keys.iter().filter_map(in_s3).collect()
}

/// Patterns with every combination of the values of their names.
fn filled(patterns: &[String], values: &Values) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for pattern in patterns {
        let pattern = pattern.replace("arn:aws:", "arn:${AWS::Partition}:");
        let mut texts = vec![String::new()];
        let mut rest = pattern.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| broken(&pattern))?;
            let kept = vec![format!("${{{name}}}")];
            let known = values.iter().find(|(known, _)| **known == name).map(|(_, values)| values);
            let known = if name.starts_with("AWS::") { Some(&kept) } else { known };
            let known = known.ok_or_else(|| broken(&format!("{name} in {pattern}")))?;
            let each = |text: &String| {
                known.iter().map(|value| format!("{text}{before}{value}")).collect::<Vec<_>>()
            };
            texts = texts.iter().flat_map(each).collect();
            rest = after;
        }
        extend(&mut found, texts.into_iter().map(|text| text + rest).collect());
    }
    Ok(found)
}

fn extend(all: &mut Vec<String>, more: Vec<String>) {
    for text in more {
        if !all.contains(&text) {
            all.push(text);
        }
    }
}

fn broken(what: &str) -> Error {
    Error::new(Code::Invariant, format!("permissions.toml: {what}"))
}
