//! What is really there of a stack, where somebody may have changed it by hand: buckets, databases, crawlers, topics.
//!
//! Not for what CloudFormation knows (`formation`). Decisions to know:
//!
//! * Every call only looks. What the caller may not look at is a note, and no difference.
//! * What a bucket notifies is compared in words, target by target, so that the answer says which one lacks.

use super::formation::{Part, Stack};
use lakegate_aws::client::{Aws, AwsError, Fault};
use lakegate_base::Error;
use lakegate_stack::values;
use serde_json::Value;
use std::collections::BTreeSet;

/// What was seen.
#[derive(Default)]
pub(super) struct Found {
    pub(super) wrong: Vec<Wrong>,
    pub(super) notes: Vec<String>,
}

/// Something that is not as it would be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Logical id; empty for what is there without the stack.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) says: String,
}

/// Looks at what a rendered template has and a stack made; `bridges` are buckets beside it that tell EventBridge.
///
/// # Errors
/// The template is none.
pub(super) fn look(aws: &Aws, template: &str, stack: &Stack, bridges: &[String]) -> Result<Found, Error> {
    let mut found = Found::default();
    for (id, resource) in values(template)? {
        let Some(part) = stack.parts.get(&id) else { continue };
        let answer = aws.wait(one(aws, part, &resource["Properties"]));
        found.take(&id, &part.name, answer);
    }
    for bucket in bridges {
        let answer = aws.wait(notified(aws, bucket)).map(|told| {
            let tells = told.contains(BRIDGE);
            if tells {
                Vec::new()
            } else {
                vec![format!("does not tell {BRIDGE}: `lakegate stack render` says how")]
            }
        });
        found.take("", bucket, answer);
    }
    Ok(found)
}

impl Found {
    fn take(&mut self, id: &str, name: &str, answer: Result<Vec<String>, AwsError>) {
        let wrong = |says: String| Wrong { id: id.to_owned(), name: name.to_owned(), says };
        match answer {
            Ok(says) => self.wrong.extend(says.into_iter().map(wrong)),
            Err(error) if matches!(error.fault, Fault::Missing | Fault::NoBucket) => {
                self.wrong.push(wrong("is not there any more".to_owned()));
            }
            Err(error) => self.notes.push(format!("not looked at: {error}")),
        }
    }
}

/// What is wrong with one resource.
async fn one(aws: &Aws, part: &Part, wanted: &Value) -> Result<Vec<String>, AwsError> {
    let name = part.name.as_str();
    match part.kind.as_str() {
        "AWS::S3::Bucket" => return bucket(aws, name, wanted).await,
        "AWS::Glue::Database" => {
            aws.ask("glue:GetDatabase", name, aws.glue().get_database().name(name).send()).await?;
        }
        "AWS::Glue::Crawler" => {
            aws.ask("glue:GetCrawler", name, aws.glue().get_crawler().name(name).send()).await?;
        }
        "AWS::SNS::Topic" => {
            let call = aws.sns().get_topic_attributes().topic_arn(name).send();
            aws.ask("sns:GetTopicAttributes", name, call).await?;
        }
        _ => {}
    }
    Ok(Vec::new())
}

async fn bucket(aws: &Aws, name: &str, wanted: &Value) -> Result<Vec<String>, AwsError> {
    let mut says = Vec::new();
    let place = format!("s3://{name}");
    let call = aws.s3().get_bucket_versioning().bucket(name).send();
    let versioning = aws.ask("s3:GetBucketVersioning", &place, call).await?;
    let versioning = versioning.status().map_or("Off", |status| status.as_str());
    let asked = wanted["VersioningConfiguration"]["Status"].as_str().unwrap_or("Off");
    if versioning != asked {
        says.push(format!("versioning is {versioning}, not {asked}"));
    }
    let open = opened(aws, name, &place, &wanted["PublicAccessBlockConfiguration"]).await?;
    if !open.is_empty() {
        says.push(format!("public access is not blocked as it should be: {}", open.join(", ")));
    }
    let (there, asked) = (notified(aws, name).await?, notifications(&wanted["NotificationConfiguration"]));
    says.extend(asked.difference(&there).map(|target| format!("does not tell {target}")));
    says.extend(there.difference(&asked).map(|target| format!("also tells {target}")));
    Ok(says)
}

