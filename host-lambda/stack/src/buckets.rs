//! Buckets: made with versions, encryption, no public access, TLS alone, and what they notify.
//!
//! Not for who may read and write (roles). Decisions to know:
//!
//! * A bucket is kept when its stack is taken down: data outlives what runs over it.
//! * Uploads that a killed run left are aborted after 30 days: no event lives longer than 14 in a queue, so nobody
//!   completes an upload that is older.

use serde_json::{Value, json};

use lakegate_config::{Location, Trigger};

use crate::names::camel;
use crate::plan::{Own, Plan, function_arn, queue_arn};
use crate::template::Template;
use crate::{prefix_of, sub};

/// See the module.
const STALE_UPLOAD_DAYS: u32 = 30;
/// How long a version of a lake's object is kept that another has replaced.
const REPLACED_DAYS: u32 = 30;

pub fn add(plan: &Plan<'_>, template: &mut Template) {
    template.remark("Buckets. They stay when the stack is taken down.");
    for (name, bucket) in &plan.buckets {
        if bucket.exists {
            continue;
        }
        let id = format!("Bucket{}", camel(name));
        let (notification, after) = notification(plan, name, bucket.bridged);
        let mut rules = vec![stale_uploads()];
        rules.extend(bucket.lakes.iter().enumerate().map(|(number, lake)| {
            // Of the lake alone: versions of raw files stay, since commits name them.
            json!({
                "Id": format!("replaced-{}", number + 1),
                "Status": "Enabled",
                "Prefix": lake,
                "NoncurrentVersionExpiration": {"NoncurrentDays": REPLACED_DAYS},
            })
        }));
        let mut properties = made(plan, Value::from(name.as_str()), &rules);
        properties["VersioningConfiguration"] = json!({"Status": "Enabled"});
        properties["NotificationConfiguration"] = notification;
        let kept = json!({
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "DependsOn": if after.is_empty() { Value::Null } else { json!(after) },
            "Metadata": not_checked(),
        });
        template.add_with(&id, "AWS::S3::Bucket", kept, properties);
        policy(&id, &[], template);
    }
    results(plan, template);
}

/// Where Athena puts results.
fn results(plan: &Plan<'_>, template: &mut Template) {
    template.remark("Results of queries, which nobody needs for long.");
    let name = sub(&format!("{}-athena-${{AWS::AccountId}}", plan.stack.name));
    let expire = json!({
        "Id": "results",
        "Status": "Enabled",
        "ExpirationInDays": plan.stack.athena.results_days,
    });
    add_kept("Results", made(plan, name, &[stale_uploads(), expire]), template);
    policy("Results", &[], template);
}

/// What every bucket has.
fn made(plan: &Plan<'_>, name: Value, rules: &[Value]) -> Value {
    let encryption = match &plan.stack.kms_key {
        Some(key) => json!({
            "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
            "BucketKeyEnabled": true,
        }),
        None => json!({"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}),
    };
    json!({
        "BucketName": name,
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]},
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": true,
            "BlockPublicPolicy": true,
            "IgnorePublicAcls": true,
            "RestrictPublicBuckets": true,
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": rules},
    })
}

fn stale_uploads() -> Value {
    json!({
        "Id": "stale-uploads",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": STALE_UPLOAD_DAYS},
    })
}

/// Rules of checkov that do not hold here, each with its reason.
fn not_checked() -> Value {
    json!({"checkov": {"skip": [
        {"id": "CKV_AWS_18", "comment": "who reads and writes is kept by CloudTrail, with [stack] cloudtrail = true"},
        {"id": "CKV_AWS_21", "comment": "results of queries are made again by asking again; all other buckets keep versions"},
    ]}})
}

/// A bucket with versions whose name is substituted.
pub fn kept(plan: &Plan<'_>, name: &str) -> Value {
    let mut properties = made(plan, sub(name), &[stale_uploads()]);
    properties["VersioningConfiguration"] = json!({"Status": "Enabled"});
    properties
}

