//! Crawlers by events: part files have arrived, or a run has ended and something was published while it went on.
//!
//! Not for starting one after a commit ([`catalog`](crate::catalog)). Decisions to know:
//!
//! * All part files that an invocation is told of are there before it begins: one start, or one mark, is enough for all.
//! * An arrival is no loop: a crawler writes no part files.
//! * An event of a crawler that no pipeline names is none of ours and no error, since a rule without a filter sends
//!   those of the whole account.

use std::collections::BTreeMap;

use crate::catalog;
use crate::deployed::object::{Request, answer};
use crate::deployed::{Deployed, bare_lake};
use crate::event::{AnswerState, ObjectAnswer, ObjectRef};
use crate::observe::stage;
use lakegate_base::Result;
use lakegate_config::{Arrival, Catalog, Pipeline};

/// What came of the crawlers that an invocation started, by name.
pub(super) type Started = BTreeMap<String, Result<()>>;

impl Deployed {
    /// Starts the crawlers of a part file that arrived, as far as this invocation has not; `None` where an object is
    /// none.
    ///
    /// # Errors
    /// The lake's or the service's; the event should be delivered again.
    pub(super) fn arrived(
        &self,
        object: &ObjectRef,
        request: &Request,
        started: &mut Started,
    ) -> Option<Result<ObjectAnswer>> {
        let arrivals = self.config.arrival(&object.bucket, &object.key);
        let name = arrivals.first()?.pipeline.name.clone();
        let mut all = Ok(());
        for arrival in arrivals {
            let known = started.get(arrival.crawler).cloned();
            let result = known.unwrap_or_else(|| self.start_crawler(arrival, request));
            started.insert(arrival.crawler.to_owned(), result.clone());
            all = all.and(result);
        }
        let arrived = ObjectAnswer { pipeline: Some(name), state: AnswerState::Arrived, ..answer(object) };
        Some(all.map(|()| arrived))
    }

    fn start_crawler(&self, arrival: Arrival<'_>, request: &Request) -> Result<()> {
        let Arrival { pipeline, crawler } = arrival;
        let aws = request.deadline.map_or_else(|| self.aws.clone(), |at| self.aws.with_deadline(at));
        let crawled = bare_lake(pipeline, &aws)
            .and_then(|lake| catalog::arrived(&aws, &lake, crawler))
            .inspect_err(|error| {
                let (code, hint, pipeline) = (error.name(), error.hint(), pipeline.name.as_str());
                tracing::error!(stage = "failed", pipeline, crawler, code, hint, "{error}");
            })?;
        let run = format!("{:?}", crawled.run).to_lowercase();
        tracing::info!(stage = "crawler", pipeline = pipeline.name, crawler, run, "part files arrived");
        Ok(())
    }

    /// Starts a crawler again for every pipeline whose rows its last run may have missed.
    ///
    /// # Errors
    /// The lake's or the service's; the event should be delivered again.
    pub(super) fn crawler_ended(&self, crawler: &str, request: &Request) -> Result<()> {
        let aws = request.deadline.map_or_else(|| self.aws.clone(), |at| self.aws.with_deadline(at));
        let mut ours = false;
        for pipeline in self.config.pipelines.values().filter(|pipeline| names(pipeline, crawler)) {
            ours = true;
            let lake = bare_lake(pipeline, &aws)?;
            let run = catalog::catch_up(&aws, pipeline, &lake)?.map(|crawled| crawled.run);
            let run = run.map(|run| format!("{run:?}").to_lowercase());
            tracing::info!(
                stage = "crawler",
                pipeline = pipeline.name,
                crawler,
                run,
                "a crawler's run ended"
            );
        }
        if !ours {
            stage::ignored(None, &format!("the crawler {crawler} ended, and no pipeline names it"));
        }
        Ok(())
    }
}

fn names(pipeline: &Pipeline, name: &str) -> bool {
    matches!(&pipeline.catalog, Catalog::Crawler { crawler, .. } if crawler == name)
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::{CrawlerState, CrawlerTargets, S3Target};
    use serde_json::json;

    use super::*;
    use crate::catalog::{Run, fixture, register};
    use crate::client::Aws;
    use crate::deployed::{Answered, Home, Share};
    use lakegate_sandbox::Transform;

    fn starts(aws: &Aws) -> u64 {
        aws.calls().get("glue:StartCrawler").copied().unwrap_or_default()
    }

    /// Moto's runs go on only when they are listed; MiniStack's by themselves.
    fn end_run(aws: &Aws, crawler: &str) {
        for _ in 0..100 {
            let _only_moto_has_it = aws.wait(aws.glue().list_crawls().crawler_name(crawler).send());
            let seen = aws.wait(aws.glue().get_crawler().name(crawler).send()).unwrap().crawler.unwrap();
            if seen.state() == Some(&CrawlerState::Ready) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        panic!("{crawler} does not end");
    }

    #[test]
    fn the_end_of_a_run_starts_the_one_that_was_asked_for() {
        let Some(aws) = fixture::peer() else { return };
        if Transform::shipped_digest().is_none() {
            lakegate_skipped::skipped("this build carries no component");
            return;
        }
        let name = fixture::fresh("crawler");
        let _there_already = aws.wait(aws.s3().create_bucket().bucket("the-lake").send());
        let targets =
            CrawlerTargets::builder().s3_targets(S3Target::builder().path("s3://the-lake/sales/").build());
        let make = aws.glue().create_crawler().name(&name).role("r").database_name("d");
        aws.wait(make.targets(targets.build()).send()).unwrap();
        let lines = format!("[pipeline.orders.catalog]\nkind = \"crawler\"\ncrawler = \"{name}\"\n");
        let deployed = Deployed::start(aws.clone(), fixture::config(&lines), Home::Command).unwrap();
        let ready = deployed.pipeline("orders").unwrap();
        let lake = deployed.lake(&ready, &aws).unwrap();
        let publish = || {
            let record = fixture::record("orders", "k1", &[""]);
            register(&aws, &ready.pipeline, &lake, &record).unwrap().crawler.unwrap().run
        };
        let request = Request {
            id: "r".into(),
            begun: std::time::Instant::now(),
            deadline: None,
            again: false,
            execution: None,
            share: Share::WHOLE,
        };
        let ended = |crawler: &str| {
            let event = json!({"source": "aws.glue", "detail-type": "Glue Crawler State Change",
                "detail": {"crawlerName": crawler, "state": "Succeeded"}});
            let before = starts(&aws);
            let answered = deployed.event(&event, &request).unwrap();
            assert_eq!(answered, Answered::Objects(crate::event::Answer::default()));
            starts(&aws) - before
        };
        assert_eq!((publish(), publish()), (Run::Started, Run::Again));
        assert_eq!(ended("somebody else's"), 0);
        end_run(&aws, &name);
        assert_eq!(ended(&name), 1);
        assert_eq!(ended(&name), 0, "nothing was published since");
    }
}
