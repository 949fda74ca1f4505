//! What follows from a configuration: which buckets, topics, databases and crawlers there are to be, and who uses them.
//!
//! Not for how a resource looks in a template. The decision to know: everything is kept by name and in order, since
//! the same input gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use lakegate_base::{Code, Error, Result};
use lakegate_config::{Catalog, Config, CrawlerStart, HistoryTables, Location, Pipeline, Stack, Told};

use crate::{Surroundings, Tables, bucket_of, names, prefix_of, prefixed};

/// Switches EventBridge on for a bucket and keeps whatever it notifies now; `BUCKET` stands for its name.
const EXISTING_BUCKET_COMMAND: &str = "aws s3api put-bucket-notification-configuration --bucket BUCKET \
     --notification-configuration \"$(aws s3api get-bucket-notification-configuration --bucket BUCKET --output json \
     | jq -s '(.[0] // {}) + {EventBridgeConfiguration: {}}')\"";

/// What is to be rendered.
pub struct Plan<'a> {
    pub stack: &'a Stack,
    /// All pipelines whose source is in S3, in the order of their names.
    pub pipelines: Vec<Own<'a>>,
    /// All buckets by name.
    pub buckets: BTreeMap<String, Bucket>,
    /// Topics that are made, by name.
    pub topics: BTreeSet<String>,
    /// Databases in Glue, by name.
    pub databases: BTreeSet<String>,
    /// Crawlers by name.
    pub crawlers: BTreeMap<String, Crawler>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// A pipeline, with what its spec says.
pub struct Own<'a> {
    pub pipeline: &'a Pipeline,
    pub tables: Tables,
    pub questions: String,
    pub id: String,
}

/// A bucket that pipelines use.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// Whether it is there already.
    pub exists: bool,
    /// Whether it tells EventBridge of its objects.
    pub bridged: bool,
    /// Prefixes of the lakes in it.
    pub lakes: BTreeSet<String>,
}

/// A crawler, and the pipelines whose tables it makes.
#[derive(Clone, Debug, Default)]
pub struct Crawler {
    pub database: String,
    /// Whether the arrival of a part file starts it.
    pub on_arrival: bool,
    /// Names of the pipelines.
    pub pipelines: Vec<String>,
}

impl<'a> Plan<'a> {
    pub fn of(stack: &'a Stack, config: &'a Config, surroundings: &Surroundings) -> Result<Self> {
        let mut plan = Self {
            stack,
            pipelines: Vec::new(),
            buckets: BTreeMap::new(),
            topics: BTreeSet::new(),
            databases: BTreeSet::new(),
            crawlers: BTreeMap::new(),
            notes: Vec::new(),
        };
        for pipeline in config.pipelines.values() {
            if bucket_of(&pipeline.source.location).is_none() {
                plan.notes.push(format!(
                    "`{}` reads a folder of this machine: nothing is deployed for it",
                    pipeline.name
                ));
                continue;
            }
            let tables = surroundings.tables.get(&pipeline.name).cloned().unwrap_or_default();
            let questions = surroundings.questions.get(&pipeline.name).cloned().unwrap_or_default();
            plan.pipelines.push(Own { pipeline, tables, questions, id: names::camel(&pipeline.name) });
        }
        if plan.pipelines.is_empty() {
            return Err(Error::new(
                Code::ConfigInvalid,
                "no pipeline has its source in S3, so nothing is deployed",
            )
            .with_hint("write source = \"s3://BUCKET/PREFIX/\""));
        }
        plan.ids()?;
        for index in 0..plan.pipelines.len() {
            plan.uses(plan.pipelines[index].pipeline);
        }
        Ok(plan)
    }

    /// Two pipelines whose names differ in signs alone would have one logical id.
    fn ids(&self) -> Result<()> {
        for (index, this) in self.pipelines.iter().enumerate() {
            if let Some(other) = self.pipelines[..index].iter().find(|other| other.id == this.id) {
                let names = format!("`{}` and `{}`", other.pipeline.name, this.pipeline.name);
                return Err(Error::new(
                    Code::ConfigInvalid,
                    format!("{names} are one name to CloudFormation"),
                )
                .with_hint("it knows letters and digits only: rename one of them"));
            }
        }
        Ok(())
    }