/// Adds a bucket that stays when the stack is taken down.
pub fn add_kept(id: &str, properties: Value, template: &mut Template) {
    let more =
        json!({"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Metadata": not_checked()});
    template.add_with(id, "AWS::S3::Bucket", more, properties);
}

/// The policy of a bucket: nothing without TLS, and what is allowed.
pub fn policy(id: &str, allowed: &[Value], template: &mut Template) {
    let arn = |rest: &str| sub(&format!("${{{id}.Arn}}{rest}"));
    let statement = json!({
        "Sid": "TlsAlone",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn(""), arn("/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    });
    let statements: Vec<&Value> = std::iter::once(&statement).chain(allowed).collect();
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    let properties = json!({"Bucket": {"Ref": id}, "PolicyDocument": policy});
    template.add(&format!("{id}Policy"), "AWS::S3::BucketPolicy", properties);
}

/// What a bucket notifies, and the resources that must be there before: S3 tries the targets out.
fn notification(plan: &Plan<'_>, bucket: &str, bridged: bool) -> (Value, Vec<String>) {
    let mut after = Vec::new();
    let (mut queues, mut functions) = (Vec::new(), Vec::new());
    let notified = plan.pipelines.iter().filter(|own| own.pipeline.trigger.is_notification());
    let of_bucket: Vec<&Own<'_>> = notified.filter(|own| reads(own, bucket)).collect();
    for own in &of_bucket {
        for suffix in suffixes(own) {
            if covered(own, suffix, &of_bucket) {
                continue;
            }
            let mut rules = Vec::new();
            let prefix = prefix_of(&own.pipeline.source.location);
            if !prefix.is_empty() {
                rules.push(json!({"Name": "prefix", "Value": prefix}));
            }
            if !suffix.is_empty() {
                rules.push(json!({"Name": "suffix", "Value": suffix}));
            }
            let filter = if rules.is_empty() { Value::Null } else { json!({"S3Key": {"Rules": rules}}) };
            let event = "s3:ObjectCreated:*";
            if own.pipeline.trigger == Trigger::Sqs {
                let queue = sub(&queue_arn(&plan.queue(&own.pipeline.name)));
                queues.push(json!({"Event": event, "Queue": queue, "Filter": filter}));
                after.push(format!("Queue{}Policy", own.id));
            } else {
                functions.push(
                    json!({"Event": event, "Function": sub(&function_arn(plan.stack)), "Filter": filter}),
                );
                after.push(format!("Invoke{}", camel(bucket)));
            }
        }
    }
    after.dedup();
    let list = |list: Vec<Value>| if list.is_empty() { Value::Null } else { Value::Array(list) };
    let bridge = if bridged { json!({"EventBridgeEnabled": true}) } else { Value::Null };
    let all = json!({
        "EventBridgeConfiguration": bridge,
        "QueueConfigurations": list(queues),
        "LambdaConfigurations": list(functions),
    });
    let empty = all.as_object().is_some_and(|map| map.values().all(Value::is_null));
    (if empty { Value::Null } else { all }, after)
}

fn reads(own: &Own<'_>, bucket: &str) -> bool {
    matches!(&own.pipeline.source.location, Location::S3 { bucket: name, .. } if name == bucket)
}

/// Endings of keys; an empty one for any.
pub fn suffixes<'o>(own: &'o Own<'_>) -> Vec<&'o str> {
    let suffixes = &own.pipeline.source.suffixes;
    if suffixes.is_empty() { vec![""] } else { suffixes.iter().map(String::as_str).collect() }
}

/// Whether another notification of the bucket has these objects already: S3 refuses two that could match one key, and
/// the function finds each object's pipeline itself.
fn covered(own: &Own<'_>, suffix: &str, all: &[&Own<'_>]) -> bool {
    let prefix = prefix_of(&own.pipeline.source.location);
    all.iter().any(|other| {
        let others = prefix_of(&other.pipeline.source.location);
        let wider = |there: &&str| {
            let same = others == prefix && *there == suffix;
            let first = (other.id.as_str(), *there) < (own.id.as_str(), suffix);
            prefix.starts_with(others) && suffix.ends_with(*there) && (!same || first)
        };
        suffixes(other).iter().any(wider)
    })
}
