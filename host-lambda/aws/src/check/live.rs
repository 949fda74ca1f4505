//! What AWS has of what a configuration names: buckets, databases, crawlers, topics.
//!
//! Not for what is read there (specs, keys, releases): those are judged like local ones. Decisions to know:
//!
//! * Every call only looks: HeadBucket, ListObjectsV2 of one key, GetDatabase, GetCrawler, GetTopicAttributes, and
//!   GetCallerIdentity where a topic is a name. They are made with the rights of whoever runs the command, and are
//!   none of the function's.
//! * What is asked for twice is asked once, and told at each key that names it.

use std::collections::BTreeMap;

use super::Judge;
use crate::client::{Aws, AwsError, Fault};
use crate::notify::topic;
use lakegate_base::{Code, Error, Result};
use lakegate_config::{Catalog, Config, Encryption, Location, Pipeline, Told};

/// Something to be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Bucket(String),
    /// What a source takes: that it may be listed.
    Prefix(String, String),
    Database(String),
    Crawler(String),
    Topic(String),
}

/// Asks for everything that the pipelines name.
pub(super) fn ask(judge: &mut Judge<'_>, aws: &Aws, config: &Config) -> Result<()> {
    let mut asked: BTreeMap<Thing, Option<Error>> = BTreeMap::new();
    for pipeline in config.pipelines.values() {
        for (key, thing) in things(pipeline) {
            let answer = asked.entry(thing.clone()).or_insert_with(|| aws.wait(thing.look(aws)));
            if let Some(error) = answer {
                judge.error(pipeline, key, error)?;
            }
        }
        if let Some(Encryption::Kms { key }) = &pipeline.output.encryption {
            let key = key.as_deref().map_or_else(|| "for S3".to_owned(), |key| format!("`{key}`"));
            judge.notes.push(format!(
                "not asked for, since only writing shows it: whether the KMS key {key} may be used for {}",
                pipeline.name
            ));
        }
    }
    judge.notes.push("asked with the rights of this command; those of a function's role are its own".into());
    Ok(())
}

/// What a pipeline names, and at which key.
fn things(pipeline: &Pipeline) -> Vec<(&'static str, Thing)> {
    let mut places = vec![("source", &pipeline.source.location)];
    places.extend(pipeline.outputs());
    if let Told::Channel { registry, .. } = &pipeline.told {
        places.push(("registry", registry));
    }
    let mut things = Vec::new();
    for (key, place) in places {
        let Location::S3 { bucket, prefix } = place else { continue };
        things.push((key, Thing::Bucket(bucket.clone())));
        if key == "source" {
            things.push((key, Thing::Prefix(bucket.clone(), prefix.clone())));
        }
    }
    match &pipeline.catalog {
        Catalog::None => {}
        Catalog::Glue { database, .. } => {
            things.push(("catalog.database", Thing::Database(database.clone())))
        }
        Catalog::Crawler { crawler, .. } => things.push(("catalog.crawler", Thing::Crawler(crawler.clone()))),
    }
    let notify = &pipeline.notify;
    let topics = [
        ("notify.success", &notify.success),
        ("notify.failure", &notify.failure),
        ("notify.quarantine", &notify.quarantine),
    ];
    let topics = topics.into_iter().filter_map(|(key, topic)| Some((key, Thing::Topic(topic.clone()?))));
    things.extend(topics);
    things
}

impl Thing {
    /// What is wrong with it.
    async fn look(&self, aws: &Aws) -> Option<Error> {
        let said = match self {
            Self::Bucket(bucket) => {
                let call = aws.s3().head_bucket().bucket(bucket).send();
                aws.ask("s3:HeadBucket", &format!("s3://{bucket}"), call).await.map(drop)
            }
            Self::Prefix(bucket, prefix) => {
                let call = aws.s3().list_objects_v2().bucket(bucket).prefix(prefix).max_keys(1).send();
                aws.ask("s3:ListObjectsV2", &format!("s3://{bucket}/{prefix}"), call).await.map(drop)
            }
            Self::Database(name) => {
                let call = aws.glue().get_database().name(name).send();
                aws.ask("glue:GetDatabase", &format!("Glue database {name}"), call).await.map(drop)
            }
            Self::Crawler(name) => {
                let call = aws.glue().get_crawler().name(name).send();
                aws.ask("glue:GetCrawler", &format!("Glue crawler {name}"), call).await.map(drop)
            }
            Self::Topic(topic) => {
                let arn = match topic::arn(aws, topic).await {
                    Ok(arn) => arn,
                    Err(error) => return Some(error),
                };
                let call = aws.sns().get_topic_attributes().topic_arn(&arn).send();
                aws.ask("sns:GetTopicAttributes", &arn, call).await.map(drop)
            }
        };
        let error = said.err()?;
        // The bucket that is not there is told once, by the look at the bucket itself.
        let twice =
            matches!(self, Self::Prefix(..)) && matches!(error.fault, Fault::NoBucket | Fault::Region);
        (!twice).then(|| self.told(aws, error))
    }

    /// The answer as an error that says what to do.
    fn told(&self, aws: &Aws, error: AwsError) -> Error {
        let region = aws.config().region().map_or("REGION", |region| region.as_ref());
        let arn = format!("arn:aws:glue:{region}:ACCOUNT");
        let denied =
            |on: String| Error::from(error.clone()).with_hint(format!("allow {} on {on}", error.call));
        match (self, error.fault) {
            // A HEAD has no body that tells a missing bucket from a missing object.
            (Self::Bucket(bucket), Fault::Missing) => {
                AwsError::new(Fault::NoBucket, error.call, &format!("s3://{bucket}"), error.message).into()
            }
            (Self::Database(name), Fault::Missing) => {
                let hint = format!(
                    "create it (aws glue create-database --database-input Name={name}), or correct its name"
                );
                Error::new(Code::DatabaseMissing, format!("Glue has no database {name}")).with_hint(hint)
            }
            (Self::Crawler(name), Fault::Missing) => {
                Error::new(Code::CrawlerMissing, format!("Glue has no crawler {name}"))
                    .with_hint("deploy it, or correct its name")
            }
            (Self::Topic(_), Fault::Missing) => {
                Error::new(Code::TopicMissing, format!("SNS has no topic {}", error.resource))
                    .with_hint("create it, or correct its name")
            }
            (Self::Database(name), Fault::Denied) => {
                denied(format!("{arn}:catalog and {arn}:database/{name}"))
            }
            (Self::Crawler(name), Fault::Denied) => denied(format!("{arn}:crawler/{name}")),
            _ => error.into(),
        }
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