    /// Takes in the buckets, topics, databases and crawlers of a pipeline.
    fn uses(&mut self, pipeline: &Pipeline) {
        self.bucket(&pipeline.source.location, |source| {
            source.bridged |= !pipeline.trigger.is_notification()
        });
        for (key, place) in pipeline.outputs() {
            self.bucket(place, |bucket| {
                if key == "lake" {
                    bucket.lakes.insert(prefix_of(place).to_owned());
                }
                bucket.bridged |= key == "lake" && starts_on_arrival(pipeline);
            });
        }
        if let Told::Channel { registry, .. } = &pipeline.told {
            self.bucket(registry, |_| {});
        }
        let notify = &pipeline.notify;
        let named = [&notify.success, &notify.failure, &notify.quarantine].into_iter().flatten();
        self.topics.extend(named.filter(|topic| !topic.contains(':')).cloned());
        match &pipeline.catalog {
            Catalog::Glue { database, .. } => _ = self.databases.insert(database.clone()),
            Catalog::Crawler { crawler, database, .. } => {
                let database = database.clone().unwrap_or_else(|| self.stack.name.replace('-', "_"));
                self.databases.insert(database.clone());
                let entry = self.crawlers.entry(crawler.clone()).or_default();
                entry.database = database;
                entry.on_arrival |= starts_on_arrival(pipeline);
                entry.pipelines.push(pipeline.name.clone());
            }
            Catalog::None => {}
        }
    }

    /// Takes in the bucket of a place, and what it is used for.
    fn bucket(&mut self, place: &Location, used: impl FnOnce(&mut Bucket)) {
        let Some(name) = bucket_of(place) else { return };
        let exists = self.stack.existing.iter().any(|existing| existing == name);
        used(self.buckets.entry(name.to_owned()).or_insert(Bucket { exists, ..Bucket::default() }));
    }

    /// A pipeline by name.
    pub fn pipeline(&self, name: &str) -> Option<&Own<'a>> {
        self.pipelines.iter().find(|own| own.pipeline.name == name)
    }

    /// Names of the queues that start the function.
    pub fn queues(&self) -> impl Iterator<Item = String> {
        let of_pipelines = self.pipelines.iter().filter(|own| own.pipeline.trigger.has_queue());
        let arrivals = self.on_arrival().then(|| prefixed(self.stack, "arrivals", 80));
        of_pipelines.map(|own| self.queue(&own.pipeline.name)).chain(arrivals)
    }

    /// Name of a pipeline's queue.
    pub fn queue(&self, pipeline: &str) -> String {
        prefixed(self.stack, pipeline, 80)
    }

    /// Whether part files that arrive start a crawler.
    pub fn on_arrival(&self) -> bool {
        self.crawlers.values().any(|crawler| crawler.on_arrival)
    }

    /// The database in which the tables of a pipeline are registered.
    pub fn database(&self, pipeline: &Pipeline) -> Option<String> {
        match &pipeline.catalog {
            Catalog::Glue { database, .. } => Some(database.clone()),
            Catalog::Crawler { crawler, .. } => {
                self.crawlers.get(crawler).map(|crawler| crawler.database.clone())
            }
            Catalog::None => None,
        }
    }

    /// The tables of a pipeline's history: beside its own, wherever those are registered.
    pub fn history_tables(&self, pipeline: &Pipeline) -> Option<HistoryTables> {
        pipeline.history_tables().or_else(|| {
            let name = |what: &str| format!("{}_{what}", pipeline.name.replace('-', "_"));
            Some(HistoryTables {
                database: self.database(pipeline)?,
                loads: name("loads"),
                rolled: name("loads_rolled"),
                failures: name("failures"),
            })
        })
    }

    /// Buckets that are there already and are to tell EventBridge.
    pub fn bridges(&self) -> Vec<String> {
        let bridged = self.buckets.iter().filter(|(_, bucket)| bucket.exists && bucket.bridged);
        bridged.map(|(name, _)| name.clone()).collect()
    }

    /// What a person does once, beside deploying.
    pub fn commands(&self) -> Vec<(String, String)> {
        let command = |name: &String| {
            let what = format!(
                "{name} is there already: switch its events for EventBridge on, beside what it notifies"
            );
            (what, EXISTING_BUCKET_COMMAND.replace("BUCKET", name))
        };
        self.bridges().iter().map(command).collect()
    }
}

/// The logical id of a database.
pub fn database_id(database: &str) -> String {
    format!("Database{}", names::camel(database))
}

/// Whether the arrival of a pipeline's part files starts its crawler.
pub fn starts_on_arrival(pipeline: &Pipeline) -> bool {
    matches!(&pipeline.catalog, Catalog::Crawler { start: CrawlerStart::Arrival, .. })
}

/// The function's ARN, as it follows from its name.
pub fn function_arn(stack: &Stack) -> String {
    format!("arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{}", stack.name)
}

/// The ARN of a queue of the stack.
pub fn queue_arn(name: &str) -> String {
    format!("arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}")
}