/// Kinds of public access that are to be blocked, and are not.
async fn opened(aws: &Aws, name: &str, place: &str, wanted: &Value) -> Result<Vec<&'static str>, AwsError> {
    let call = aws.s3().get_public_access_block().bucket(name).send();
    let block = match aws.ask("s3:GetBucketPublicAccessBlock", place, call).await {
        Ok(answer) => answer.public_access_block_configuration,
        Err(error) if error.fault == Fault::Missing => None,
        Err(error) => return Err(error),
    };
    let is = |of: fn(&_) -> Option<bool>| block.as_ref().and_then(of).unwrap_or(false);
    let all = [
        ("BlockPublicAcls", is(|block| block.block_public_acls())),
        ("BlockPublicPolicy", is(|block| block.block_public_policy())),
        ("IgnorePublicAcls", is(|block| block.ignore_public_acls())),
        ("RestrictPublicBuckets", is(|block| block.restrict_public_buckets())),
    ];
    let wanted = |name: &str| wanted[name].as_bool().unwrap_or(false);
    Ok(all.into_iter().filter(|(name, is)| wanted(name) && !is).map(|(name, _)| name).collect())
}

/// What EventBridge is in words.
const BRIDGE: &str = "EventBridge";

/// What a bucket notifies.
async fn notified(aws: &Aws, name: &str) -> Result<BTreeSet<String>, AwsError> {
    let call = aws.s3().get_bucket_notification_configuration().bucket(name).send();
    let there = aws.ask("s3:GetBucketNotification", &format!("s3://{name}"), call).await?;
    let mut told = BTreeSet::new();
    if there.event_bridge_configuration().is_some() {
        told.insert(BRIDGE.to_owned());
    }
    macro_rules! add {
        ($list:expr, $kind:expr, $arn:ident) => {
            for one in $list {
                let rules =
                    one.filter().and_then(|filter| filter.key()).map_or(&[][..], |key| key.filter_rules());
                let rules = rules.iter().map(|rule| {
                    (rule.name().map_or("", |name| name.as_str()), rule.value().unwrap_or_default())
                });
                let rules: Vec<(&str, &str)> = rules.collect();
                told.extend(
                    one.events().iter().map(|event| words($kind, one.$arn(), event.as_str(), &rules)),
                );
            }
        };
    }
    add!(there.queue_configurations(), "queue", queue_arn);
    add!(there.lambda_function_configurations(), "function", lambda_function_arn);
    add!(there.topic_configurations(), "topic", topic_arn);
    Ok(told)
}

/// What a template wants a bucket to notify.
fn notifications(wanted: &Value) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    let bridge = &wanted["EventBridgeConfiguration"];
    if bridge.is_object() && bridge["EventBridgeEnabled"] != false {
        told.insert(BRIDGE.to_owned());
    }
    for (list, kind, target) in
        [("QueueConfigurations", "queue", "Queue"), ("LambdaConfigurations", "function", "Function")]
    {
        for one in wanted[list].as_array().into_iter().flatten() {
            let arn = one[target].as_str().or_else(|| one[target]["Fn::Sub"].as_str()).unwrap_or_default();
            let rules = one["Filter"]["S3Key"]["Rules"].as_array();
            let text = |rule: &Value, key: &str| rule[key].as_str().unwrap_or_default().to_owned();
            let rules: Vec<(String, String)> =
                rules.into_iter().flatten().map(|rule| (text(rule, "Name"), text(rule, "Value"))).collect();
            let rules: Vec<(&str, &str)> =
                rules.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            told.insert(words(kind, arn, one["Event"].as_str().unwrap_or_default(), &rules));
        }
    }
    told
}

/// A notification in words; S3 writes names of rules as it likes.
fn words(kind: &str, arn: &str, event: &str, rules: &[(&str, &str)]) -> String {
    let name = arn.rsplit(':').next().unwrap_or(arn);
    let rule = |wanted: &str| {
        let found = rules.iter().find(|(name, value)| name.eq_ignore_ascii_case(wanted) && !value.is_empty());
        found.map(|(_, value)| *value)
    };
    let below = rule("prefix").map(|prefix| format!(" below {prefix}")).unwrap_or_default();
    let ending = rule("suffix").map(|suffix| format!(" that end in {suffix}")).unwrap_or_default();
    format!("the {kind} {name} of {event}{below}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_s_notifications_are_said_as_a_bucket_s_are() {
        let wanted = json!({
            "EventBridgeConfiguration": {"EventBridgeEnabled": true},
            "QueueConfigurations": [{
                "Event": "s3:ObjectCreated:*",
                "Queue": {"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:shop-orders"},
                "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".csv"}]}},
            }],
        });
        let there = words(
            "queue",
            "arn:aws:sqs:r:1:shop-orders",
            "s3:ObjectCreated:*",
            &[("Suffix", ".csv"), ("Prefix", "in/")],
        );
        assert_eq!(notifications(&wanted), BTreeSet::from([BRIDGE.to_owned(), there.clone()]));
        assert_eq!(there, "the queue shop-orders of s3:ObjectCreated:* below in/ that end in .csv");
        assert!(notifications(&Value::Null).is_empty());
    }
}
